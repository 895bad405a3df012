// SPDX-License-Identifier: Apache-2.0

// A response made once and sent to any number of requests, at the same time and without copying: assets, not found,
// not modified.

internal import CMicroHTTPD

/// An immutable response that any number of requests on any threads may be answered with at once.
@safe package final class PreparedResponse: Sendable {
  /// 200...599.
  package let status: Int
  /// Of the body, in bytes.
  package let sizeBytes: Int

  // libmicrohttpd counts references under its own mutex; after init nobody changes the response.
  nonisolated(unsafe) let handle: OpaquePointer

  /// Takes status, headers and body from `response`.
  package init(_ response: Response) {
    guard let handle = unsafe response.makeHandle() else { fatalError("out of memory for a prepared response") }
    unsafe self.handle = unsafe handle
    status = response.status
    sizeBytes = response.body.count
  }

  deinit {
    unsafe MHD_destroy_response(handle)
  }
}

// What a request is answered with.
enum Answer: Sendable {
  case response(Response)
  case prepared(PreparedResponse)
  // Status and headers, and where the body comes from.
  case streamed(Response, SendQueue)

  var status: Int {
    switch self {
    case .response(let response): response.status
    case .prepared(let response): response.status
    case .streamed(let head, _): head.status
    }
  }
}
