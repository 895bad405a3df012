// SPDX-License-Identifier: Apache-2.0

// What is registered under a method and a path: a handler, and what becomes of the request's body.

/// Answers one request, on a thread of the server: it must respond, suspend or stream before it returns, and must not
/// block or keep the exchange.
package typealias Handler = @Sendable (Exchange) -> Void

/// What becomes of a request's body.
package enum BodyPolicy: Sendable {
  /// The route takes no body. One that comes is read and thrown away, up to the configured bound.
  case none
  /// The whole body is collected before the handler runs. More than `bytesMax` bytes are answered with 413.
  case buffered(bytesMax: Int)
  /// Chunks go to a receiver as they arrive; the handler runs after the last. `bytesMax` counts bytes as sent, before
  /// any decompression; more are answered with 413. The closure runs once the headers are in.
  case streamed(bytesMax: Int, open: @Sendable (Exchange) -> BodyOpening)

  var bytesMax: Int {
    switch self {
    case .none: 0
    case .buffered(let bytesMax), .streamed(let bytesMax, _): bytesMax
    }
  }
}

/// Takes the chunks of one request's body, on one thread.
package protocol BodyReceiver: AnyObject {
  /// - Parameter chunk: the next bytes, at least one; borrowed for the call.
  func receive(_ chunk: Span<UInt8>) -> BodyVerdict
}

/// What a receiver says to a chunk.
package enum BodyVerdict {
  /// Send the next.
  case proceed
  /// Answer with this; the rest of the body is thrown away and the handler does not run.
  case refuse(Response)
}

/// What a streamed route says to a request's headers.
package enum BodyOpening {
  /// The receiver gets the body, and the handler finds it as `Exchange.receiver`.
  case accept(any BodyReceiver)
  /// Answer with this, without reading the body.
  case refuse(Response)
}

final class Route: Sendable {
  let body: BodyPolicy
  let tag: Int
  let handler: Handler

  init(body: BodyPolicy, tag: Int, handler: @escaping Handler) {
    self.body = body
    self.tag = tag
    self.handler = handler
  }
}
