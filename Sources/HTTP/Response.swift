// SPDX-License-Identifier: Apache-2.0

// A response made for one request, and how it becomes libmicrohttpd's. One that is sent again and again is a
// PreparedResponse.

internal import CMicroHTTPD

/// A response made for one request.
package struct Response: Sendable {
  /// 200...599.
  package var status: Int
  /// The value of Content-Type; nil leaves the header out.
  package var contentType: StaticString?
  /// In the order they are sent; a name may occur more than once.
  package private(set) var headers: [Header] = []
  /// Sent as it is; Content-Length comes from it. Left out on the wire for HEAD, 204 and 304.
  package var body: [UInt8]

  package init(status: Int = 200, contentType: StaticString? = nil, body: [UInt8] = []) {
    precondition((200...599).contains(status), "a response's status must be in 200...599")
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// `text` as text/plain.
  package init(status: Int = 200, text: String) {
    self.init(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
  }

  /// Adds a header. A value with a control character is dropped and false returned: see `Header`.
  @discardableResult
  package mutating func addHeader(_ name: String, _ value: String) -> Bool {
    guard let header = Header(name, value) else { return false }
    headers.append(header)
    return true
  }

  /// Adds headers that were made before.
  package mutating func add(_ headers: [Header]) {
    self.headers += headers
  }

  /// A copy with one more header, for building in one expression.
  package func with(_ name: String, _ value: String) -> Response {
    var copy = self
    copy.addHeader(name, value)
    return copy
  }

  // Owned by the caller, who destroys it once it is queued; nil when memory is short.
  func makeHandle() -> OpaquePointer? {
    guard let handle = unsafe ResponseBody.makeHandle(body) else { return nil }
    unsafe Response.add(contentType, headers, to: handle)
    return unsafe handle
  }

  static func add(_ contentType: StaticString?, _ headers: [Header], to handle: OpaquePointer) {
    if let contentType {
      contentType.withUTF8Buffer { text in
        _ = unsafe MHD_add_response_header(
          handle, "Content-Type", UnsafeRawPointer(text.baseAddress!).assumingMemoryBound(to: CChar.self))
      }
    }
    for header in headers {
      // Passed as Strings they would be copied to the heap first.
      unsafe header.name.withCString { name in
        unsafe header.value.withCString { value in
          _ = unsafe MHD_add_response_header(handle, name, value)
        }
      }
    }
  }
}

// Keeps an array alive for as long as libmicrohttpd sends it.
final class ResponseBody: Sendable {
  // Below this a copy into libmicrohttpd's own allocation is cheaper than an object and two reference counts.
  private static let copiedBytesMax = 4 << 10

  let bytes: [UInt8]

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  static func makeHandle(_ bytes: [UInt8]) -> OpaquePointer? {
    if bytes.count <= copiedBytesMax {
      return unsafe bytes.withUnsafeBytes { buffer in
        unsafe MHD_create_response_from_buffer(
          buffer.count, UnsafeMutableRawPointer(mutating: buffer.baseAddress), .RESPMEM_MUST_COPY)
      }
    }
    // The elements of a native array live in its heap object and do not move while a reference to it is held and
    // nobody can write through another (a writer would copy first). The object is released by the free callback.
    let body = ResponseBody(bytes)
    let address = unsafe body.bytes.withUnsafeBytes { unsafe UnsafeMutableRawPointer(mutating: $0.baseAddress!) }
    let context = unsafe Unmanaged.passRetained(body).toOpaque()
    let handle = unsafe MHD_create_response_from_buffer_with_free_callback_cls(
      body.bytes.count, address, { unsafe Unmanaged<ResponseBody>.fromOpaque($0!).release() }, context)
    if unsafe handle == nil { unsafe Unmanaged<ResponseBody>.fromOpaque(context).release() }
    return unsafe handle
  }
}
