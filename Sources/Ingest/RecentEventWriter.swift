// SPDX-License-Identifier: Apache-2.0

// Which events of a body are kept as they were received: errors, invalidations, events of circuit breakers and failed
// consistency checks always, of the others a sample. An event is chosen when it is counted, and copied when its record
// ends, which a log record around it or a protocol may have begun long before.

import JSON

struct RecentEventWriter {
  /// Longer records are cut.
  static let recordBytesMax = 4 << 10
  private static let expectedBytesMax = 128 << 10
  /// What events that are sampled may take of what a body may leave.
  private static let sampledShare = 8

  private static let alwaysKept: UInt64 =
    1 << CacheEvent.Kind.error.rawValue | 1 << CacheEvent.Kind.invalidation.rawValue
    | 1 << CacheEvent.Kind.breaker.rawValue | 1 << CacheEvent.Kind.consistencyCheck.rawValue

  private var sampler: EventSampler
  private var events = RecentEvents()
  private var sampledBytes = 0
  /// What the body before left, up to `expectedBytesMax`: a body begins with as much room.
  private var expectedBytes = 0
  /// Whether an event was chosen and waits for its record.
  private(set) var hasChoice = false
  /// How many events that one stands for; 0 for one that is kept always.
  private var weight = 0
  private var header = RecentEventHeader()
  /// Of the log records around the event that is being read.
  private var lentUserID: [UInt8] = []
  private var lentCorrelationID: [UInt8] = []
  private let bytesMax: Int
  /// A bit for each kind that `choose` is asked about whatever the sampler says.
  private let notableKinds: UInt64

  init(settings: IngestSettings, seed: UInt64) {
    bytesMax = settings.recentBytesMax
    notableKinds = bytesMax > 0 ? RecentEventWriter.alwaysKept : 0
    sampler = EventSampler(perSecondMax: bytesMax > 0 ? settings.recentEventsPerSecond : 0, seed: seed)
  }

  mutating func begin(atMs: Int64) {
    sampler.begin(atMs: atMs)
    hasChoice = false
  }

  /// Whether the next event may be kept; then `choose` has to be called.
  @inline(__always)
  mutating func concerns(_ kind: CacheEvent.Kind) -> Bool {
    notableKinds &>> UInt64(truncatingIfNeeded: kind.rawValue) & 1 != 0 || sampler.takes()
  }

  /// Decides whether an event is kept, and packs what is known of it without its record.
  ///
  /// - Parameter reader: it has just read the event, or the log record around a plain line.
  @inline(never)
  mutating func choose(
    _ event: inout CacheEvent, _ bytes: Span<UInt8>, _ reader: borrowing EventReader, _ labels: borrowing EventLabels,
    service: Int, cache: Int, timeMs: Int64, hasLentIDs: Bool
  ) {
    let isNotable = notableKinds &>> UInt64(truncatingIfNeeded: event.kind.rawValue) & 1 != 0
    weight = 0
    if !isNotable {
      weight = sampler.take()
    } else if event.kind == .consistencyCheck, event.isSuccess {
      guard sampler.takes() else { return }
      weight = sampler.take()
    }
    hasChoice = true
    header.begin(event.kind, weight: max(weight, 1), timeMs: timeMs)
    header.text(labels.services, service)
    header.text(labels.caches, cache)
    let userID = event.isTextLine ? CacheEvent.absent : reader.text(.userID)
    header.text(userID, bytes, else: hasLentIDs ? lentUserID : [])
    let correlationID = event.isTextLine ? CacheEvent.absent : reader.text(.correlationID)
    header.text(correlationID, bytes, else: hasLentIDs ? lentCorrelationID : [])
  }

  /// Keeps the event that was chosen with the record it came in.
  @inline(never)
  mutating func keep(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
    hasChoice = false
    let last = min(end, start + RecentEventWriter.recordBytesMax)
    let size = header.bytes.count + last - start
    let isSampled = weight > 0
    let room = isSampled ? bytesMax / RecentEventWriter.sampledShare - sampledBytes : bytesMax - events.bytes.count
    guard size <= room else { return events.passOver(weight: weight) }
    if isSampled { sampledBytes += size }
    if events.isEmpty { events.reserve(expectedBytes) }
    let known = header.bytes
    events.append(known.span, bytes.extracting(start..<last), isWhole: last == end, weight: weight)
  }

  /// Remembers the ids of a log record for the event within.
  ///
  /// - Parameter isOuter: whether no other record is around it.
  mutating func lend(_ bytes: Span<UInt8>, _ reader: borrowing EventReader, isOuter: Bool) {
    guard bytesMax > 0 else { return }
    RecentEventWriter.lend(reader.text(.userID), bytes, isOuter: isOuter, to: &lentUserID)
    RecentEventWriter.lend(reader.text(.correlationID), bytes, isOuter: isOuter, to: &lentCorrelationID)
  }

  /// What was kept, and nothing for the next body.
  mutating func take(accepted: Int) -> RecentEvents {
    var taken = RecentEvents()
    swap(&taken, &events)
    taken.passedOver = bytesMax > 0 ? accepted - taken.count : 0
    sampledBytes = 0
    expectedBytes = min(taken.bytes.count, RecentEventWriter.expectedBytesMax)
    return taken
  }

  private static func lend(_ id: JSONString, _ bytes: Span<UInt8>, isOuter: Bool, to lent: inout [UInt8]) {
    guard id.count > 0 || isOuter else { return }
    lent.removeAll(keepingCapacity: true)
    if id.count > 0 { JSONCursor.append(id, of: bytes, to: &lent) }
  }
}

/// What is known of an event beside its record, as `RecentEvent` reads it. The numbers are `PackedWriter`'s, which makes an
/// array for each thing it writes.
private struct RecentEventHeader {
  private(set) var bytes: [UInt8] = []

  mutating func begin(_ kind: CacheEvent.Kind, weight: Int, timeMs: Int64) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(kind.rawValue)
    varint(UInt64(weight))
    varint(UInt64(bitPattern: (timeMs << 1) ^ (timeMs >> 63)))
  }

  mutating func text(_ values: borrowing LabelInterner, _ number: Int) {
    let range = values.range(of: number)
    text(values.bytes.span.extracting(range))
  }

  /// An id of some bytes, or another one where it is empty.
  mutating func text(_ id: JSONString, _ bytes: Span<UInt8>, else other: [UInt8]) {
    guard id.hasEscapes else {
      return id.count > 0 ? text(bytes.extracting(id.start..<id.end)) : text(other.span)
    }
    var plain: [UInt8] = []
    JSONCursor.append(id, of: bytes, to: &plain)
    text(plain.span)
  }

  /// A text, which may be cut.
  private mutating func text(_ text: Span<UInt8>) {
    let size = min(text.count, RecentEvent.idBytesMax)
    varint(UInt64(size))
    // One look at whether anybody else holds the array, where each byte would take its own.
    bytes.append(addingCapacity: size) { (output: inout OutputSpan<UInt8>) in
      for index in 0..<size { output.append(text[index]) }
    }
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
