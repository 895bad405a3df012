// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import JSON
internal import Platform

// `rampart rollout status KEY`: how a ramp stands, once or until it has ended.

struct RolloutStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows how a ramp stands, and why.",
    discussion: """
      With --watch until it has ended: exits 0 where it was completed, and 1 where it was
      rolled back or killed. In a pipe each change is shown once.

      EXAMPLES:
        rampart rollout status ENABLE_PROFILE_CACHE
        rampart rollout status ENABLE_PROFILE_CACHE --watch --json | jq -r .state
      """)

  private static let intervalSeconds = 1.0

  @Argument(help: "The flag's key.") var key: String
  @OptionGroup var options: APIOptions
  @OptionGroup var environment: EnvironmentOptions
  @ArgumentParser.Flag(help: "Go on until the ramp has ended.") var watch = false

  func validate() throws {
    if watch, options.isOffline { throw ValidationError("--watch: a ramp stands still without its server: leave it out with --data") }
  }

  func run() throws {
    try options.withAPI("rollout status") { api in
      var ramp = try status(api)
      show(ramp)
      guard watch else { return }
      while !RolloutText.isFinal(ramp) {
        Thread.sleep(forTimeInterval: RolloutStatusCommand.intervalSeconds)
        let next = try status(api)
        let isOnTerminal = Files.isTerminal(1) && !options.json
        if isOnTerminal || RolloutStatusCommand.place(next) != RolloutStatusCommand.place(ramp) { show(next) }
        ramp = next
      }
      guard ["completed", "draft"].contains(ramp["state"]?.string) else {
        throw CommandFailure(status: .failed, message: "rollout status: \(RolloutText.headline(ramp))")
      }
    }
  }

  private func status(_ api: API) throws -> JSONValue {
    try api.call(API.Request("GET", "flags", key, "rollout", fields: [environment.field]))
  }

  /// What a watcher in a pipe is told changes of.
  private static func place(_ ramp: JSONValue) -> [JSONValue?] {
    [ramp["state"], ramp["step"], ramp["percent"], ramp["state_since_ms"], ramp["reason"]]
  }

  private func show(_ ramp: JSONValue) {
    // Not by print, which keeps what goes to a pipe until there is more of it.
    guard !options.json else { return Files.write(Array((ramp.text + "\n").utf8), to: 1) }
    // Home, and what is left of the longer picture before.
    let clear = watch && Files.isTerminal(1) ? "\u{1B}[H\u{1B}[2J" : ""
    let lines = RolloutText.lines(ramp, nowMs: options.isOffline ? nil : Clock.wallMs()) + (watch && !Files.isTerminal(1) ? [""] : [])
    Files.write(Array((clear + lines.joined(separator: "\n") + "\n").utf8), to: 1)
  }
}
