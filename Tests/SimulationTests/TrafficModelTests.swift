// SPDX-License-Identifier: Apache-2.0

import JSON
import Simulation
import Testing

// The traffic as a whole: the same for the same seed, and the picture it paints.

private let startMs: Int64 = 1_763_700_000_000

private func settings(_ systems: [TrafficSystem] = TrafficSystem.allCases) -> TrafficModel.Settings {
  var settings = TrafficModel.Settings()
  settings.systems = systems
  return settings
}

/// One stretch of traffic at 200 requests a second, after `warmUpSeconds` that are not counted.
private func ledger(
  _ model: inout TrafficModel, fromSecond: Int64, seconds: Int64, flag: some FlagView, redisIsDown: Bool = false
) -> Ledger {
  var log = EventLog()
  model.appendEvents(
    fromMs: startMs + fromSecond * 1_000, durationMs: seconds * 1_000, requestsPerSecond: 200, flag: flag,
    redisIsDown: redisIsDown, to: &log)
  return log.ledger
}

private func lookups(_ ledger: Ledger) -> (hits: Int, misses: Int, bypasses: Int) {
  (
    ledger[.profile, .hitsL1] + ledger[.profile, .hitsL2], ledger[.profile, .misses],
    ledger[.profile, .bypassesFlagOff] + ledger[.profile, .bypassesBreakerOpen]
  )
}

@Test func theSameSeedGivesTheSameBytesHoweverTheTimeIsSliced() {
  func bytes(seed: UInt64, sliceMs: Int64) -> [UInt8] {
    var model = TrafficModel(seed: seed, startMs: startMs)
    var log = EventLog()
    let flag = RolloutFlagView(percent: 50, salt: "ENABLE_PROFILE_CACHE")
    for slice in 0..<(60_000 / sliceMs) {
      model.appendEvents(
        fromMs: startMs + slice * sliceMs, durationMs: sliceMs, requestsPerSecond: 100, flag: flag,
        redisIsDown: false, to: &log)
    }
    return log.bytes
  }
  let whole = bytes(seed: 1, sliceMs: 60_000)
  #expect(whole == bytes(seed: 1, sliceMs: 60_000))
  #expect(whole == bytes(seed: 1, sliceMs: 250))
  #expect(whole != bytes(seed: 2, sliceMs: 60_000))
  #expect(fingerprint(whole) == "d93d7af30ecf056d")
}

@Test func theLedgerEqualsARecountOfTheLines() {
  var model = TrafficModel(seed: 9, startMs: startMs)
  var log = EventLog()
  let flag = RolloutFlagView(percent: 60, salt: "ENABLE_PROFILE_CACHE")
  for (slice, isDown) in [false, true, false].enumerated() {
    model.appendEvents(
      fromMs: startMs + Int64(slice) * 60_000, durationMs: 60_000, requestsPerSecond: 300, flag: flag,
      redisIsDown: isDown, to: &log)
  }
  let recount = Recount(log.bytes)
  #expect(differences(recount.series, log.ledger.bySeries) == [])
  #expect(recount.accepted == log.ledger.accepted)
  #expect(recount.accepted == log.linesCount)
  #expect(recount.rejected == 0 && recount.ignored == 0)
  #expect(recount.timestamps == recount.timestamps.sorted())
  #expect(recount.timestamps.allSatisfy { (startMs..<startMs + 180_000).contains($0) })
}

@Test func anEmptiedLogKeepsItsLedger() {
  var model = TrafficModel(seed: 9, startMs: startMs)
  var log = EventLog()
  let off = UniformFlagView(isOn: false)
  model.appendEvents(
    fromMs: startMs, durationMs: 1_000, requestsPerSecond: 100, flag: off, redisIsDown: false, to: &log)
  let accepted = log.ledger.accepted
  log.removeAll()
  #expect(log.bytes.isEmpty && log.linesCount == 0)
  #expect(accepted > 50 && log.ledger.accepted == accepted)
}

@Test func aCacheThatIsOnWarmsUpAndThenHits() {
  var model = TrafficModel(seed: 4, startMs: startMs, settings: settings([.profile]))
  let on = UniformFlagView(isOn: true)
  let cold = lookups(ledger(&model, fromSecond: 0, seconds: 5, flag: on))
  _ = ledger(&model, fromSecond: 5, seconds: 295, flag: on)
  let warm = ledger(&model, fromSecond: 300, seconds: 300, flag: on)
  let (hits, misses, bypasses) = lookups(warm)
  #expect(Double(cold.hits) / Double(cold.hits + cold.misses) < 0.6)
  #expect(Double(hits) / Double(hits + misses) > 0.8)
  #expect(bypasses == 0)
  #expect(warm[.profile, .hitsL1] > warm[.profile, .hitsL2] && warm[.profile, .hitsL2] > 0)
  let updates = Double(warm[.profile, .invalidations]) / Double(hits + misses)
  #expect(updates > 0.01 && updates < 0.02)
}

@Test(arguments: [(0.0, 1.0), (10.0, 0.9), (50.0, 0.5)])
func usersWithoutTheFlagBypassTheCache(percent: Double, share: Double) {
  var model = TrafficModel(seed: 4, startMs: startMs, settings: settings([.profile]))
  let flag = RolloutFlagView(percent: percent, salt: "ENABLE_PROFILE_CACHE")
  let (hits, misses, bypasses) = lookups(ledger(&model, fromSecond: 0, seconds: 300, flag: flag))
  #expect(abs(Double(bypasses) / Double(hits + misses + bypasses) - share) < 0.07)
}

@Test func anOutageOpensTheBreakerAndItsEndClosesIt() {
  var model = TrafficModel(seed: 4, startMs: startMs, settings: settings([.profile]))
  let on = UniformFlagView(isOn: true)
  let before = ledger(&model, fromSecond: 0, seconds: 60, flag: on)
  let during = ledger(&model, fromSecond: 60, seconds: 100, flag: on, redisIsDown: true)
  let after = ledger(&model, fromSecond: 160, seconds: 60, flag: on)
  #expect(before[.profile, .breakerOpen] == 0 && before[.profile, .errorsGet] == 0)
  // Opens, and three probes, 30 s apart, fail.
  #expect(during[.profile, .breakerOpen] == 4 && during[.profile, .breakerHalfOpen] == 3)
  #expect(during[.profile, .breakerClosed] == 0 && during[.profile, .hitsL2] == 0)
  #expect(during[.profile, .errorsGet] + during[.profile, .errorsDelete] == 5 + 3)
  #expect(during[.profile, .bypassesBreakerOpen] > 100)
  #expect(during[.profile, .hitsL1] > 0)
  #expect(after[.profile, .breakerHalfOpen] == 1 && after[.profile, .breakerClosed] == 1)
  #expect(after[.profile, .errorsGet] == 0 && after[.profile, .hitsL2] > 0)
}

@Test func everySystemTakesPartInItsOwnWords() {
  var model = TrafficModel(seed: 4, startMs: startMs)
  let ledger = ledger(&model, fromSecond: 0, seconds: 600, flag: UniformFlagView(isOn: true))
  for cache in SimulatedCache.allCases where cache != .connectUnnamed {
    #expect(ledger[cache, .hitsL2] > 0 && ledger[cache, .misses] > 0, "\(cache)")
  }
  #expect(ledger[.dashboard, .staleHitsL2] > 0)
  #expect(ledger[.webUser, .staleHitsL2] == 0)
  #expect(ledger.total(.setsL2, system: .connect) == 0 && ledger.total(.setsL2, system: .auth) > 0)
  #expect(ledger.total(.invalidations, system: .connect) > 0)
}

@Test func linesOfConnectAreAsItsLogWritesThem() {
  var all = settings([.connect])
  all.bareLinesPerMillion = 500_000
  var model = TrafficModel(seed: 4, startMs: startMs, settings: all)
  var log = EventLog()
  for (slice, isDown) in [false, true].enumerated() {
    model.appendEvents(
      fromMs: startMs + Int64(slice) * 600_000, durationMs: 600_000, requestsPerSecond: 100,
      flag: UniformFlagView(isOn: false), redisIsDown: isDown, to: &log)
  }
  let lines = String(decoding: log.bytes, as: UTF8.self).split(separator: "\n")
  let bare = lines.filter { !$0.hasPrefix("{") }
  #expect(abs(Double(bare.count) / Double(lines.count) - 0.5) < 0.02)
  #expect(bare.contains { $0.wholeMatch(of: /\[CACHE\] HIT match:org:\d+:results \(\d+\.\d{3}ms\)/) != nil })
  #expect(bare.contains { $0.wholeMatch(of: /\[CACHE\] MISS org:profile:\d+ \(\d+\.\d{3}ms\)/) != nil })
  #expect(bare.contains { $0.wholeMatch(of: /\[CACHE\] HIT programs:active:list \(\d+\.\d{3}ms\)/) != nil })
  #expect(bare.contains { $0.wholeMatch(of: /\[CACHE\] DELETE ai:explanation:\d+/) != nil })
  #expect(bare.contains { $0.wholeMatch(of: /\[CACHE\] INVALIDATE pattern match:org:\*:results \(\d+ keys\)/) != nil })
  #expect(bare.contains("[CACHE] GET error: connect ECONNREFUSED 127.0.0.1:6379"))
  let record = /\{"timestamp":\d{13},"level":"info","service":"connect","message":"\[CACHE\] .*"\}/
  #expect(lines.allSatisfy { $0.hasPrefix("[CACHE] ") || $0.wholeMatch(of: record) != nil })
}

@Test func noRequestsPerSecondIsSilenceExceptForReports() {
  var model = TrafficModel(seed: 4, startMs: startMs)
  var log = EventLog()
  model.appendEvents(
    fromMs: startMs, durationMs: 30_000, requestsPerSecond: 0, flag: UniformFlagView(isOn: true), redisIsDown: false,
    to: &log)
  #expect(log.linesCount == 2 * 3)
}
