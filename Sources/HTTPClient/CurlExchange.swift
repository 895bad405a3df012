// SPDX-License-Identifier: Apache-2.0

internal import CCurl

// Collects what curl delivers for one request, within bounds. The two callbacks borrow the exchange through curl's
// context pointer: the caller keeps it alive until curl_easy_perform has returned.

final class CurlExchange {
  private let bodyBytesMax: Int
  private let headerBytesMax: Int
  private var headerBytes = 0
  private(set) var body: [UInt8] = []
  private(set) var headers: [(name: String, value: String)] = []
  private(set) var isTooLarge = false
  /// Takes the body of a success instead of `body`; false ends the request.
  private let receiver: (([UInt8]) -> Bool)?
  private var isSuccess = false

  init(bodyBytesMax: Int, headerBytesMax: Int, receiver: (([UInt8]) -> Bool)? = nil) {
    self.bodyBytesMax = bodyBytesMax
    self.headerBytesMax = headerBytesMax
    self.receiver = receiver
  }

  /// Borrows `self` for the next perform of that handle.
  func attach(to easy: UnsafeMutableRawPointer) {
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    var results: [CURLcode] = []
    results.append(unsafe ccurl_easy_setopt_receive(easy, CURLOPT_WRITEFUNCTION, Self.receiveBody))
    results.append(unsafe ccurl_easy_setopt_receive(easy, CURLOPT_HEADERFUNCTION, Self.receiveHeader))
    results.append(unsafe ccurl_easy_setopt_pointer(easy, CURLOPT_WRITEDATA, context))
    results.append(unsafe ccurl_easy_setopt_pointer(easy, CURLOPT_HEADERDATA, context))
    precondition(results.allSatisfy { $0 == CURLE_OK }, "curl refuses a callback")
  }

  // A callback that returns fewer bytes than it was given makes curl stop with CURLE_WRITE_ERROR.
  private static let receiveBody: ccurl_receive_callback = { bytes, size, count, context in
    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
    let exchange = unsafe Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue()
    return unsafe exchange.appendBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
  }

  private static let receiveHeader: ccurl_receive_callback = { bytes, size, count, context in
    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
    let exchange = unsafe Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue()
    return unsafe exchange.appendHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
  }

  private func appendBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    if isSuccess, let receiver { return receiver(unsafe Array(bytes)) ? bytes.count : 0 }
    guard body.count + bytes.count <= bodyBytesMax else {
      isTooLarge = true
      return 0
    }
    unsafe body.append(contentsOf: bytes)
    return bytes.count
  }

  private func appendHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    headerBytes += bytes.count
    guard headerBytes <= headerBytesMax else {
      isTooLarge = true
      return 0
    }
    append(headerLine: unsafe String(decoding: bytes, as: UTF8.self))
    return bytes.count
  }

  private func append(headerLine line: String) {
    // An interim answer (100 Continue) comes before the real one; only the last block counts.
    if line.hasPrefix("HTTP/") {
      headers.removeAll()
      isSuccess = line.split(separator: " ").dropFirst().first?.first == "2"
    }
    guard let colon = line.firstIndex(of: ":"), !line.hasPrefix("HTTP/") else { return }
    let value = line[line.index(after: colon)...].drop { $0.isWhitespace }
    headers.append((String(line[..<colon]), String(value.trimmingSuffix { $0.isWhitespace })))
  }
}

extension Substring {
  fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> Substring {
    var end = endIndex
    while end > startIndex, isTrimmed(self[index(before: end)]) { end = index(before: end) }
    return self[..<end]
  }
}
