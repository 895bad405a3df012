// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// One request to a receiver: alerts that belong together, before they are written in the receiver's own words.

/// Alerts that go out together, none of them twice.
package struct Message: Sendable, Equatable {
  /// The labels that all have in common and that they were brought together by; empty where alerts of any kind are.
  package var groupLabels: Labels
  /// In the order they became due.
  package var notices: [AlertNotice]

  package init(groupLabels: Labels, notices: [AlertNotice]) {
    self.groupLabels = groupLabels
    self.notices = notices
  }

  package var firing: [AlertNotice] { notices.filter(\.isFiring) }
  package var resolved: [AlertNotice] { notices.filter { !$0.isFiring } }
}

/// What a message needs to know of where it comes from and goes to.
package struct Letterhead: Sendable, Equatable {
  package let receiver: String
  /// Where people reach this server, without a slash at the end.
  package let externalURL: String

  package init(receiver: String, externalURL: String) {
    self.receiver = receiver
    self.externalURL = externalURL
  }

  /// The expression of an alert as Prometheus' links give it.
  package func generatorURL(_ notice: AlertNotice) -> String {
    "\(externalURL)/graph?g0.expr=\(Self.escaped(notice.expression))&g0.tab=1"
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for byte in text.utf8 {
      let isPlain = byte < 0x80 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber)
      if isPlain || "-_.~".utf8.contains(byte) {
        escaped.unicodeScalars.append(UnicodeScalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        escaped += "%" + (byte < 16 ? "0" : "") + digits
      }
    }
    return escaped
  }
}
