// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

// `rampart rules …`.

struct RulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Works on alert rules and their notifications.",
    subcommands: [RulesNotifyTestCommand.self])
}
