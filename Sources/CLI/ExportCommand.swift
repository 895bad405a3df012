// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Server

// `rampart export`: a store's series as OpenMetrics.

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes the series of a store as OpenMetrics with times.",
    discussion: """
      The store must not be in use. Settings come as for serve; the resolution must be the server's. Times are seconds
      since 1970 or RFC 3339.

      EXAMPLES:
        rampart export --data ./rampart-data > all.om
        rampart export --match 'cache_hits_total{service="profile"}' --start 2026-11-21T00:00:00Z > hits.om
      """)

  @Option(help: ArgumentHelp("Folder that holds the store.", valueName: "dir"))
  var data: String?

  @Option(help: ArgumentHelp("Only series that this selector matches; may be given several times.", valueName: "selector"))
  var match: [String] = []

  @Option(help: "First time; the beginning without it.")
  var start: String?

  @Option(help: "Last time; now without it.")
  var end: String?

  func run() throws {
    var reader = ConfigurationReader()
    if Files.exists("rampart.yml") { try reader.read(file: "rampart.yml") }
    try reader.read(environment: ProcessInfo.processInfo.environment)
    if let data { try reader.set("data", to: data, place: "--data") }
    let configuration = reader.configuration
    guard Files.exists(configuration.dataFolder + "/rampart.sqlite") else {
      throw CommandFailure(status: .wrongUsage, message: "export: \(configuration.dataFolder): holds no store: give its folder with --data")
    }
    let fromMs = try ExportCommand.timeMs(start, "--start") ?? 0
    let throughMs = try ExportCommand.timeMs(end, "--end") ?? Clock.wallMs()
    do {
      let export = try StoreExport(configuration)
      try export.write(selectors: match, fromMs: fromMs, throughMs: throughMs) { Files.write($0, to: 1) }
      try export.close()
    } catch {
      throw CommandFailure(status: .failed, message: "export: \(error)")
    }
  }

  private static func timeMs(_ text: String?, _ option: String) throws -> Int64? {
    guard let text else { return nil }
    guard let ms = RequestTime.ms(text) else {
      throw ValidationError("\(option): \(text): must be seconds since 1970 or RFC 3339, such as 2026-01-31T12:00:00Z")
    }
    return ms
  }
}
