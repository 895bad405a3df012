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
  /// Of the answer, as soon as its first line is here; nil before.
  private(set) var status: Int?
  /// Says whether a connection to an address may be opened.
  private let mayConnect: ((RemoteAddress) -> Bool)?
  /// The addresses that were not connected to because of that.
  private(set) var refusedAddresses: [RemoteAddress] = []
  /// Takes the body of a success instead of `body`; false ends the request.
  private let receiver: (([UInt8]) -> Bool)?

  init(
    bodyBytesMax: Int, headerBytesMax: Int, mayConnect: ((RemoteAddress) -> Bool)?, receiver: (([UInt8]) -> Bool)? = nil
  ) {
    self.bodyBytesMax = bodyBytesMax
    self.headerBytesMax = headerBytesMax
    self.mayConnect = mayConnect
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
    if mayConnect != nil {
      results.append(unsafe ccurl_easy_setopt_opensocket(easy, CURLOPT_OPENSOCKETFUNCTION, Self.openSocket))
      results.append(unsafe ccurl_easy_setopt_pointer(easy, CURLOPT_OPENSOCKETDATA, context))
    }
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

  // curl asks with each address that a name has before it connects to it, so what was looked up is what is judged. A bad
  // socket makes it go on to the next address.
  private static let openSocket: curl_opensocket_callback = { context, _, address in
    guard let context = unsafe context, let address = unsafe address else { return CURL_SOCKET_BAD }
    let exchange = unsafe Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue()
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = unsafe ccurl_address_bytes(address, &bytes)
    guard count > 0, exchange.admits(RemoteAddress(bytes: Array(bytes[..<Int(count)]))) else { return CURL_SOCKET_BAD }
    return unsafe ccurl_open_socket(address)
  }

  private func admits(_ address: RemoteAddress) -> Bool {
    guard let mayConnect, !mayConnect(address) else { return true }
    refusedAddresses.append(address)
    return false
  }

  private func appendBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    if let status, (200..<300).contains(status), let receiver { return receiver(unsafe Array(bytes)) ? bytes.count : 0 }
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
      status = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
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
