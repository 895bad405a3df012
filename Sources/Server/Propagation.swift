// SPDX-License-Identifier: Apache-2.0

internal import JSON
internal import Platform
internal import Synchronization

// Whether a change has reached those who poll: every answered evaluation says that its instance now holds the revision
// that it was answered from. Nothing of it is on disk: after a restart pollers show themselves again.

/// Which revision each polling instance holds.
package final class Propagation: Sendable {
  /// Bounds, each with its default.
  package struct Limits: Sendable {
    /// Instances that poll one flag of an environment, or all of its flags at once.
    package var instancesMax = 10_000
    /// All of them together.
    package var entriesMax = 100_000
    /// An instance that was not seen for so long has vanished and counts no more.
    package var expiryMs: Int64 = 300_000
    /// After so long it is forgotten.
    package var forgetMs: Int64 = 3_600_000

    package init() {}
  }

  /// Longer names are cut, at the end of a character.
  package static let nameBytesMax = 128

  /// What an instance polls.
  private struct Scope: Hashable {
    let environment: String
    /// Nil for all flags at once.
    var flag: String?
  }

  struct Name: Hashable, Sendable {
    let text: String
    /// False where it is only an address, which several instances behind a proxy may share.
    let isNamed: Bool
  }

  struct Member: Sendable {
    let name: Name
    let place: AcknowledgementTable.Place
  }

  private struct Directory {
    var members: [Scope: [Member]] = [:]
    var count = 0
    var nextSweepMs: Int64 = .min
  }

  /// Looking for instances to forget takes a look at all, so it is done seldom, also when there is no room.
  private static let sweepIntervalMs: Int64 = 10_000
  private static let sweepIntervalWhenFullMs: Int64 = 1_000

  let limits: Limits
  let table = AcknowledgementTable()
  private let clockMs: @Sendable () -> Int64
  private let seed: UInt64
  private let directory = Mutex(Directory())
  private let dropped = Atomic<Int>(0)

  /// - Parameter clockMs: epoch milliseconds that neither jump nor go back.
  package init(limits: Limits = Limits(), clockMs: @escaping @Sendable () -> Int64 = Propagation.steadyClock()) {
    self.limits = limits
    self.clockMs = clockMs
    seed = .random(in: .min ... .max)
  }

  /// The wall clock as it was when this was called, going on evenly: where somebody sets the clock, no instance expires.
  package static func steadyClock() -> @Sendable () -> Int64 {
    let offsetMs = Clock.wallMs() - Clock.monotonicMs()
    return { Clock.monotonicMs() + offsetMs }
  }

  var nowMs: Int64 { clockMs() }

  /// Polls of instances that there was no room for.
  package var droppedTotal: Int { dropped.load(ordering: .relaxed) }

  // MARK: Acknowledging

  /// Notes that an instance holds a revision. Of an instance that is known it takes no lock and allocates nothing.
  ///
  /// - Parameters:
  ///   - flag: the flag's key; nil where all flags of the environment were answered.
  ///   - instance: how it calls itself; empty for an address alone.
  ///   - address: of the client; looked at where there is no name.
  ///   - addressText: the address in words.
  func acknowledge(
    environment: String, flag: Span<UInt8>?, instance: Span<UInt8>, address: (UInt64, UInt64), addressText: () -> String,
    revision: Int64
  ) {
    var key = PollKey(seed: seed)
    key.add(environment.utf8.span)
    if let flag { key.add(flag) }
    key.add(flag == nil ? 0 : 1)
    let count = Propagation.keptCount(instance)
    if count > 0 {
      key.add(instance.extracting(0..<count))
    } else {
      key.add(address.0)
      key.add(address.1)
    }
    let nowMs = clockMs()
    if table.note(key, revision: revision, nowMs: nowMs) { return }
    var scope = Scope(environment: environment, flag: nil)
    if let flag { scope.flag = Propagation.text(flag, flag.count) }
    let name = count > 0 ? Propagation.text(instance, count) : addressText()
    register(key, scope, Name(text: name, isNamed: count > 0), revision: revision, nowMs: nowMs)
  }

  /// The same for texts.
  package func acknowledge(environment: String, flag: String?, instance: String, address: String = "", revision: Int64) {
    var number = PollKey(seed: 0)
    number.add(address.utf8.span)
    let words = (number.high, number.low)
    guard let flag else {
      return acknowledge(
        environment: environment, flag: nil, instance: instance.utf8.span, address: words, addressText: { address },
        revision: revision)
    }
    acknowledge(
      environment: environment, flag: flag.utf8.span, instance: instance.utf8.span, address: words, addressText: { address },
      revision: revision)
  }

  @inline(never)
  private func register(_ key: PollKey, _ scope: Scope, _ name: Name, revision: Int64, nowMs: Int64) {
    let isKept = directory.withLock { directory in
      // Another poll of the instance may have come first.
      if table.note(key, revision: revision, nowMs: nowMs) { return true }
      sweepIfDue(&directory, scope, nowMs: nowMs)
      guard directory.count < limits.entriesMax, directory.members[scope, default: []].count < limits.instancesMax,
        let place = table.insert(key, revision: revision, nowMs: nowMs)
      else { return false }
      directory.members[scope, default: []].append(Member(name: name, place: place))
      directory.count += 1
      return true
    }
    if !isKept { dropped.add(1, ordering: .relaxed) }
  }

  /// Forgets whom nobody has seen for long; where there is no room, whoever has vanished.
  private func sweepIfDue(_ directory: inout Directory, _ scope: Scope, nowMs: Int64) {
    let isFull = directory.count >= limits.entriesMax || directory.members[scope]?.count ?? 0 >= limits.instancesMax
    guard nowMs >= directory.nextSweepMs else { return }
    directory.nextSweepMs = nowMs + (isFull ? Propagation.sweepIntervalWhenFullMs : Propagation.sweepIntervalMs)
    let oldestMs = nowMs - (isFull ? limits.expiryMs : limits.forgetMs)
    for (scope, members) in directory.members {
      let kept = members.filter { table.lastMs($0.place) >= oldestMs }
      guard kept.count < members.count else { continue }
      for member in members where table.lastMs(member.place) < oldestMs { table.remove(member.place, nowMs: nowMs) }
      directory.count -= members.count - kept.count
      directory.members[scope] = kept.isEmpty ? nil : kept
    }
  }

  // MARK: Looking

  /// Who polls a flag by itself, and who polls all flags of its environment.
  func members(environment: String, flag: String) -> (own: [Member], all: [Member]) {
    directory.withLock { directory in
      (
        directory.members[Scope(environment: environment, flag: flag)] ?? [],
        directory.members[Scope(environment: environment, flag: nil)] ?? []
      )
    }
  }

  /// Whether anybody polls a flag by itself.
  func isPolled(environment: String, flag: String) -> Bool {
    directory.withLock { $0.members[Scope(environment: environment, flag: flag)] != nil }
  }

  /// How many instances poll all flags of an environment.
  func seen(environment: String) -> Int {
    let all = directory.withLock { $0.members[Scope(environment: environment, flag: nil)] ?? [] }
    let oldestMs = clockMs() - limits.expiryMs
    return all.count { table.lastMs($0.place) >= oldestMs }
  }

  /// How many instances a change has reached.
  ///
  /// - Parameter sinceRevision: that of the change.
  /// - Returns: `seen`: instances that polled the flag, or all flags, within `expiryMs`; `current`: those of them that hold
  ///   `sinceRevision` or a newer one. An instance that polls in both ways holds the newer.
  package func standing(environment: String, flag: String, sinceRevision: Int64) -> (seen: Int, current: Int) {
    standing(members(environment: environment, flag: flag), sinceRevision: sinceRevision)
  }

  /// The same of those instances alone that name themselves, which a ramp can wait for: behind an address there may be a
  /// shell that asked once, or a hundred browsers.
  func standingOfNamed(environment: String, flag: String, sinceRevision: Int64) -> (seen: Int, current: Int) {
    let (own, all) = members(environment: environment, flag: flag)
    return standing((own.filter(\.name.isNamed), all.filter(\.name.isNamed)), sinceRevision: sinceRevision)
  }

  private func standing(_ members: (own: [Member], all: [Member]), sinceRevision: Int64) -> (seen: Int, current: Int) {
    let (own, all) = members
    let oldestMs = clockMs() - limits.expiryMs
    var seen = 0
    var current = 0
    var ownIsCurrent: [Name: Bool] = [:]
    for member in own where table.lastMs(member.place) >= oldestMs {
      let isCurrent = table.revision(member.place) >= sinceRevision
      seen += 1
      current += isCurrent ? 1 : 0
      if !all.isEmpty { ownIsCurrent[member.name] = isCurrent }
    }
    for member in all where table.lastMs(member.place) >= oldestMs {
      let isCurrent = table.revision(member.place) >= sinceRevision
      let before = ownIsCurrent[member.name]
      seen += before == nil ? 1 : 0
      current += isCurrent && before != true ? 1 : 0
    }
    return (seen, current)
  }

  // MARK: Texts

  /// How many bytes of a name are kept.
  private static func keptCount(_ name: Span<UInt8>) -> Int {
    guard name.count > nameBytesMax else { return name.count }
    var count = nameBytesMax
    while count > 0, name[count] & 0xc0 == 0x80 { count -= 1 }
    return count
  }

  private static func text(_ bytes: Span<UInt8>, _ count: Int) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(count)
    for index in 0..<count { text.append(bytes[index]) }
    return String(decoding: text, as: UTF8.self)
  }
}
