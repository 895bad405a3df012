// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

// `rampart flags`: definitions of flags. Commands that change them are in FlagsChangeCommands, those for whole sets in
// FlagsSetCommands.

struct FlagsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flags",
    abstract: "Shows and changes flags.",
    discussion: """
      A change is shown and asked about first; --yes makes it at once.

      EXAMPLES:
        rampart flags list
        rampart flags set ENABLE_PROFILE_CACHE percent=25 --reason "second week"
      """,
    subcommands: [
      FlagsListCommand.self, FlagsGetCommand.self, FlagsCreateCommand.self, FlagsSetCommand.self, FlagsDeleteCommand.self,
      FlagsImportCommand.self, FlagsExportCommand.self,
    ])
}
