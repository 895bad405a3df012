// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Server

// `rampart config check FILE`.

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Works on settings files.",
    subcommands: [Check.self])

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says what is wrong in a settings file, and where.",
      discussion: """
        Exits 0 when the file can be used and 2 when it cannot.

        EXAMPLES:
          rampart config check rampart.yml
          rampart config check /etc/rampart/rampart.yml && systemctl restart rampart
        """)

    @Argument(help: "The settings file.")
    var file: String

    func run() throws {
      var reader = ConfigurationReader()
      try reader.read(file: file)
      print("\(file): ok")
    }
  }
}
