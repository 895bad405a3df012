// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Server

// The root of the command line. Each subcommand has its own file; how a failure becomes an exit code is in ExitStatus.

/// The `rampart` command.
package enum CommandLineTool {
  /// Runs the command that the process' arguments name, and exits.
  package static func run() -> Never {
    do {
      var command = try RampartCommand.parseAsRoot()
      try command.run()
      ExitStatus.done.exit()
    } catch {
      ExitStatus.exit(for: error)
    }
  }
}

struct RampartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rampart",
    abstract: "Ramps a cache flag and guards the ramp with the cache's own telemetry.",
    discussion: """
      EXAMPLES:
        rampart serve --data ./rampart-data
        rampart simulate --ramp ENABLE_PROFILE_CACHE --duration 5m
      """,
    version: BuildInformation.version,
    subcommands: [
      ServeCommand.self, IngestCommand.self, QueryCommand.self, ExportCommand.self, SimulateCommand.self, ConfigCommand.self,
      RulesCommand.self, PromQLTestCommand.self, FlagsCommand.self, RolloutCommand.self, VerifyCommand.self, AuditCommand.self,
    ]
  )
}
