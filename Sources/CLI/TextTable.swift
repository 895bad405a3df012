// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON

// Aligned columns, and values as people read them in a terminal.

/// Rows of cells, each column as wide as its widest cell.
struct TextTable {
  var header: [String] = []
  var rows: [[String]]
  /// Columns aligned to the right, from 0.
  var numbers: Set<Int> = []

  /// Two spaces between columns, none at the end of a line.
  var lines: [String] {
    let all = (header.isEmpty ? [] : [header]) + rows.map { $0.map(TextTable.plain) }
    let columns = all.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return all.map { row in
      let cells = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return numbers.contains(column) ? padding + cell : cell + padding
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// A text that came from elsewhere, without what a terminal would take for a command.
  static func plain(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) }
}

enum Text {
  /// `2026-11-21T10:00:00Z`; `-` for none.
  static func time(_ milliseconds: JSONValue?) -> String {
    milliseconds?.integer.map { TimestampText.rfc3339(milliseconds: $0 / 1000 * 1000) } ?? "-"
  }

  /// `12m 10s`.
  static func duration(seconds: Double) -> String {
    DurationText.spoken(milliseconds: Int64(max(seconds, 0)) * 1000)
  }

  /// `12.5 %`.
  static func percent(_ value: JSONValue?) -> String {
    guard let value = value?.double else { return "-" }
    return (value == value.rounded() ? "\(Int64(value))" : "\(value)") + " %"
  }

  /// A document with indentation, so that it can be kept under version control and edited.
  static func indented(_ value: JSONValue, _ indentation: String = "") -> String {
    let inner = indentation + "  "
    switch value {
    case .array(let items) where !items.isEmpty:
      return "[\n" + items.map { inner + indented($0, inner) }.joined(separator: ",\n") + "\n\(indentation)]"
    case .object(let members) where !members.isEmpty:
      let lines = members.map { "\(inner)\(JSONValue.string($0.name).text): \(indented($0.value, inner))" }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indentation)}"
    default: return value.text
    }
  }
}
