// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Foundation
internal import HTTPClient
internal import JSON
internal import Platform
internal import Simulation
internal import Synchronization

// Simulated services in real time: they poll the flag, log what their caches do, and ship the log in small bodies, each
// sent again until the server has acknowledged it.

struct LiveTraffic {
  private static let sliceMs: Int64 = 200
  private static let pollMs: Int64 = 1_000

  private let client: ServerClient
  private let requestsPerSecond: Double
  private let flag: String
  private let durationMs: Int64?
  private let outage: Range<Int64>?
  private let backfillMs: Int64
  private let keyboard = Keyboard()
  /// How long each step of a ramp is watched.
  private let bakeMs: Int64
  private let startMs = Clock.wallMs()
  private var model: TrafficModel
  private var view: RolloutFlagView
  private var nextPollMs: Int64 = 0
  private var log = EventLog()

  /// - Parameters:
  ///   - outage: milliseconds since the start; nil for none.
  ///   - backfillMs: how much traffic of the past `sendPast` sends.
  init(
    client: ServerClient, seed: UInt64, requestsPerSecond: Double, flag: String, durationMs: Int64?, outage: Range<Int64>?,
    backfillMs: Int64, bakeMs: Int64
  ) {
    self.client = client
    self.requestsPerSecond = requestsPerSecond
    self.flag = flag
    self.durationMs = durationMs
    self.outage = outage
    self.backfillMs = backfillMs
    self.bakeMs = bakeMs
    view = RolloutFlagView(percent: 0, salt: flag)
    var settings = TrafficModel.Settings()
    // Lines without a time of their own count as now, which would be wrong in the past.
    settings.bareLinesPerMillion = backfillMs > 0 ? 0 : 100_000
    settings.profile.breakerOpenMs = 10_000
    model = TrafficModel(seed: seed, startMs: startMs - backfillMs, settings: settings)
  }

  /// Waits for a server that is just starting.
  func waitUntilReady() throws {
    let deadlineMs = Clock.monotonicMs() + 10_000
    while true {
      do {
        if try client.send("GET", "/-/ready").isSuccess { return }
      } catch {
        guard Clock.monotonicMs() < deadlineMs else { throw error }
      }
      Thread.sleep(forTimeInterval: 0.1)
    }
  }

  /// Starts a plan whose times are scaled to a bake of seconds instead of an hour.
  func startRamp() throws {
    // A guard must look at two windows of the server's at least.
    let resolutionMs = (try? client.call("GET", "/api/v1/status"))?["resolution_ms"]?.integer ?? 0
    let windowMs = max(bakeMs, 2 * resolutionMs, 10_000)
    let bake = DurationText.text(milliseconds: bakeMs)
    let plan = """
      {"steps":[{"percent":10,"bake":"\(bake)"},{"percent":50,"bake":"\(bake)"},{"percent":100,"bake":"\(bake)"}],\
      "warm_up":"\(DurationText.text(milliseconds: bakeMs / 3))","freshness":"10s",\
      "guard":{"window":"\(DurationText.text(milliseconds: windowMs))","checks":[\
      {"name":"hit_ratio","success":">= 0.3","min_samples":20},\
      {"name":"error_ratio","success":"<= 0.02","min_samples":20},{"name":"circuit_breaker"},\
      {"name":"failure_ratio"},{"name":"exposure"}]}}
      """
    try client.call("POST", "/api/v1/flags/\(flag)/rollout", body: Array(plan.utf8))
    say("ramp of \(flag) started: 10 to 50 to 100 percent, \(bake) each")
  }

  /// Sends what happened before the start, when the flag was off and Redis well.
  mutating func sendPast() throws {
    let sliceMs: Int64 = 10_000
    for fromMs in stride(from: startMs - backfillMs, to: startMs, by: Int64.Stride(sliceMs)) {
      model.appendEvents(
        fromMs: fromMs, durationMs: min(sliceMs, startMs - fromMs), requestsPerSecond: requestsPerSecond,
        flag: UniformFlagView(isOn: false), redisIsDown: false, to: &log)
      try ship()
    }
  }

  /// Runs until the duration is over.
  mutating func run() throws {
    keyboard.listen()
    var fromMs = startMs
    while durationMs.map({ fromMs - startMs < $0 }) ?? true {
      poll(nowMs: fromMs)
      if keyboard.takeRamp() { rampAgain() }
      let isOut = keyboard.isRedisOut || outage?.contains(fromMs - startMs) == true
      model.appendEvents(
        fromMs: fromMs, durationMs: LiveTraffic.sliceMs, requestsPerSecond: requestsPerSecond, flag: view, redisIsDown: isOut,
        to: &log)
      fromMs += LiveTraffic.sliceMs
      Thread.sleep(forTimeInterval: max(0, Double(fromMs - Clock.wallMs()) / 1000))
      try ship()
    }
  }

  private func rampAgain() {
    do {
      try startRamp()
    } catch {
      say("\((error as? CommandFailure)?.message ?? "\(error)")")
    }
  }

  /// Any user's answer tells the percentage; a server that does not answer leaves the flag as it was.
  private mutating func poll(nowMs: Int64) {
    guard nowMs >= nextPollMs else { return }
    nextPollMs = nowMs + LiveTraffic.pollMs
    guard let answer = try? client.call("GET", "/api/v1/evaluate/\(flag)?targetingKey=simulation&instance=simulation") else { return }
    view = RolloutFlagView(answer: answer, salt: flag)
  }

  private mutating func ship() throws {
    guard !log.bytes.isEmpty else { return }
    var hasComplained = false
    while true {
      if let response = try? client.send("POST", "/api/v1/events", contentType: "application/x-ndjson", body: log.bytes) {
        if response.isSuccess { break }
        guard response.status == 429 || response.status == 503 else {
          let reason = "status \(response.status): \(response.text.prefix(200))"
          throw CommandFailure(status: .failed, message: "simulate: events refused: \(reason)")
        }
      }
      // What a server does not take need not be made for longer than asked.
      if let durationMs, Clock.wallMs() - startMs > durationMs {
        throw CommandFailure(status: .failed, message: "simulate: the server does not take events")
      }
      if !hasComplained { say("the server does not take events; trying again") }
      hasComplained = true
      Thread.sleep(forTimeInterval: 1)
    }
    log.removeAll()
  }

  private func say(_ line: String) {
    Files.write(Array("simulate: \(line)\n".utf8), to: 2)
  }
}

/// What is switched from the keyboard: whether the simulated Redis is reachable, and another ramp.
private final class Keyboard: Sendable {
  private let isPulled = Atomic(false)
  private let asksForRamp = Atomic(false)

  var isRedisOut: Bool { isPulled.load(ordering: .relaxed) }

  /// Whether a ramp was asked for since the last call.
  func takeRamp() -> Bool { asksForRamp.exchange(false, ordering: .relaxed) }

  /// Reads standard input in a thread of its own until it ends.
  func listen() {
    startThread(named: "keyboard") { [self] in
      while let line = readLine() {
        switch line {
        case "d":
          isPulled.store(true, ordering: .relaxed)
          say("Redis is unplugged: u plugs it in; a ramp that is under way rolls back, r starts another")
        case "u":
          isPulled.store(false, ordering: .relaxed)
          say("Redis is plugged in: d pulls the plug, r ramps again")
        case "r": asksForRamp.store(true, ordering: .relaxed)
        default: break
        }
      }
    }
  }

  private func say(_ line: String) {
    Files.write(Array("simulate: \(line)\n".utf8), to: 2)
  }
}
