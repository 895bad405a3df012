// SPDX-License-Identifier: Apache-2.0

// Lines as the simulated services write them, appended to one buffer of bytes, and counted in a ledger in the same
// breath, so that what is sent and what is expected cannot part. Pieces of a line are here; whole lines are in
// EventLog+Events and EventLog+Text.

/// A growing buffer of lines, each ended by a line feed, with the ledger of what they say.
package struct EventLog: Sendable {
  package enum Tier: Sendable { case l1, l2 }

  /// The lines so far.
  package internal(set) var bytes: [UInt8] = []
  package internal(set) var linesCount = 0
  /// Counts everything since this log was made; `removeAll` leaves it alone.
  package internal(set) var ledger = Ledger()

  /// - Parameter capacity: bytes set aside at once.
  package init(capacity: Int = 256 << 10) {
    bytes.reserveCapacity(capacity)
  }

  /// Forgets the lines, keeps the memory and the ledger.
  package mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    linesCount = 0
  }

  mutating func endLine() {
    bytes.append(0x0A)
    linesCount += 1
  }

  mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  /// Appends a number >= 0 in decimal.
  mutating func append(number: Int) {
    // By recursion every division is one by a constant, which the compiler turns into a multiplication.
    if number >= 10 { append(number: number / 10) }
    bytes.append(0x30 &+ UInt8(truncatingIfNeeded: number % 10))
  }

  /// Appends `digits` decimal digits with leading zeros.
  mutating func append(number: Int, digits: Int) {
    if digits > 1 { append(number: number / 10, digits: digits &- 1) }
    bytes.append(0x30 &+ UInt8(truncatingIfNeeded: number % 10))
  }

  /// Appends the lowest `digits` hexadecimal digits.
  mutating func append(hex value: UInt64, digits: Int) {
    var shift = UInt64(digits &* 4)
    while shift > 0 {
      shift &-= 4
      let digit = UInt8(truncatingIfNeeded: (value &>> shift) & 0xF)
      bytes.append(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
    }
  }

  /// Appends microseconds as milliseconds with three decimals, exact: 77 is `0.077`.
  mutating func append(millisecondsOfUs us: Int) {
    append(number: us / 1_000)
    bytes.append(0x2E)
    append(number: us % 1_000, digits: 3)
  }
}
