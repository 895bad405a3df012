// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// The five systems together, advanced in slices of simulated time. Requests arrive as a Poisson process that runs on
// from slice to slice: cutting the same span differently gives the same bytes. It has no clock: the caller says what
// time it is, and sleeps.

/// Realistic traffic, the same for the same seed on every machine.
package struct TrafficModel: Sendable {
  package static let requestsPerSecondMax = 10_000_000.0

  /// Who takes part and how.
  package struct Settings: Sendable {
    package var systems = TrafficSystem.allCases
    /// Users of every system, 1 ... `ZipfSampler.countMax`.
    package var usersCount = 2_000
    package var profile = ProfileSettings()
    /// Of a million lines of text, how many carry no time; they are for live use, where now is their time.
    package var bareLinesPerMillion = 0

    package init() {}
  }

  private var random: SeededGenerator
  private var profile: ProfileTraffic
  private var keyed: [KeyedTraffic]
  /// Indices: -1 for profile, else into `keyed`; one for each unit of weight.
  private var wheel: [Int8] = []
  private var nextArrivalNs: Int64
  private var nextReportMs: Int64
  private let reportIntervalMs: Int64

  /// - Parameter startMs: epoch milliseconds; the first slice may start there or later.
  package init(seed: UInt64, startMs: Int64, settings: Settings = Settings()) {
    precondition(!settings.systems.isEmpty, "traffic comes from at least one system")
    random = .part(0, ofSeed: seed)
    profile = ProfileTraffic(seed: seed, usersCount: settings.usersCount, settings: settings.profile)
    keyed = []
    for (part, system) in TrafficSystem.allCases.enumerated() where settings.systems.contains(system) {
      wheel += [Int8](repeating: system == .profile ? -1 : Int8(keyed.count), count: system.weight)
      guard system != .profile else { continue }
      keyed.append(
        KeyedTraffic(
          system: system, part: UInt64(part) + 1, seed: seed, usersCount: settings.usersCount,
          bareLinesPerMillion: settings.bareLinesPerMillion))
    }
    nextArrivalNs = startMs * 1_000_000
    reportIntervalMs = settings.profile.statsIntervalMs
    nextReportMs = settings.systems.contains(.profile) ? startMs + reportIntervalMs : .max
  }

  /// Appends what happens from `fromMs` for `durationMs`, ascending by time.
  ///
  /// - Parameters:
  ///   - fromMs: epoch milliseconds, not before the end of the slice before; a gap is time without traffic.
  ///   - requestsPerSecond: of all systems together, 0 ... `requestsPerSecondMax`; a request logs one line or more.
  ///   - flag: the profile service's flag.
  ///   - redisIsDown: for the whole slice.
  package mutating func appendEvents(
    fromMs: Int64, durationMs: Int64, requestsPerSecond: Double, flag: borrowing some FlagView, redisIsDown: Bool,
    to log: inout EventLog
  ) {
    precondition((0...Self.requestsPerSecondMax).contains(requestsPerSecond), "requests per second out of range")
    let endMs = fromMs + durationMs
    nextArrivalNs = max(nextArrivalNs, fromMs * 1_000_000)
    if nextReportMs < fromMs { nextReportMs = fromMs }
    while requestsPerSecond > 0, nextArrivalNs < endMs * 1_000_000 {
      let nowMs = nextArrivalNs / 1_000_000
      report(throughMs: nowMs, log: &log)
      request(nowMs: nowMs, flag: flag, redisIsDown: redisIsDown, log: &log)
      nextArrivalNs += max(1, Int64(-Glibc.log(1 - random.unit()) / requestsPerSecond * 1e9))
    }
    report(throughMs: endMs - 1, log: &log)
  }

  private mutating func request(
    nowMs: Int64, flag: borrowing some FlagView, redisIsDown: Bool, log: inout EventLog
  ) {
    let index = Int(wheel[random.below(wheel.count)])
    if index < 0 {
      profile.request(nowMs: nowMs, flag: flag, redisIsDown: redisIsDown, log: &log)
    } else {
      keyed[index].request(nowMs: nowMs, redisIsDown: redisIsDown, log: &log)
    }
  }

  private mutating func report(throughMs: Int64, log: inout EventLog) {
    while nextReportMs <= throughMs {
      profile.report(nowMs: nextReportMs, log: &log)
      nextReportMs += reportIntervalMs
    }
  }
}
