// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON

// What a change would make of an environment, checked and not yet made: a dry run stops here, everything else goes on to
// one transaction. So both refuse the same.

/// What somebody wants of the flags and segments of an environment.
enum EnvironmentChange: Sendable {
  enum ImportMode: String, CaseIterable, Sendable {
    /// What is in the document is created or replaced.
    case merge
    /// And what is not in it is deleted.
    case replace
  }

  case putFlag(String, JSONValue, FlagService.ExpectedVersion)
  case patchFlag(String, JSONValue, FlagService.ExpectedVersion)
  case deleteFlag(String, FlagService.ExpectedVersion)
  case putSegment(String, JSONValue, FlagService.ExpectedVersion)
  case deleteSegment(String, FlagService.ExpectedVersion)
  case importDocument(JSONValue, ImportMode)
}

/// Flags and segments before and after a change; only those that differ.
struct EnvironmentPlan: Sendable {
  /// Nil before for one that is created, nil after for one that is deleted; never both.
  struct Edit<Item: Sendable>: Sendable {
    let before: Item?
    var after: Item?

    var action: String { before == nil ? "create" : after == nil ? "delete" : "update" }
  }

  let set: FlagSet
  private(set) var flags: [Edit<Flag>] = []
  private(set) var segments: [Edit<Segment>] = []

  var isEmpty: Bool { flags.isEmpty && segments.isEmpty }

  /// - Parameters:
  ///   - set: the environment as it is.
  ///   - isRamping: whether a ramp of a flag, by its key, is under way.
  /// - Throws: `FlagError` for a document that is wrong, `RequestError.conflict` for what the state forbids,
  ///   `StoreError.conflict` for a version that is not the expected one, `RequestError.preconditionFailed` for what was
  ///   expected not to be there.
  init(_ change: EnvironmentChange, of set: FlagSet, isRamping: (String) -> Bool, nowMs: Int64) throws {
    self.set = set
    switch change {
    case .putFlag(let key, let document, let expected):
      let old = set.flag(key: key)
      let new = try Flag(document, key: key, version: old?.version ?? 0, updatedMs: nowMs)
      try EnvironmentPlan.require(expected, "flag \(key)", old?.version)
      add(old, new)
    case .patchFlag(let key, let patch, let expected):
      let old = try EnvironmentPlan.existing(key, in: set)
      try EnvironmentPlan.require(expected, "flag \(key)", old.version)
      add(old, try old.patched(by: patch))
    case .deleteFlag(let key, let expected):
      let old = try EnvironmentPlan.existing(key, in: set)
      try EnvironmentPlan.require(expected, "flag \(key)", old.version)
      add(old, nil)
    case .putSegment(let key, let document, let expected):
      let old = set.segment(key: key)
      let new = try Segment(document, key: key, version: old?.version ?? 0, updatedMs: nowMs)
      try EnvironmentPlan.require(expected, "segment \(key)", old?.version)
      add(old, new)
    case .deleteSegment(let key, let expected):
      guard let old = set.segment(key: key) else { throw FlagService.noSegment(key, set.environment) }
      try EnvironmentPlan.require(expected, "segment \(key)", old.version)
      add(old, nil)
    case .importDocument(let document, let mode):
      addAll(try FlagSetDocument(document), mode)
    }
    var isImport = false
    if case .importDocument = change { isImport = true }
    try checkNesting()
    try checkRamps(isRamping, isImport: isImport)
    try checkRoom()
    try checkNames(isImport: isImport)
    stamp(nowMs: nowMs)
  }

  private static func existing(_ key: String, in set: FlagSet) throws(RequestError) -> Flag {
    guard let flag = set.flag(key: key) else { throw FlagService.noFlag(key, set.environment) }
    return flag
  }

  /// - Parameters:
  ///   - subject: what errors name.
  ///   - version: of what is there; nil where nothing is.
  private static func require(_ expected: FlagService.ExpectedVersion, _ subject: String, _ version: Int64?) throws {
    // Whoever expected nothing has read nothing that could be outdated: to repeat it would fail again.
    if case .absent = expected, let version {
      throw RequestError.preconditionFailed(
        "\(subject): exists already, at version \(version): change that with If-Match, or choose another key")
    }
    try FlagService.require(expected, version: version)
  }

  // MARK: Gathering

  private mutating func add(_ old: Flag?, _ new: Flag?) {
    if let old, let new, old.definition == new.definition { return }
    flags.append(Edit(before: old, after: new))
  }

  private mutating func add(_ old: Segment?, _ new: Segment?) {
    if let old, let new, old.definition == new.definition { return }
    segments.append(Edit(before: old, after: new))
  }

  private mutating func addAll(_ document: FlagSetDocument, _ mode: EnvironmentChange.ImportMode) {
    for flag in document.flags { add(set.flag(key: flag.key), flag) }
    let known = Dictionary(uniqueKeysWithValues: set.segments.map { ($0.key, $0) })
    for segment in document.segments { add(known[segment.key], segment) }
    guard mode == .replace else { return }
    let keptFlags = Set(document.flags.map(\.key))
    for flag in set.flags where !keptFlags.contains(flag.key) { add(flag, nil) }
    let keptSegments = Set(document.segments.map(\.key))
    for segment in set.segments where !keptSegments.contains(segment.key) { add(segment, nil) }
  }

  private mutating func stamp(nowMs: Int64) {
    for index in flags.indices {
      let version = (flags[index].before?.version ?? 0) + 1
      flags[index].after?.version = version
      flags[index].after?.updatedMs = nowMs
    }
    for index in segments.indices {
      let version = (segments[index].before?.version ?? 0) + 1
      segments[index].after?.version = version
      segments[index].after?.updatedMs = nowMs
    }
  }

  /// Levels of arrays and objects in a variant's value: documents that hold definitions, their audit and their differences
  /// among them, must still be read as JSON, of 64 levels at most.
  private static let nestingMax = 32

  private func checkNesting() throws(FlagError) {
    for edit in flags {
      for variant in edit.after?.variants ?? [] where variant.value.isNested(beyond: EnvironmentPlan.nestingMax) {
        throw FlagError(
          field: "variants.\(variant.name.prefix(80))", message: "nested too deeply: at most \(EnvironmentPlan.nestingMax) levels")
      }
    }
  }

  // MARK: The environment afterwards

  /// Ascending by key.
  var flagsAfter: [Flag] {
    let changed = Set(flags.compactMap { $0.before?.key })
    let all = set.flags.filter { !changed.contains($0.key) } + flags.compactMap(\.after)
    return all.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  /// Ascending by key.
  var segmentsAfter: [Segment] {
    let changed = Set(segments.compactMap { $0.before?.key })
    let all = set.segments.filter { !changed.contains($0.key) } + segments.compactMap(\.after)
    return all.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  // MARK: Checking

  private func checkRamps(_ isRamping: (String) -> Bool, isImport: Bool) throws(RequestError) {
    for edit in flags {
      guard let old = edit.before, isRamping(old.key) else { continue }
      guard let new = edit.after else {
        throw .conflict("flag \(old.key): a ramp is under way: roll it back or kill it first")
      }
      guard let member = old.rampedMember(changedIn: new) else { continue }
      let place = isImport ? "flags.\(old.key).\(member)" : member
      throw .conflict("\(place): a ramp is under way and relies on it: roll the ramp back or kill it first")
    }
  }

  private func checkRoom() throws(RequestError) {
    let createdFlags = flags.filter { $0.before == nil }
    let flagCount = set.flags.count + createdFlags.count - flags.filter { $0.after == nil }.count
    if let flag = createdFlags.last?.after, flagCount > Flag.Bounds.flagsMax {
      throw .conflict("flag \(flag.key): the environment has \(Flag.Bounds.flagsMax) already, which is the most")
    }
    let createdSegments = segments.filter { $0.before == nil }
    let segmentCount = set.segments.count + createdSegments.count - segments.filter { $0.after == nil }.count
    if let segment = createdSegments.last?.after, segmentCount > Flag.Bounds.segmentsMax {
      throw .conflict("segment \(segment.key): the environment has \(Flag.Bounds.segmentsMax) already, which is the most")
    }
  }

  /// A flag that is sent and names what is not there is its sender's mistake; one that is not sent and loses what it names
  /// forbids the change.
  private func checkNames(isImport: Bool) throws {
    guard !isEmpty else { return }
    let faults = EnvironmentCheck.faults(flags: flagsAfter, segments: segmentsAfter.map(\.key))
    guard !faults.isEmpty else { return }
    let sent = Set(flags.compactMap { $0.after?.key })
    if let own = faults.first(where: { sent.contains($0.key) }) {
      guard isImport else { throw own.error }
      throw FlagError(field: "flags.\(own.key).\(own.error.field)", message: own.error.message)
    }
    let keys = faults.map(\.key)
    let named = keys.prefix(EnvironmentPlan.namedMax).joined(separator: ", ") + (keys.count > EnvironmentPlan.namedMax ? ", …" : "")
    let subject = isImport ? "the document" : subject
    throw RequestError.conflict(
      "\(subject): in use by \(keys.count == 1 ? "flag" : "flags") \(named): change that first: \(faults[0].key): \(faults[0].error)")
  }

  /// Flags that an error names.
  private static let namedMax = 10

  private var subject: String {
    if let flag = flags.first { return "flag \((flag.before ?? flag.after)?.key ?? "")" }
    return "segment \((segments.first?.before ?? segments.first?.after)?.key ?? "")"
  }
}

extension JSONValue {
  fileprivate func isNested(beyond levels: Int) -> Bool {
    if let array { return levels == 0 || array.contains { $0.isNested(beyond: levels - 1) } }
    if let members { return levels == 0 || members.contains { $0.value.isNested(beyond: levels - 1) } }
    return false
  }
}
