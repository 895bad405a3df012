// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Flags
internal import Platform
internal import Simulation

// `rampart simulate`: live traffic against a server, or a file of events with what they must count to.

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Sends realistic cache traffic to a server, or writes a file of events.",
    discussion: """
      Live, the simulated service polls the flag and obeys it. Type d and Enter to pull the plug on its Redis, u to
      plug it in again, r to ramp again. With --events a file is written instead, the same for the same seed.

      EXAMPLES:
        rampart simulate --ramp --bake 15s --duration 5m
        rampart simulate --events 200000 --seed 7 --output events.ndjson --ledger ledger.json
      """)

  @Option(help: ArgumentHelp("Server to send to.", valueName: "url"))
  var server = "http://127.0.0.1:8990"

  @Option(help: "Same seed, same traffic.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Requests per second of all simulated services together.", valueName: "number"))
  var rate = 300.0

  @Option(help: ArgumentHelp("How long, such as 90s; without it until interrupted.", valueName: "duration"), transform: milliseconds)
  var duration: Int64?

  @Option(help: ArgumentHelp("The flag that the profile service polls.", valueName: "key"))
  var flag = "ENABLE_PROFILE_CACHE"

  @ArgumentParser.Flag(help: "Start a guarded ramp of the flag, 10 to 50 to 100 percent.")
  var ramp = false

  @Option(help: ArgumentHelp("With --ramp: how long each step is watched.", valueName: "duration"), transform: milliseconds)
  var bake: Int64 = 15_000

  @Option(
    help: ArgumentHelp("First send this much traffic of the past, with the flag off.", valueName: "duration"),
    transform: milliseconds)
  var backfill: Int64 = 0

  @Option(help: ArgumentHelp("Pull the plug on Redis after this time.", valueName: "duration"), transform: milliseconds)
  var outageAt: Int64?

  @Option(help: ArgumentHelp("How long that outage lasts.", valueName: "duration"), transform: milliseconds)
  var outageFor: Int64 = 30_000

  @Option(help: ArgumentHelp("Write so many events to a file instead.", valueName: "count"))
  var events: Int?

  @Option(help: ArgumentHelp("With --events: of a million lines, how many are no cache events.", valueName: "count"))
  var brokenPerMillion = 0

  @Option(help: ArgumentHelp("With --events: epoch milliseconds of the earliest; they lie in the hour after it.", valueName: "ms"))
  var from: Int64?

  @Option(help: ArgumentHelp("With --events: the file to write, - for standard output.", valueName: "file"))
  var output = "-"

  @Option(help: ArgumentHelp("With --events: write what they must count to, as JSON.", valueName: "file"))
  var ledger: String?

  func validate() throws {
    guard (0...TrafficModel.requestsPerSecondMax).contains(rate) else {
      throw ValidationError("--rate \(rate): must be from 0 to \(Int(TrafficModel.requestsPerSecondMax))")
    }
    guard (events ?? 0) >= 0, (0...1_000_000).contains(brokenPerMillion) else {
      throw ValidationError("--events must not be negative and --broken-per-million must be from 0 to 1000000")
    }
  }

  func run() throws {
    if let events { return try writeFile(eventsCount: events) }
    let outage = outageAt.map { $0..<($0 + outageFor) }
    var live = LiveTraffic(
      client: ServerClient(server: server), seed: seed, requestsPerSecond: rate, flag: flag, durationMs: duration, outage: outage,
      backfillMs: backfill, bakeMs: bake)
    try live.waitUntilReady()
    try live.sendPast()
    if ramp { try live.startRamp() }
    try live.run()
  }

  private func writeFile(eventsCount: Int) throws {
    let linesPerPart = 10_000
    let spanMs = 3_600_000
    let fromMs = from ?? Clock.wallMs() - Int64(spanMs)
    var generator = EventGenerator(seed: seed, fromMs: fromMs, spanMs: spanMs)
    var log = EventLog()
    let target = try OutputFile(output, command: "simulate")
    for start in stride(from: 0, to: eventsCount, by: linesPerPart) {
      generator.append(eventsCount: min(linesPerPart, eventsCount - start), brokenPerMillion: brokenPerMillion, to: &log)
      try target.write(log.bytes)
      log.removeAll()
    }
    if let ledger { try OutputFile(ledger, command: "simulate").write(Array((log.ledger.json + "\n").utf8)) }
  }
}

private func milliseconds(_ text: String) throws -> Int64 {
  guard let ms = DurationText.milliseconds(text) else {
    throw ValidationError("\(text): must be a duration such as 90s or 1h30m")
  }
  return ms
}
