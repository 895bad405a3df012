// SPDX-License-Identifier: Apache-2.0

// What a handler, an admission check or a body's opening reads from a request. Spans are borrowed for the closure;
// a String is made for the caller. Names are static: a String would be copied to the heap for C, a dozen times a request.

internal import CMicroHTTPD
internal import Glibc

extension Exchange {
  /// The path, percent-decoded, without the query.
  package var pathText: String { String(decoding: path, as: UTF8.self) }

  /// The client's address without the port.
  package var peer: String { connection.peer }

  /// The same as 128 bits, of which no text has to be made; an IPv4 address has the form ::ffff:a.b.c.d.
  package var peerWords: (high: UInt64, low: UInt64) { (connection.client.high, connection.client.low) }

  /// The parameter at `index` of the route's pattern, counted from 0 and percent-decoded; it is never empty.
  package func parameter(_ index: Int) -> String {
    String(decoding: path[parameters[index]], as: UTF8.self)
  }

  /// The bytes of the parameter at `index`.
  package func withParameter<R>(_ index: Int, _ body: (Span<UInt8>) throws -> R) rethrows -> R {
    let path = path
    return try body(path.span.extracting(parameters[index]))
  }

  /// The first query argument of that name, percent-decoded; nil when there is none.
  package func query(_ name: StaticString) -> String? {
    withQuery(name) { text(of: $0) }
  }

  /// Every query argument of that name, in order, as in `match[]=a&match[]=b`.
  package func queryAll(_ name: StaticString) -> [String] {
    var values: [String] = []
    forEachQuery { key, value in
      if key.elements(equal: name.description) { values.append(text(of: value)) }
    }
    return values
  }

  /// The names of all query arguments, in order.
  package var queryNames: [String] {
    var names: [String] = []
    forEachQuery { name, _ in names.append(text(of: name)) }
    return names
  }

  /// The bytes of the first query argument of that name; nil, without a call, when there is none.
  ///
  /// - Parameter name: ASCII letters, digits, `_`, `-`, `.` or brackets.
  package func withQuery<R>(_ name: StaticString, _ body: (Span<UInt8>) throws -> R) rethrows -> R? {
    var value: UnsafePointer<CChar>?
    var valueSize = 0
    let isFound = unsafe MHD_lookup_connection_value_n(
      handle, .GET_ARGUMENT_KIND, name.cString, name.utf8CodeUnitCount, &value, &valueSize)
    if isFound == .YES {
      let bytes = unsafe UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueSize)
      return try unsafe bytes.withMemoryRebound(to: UInt8.self) { bytes in
        // Nothing to decode in most values: they are handed on where they lie.
        guard unsafe bytes.contains(UInt8(ascii: "%")) else { return try unsafe body(bytes.span) }
        var decoded: [UInt8] = []
        unsafe PercentDecoding.decode(bytes.span, into: &decoded)
        return try body(decoded.span)
      }
    }
    // Names that are themselves percent-encoded are legal and rare.
    var found: [UInt8]?
    if hasEncodedQueryName {
      forEachQuery { key, value in
        if found == nil, key.elements(equal: name.description) { found = Array(copying: value) }
      }
    }
    return try found.map { try body($0.span) }
  }

  private var hasEncodedQueryName: Bool {
    var isEncoded = false
    _ = unsafe withUnsafeMutablePointer(to: &isEncoded) { context in
      unsafe MHD_get_connection_values_n(
        handle, .GET_ARGUMENT_KIND,
        { context, _, name, nameSize, _, _ in
          guard unsafe memchr(name!, Int32(UInt8(ascii: "%")), nameSize) != nil else { return .YES }
          unsafe context!.assumingMemoryBound(to: Bool.self).pointee = true
          return .NO
        }, context)
    }
    return isEncoded
  }

  /// Every query argument in order, percent-decoded. An argument without "=" has an empty value.
  package func forEachQuery(_ visit: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
    withoutActuallyEscaping(visit) { visit in
      var context = QueryVisit(visit: visit)
      _ = unsafe withUnsafeMutablePointer(to: &context) { context in
        unsafe MHD_get_connection_values_n(
          handle, .GET_ARGUMENT_KIND,
          { context, _, name, nameSize, value, valueSize in
            unsafe context!.assumingMemoryBound(to: QueryVisit.self).pointee.next(
              UnsafeRawBufferPointer(start: name, count: nameSize),
              UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueSize))
            return .YES
          }, context)
      }
    }
  }

  /// The first header of that name, in any case; nil when there is none. Bytes that are not UTF-8 are repaired.
  package func header(_ name: StaticString) -> String? {
    guard let value = unsafe MHD_lookup_connection_value(handle, .HEADER_KIND, name.cString) else { return nil }
    return unsafe String(cString: value)
  }

  /// The bytes of the first header of that name; nil, without a call, when there is none.
  package func withHeader<R>(_ name: StaticString, _ body: (Span<UInt8>) throws -> R) rethrows -> R? {
    guard let value = unsafe MHD_lookup_connection_value(handle, .HEADER_KIND, name.cString) else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(start: value, count: strlen(value))
    return try unsafe bytes.withMemoryRebound(to: UInt8.self) { try unsafe body($0.span) }
  }

  /// How many headers of that name there are; two of Host or Authorization are worth refusing.
  package func headerCount(_ name: StaticString) -> Int {
    var context = HeaderCount(name: name)
    _ = unsafe withUnsafeMutablePointer(to: &context) { context in
      unsafe MHD_get_connection_values_n(
        handle, .HEADER_KIND,
        { context, _, name, _, _, _ in
          let count = unsafe context!.assumingMemoryBound(to: HeaderCount.self)
          if unsafe strcasecmp(name!, count.pointee.name.cString) == 0 { unsafe count.pointee.count += 1 }
          return .YES
        }, context)
    }
    return context.count
  }

  /// The whole body of a `.buffered` route; empty for others.
  package func withBody<R>(_ body: (Span<UInt8>) throws -> R) rethrows -> R {
    let bytes = self.body
    return try body(bytes.span)
  }

  /// Moves the body out, for another thread to read. It is empty afterwards.
  package func takeBody() -> [UInt8] {
    defer { body = [] }
    return body
  }

  /// Of the body as it was sent.
  package var bodySizeBytes: Int { receivedBytes }

  private func text(of bytes: Span<UInt8>) -> String {
    String(decoding: Array(copying: bytes), as: UTF8.self)
  }
}

private struct HeaderCount {
  let name: StaticString
  var count = 0
}

// Decodes names and values into buffers of its own, one pair at a time.
private struct QueryVisit {
  let visit: (Span<UInt8>, Span<UInt8>) -> Void
  private var name: [UInt8] = []
  private var value: [UInt8] = []

  init(visit: @escaping (Span<UInt8>, Span<UInt8>) -> Void) {
    self.visit = visit
  }

  mutating func next(_ rawName: UnsafeRawBufferPointer, _ rawValue: UnsafeRawBufferPointer) {
    unsafe rawName.withMemoryRebound(to: UInt8.self) { unsafe PercentDecoding.decode($0.span, into: &name) }
    unsafe rawValue.withMemoryRebound(to: UInt8.self) { unsafe PercentDecoding.decode($0.span, into: &value) }
    visit(name.span, value.span)
  }
}

extension Span<UInt8> {
  fileprivate func elements(equal text: String) -> Bool {
    guard count == text.utf8.count else { return false }
    var index = 0
    for byte in text.utf8 {
      guard self[index] == byte else { return false }
      index += 1
    }
    return true
  }
}

extension [UInt8] {
  fileprivate init(copying bytes: Span<UInt8>) {
    self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
  }
}

extension StaticString {
  // Lives as long as the program, and ends with a NUL.
  fileprivate var cString: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
