// SPDX-License-Identifier: Apache-2.0

// Numbers as people write them in a configuration: sizes with a unit, addresses with a port. Durations are DurationText's.

enum Quantity {
  /// `512B`, `64KiB`, `64MiB`, `20GiB`, `1TiB`, and the decimal `kB`, `MB`, `GB`, `TB`. Nil for anything else.
  static func sizeBytes(_ text: some StringProtocol) -> Int64? {
    let units: [(name: String, bytes: Int64)] = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
      ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
    ]
    guard let unit = units.first(where: { text.hasSuffix($0.name) }) else { return nil }
    let number = String(text.dropLast(unit.name.count).filter { $0 != " " })
    guard let count = Int64(number), count >= 0 else { return nil }
    let (bytes, overflowed) = count.multipliedReportingOverflow(by: unit.bytes)
    return overflowed ? nil : bytes
  }

  /// `127.0.0.1:8990` or `[::1]:8990`. Nil for anything else, names included.
  static func address(_ text: String) -> (host: String, port: UInt16)? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty, host.allSatisfy({ $0.isHexDigit || $0 == "." || $0 == ":" }) else { return nil }
    return (host, port)
  }
}
