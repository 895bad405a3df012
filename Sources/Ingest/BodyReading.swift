// SPDX-License-Identifier: Apache-2.0

// The state of reading one body, and what becomes of each of its records. Where records begin is the business of the
// framing or of a protocol; what a text holds is `BodyReading+Text`.

import Assignment
import JSON
import TimeSeries

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
  let lineFormats = LineFormats()
  private var tally: EventTally
  private var keySampler: EventSampler
  private var cohorts = EventCohorts()
  /// Ids of users that records around the event being read name, the outermost first.
  private var lentUsers: [UInt8] = []
  var recents: RecentEventWriter
  private let seed: UInt64
  private let users: UserHash
  var labels: EventLabels
  private var batch = DecodedBatch()
  private var receivedAtMs: Int64 = 0
  /// Of `batch.rejections`, together.
  private var rejectedBytes = 0
  private var windowStartMs: Int64 = 0
  var texts: [[UInt8]]
  var uncoloured: [[UInt8]]
  var entry: [UInt8] = []
  var attributes = AttributeObject()

  init(settings: IngestSettings) {
    precondition(settings.resolutionMs > 0, "a window has a width")
    // Hash seeds differ from process to process, so that nobody can prepare colliding names.
    var hasher = Hasher()
    hasher.combine("rampart.ingest")
    let seed = UInt64(bitPattern: Int64(hasher.finalize()))
    self.settings = settings
    self.seed = seed
    tally = EventTally(seed: seed)
    keySampler = EventSampler(perSecondMax: settings.keySamplesPerSecond, seed: seed)
    users = UserHash(seed: settings.userSeed)
    recents = RecentEventWriter(settings: settings, seed: seed)
    labels = EventLabels(settings: settings, seed: seed)
    texts = Array(repeating: [], count: BodyReading.nestingMax)
    uncoloured = Array(repeating: [], count: BodyReading.nestingMax + 1)
  }

  /// One body, read by a closure.
  mutating func decode<Fault: Error>(
    receivedAtMs: Int64, _ read: (inout BodyReading) throws(Fault) -> Void
  ) throws(Fault) -> DecodedBatch {
    self.receivedAtMs = receivedAtMs
    tally.begin(receivedAtMs: receivedAtMs)
    batch = DecodedBatch()
    keySampler.begin(atMs: receivedAtMs)
    cohorts.begin(settings.cohorts())
    recents.begin(atMs: receivedAtMs)
    defer {
      rejectedBytes = 0
      tally.removeAll()
      labels.removeOutside()
      _ = recents.take(accepted: 0)
      batch = DecodedBatch()
    }
    try read(&self)
    var result = batch
    result.delta = tally.delta(labels)
    result.overflowedLabels = labels.overflows
    if !result.keys.isEmpty { result.keys.name(labels) }
    result.recent = recents.take(accepted: batch.accepted)
    return result
  }

  mutating func readEvents(_ body: Span<UInt8>) {
    let start = EventBody.start(body)
    switch EventBody.framing(body, from: start) {
    case .lines: readLines(body, from: start)
    case .documents: readDocuments(body, from: start)
    }
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
      // What a shipper stamps beside the event's own fields is nearer to its time than now.
      if event.timestampMs == nil, reader.hasRecordTime { event.timestampMs = reader.recordTime(bytes) }
      let owner = EventOwner(userHash: userHash(bytes) ?? context.userHash, correlation: reader.correlation)
      try count(&event, bytes, context, owner)
      return .accepted
    } catch {
      if error.isOfAnotherKind(bytes) { return settleRecord(bytes, context, level: level) }
      return rejected(error, bytes, place: "")
    }
  }

  /// An object that is no event itself: perhaps a log record whose text is one.
  @inline(never)
  private mutating func settleRecord(_ bytes: Span<UInt8>, _ outer: RecordContext, level: Int) -> RecordOutcome {
    guard level < BodyReading.nestingMax else { return .ignored }
    let message = reader.message()
    let object = message == nil ? reader.messageObject(bytes) : nil
    guard message != nil || object != nil else { return .ignored }
    let context = lent(by: bytes, to: outer)
    if let message { return settleText(message, bytes, context, level: level) }
    return object.map { settleText(bytes.extracting($0), context, level: level) } ?? .ignored
  }

  /// What the object that was just read says for a record within it.
  mutating func lent(by bytes: Span<UInt8>, to outer: RecordContext) -> RecordContext {
    var context = outer
    context.timestampMs = reader.recordTime(bytes) ?? outer.timestampMs
    if let service = reader.fields[.service], service.kind == .string {
      context.service = labels.service(service.string, bytes)
    }
    if let cache = reader.fields[.cache], cache.kind == .string { context.cache = labels.cache(cache.string, bytes) }
    context.hasIdentity = outer.hasIdentity || reader.hasIdentity
    if let hash = userHash(bytes) {
      context.userHash = hash
      if cohorts.governsAny { context.lentUser = lendUser(bytes, behind: outer.lentUser.upperBound) }
    }
    recents.lend(bytes, reader, isOuter: !outer.hasLentIDs)
    context.hasLentIDs = true
    return context
  }

  /// Of the user that the object that was just read names. `mutating`, because the compiler copies all 1,200 bytes of
  /// `self` for a call that changes nothing, which was 5 % of the time of an event.
  @inline(__always)
  private mutating func userHash(_ bytes: Span<UInt8>) -> UInt64? {
    guard let user = reader.fields[.userID] else { return nil }
    return users.hash(of: user, bytes)
  }

  /// Remembers the user that the object that was just read names.
  ///
  /// - Parameter end: of what records around it lent; what is behind was lent by records that are done.
  private mutating func lendUser(_ bytes: Span<UInt8>, behind end: Int) -> Range<Int> {
    lentUsers.removeLast(lentUsers.count - end)
    if let user = reader.fields[.userID] { JSONCursor.append(user.string, of: bytes, to: &lentUsers) }
    return end..<lentUsers.count
  }

  /// - Parameter event: gets its cohort; otherwise not changed (`EventTally.add`).
  @inline(__always)
  mutating func count(
    _ event: inout CacheEvent, _ bytes: Span<UInt8>, _ context: RecordContext, _ owner: EventOwner
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
      windowStartMs = floor(timeMs, to: settings.resolutionMs)
    }
    let place = labels.place(of: &event, bytes, record: context)
    if cohorts.governsAny, owner.userHash != nil, event.cohort == .none, EventTally.isTimed(event.kind) {
      assignCohort(&event, bytes, lentUser: context.lentUser, cache: place.cache, timeMs: timeMs)
    }
    let row = RowLabels(
      event.kind, event.tier, event.cohort, service: place.service, cache: place.cache,
      detail: labels.detail(of: &event, bytes))
    tally.add(&event, row, windowStartMs: windowStartMs, timeMs: timeMs, owner, bytes)
    if keySampler.takes() { sampleKey(of: &event, bytes, service: place.service, cache: place.cache, ageMs: age) }
    if recents.concerns(event.kind) {
      recents.choose(
        &event, bytes, reader, labels, service: place.service, cache: place.cache, timeMs: timeMs,
        hasLentIDs: context.hasLentIDs)
    }
    if event.hasIdentity || context.hasIdentity { batch.carriesIdentity = true }
    batch.newestEventMs = max(batch.newestEventMs ?? timeMs, timeMs)
  }

  /// The cohort that a flag puts the event's user in, where one governs its cache at its time. Only kinds that
  /// `EventTally.isTimed` names have series with a cohort.
  @inline(never)
  private mutating func assignCohort(
    _ event: inout CacheEvent, _ bytes: Span<UInt8>, lentUser: Range<Int>, cache: Int, timeMs: Int64
  ) {
    guard let segment = cohorts.segment(of: cache, labels.caches, atMs: timeMs) else { return }
    let isTreated: Bool
    // The reader holds an object, which for a text line is the one around it.
    if !event.isTextLine, let user = reader.fields[.userID], UserHash.isID(user) {
      isTreated = user.hasEscapes
        ? segment.isTreated(unescaped(user.string, bytes).span) : segment.isTreated(bytes.extracting(user.start..<user.end))
    } else {
      isTreated = segment.isTreated(lentUsers.span.extracting(lentUser))
    }
    event.cohort = isTreated ? .treatment : .control
  }

  private func unescaped(_ text: JSONString, _ bytes: Span<UInt8>) -> [UInt8] {
    var plain: [UInt8] = []
    JSONCursor.append(text, of: bytes, to: &plain)
    return plain
  }

  /// Takes the key of a lookup for `HotKeys`.
  @inline(never)
  private mutating func sampleKey(
    of event: inout CacheEvent, _ bytes: Span<UInt8>, service: Int, cache: Int, ageMs: Int64
  ) {
    let weight = keySampler.take()
    let isLookup = event.kind == .hit || event.kind == .miss || event.kind == .bypass
    guard isLookup, event.key.count > 0, ageMs <= HotKeys.lateMsMax else { return }
    batch.keys.add(event.key, bytes, service: service, cache: cache, weight: weight, seed: seed)
  }

  // MARK: - Outcomes

  /// - Parameter bytes: those that the fault's ranges refer to.
  func rejected(_ fault: EventFault, _ bytes: Span<UInt8>, place: String) -> RecordOutcome {
    guard batch.rejections.count < settings.rejectionsKeptMax else { return .rejected(nil) }
    return .rejected(fault.reason(bytes, place: place, settings: settings))
  }

  func rejected(because reason: String) -> RecordOutcome {
    .rejected(batch.rejections.count < settings.rejectionsKeptMax ? reason : nil)
  }

  /// - Parameters:
  ///   - start: the record's range, for what is kept of a rejected one.
  ///   - number: line or index from 1.
  @inline(__always)
  mutating func note(_ outcome: RecordOutcome, _ bytes: Span<UInt8>, _ start: Int, _ end: Int, number: Int) {
    if recents.hasChoice { recents.keep(bytes, start, end) }
    if let reason = noted(outcome) { keep(reason, bytes, start, end, timeMs: nil, number: number) }
  }

  /// The same for a record with a context, whose time is kept with a rejected one.
  mutating func note(_ outcome: RecordOutcome, _ record: Span<UInt8>, _ context: RecordContext, number: Int) {
    if recents.hasChoice { recents.keep(record, 0, record.count) }
    if let reason = noted(outcome) {
      keep(reason, record, 0, record.count, timeMs: context.timestampMs, number: number)
    }
  }

  /// The same for an accepted record that is in no body.
  mutating func noteAccepted(_ record: Span<UInt8>) {
    if recents.hasChoice { recents.keep(record, 0, record.count) }
    batch.accepted += 1
  }

  /// - Returns: the reason of a rejection that is to be kept.
  @inline(__always)
  private mutating func noted(_ outcome: RecordOutcome) -> String? {
    switch outcome {
    case .accepted: batch.accepted += 1
    case .ignored: batch.ignored += 1
    case .rejected(let reason):
      batch.rejected += 1
      return reason
    }
    return nil
  }

  @inline(never)
  private mutating func keep(
    _ reason: String, _ bytes: Span<UInt8>, _ start: Int, _ end: Int, timeMs: Int64?, number: Int
  ) {
    let isRoomy = rejectedBytes < settings.rejectedBodyBytesMax
    let bytesMax = isRoomy ? settings.rejectedLineBytesMax : settings.rejectedExcerptBytesMax
    var kept: [UInt8] = []
    let last = min(end, start + bytesMax)
    kept.reserveCapacity(last - start)
    for index in start..<last { kept.append(bytes[index]) }
    rejectedBytes += kept.count
    let record = RejectedRecord(
      bytes: kept, timeMs: timeMs, service: labels.services.value(labels.sourceService),
      cache: labels.caches.value(labels.sourceCache))
    batch.rejections.append(Rejection(line: number, reason: reason, record: record, isWhole: last == end))
  }
}
