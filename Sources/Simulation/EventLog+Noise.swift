// SPDX-License-Identifier: Apache-2.0

// Lines that count nothing: broken ones, which the server rejects with a reason, and foreign ones, which it ignores.

extension EventLog {
  static let brokenKindsCount = 3
  static let foreignKindsCount = 4

  /// An event cut off, one with something after it, or one from the year 2100.
  mutating func appendBroken(_ head: EventHead, kind: Int) {
    switch kind {
    case 0:
      append("{\"event_type\":\"cache_hit\",\"cache_tier\":\"L1\",\"timestamp\":")
      append(number: Int(head.timestampMs / 1_000))
    case 1:
      append("{\"event_type\":\"cache_miss\",\"timestamp\":")
      append(number: Int(head.timestampMs))
      append("}}")
    default:
      append("{\"event_type\":\"cache_miss\",\"timestamp\":4102444800000,\"correlation_id\":\"")
      append(hex: head.correlation.number, digits: 10)
      append("\"}")
    }
    endLine()
    ledger.rejected += 1
  }

  /// A log record without an event, an event of another product, plain text, or a summary of winston's.
  mutating func appendForeign(_ head: EventHead, kind: Int) {
    switch kind {
    case 0:
      append("{\"level\":\"info\",\"message\":\"GET /profile 200\",\"timestamp\":")
      append(number: Int(head.timestampMs))
      append("}")
    case 1:
      append("{\"type\":\"page_view\",\"timestamp\":")
      append(number: Int(head.timestampMs))
      append(",\"user_id\":\"user-1\"}")
    case 2:
      append("server listening on port 3000, request ")
      append(hex: head.correlation.number, digits: 10)
    default:
      append("{\"level\":\"info\",\"message\":\"Cache performance {\\\"hitRate\\\":0.91}\",\"timestamp\":")
      append(number: Int(head.timestampMs))
      append("}")
    }
    endLine()
    ledger.ignored += 1
  }
}
