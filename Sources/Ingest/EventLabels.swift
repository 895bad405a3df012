// SPDX-License-Identifier: Apache-2.0

// Which cache and service an event belongs to, as numbers, and the cleaning of values that come from outside.

import JSON

/// Resolves label values to numbers.
struct EventLabels {
  /// Longer values are cut, at the end of a character.
  static let valueBytesMax = 128
  private static let programsKey = Array("programs:active:list".utf8)

  private(set) var services: LabelInterner
  private(set) var caches: LabelInterner
  /// Reasons of bypasses and operations of errors.
  private(set) var details: LabelInterner
  private let patterns: KeyPatterns
  /// Numbers of each pattern's cache and service, 0 where it has none.
  private var patternNumbers: [(cache: Int, service: Int)] = []
  private let defaultCache: Int?
  private let defaultService: Int?
  /// What the source of the records being read says for those that say nothing; 0 where it says nothing either.
  var sourceService = 0
  var sourceCache = 0
  private let profileCache: Int
  private let profileService: Int
  private let otherCache: Int
  private let otherService: Int

  init(settings: IngestSettings, seed: UInt64) {
    // A row keeps each number in sixteen bits.
    let outsideMax = min(settings.labelValuesMax, 32_768)
    var services = LabelInterner(outsideMax: outsideMax, seed: seed)
    var caches = LabelInterner(outsideMax: outsideMax, seed: seed)
    patterns = settings.keyPatterns
    patternNumbers = patterns.patterns.map {
      (caches.fixed(EventLabels.clean($0.cache)), services.fixed(EventLabels.clean($0.service)))
    }
    defaultCache = settings.defaultCache.map { caches.fixed(EventLabels.clean($0)) }
    defaultService = settings.defaultService.map { services.fixed(EventLabels.clean($0)) }
    profileCache = caches.fixed("profile")
    profileService = services.fixed("profile")
    otherCache = caches.fixed("default")
    otherService = services.fixed("default")
    self.services = services
    self.caches = caches
    details = LabelInterner(outsideMax: outsideMax, seed: seed)
  }

  var overflows: Int { services.overflows + caches.overflows + details.overflows }

  /// Which values of each label are the same text in other code points.
  struct Spellings {
    let services: [Int]?
    let caches: [Int]?
    let details: [Int]?

    /// The row with the first spelling of each of its values.
    func first(of row: RowLabels) -> RowLabels {
      if services == nil, caches == nil, details == nil { return row }
      return RowLabels(
        row.kind, row.tier, row.cohort, service: services?[row.service] ?? row.service,
        cache: caches?[row.cache] ?? row.cache,
        detail: row.kind == .breaker ? row.detail : details?[row.detail] ?? row.detail)
    }
  }

  func spellings() -> Spellings {
    Spellings(services: services.spellings(), caches: caches.spellings(), details: details.spellings())
  }

  mutating func removeOutside() {
    sourceService = 0
    sourceCache = 0
    services.removeOutside()
    caches.removeOutside()
    details.removeOutside()
  }

  /// Makes these the defaults of the records to come; an empty text is none.
  mutating func setSource(service: String?, cache: String?) {
    sourceService = EventLabels.number(ofText: service, in: &services)
    sourceCache = EventLabels.number(ofText: cache, in: &caches)
  }

  private static func number(ofText text: String?, in values: inout LabelInterner) -> Int {
    guard let text, !text.isEmpty else { return 0 }
    let value = cleaned(Array(text.utf8).span)
    return values.number(value.span, 0, value.count)
  }

  mutating func service(_ text: JSONString, _ bytes: Span<UInt8>) -> Int {
    EventLabels.number(text, bytes, isText: false, in: &services)
  }

  mutating func cache(_ text: JSONString, _ bytes: Span<UInt8>) -> Int {
    EventLabels.number(text, bytes, isText: false, in: &caches)
  }

  /// - Parameter record: what the log record around the event says, asked after the key patterns.
  @inline(__always)
  mutating func place(
    of event: inout CacheEvent, _ bytes: Span<UInt8>, record: RecordContext
  ) -> (service: Int, cache: Int) {
    var service = EventLabels.number(event.service, bytes, isText: event.isTextLine, in: &services)
    var cache = EventLabels.number(event.cache, bytes, isText: event.isTextLine, in: &caches)
    if service == 0 || cache == 0 {
      if event.isProgramsLine {
        let key = EventLabels.programsKey
        resolve(key.span, 0, key.count, isText: false, record, &service, &cache)
      } else if event.key.hasEscapes {
        var key: [UInt8] = []
        JSONCursor.append(event.key, of: bytes, to: &key)
        resolve(key.span, 0, key.count, isText: true, record, &service, &cache)
      } else {
        resolve(bytes, event.key.start, event.key.end, isText: event.isTextLine, record, &service, &cache)
      }
    }
    if service == 0 {
      service = sourceService != 0 ? sourceService : defaultService ?? (event.isTextLine ? otherService : profileService)
    }
    if cache == 0 {
      cache = sourceCache != 0 ? sourceCache : defaultCache ?? (event.isTextLine ? otherCache : profileCache)
    }
    return (service, cache)
  }

  @inline(__always)
  mutating func detail(of event: inout CacheEvent, _ bytes: Span<UInt8>) -> Int {
    if event.kind == .breaker { return Int(event.breakerState.rawValue) }
    return event.detail.count == 0 ? 0 : detail(event.detail, bytes, isTextLine: event.isTextLine)
  }

  @inline(never)
  private mutating func detail(_ detail: JSONString, _ bytes: Span<UInt8>, isTextLine: Bool) -> Int {
    guard isTextLine else { return EventLabels.number(detail, bytes, isText: false, in: &details) }
    // The words of a log line as a label: `pattern invalidation` becomes `pattern_invalidation`.
    var words: [UInt8] = []
    for index in detail.start..<detail.end {
      let byte = bytes[index]
      words.append(byte == 0x20 ? UInt8(ascii: "_") : byte &- 0x41 < 26 ? byte | 0x20 : byte)
    }
    let text = JSONString(start: 0, end: words.count, hasEscapes: false)
    return EventLabels.number(text, words.span, isText: true, in: &details)
  }

  private mutating func resolve(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int, isText: Bool, _ record: RecordContext,
    _ service: inout Int, _ cache: inout Int
  ) {
    if let index = patterns.index(bytes, start, end) {
      if cache == 0 { cache = patternNumbers[index].cache }
      if service == 0 { service = patternNumbers[index].service }
    }
    if service == 0 { service = record.service }
    if cache == 0 { cache = record.cache }
    guard cache == 0 else { return }
    var colon = start
    while colon < end, bytes[colon] != UInt8(ascii: ":") { colon += 1 }
    guard colon < end else { return }
    cache = EventLabels.number(
      JSONString(start: start, end: colon, hasEscapes: false), bytes, isText: isText, in: &caches)
  }

  /// - Parameter isText: whether the bytes may not be UTF-8.
  @inline(__always)
  private static func number(
    _ text: JSONString, _ bytes: Span<UInt8>, isText: Bool, in values: inout LabelInterner
  ) -> Int {
    guard text.count > 0 else { return 0 }
    if !text.hasEscapes, text.count <= valueBytesMax, isPrintable(text, bytes, below: isText ? 0x7f : 0xff) {
      return values.number(bytes, text.start, text.end)
    }
    return cleanedNumber(text, bytes, in: &values)
  }

  @inline(__always)
  private static func isPrintable(_ text: JSONString, _ bytes: Span<UInt8>, below limit: UInt8) -> Bool {
    for index in text.start..<text.end {
      let byte = bytes[index]
      if byte < 0x20 || byte == 0x7f || byte >= limit { return false }
    }
    return true
  }

  @inline(never)
  private static func cleanedNumber(_ text: JSONString, _ bytes: Span<UInt8>, in values: inout LabelInterner) -> Int {
    var decoded: [UInt8] = []
    JSONCursor.append(text, of: bytes, to: &decoded)
    let value = cleaned(decoded.span)
    return values.number(value.span, 0, value.count)
  }

  private static func clean(_ value: String?) -> String {
    String(decoding: cleaned(Array((value ?? "").utf8).span), as: UTF8.self)
  }

  /// At most `valueBytesMax` bytes of UTF-8; control characters and what is not UTF-8 become U+FFFD.
  private static func cleaned(_ text: Span<UInt8>) -> [UInt8] {
    var value: [UInt8] = []
    var index = 0
    while index < text.count {
      let length = UTF8Length.ofCharacter(at: index, in: text)
      let isKept = length > 0 && text[index] >= 0x20 && text[index] != 0x7f
      guard value.count + (isKept ? length : 3) <= valueBytesMax else { break }
      if isKept {
        for offset in 0..<length { value.append(text[index + offset]) }
      } else {
        value += [0xef, 0xbf, 0xbd]
      }
      index += max(length, 1)
    }
    return value
  }
}

/// What the log record around an event says, for where the event does not.
struct RecordContext {
  var timestampMs: Int64?
  var service = 0
  var cache = 0
  var hasIdentity = false
  var userHash: UInt64?
  /// That user's id among those that `BodyReading` remembers of records around events; empty for none.
  var lentUser = 0..<0
  /// Whether `RecentEventWriter` remembers the ids of records around the event.
  var hasLentIDs = false
}
