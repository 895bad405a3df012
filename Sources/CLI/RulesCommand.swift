// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

// `rampart rules`: rule files, without a server or with one. Each subcommand has its own file.

struct RulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Checks, tests and backtests alert rules, and tries out who is told.",
    discussion: """
      Rule files and their unit tests are in Prometheus' formats; promtool reads the same.

      EXAMPLES:
        rampart rules check alerts/*.yml
        rampart rules backtest alerts/profile.yml --from 2026-01-30T00:00:00Z
      """,
    subcommands: [RulesCheckCommand.self, RulesTestCommand.self, RulesBacktestCommand.self, RulesNotifyTestCommand.self])
}
