// SPDX-License-Identifier: Apache-2.0

// Label values as small numbers. Hash and bytes are both compared: two values with one hash would otherwise be counted
// as one, and hashes can be made to collide.

import JSON

/// Numbers the distinct values of one label. Number 0 is the empty value, number 1 `__overflow__`.
struct LabelInterner {
  static let overflow = 1

  private struct Entry {
    var hash: UInt64
    var start: Int
    var end: Int
  }

  private let outsideMax: Int
  private let seed: UInt64
  private var entries: [Entry] = []
  private(set) var bytes: [UInt8] = []
  /// Numbers by hash, -1 for an empty slot; a power of two, at most half full.
  private var slots: [Int32]
  /// Those below stay when a body is done.
  private var keptCount = 0
  /// How many lookups got the overflow value since the last `removeOutside`.
  private(set) var overflows = 0

  /// - Parameter outsideMax: most values that `number` adds after `keep`.
  init(outsideMax: Int, seed: UInt64) {
    self.outsideMax = outsideMax
    self.seed = seed
    slots = Array(repeating: -1, count: 64)
    _ = fixed("")
    _ = fixed("__overflow__")
  }

  /// The number of a value that is no outsider's: it stays for good and does not count towards the bound.
  mutating func fixed(_ value: String) -> Int {
    precondition(entries.count == keptCount, "fixed values come before those of a body")
    let value = Array(value.utf8)
    let number = find(value.span, 0, value.count, most: Int.max)
    keptCount = entries.count
    return number
  }

  /// The number of the value at `start..<end`.
  @inline(__always)
  mutating func number(_ source: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    find(source, start, end, most: keptCount + outsideMax)
  }

  func value(_ number: Int) -> String {
    String(decoding: bytes[entries[number].start..<entries[number].end], as: UTF8.self)
  }

  /// Where a value stands in `bytes`.
  func range(of number: Int) -> Range<Int> { entries[number].start..<entries[number].end }

  /// For each number the lowest one whose value Unicode calls equal; nil where each is its own, as in ASCII.
  func spellings() -> [Int]? {
    guard bytes.contains(where: { $0 >= 0x80 }) else { return nil }
    var numbers: [String: Int] = [:]
    return entries.indices.map { number in
      let value = value(number)
      let first = numbers[value] ?? number
      numbers[value] = first
      return first
    }
  }

  /// Forgets the values of a body; costs what they were many.
  mutating func removeOutside() {
    overflows = 0
    guard entries.count > keptCount else { return }
    // In reverse, so that every value still stands where its search ended.
    for number in (keptCount..<entries.count).reversed() {
      var slot = slot(of: entries[number].hash)
      while slots[slot] != Int32(number) { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = -1
    }
    bytes.removeLast(bytes.count - entries[keptCount].start)
    entries.removeLast(entries.count - keptCount)
  }

  private mutating func find(_ source: Span<UInt8>, _ start: Int, _ end: Int, most: Int) -> Int {
    let hash = Word.hash(source, start, end, seed: seed)
    var slot = slot(of: hash)
    while slots[slot] >= 0 {
      let number = Int(slots[slot])
      if entries[number].hash == hash, isEqual(entries[number], source, start, end) { return number }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard entries.count < most else {
      overflows += 1
      return LabelInterner.overflow
    }
    return add(source, start, end, hash, slot)
  }

  private mutating func add(_ source: Span<UInt8>, _ start: Int, _ end: Int, _ hash: UInt64, _ slot: Int) -> Int {
    let number = entries.count
    entries.append(Entry(hash: hash, start: bytes.count, end: bytes.count + end - start))
    for index in start..<end { bytes.append(source[index]) }
    slots[slot] = Int32(number)
    if entries.count * 2 > slots.count { grow() }
    return number
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: slots.count * 2)
    for number in entries.indices {
      var slot = slot(of: entries[number].hash)
      while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(number)
    }
  }

  @inline(__always)
  private func slot(of hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
  }

  @inline(__always)
  private func isEqual(_ entry: Entry, _ source: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard entry.end - entry.start == end - start else { return false }
    let known = bytes.span
    var offset = 0
    while start + offset < end {
      let left = Word.load(known, entry.start + offset, entry.end)
      guard left == Word.load(source, start + offset, end) else { return false }
      offset += 8
    }
    return true
  }
}
