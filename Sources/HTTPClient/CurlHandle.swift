// SPDX-License-Identifier: Apache-2.0

internal import CCurl

// The curl easy handle and the options of one request. Only this file and CurlExchange touch C.
// https://curl.se/libcurl/c/libcurl-easy.html

/// Owns one easy handle and its error text; both are freed with it.
@safe
final class CurlHandle {
  struct Failure {
    let kind: HTTPClientError.Kind
    let message: String
  }

  private let easy: UnsafeMutableRawPointer
  private let errorText: UnsafeMutablePointer<CChar>

  init() {
    if let fault = unsafe ccurl_load() { preconditionFailure("curl cannot be used: \(unsafe String(cString: fault))") }
    guard let easy = unsafe ccurl_easy_init() else { preconditionFailure("curl has no memory for a handle") }
    unsafe self.easy = unsafe easy
    unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    unsafe ccurl_easy_cleanup(easy)
    unsafe errorText.deallocate()
  }

  /// The status of the last answer; 0 when there was none.
  var status: Int {
    var status = 0
    _ = unsafe ccurl_easy_getinfo_long(easy, CURLINFO_RESPONSE_CODE, &status)
    return status
  }

  /// For how long a request may take.
  enum Patience {
    case totalMs(Int)
    /// Without a byte.
    case stallSeconds(Int)
  }

  /// Performs one request; what comes back is in `exchange`. Nil when an answer came.
  func perform(
    method: String, url: String, headers: [(String, String)], body: [UInt8]?, connectMs: Int, patience: Patience,
    exchange: CurlExchange
  ) -> Failure? {
    // Options of the request before are forgotten; its connection is kept.
    unsafe ccurl_easy_reset(easy)
    unsafe errorText.pointee = 0
    var list: UnsafeMutablePointer<curl_slist>?
    defer { unsafe ccurl_slist_free_all(list) }
    // "Expect: 100-continue" costs a second against servers that do not know it; an empty value takes it out.
    unsafe list = unsafe ccurl_slist_append(nil, "Expect:")
    for (name, value) in headers {
      // "Name;" is curl's way to send a header without a value; "Name:" would remove it.
      unsafe list = unsafe ccurl_slist_append(list, value.isEmpty ? "\(name);" : "\(name): \(value)")
    }
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_TCP_NODELAY, 1)
    set(CURLOPT_CONNECTTIMEOUT_MS, connectMs)
    switch patience {
    case .totalMs(let ms): set(CURLOPT_TIMEOUT_MS, ms)
    case .stallSeconds(let seconds):
      set(CURLOPT_LOW_SPEED_LIMIT, 1)
      set(CURLOPT_LOW_SPEED_TIME, seconds)
    }
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_NOPROXY, "*")
    set(CURLOPT_URL, url)
    set(CURLOPT_CUSTOMREQUEST, method)
    must(unsafe ccurl_easy_setopt_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
    must(unsafe ccurl_easy_setopt_list(easy, CURLOPT_HTTPHEADER, list))
    unsafe exchange.attach(to: easy)
    if method == "HEAD" { set(CURLOPT_NOBODY, 1) }
    return failure(of: perform(body: body))
  }

  // curl reads the body where it lies, so the bytes have to stay put until perform returns.
  private func perform(body: [UInt8]?) -> CURLcode {
    guard let body else { return unsafe ccurl_easy_perform(easy) }
    return unsafe body.withUnsafeBytes { bytes in
      // A null POSTFIELDS would make curl read the body from stdin: an empty array gets an address all the same.
      var empty: UInt8 = 0
      return unsafe withUnsafeMutablePointer(to: &empty) { emptyPointer in
        let start = unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress) ?? UnsafeMutableRawPointer(emptyPointer)
        must(unsafe ccurl_easy_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count)))
        must(unsafe ccurl_easy_setopt_pointer(easy, CURLOPT_POSTFIELDS, start))
        return unsafe ccurl_easy_perform(easy)
      }
    }
  }

  private func set(_ option: CURLoption, _ value: Int) {
    must(unsafe ccurl_easy_setopt_long(easy, option, value))
  }

  private func set(_ option: CURLoption, _ value: String) {
    must(unsafe ccurl_easy_setopt_string(easy, option, value))
  }

  // An option fails when curl was built without it or has no memory: neither is the caller's doing.
  private func must(_ result: CURLcode) {
    precondition(result == CURLE_OK, "curl refuses an option: \(Self.text(of: result))")
  }

  private func failure(of result: CURLcode) -> Failure? {
    guard result != CURLE_OK else { return nil }
    let detail = unsafe String(cString: errorText)
    return Failure(kind: Self.kind(of: result), message: detail.isEmpty ? Self.text(of: result) : detail)
  }

  private static func text(of result: CURLcode) -> String {
    guard let text = unsafe ccurl_easy_strerror(result) else { return "curl error \(result.rawValue)" }
    return unsafe String(cString: text)
  }

  private static func kind(of result: CURLcode) -> HTTPClientError.Kind {
    switch result {
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest
    case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION:
      .cannotConnect
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: .interrupted
    default: .failed
    }
  }
}
