// SPDX-License-Identifier: Apache-2.0

// Who is in treatment at which time, by hand and against a model that asks every exposure anew.

import Assignment
import Testing

private func exposure(
  _ flag: String = "f", at atMs: Int64, percent: Int, caches: [String] = ["profile"], salt: String? = nil
) -> Exposure {
  Exposure(
    flag: flag, atMs: atMs, treatedBuckets: percent * 100, salt: salt ?? flag, bucketing: .murmur3v2, caches: caches)
}

private enum Arm: Equatable { case none, treatment, control }

private func arm(_ timeline: CohortTimeline, _ user: String, atMs: Int64) -> Arm {
  guard let index = timeline.index(atMs: atMs), timeline.segments[index].treatedBuckets != nil else { return .none }
  return timeline.segments[index].isTreated(user.utf8.span) ? .treatment : .control
}

private func timeline(_ exposures: Exposure...) -> CohortTimeline { CohortTimeline(cache: "profile", exposures) }

// By the documented algorithm user-1 of ENABLE_PROFILE_CACHE is in bucket 2110.
private let key = "ENABLE_PROFILE_CACHE"

@Test func aChangeHoldsFromItsOwnTimeOn() {
  let line = timeline(exposure(key, at: 100, percent: 10), exposure(key, at: 200, percent: 50))
  #expect(arm(line, "user-1", atMs: 99) == .none, "before the flag existed")
  #expect(arm(line, "user-1", atMs: 100) == .control)
  #expect(arm(line, "user-1", atMs: 199) == .control)
  #expect(arm(line, "user-1", atMs: 200) == .treatment)
  #expect(arm(line, "user-1", atMs: .max) == .treatment)
  #expect(arm(line, "user-1", atMs: .min) == .none)
}

@Test(arguments: [(2110, Arm.control), (2111, .treatment), (0, .control), (10_000, .treatment)])
private func bucketsBelowTheLimitAreTreated(_ limit: Int, _ expected: Arm) {
  let exposure = Exposure(
    flag: key, atMs: 0, treatedBuckets: limit, salt: key, bucketing: .murmur3v2, caches: ["profile"])
  #expect(arm(CohortTimeline(cache: "profile", [exposure]), "user-1", atMs: 5) == expected)
}

@Test func ofSeveralChangesAtOneTimeTheLastDecides() {
  let line = timeline(exposure(at: 100, percent: 0), exposure(at: 100, percent: 100))
  #expect(line.segments.count == 1)
  #expect(arm(line, "u", atMs: 100) == .treatment)
}

@Test func whereTheClockWentBackTheLaterChangeHoldsFromItsOwnTime() {
  let line = timeline(exposure(at: 100, percent: 0), exposure(at: 900, percent: 0, salt: "x"), exposure(at: 300, percent: 100))
  #expect(arm(line, "u", atMs: 299) == .control)
  #expect(arm(line, "u", atMs: 300) == .treatment)
  #expect(arm(line, "u", atMs: 900) == .treatment)
}

@Test func aDeletedFlagTellsNobodyApart() {
  let line = timeline(exposure(at: 100, percent: 100), exposure(at: 200, percent: 0, caches: []))
  #expect(arm(line, "u", atMs: 199) == .treatment)
  #expect(arm(line, "u", atMs: 200) == .none)
}

@Test func ofSeveralFlagsTheOneThatChangedLastDecides() {
  let line = timeline(
    exposure("a", at: 100, percent: 100), exposure("b", at: 200, percent: 0), exposure("a", at: 300, percent: 100, salt: "s"),
    exposure("a", at: 400, percent: 100, caches: ["other"]))
  #expect([150, 250, 350, 450].map { arm(line, "u", atMs: $0) } == [.treatment, .control, .treatment, .control])
}

@Test func timelinesAreFoundByTheBytesOfTheirCache() {
  let names = (0..<300).map { "cache_\($0)" } + ["", "ü"]
  let history = ExposureHistory(
    names.enumerated().map { exposure("f\($0)", at: Int64($0), percent: 1, caches: [$1]) },
    limits: ExposureLimits(perFlagMax: 10, totalMax: 1_000))
  for (number, name) in names.enumerated() {
    let index = history.picture.index(ofCache: name.utf8.span)
    #expect(index.map { history.picture.timelines[$0].segments[0].startMs } == Int64(number))
  }
  for name in ["cache", "cache_300", "cache_1 ", "u"] { #expect(history.picture.index(ofCache: name.utf8.span) == nil) }
  #expect(CohortPicture.empty.index(ofCache: "profile".utf8.span) == nil)
}

@Test func theOldestExposuresGoAtTheBounds() throws {
  var history = ExposureHistory([], limits: ExposureLimits(perFlagMax: 3, totalMax: 64))
  func starts(_ cache: String) -> [Int64] {
    history.picture.index(ofCache: cache.utf8.span).map { history.picture.timelines[$0].segments.map(\.startMs) } ?? []
  }
  for number in 1...3 { history.add(exposure(at: Int64(number), percent: number)) }
  #expect(starts("profile") == [1, 2, 3])
  history.add(exposure(at: 4, percent: 4))
  #expect(starts("profile") == [2, 3, 4])
  for number in 5...100 { history.add(exposure("f\(number)", at: Int64(number), percent: 1, caches: ["c"])) }
  #expect(starts("profile") == [4], "the newest of a flag stays")
  #expect(history.newest(flag: "f")?.atMs == 4)
  #expect(starts("c") == Array(5...100), "those have no older ones")
}

@Test func timelinesAgreeWithAModelThatAsksEveryExposure() {
  let seed = SeededRandom.seed(for: "timelinesAgreeWithAModelThatAsksEveryExposure")
  var random = SeededRandom(state: seed)
  for _ in 0..<200 {
    let exposures = (0..<Int.random(in: 0...25, using: &random)).map { _ in
      exposure(
        ["a", "b", "c"].randomElement(using: &random)!, at: .random(in: 0...40, using: &random),
        percent: [0, 10, 50, 100].randomElement(using: &random)!,
        caches: [["x"], ["y"], ["x", "y"], []].randomElement(using: &random)!)
    }
    var history = ExposureHistory([], limits: ExposureLimits(perFlagMax: 100, totalMax: 100))
    for exposure in exposures { history.add(exposure) }
    let atOnce = ExposureHistory(exposures, limits: ExposureLimits(perFlagMax: 100, totalMax: 100))
    for cache in ["x", "y"] {
      for timeMs in Int64(-1)...41 {
        let user = "user-\(Int.random(in: 0...50, using: &random))"
        let expected = model(exposures, cache, user, timeMs)
        for picture in [history.picture, atOnce.picture] {
          let index = picture.index(ofCache: cache.utf8.span)
          let found = index.map { arm(picture.timelines[$0], user, atMs: timeMs) } ?? .none
          #expect(found == expected, "\(cache) \(user) at \(timeMs) of \(exposures)")
        }
      }
    }
  }
}

/// What holds for each flag is the one that came last of those that begin at the time or before; what decides is, of those
/// that govern the cache, the one that begins last.
private func model(_ exposures: [Exposure], _ cache: String, _ user: String, _ timeMs: Int64) -> Arm {
  var holding: [String: (number: Int, exposure: Exposure)] = [:]
  for (number, exposure) in exposures.enumerated() where exposure.atMs <= timeMs { holding[exposure.flag] = (number, exposure) }
  let governing = holding.values.filter { $0.exposure.caches.contains(cache) }
  guard let deciding = governing.max(by: { ($0.exposure.atMs, $0.number) < ($1.exposure.atMs, $1.number) }) else { return .none }
  let bucket = Bucketing.bucket(salt: deciding.exposure.salt, targetingKey: user)
  return bucket < deciding.exposure.treatedBuckets ? .treatment : .control
}

@Test func aHashFedInPiecesIsTheHashOfTheWhole() {
  let seed = SeededRandom.seed(for: "aHashFedInPiecesIsTheHashOfTheWhole")
  var random = SeededRandom(state: seed)
  for _ in 0..<2_000 {
    let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    let cut = Int.random(in: 0...bytes.count, using: &random)
    var whole = Murmur3(), pieces = Murmur3(), single = Murmur3()
    whole.update(bytes.span)
    pieces.update(bytes.span.extracting(0..<cut))
    pieces.update(bytes.span.extracting(cut..<bytes.count))
    for index in bytes.indices { single.update(bytes.span.extracting(index..<index + 1)) }
    #expect(whole.value == pieces.value && whole.value == single.value, "\(bytes) cut at \(cut)")
  }
}
