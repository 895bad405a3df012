// SPDX-License-Identifier: Apache-2.0

// Events as they were received, packed one behind the other: what a body leaves for the log of recent events, and how it
// is read again. Which events are kept is `RecentEventWriter`'s business.

package import TimeSeries

/// Events that are kept of one body.
package struct RecentEvents: Sendable {
  /// Of each event the length of what follows, and then what `RecentEvent` reads.
  package private(set) var bytes: [UInt8] = []
  package private(set) var count = 0
  /// Of `count`, those that were kept as a sample: all that are not kept always.
  package private(set) var sampled = 0
  /// How many events the sampled ones stand for.
  package private(set) var sampledOf = 0
  /// Accepted events that are not here.
  package internal(set) var passedOver = 0

  package var isEmpty: Bool { count == 0 }

  /// - Parameters:
  ///   - header: what `RecentEvent` reads before the record.
  ///   - weight: how many events it stands for; 0 for one that is kept always.
  @inline(__always)
  mutating func append(_ header: Span<UInt8>, _ record: Span<UInt8>, isWhole: Bool, weight: Int) {
    var size = UInt64(truncatingIfNeeded: header.count + 1 + record.count)
    bytes.append(addingCapacity: header.count + record.count + 11) { (output: inout OutputSpan<UInt8>) in
      while size >= 0x80 {
        output.append(UInt8(truncatingIfNeeded: size) | 0x80)
        size >>= 7
      }
      output.append(UInt8(size))
      for index in header.indices { output.append(header[index]) }
      output.append(isWhole ? 1 : 0)
      for index in record.indices { output.append(record[index]) }
    }
    count += 1
    sampled += weight > 0 ? 1 : 0
    sampledOf += weight
  }

  mutating func reserve(_ bytesCount: Int) { bytes.reserveCapacity(bytesCount) }

  /// Counts events that would have been kept, had there been room.
  mutating func passOver(weight: Int) { sampledOf += weight }
}

/// One event among packed ones. Ranges are of their bytes.
package struct RecentEvent: Sendable {
  /// Of `typeNames`.
  package let type: Int
  /// Whether `record` is all of what was received.
  package let isWhole: Bool
  /// It was kept as one of so many; 1 where every one was.
  package let weight: Int
  package let timestampMs: Int64
  package let service: Range<Int>
  package let cache: Range<Int>
  /// Empty where it has none; at most `idBytesMax`.
  package let userID: Range<Int>
  package let correlationID: Range<Int>
  package let record: Range<Int>

  /// Longer ids are cut.
  package static let idBytesMax = 256

  /// `event_type` by kind of event.
  package static let typeNames: [String] = CacheEvent.Kind.allCases.map { kind in
    EventType.kinds.first { $0.kind == kind }?.name ?? ""
  }

  /// The index into `typeNames` of an `event_type`, all its spellings included.
  package static func type(named name: String) -> Int? {
    EventType.kinds.first { $0.name == name }.map { Int($0.kind.rawValue) }
  }

  /// Where each event begins, in the order they were kept.
  package static func starts(_ bytes: [UInt8]) throws(DamagedBytes) -> [Int] {
    var reader = PackedReader(bytes)
    var starts: [Int] = []
    while !reader.isAtEnd {
      starts.append(reader.position)
      _ = try reader.text(in: bytes)
    }
    return starts
  }

  /// - Parameter start: one of `starts`.
  package init(_ bytes: [UInt8], at start: Int) throws(DamagedBytes) {
    var reader = PackedReader(bytes, at: start)
    let size = try reader.count(max: reader.bytesLeft)
    // The size was counted before what follows it.
    guard size <= reader.bytesLeft else { throw reader.damage }
    let end = reader.position + size
    type = Int(try reader.byte())
    guard type < RecentEvent.typeNames.count else { throw reader.damage }
    weight = try reader.count(max: .max)
    timestampMs = try reader.signed()
    service = try reader.text(in: bytes)
    cache = try reader.text(in: bytes)
    userID = try reader.text(in: bytes)
    correlationID = try reader.text(in: bytes)
    isWhole = try reader.byte() != 0
    guard reader.position <= end else { throw reader.damage }
    record = reader.position..<end
  }
}

/// Which recent events are meant: those that fit everything that is given.
package struct RecentEventFilter: Sendable {
  /// Of `RecentEvent.typeNames`.
  package var type: Int?
  package var service: [UInt8]?
  package var cache: [UInt8]?
  package var userID: [UInt8]?
  package var correlationID: [UInt8]?

  package init() {}

  /// - Parameter bytes: those that the event was read from.
  package func matches(_ event: RecentEvent, _ bytes: [UInt8]) -> Bool {
    if let type, type != event.type { return false }
    return RecentEventFilter.matches(userID, bytes, event.userID)
      && RecentEventFilter.matches(correlationID, bytes, event.correlationID)
      && RecentEventFilter.matches(service, bytes, event.service) && RecentEventFilter.matches(cache, bytes, event.cache)
  }

  private static func matches(_ wanted: [UInt8]?, _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    guard let wanted else { return true }
    return wanted.count == range.count && wanted.elementsEqual(bytes[range])
  }
}

extension PackedReader {
  fileprivate mutating func text(in bytes: [UInt8]) throws(DamagedBytes) -> Range<Int> {
    let size = try count(max: bytesLeft)
    guard size <= bytesLeft else { throw damage }
    let start = position
    self = PackedReader(bytes, at: start + size)
    return start..<start + size
  }
}
