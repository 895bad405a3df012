// SPDX-License-Identifier: Apache-2.0

import JSON
import Simulation
import Testing

// Generated bodies count exactly to what their ledgers say, and are the same everywhere.

private func generator(seed: UInt64) -> EventGenerator {
  EventGenerator(seed: seed, fromMs: 1_763_700_000_000, spanMs: 3_600_000)
}

@Test(arguments: [1, 2, 3] as [UInt64])
func theLedgersOfBodiesEqualARecount(seed: UInt64) {
  var generator = generator(seed: seed)
  var total = Ledger()
  var bytes: [UInt8] = []
  for body in generator.bodies(count: 10, eventsPerBody: 2_000, brokenPerMillion: 50_000) {
    #expect(body.linesCount == 2_000)
    total.add(body.ledger)
    bytes += body.bytes
  }
  let recount = Recount(bytes)
  #expect(differences(recount.series, total.bySeries) == [], "seed \(seed)")
  #expect(recount.accepted == total.accepted && recount.rejected == total.rejected && recount.ignored == total.ignored)
  #expect(total.accepted + total.rejected + total.ignored == 20_000)
  #expect(total.rejected > 300 && total.ignored > 300)
  #expect(Set(recount.correlationIDs).count == recount.correlationIDs.count)
}

@Test func theSameSeedGivesTheSameBodies() {
  var one = generator(seed: 1)
  var two = generator(seed: 1)
  let body = one.body(eventsCount: 1_000, brokenPerMillion: 10_000)
  let again = two.body(eventsCount: 1_000, brokenPerMillion: 10_000)
  let next = one.body(eventsCount: 1_000, brokenPerMillion: 10_000)
  #expect(body.bytes == again.bytes)
  #expect(body.bytes != next.bytes)
  #expect(fingerprint(body.bytes) == "5abd218a97d43f55")
}

@Test func timesAreWrittenInThreeFormsOfTheSameInstant() {
  var generator = EventGenerator(seed: 1, fromMs: 951_782_399_007, spanMs: 1)
  let lines = String(decoding: generator.body(eventsCount: 500).bytes, as: UTF8.self).split(separator: "\n")
  #expect(lines.contains { $0.contains("\"timestamp\":951782399007,") })
  #expect(lines.contains { $0.contains("\"timestamp\":951782399.007,") })
  #expect(lines.contains { $0.contains("\"timestamp\":\"2000-02-28T23:59:59.007Z\",") })
  var leap = EventGenerator(seed: 1, fromMs: 951_868_799_999, spanMs: 1)
  let leapText = String(decoding: leap.body(eventsCount: 500).bytes, as: UTF8.self)
  #expect(leapText.contains("2000-02-29T23:59:59.999Z"))
}

@Test func aLedgerPrintsItselfAsJSON() throws {
  var generator = generator(seed: 5)
  let ledger = generator.body(eventsCount: 500, brokenPerMillion: 100_000).ledger
  let json = try JSONValue(parsing: ledger.json)
  #expect(json["accepted"]?.integer == Int64(ledger.accepted))
  #expect(json["rejected"]?.integer == Int64(ledger.rejected))
  let hits = json["series"]?.array?.first { $0["metric"]?.string == "cache_hits_total" }
  #expect(hits?["labels"]?.text == #"{"cache":"profile","service":"profile","tier":"L1"}"#)
  #expect(hits?["value"]?.integer == Int64(ledger[.profile, .hitsL1]))
  #expect(json["durations"]?.array?.first?["sum_us"]?.integer == Int64(ledger.durations(.hitL1, of: .profile).sumUs))
}

@Test func durationsOfTheLedgerEqualThoseOfTheLines() {
  var generator = generator(seed: 6)
  let body = generator.body(eventsCount: 5_000)
  let recount = Recount(body.bytes)
  let hit = body.ledger.durations(.hitL1, of: .profile)
  #expect(recount.sumsUs["cache=profile,operation=hit,service=profile,tier=L1"] == hit.sumUs)
  let text = body.ledger.durations(.miss, of: .matchResults)
  #expect(recount.sumsUs["cache=match_results,operation=miss,service=connect"] == text.sumUs)
}

@Test func eventsAreMadeFasterThanAnyServerTakesThem() {
  let clock = ContinuousClock()
  var log = EventLog(capacity: 32 << 20)
  var generator = generator(seed: 1)
  let generated = clock.measure { generator.append(eventsCount: 200_000, to: &log) }
  log.removeAll()
  var settings = TrafficModel.Settings()
  settings.systems = [.profile]
  var model = TrafficModel(seed: 1, startMs: 0, settings: settings)
  let flag = RolloutFlagView(percent: 50, salt: "ENABLE_PROFILE_CACHE")
  let simulated = clock.measure {
    model.appendEvents(
      fromMs: 0, durationMs: 1_000, requestsPerSecond: 200_000, flag: flag, redisIsDown: false, to: &log)
  }
  print("generated \(Int(200_000 / (generated / .seconds(1)))) events/s")
  print("simulated \(Int(Double(log.linesCount) / (simulated / .seconds(1)))) events/s")
  // Measured about 2 million a second; the bound only notices a mistake of an order of magnitude, on a busy machine too.
  #expect(generated < .milliseconds(1_000) && simulated < .milliseconds(1_500))
}
