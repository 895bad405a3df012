// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTP
import JSON
import Platform

// A receiver of notifications on a loopback port, which keeps what it was sent and answers as it is told to.

final class ReceivingServer: Sendable {
  /// What to answer: by default 200.
  typealias Answering = @Sendable (_ count: Int) -> Response

  private let server: HTTPServer
  private let received: Monitor<[JSONValue]>
  let url: String

  init(_ answering: @escaping Answering = { _ in Response(text: "ok") }) throws {
    let received = Monitor([JSONValue]())
    var router = Router()
    for path in ["/hook", "/api/v2/alerts"] {
      router.add(.post, path, body: .buffered(bytesMax: 64 << 20)) { exchange in
        let body = (try? JSONValue(parsing: exchange.takeBody())) ?? .null
        let count = received.change { bodies in
          bodies.append(body)
          return bodies.count
        }
        exchange.respond(answering(count))
      }
    }
    self.received = received
    server = HTTPServer(configuration: HTTPServer.Configuration(), router: router)
    url = "http://127.0.0.1:\(try server.start())"
  }

  deinit { server.stop(drainSeconds: 0) }

  var bodies: [JSONValue] { received.withLock { $0 } }

  /// `HitRatioLow/profile firing`, in the order they came.
  var alerts: [String] { bodies.flatMap(ReceivingServer.alerts) }

  /// Waits for at least so many alerts, for at most 20 s.
  func alerts(atLeast count: Int) -> [String] {
    let found: [String]? = received.wait(timeoutMs: 20_000) { bodies in
      let alerts = bodies.flatMap(ReceivingServer.alerts)
      return alerts.count >= count ? alerts : nil
    }
    return found ?? alerts
  }

  private static func alerts(_ body: JSONValue) -> [String] {
    (body["alerts"] ?? body).array?.map { alert in
      let nowMs = Clock.wallMs()
      let ends = alert["endsAt"]?.string ?? ""
      let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
      let isOver = (try? style.parse(ends)).map { Int64($0.timeIntervalSince1970 * 1000) <= nowMs } ?? false
      let status = alert["status"]?.string ?? (isOver ? "resolved" : "firing")
      return "\(alert["labels"]?["alertname"]?.string ?? "")/\(alert["labels"]?["cache"]?.string ?? "") \(status)"
    } ?? []
  }
}
