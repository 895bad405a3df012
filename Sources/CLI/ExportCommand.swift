// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Server

// `rampart export`: series as OpenMetrics, from a running server or a store.

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes series as OpenMetrics with times.",
    discussion: """
      promtool tsdb create-blocks-from openmetrics takes it; what ends without # EOF
      is not whole. Times are seconds since 1970 or RFC 3339. With --data settings
      come as for serve, and the resolution must be the server's.

      EXAMPLES:
        rampart export > all.om
        rampart export --data ./rampart-data --match cache_hits_total > hits.om
      """)

  @OptionGroup
  var reading: ReadingOptions

  @Option(help: ArgumentHelp("Only series that this selector matches; may be given several times.", valueName: "selector"))
  var match: [String] = []

  @Option(help: "First time; the beginning without it.")
  var start: String?

  @Option(help: "Last time; now without it.")
  var end: String?

  func run() throws {
    var fields = match.map { (name: "match[]", value: $0) }
    if let start { fields.append((name: "start", value: start)) }
    if let end { fields.append((name: "end", value: end)) }
    let form = formText(fields)
    let output = try OutputFile("-", command: "export")
    var failure: (any Error)?
    func write(_ piece: [UInt8]) -> Bool {
      do {
        try output.write(piece)
        return true
      } catch {
        failure = error
        return false
      }
    }
    do {
      if try reading.withStore("export", { try $0.export(form: Array(form.utf8), to: write) }) == nil {
        try reading.client.download("/api/v1/export?\(form)", to: write)
      }
    } catch {
      // That the receiver gave up is the consequence.
      throw failure ?? error
    }
    if let failure { throw failure }
  }
}
