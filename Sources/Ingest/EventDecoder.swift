// SPDX-License-Identifier: Apache-2.0

// From the bytes of a body to what it adds: cuts it into records, reads each, counts the events. Which protocol or file
// the bytes came with is not known here.

import JSON
import TimeSeries

/// Decodes bodies, one after the other; it keeps its buffers, so one of it serves one thread.
package final class EventDecoder {
  // A struct, so that exclusive access to it is checked once a body and not once a field.
  private var reading: BodyReading

  package init(settings: IngestSettings) {
    reading = BodyReading(settings: settings)
  }

  /// Counts the events of a body: NDJSON, plain text lines, a JSON array, one object or several, told by the bytes.
  ///
  /// - Parameter receivedAtMs: the server's clock; the time of events that do not tell theirs.
  package func decode(_ body: Span<UInt8>, receivedAtMs: Int64) -> DecodedBatch {
    reading.decode(body, receivedAtMs: receivedAtMs)
  }
}

/// What became of one record.
enum RecordOutcome {
  case accepted, ignored
  /// With a reason while there is room for it.
  case rejected(String?)
}

/// The state of decoding one body.
struct BodyReading {
  /// How deep an event may sit in the texts of log records: Docker's record around winston's around the event.
  static let nestingMax = 3

  let settings: IngestSettings
  var reader = EventReader()
  private let lineFormats = LineFormats()
  private var tally: EventTally
  private var labels: EventLabels
  private var batch = DecodedBatch()
  private var receivedAtMs: Int64 = 0
  private var windowStartMs: Int64 = 0
  private var texts: [[UInt8]]

  init(settings: IngestSettings) {
    precondition(settings.resolutionMs > 0, "a window has a width")
    // Hash seeds differ from process to process, so that nobody can prepare colliding names.
    var hasher = Hasher()
    hasher.combine("rampart.ingest")
    let seed = UInt64(bitPattern: Int64(hasher.finalize()))
    self.settings = settings
    tally = EventTally(seed: seed)
    labels = EventLabels(settings: settings, seed: seed)
    texts = Array(repeating: [], count: BodyReading.nestingMax)
  }

  mutating func decode(_ body: Span<UInt8>, receivedAtMs: Int64) -> DecodedBatch {
    self.receivedAtMs = receivedAtMs
    batch = DecodedBatch()
    let start = EventBody.start(body)
    switch EventBody.framing(body, from: start) {
    case .lines: readLines(body, from: start)
    case .documents: readDocuments(body, from: start)
    }
    var result = batch
    result.delta = tally.delta(labels)
    result.overflowedLabels = labels.overflows
    tally.removeAll()
    labels.removeOutside()
    batch = DecodedBatch()
    return result
  }

  // MARK: - Records

  /// The outcome of the object that `reader` has just read.
  @inline(__always)
  mutating func settleObject(_ bytes: Span<UInt8>, _ context: RecordContext = RecordContext(), level: Int = 0)
    -> RecordOutcome
  {
    guard reader.fields[.eventType] != nil else { return settleRecord(bytes, context, level: level) }
    do throws(EventFault) {
      var event = CacheEvent()
      try reader.read(&event, bytes)
      try count(&event, bytes, context)
      return .accepted
    } catch {
      return rejected(error, bytes, place: "")
    }
  }

  /// An object that is no event itself: perhaps a log record whose text is one.
  @inline(never)
  private mutating func settleRecord(_ bytes: Span<UInt8>, _ outer: RecordContext, level: Int) -> RecordOutcome {
    guard level < BodyReading.nestingMax, let message = reader.message() else { return .ignored }
    var context = outer
    context.timestampMs = reader.recordTime(bytes) ?? outer.timestampMs
    if let service = reader.fields[.service], service.kind == .string {
      context.service = labels.service(service.string, bytes)
    }
    if let cache = reader.fields[.cache], cache.kind == .string { context.cache = labels.cache(cache.string, bytes) }
    context.hasIdentity = outer.hasIdentity || reader.hasIdentity
    return settleText(message, bytes, context, level: level)
  }

  /// A string that may be a JSON event, a log record, or one of the plain lines.
  mutating func settleText(_ text: JSONString, _ bytes: Span<UInt8>, _ context: RecordContext, level: Int)
    -> RecordOutcome
  {
    // Without escapes the text is its own bytes.
    guard text.hasEscapes else { return settleText(bytes.extracting(text.start..<text.end), context, level: level) }
    // Taken out while its bytes are borrowed, put back for the next record.
    var buffer: [UInt8] = []
    swap(&buffer, &texts[level])
    defer { swap(&buffer, &texts[level]) }
    buffer.removeAll(keepingCapacity: true)
    JSONCursor.append(text, of: bytes, to: &buffer)
    return settleText(buffer.span, context, level: level)
  }

  private mutating func settleText(_ inner: Span<UInt8>, _ context: RecordContext, level: Int) -> RecordOutcome {
    var cursor = JSONCursor()
    cursor.skipWhitespace(inner)
    guard cursor.position < inner.count, inner[cursor.position] == UInt8(ascii: "{") else {
      return settleLine(inner, context)
    }
    // A text that begins with a brace need not be JSON; then it is no event.
    guard (try? reader.readObject(inner, &cursor)) != nil else { return .ignored }
    cursor.skipWhitespace(inner)
    guard cursor.position == inner.count else { return .ignored }
    return settleObject(inner, context, level: level + 1)
  }

  /// A plain text line.
  mutating func settleLine(_ line: Span<UInt8>, _ context: RecordContext) -> RecordOutcome {
    var event = CacheEvent()
    guard lineFormats.read(&event, line) else { return .ignored }
    do throws(EventFault) {
      try count(&event, line, context)
      return .accepted
    } catch {
      return rejected(error, line, place: "")
    }
  }

  /// - Parameter event: not changed (`EventTally.add`).
  @inline(__always)
  private mutating func count(
    _ event: inout CacheEvent, _ bytes: Span<UInt8>, _ context: RecordContext
  ) throws(EventFault) {
    let timeMs = event.timestampMs ?? context.timestampMs ?? receivedAtMs
    // Wrapping, and compared as distances, because either time may be any number.
    let (age, overflows) = receivedAtMs.subtractingReportingOverflow(timeMs)
    if overflows || age > settings.oldestMs || age < -settings.futureMs {
      let isOld = overflows ? timeMs < receivedAtMs : age > 0
      throw EventFault(isOld ? .tooOld(timeMs) : .tooFarAhead(timeMs))
    }
    // Events come mostly in order, and a division costs as much as the rest of this function.
    if timeMs < windowStartMs || timeMs >= windowStartMs + settings.resolutionMs {
      windowStartMs = BodyReading.floor(timeMs, settings.resolutionMs)
    }
    let place = labels.place(of: &event, bytes, record: context)
    let row = RowLabels(
      event.kind, event.tier, event.cohort, service: place.service, cache: place.cache,
      detail: labels.detail(of: &event, bytes))
    tally.add(&event, row, windowStartMs: windowStartMs, timeMs: timeMs)
    if event.hasIdentity || context.hasIdentity { batch.carriesIdentity = true }
    batch.newestEventMs = max(batch.newestEventMs ?? timeMs, timeMs)
  }

  private static func floor(_ timeMs: Int64, _ widthMs: Int64) -> Int64 {
    let remainder = timeMs % widthMs
    return timeMs - (remainder < 0 ? remainder + widthMs : remainder)
  }

  // MARK: - Outcomes

  /// - Parameter bytes: those that the fault's ranges refer to.
  func rejected(_ fault: EventFault, _ bytes: Span<UInt8>, place: String) -> RecordOutcome {
    guard batch.rejections.count < settings.rejectionsKeptMax else { return .rejected(nil) }
    return .rejected(fault.reason(bytes, place: place, settings: settings))
  }

  /// - Parameters:
  ///   - start: the record's range, for what is kept of a rejected one.
  ///   - number: line or index from 1.
  @inline(__always)
  mutating func note(_ outcome: RecordOutcome, _ bytes: Span<UInt8>, _ start: Int, _ end: Int, number: Int) {
    switch outcome {
    case .accepted: batch.accepted += 1
    case .ignored: batch.ignored += 1
    case .rejected(let reason):
      batch.rejected += 1
      if let reason { keep(reason, bytes, start, end, number: number) }
    }
  }

  @inline(never)
  private mutating func keep(_ reason: String, _ bytes: Span<UInt8>, _ start: Int, _ end: Int, number: Int) {
    var kept: [UInt8] = []
    let last = min(end, start + settings.rejectedLineBytesMax)
    kept.reserveCapacity(last - start)
    for index in start..<last { kept.append(bytes[index]) }
    batch.rejections.append(Rejection(line: number, reason: reason, bytes: kept))
  }
}
