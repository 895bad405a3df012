// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import Ingest
internal import Platform
internal import Server

// `rampart ingest FILE…`: log files into a server, or into the store of one that is not running.

struct IngestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest",
    abstract: "Counts the events of log files.",
    discussion: """
      Files are read as POST /api/v1/events reads bodies; gzip and zstd are unpacked. Exits 1 where records were rejected;
      the others are counted all the same. A file that cannot be read to its end does not keep the others from being read.

      EXAMPLES:
        rampart ingest /var/log/app/app.log /var/log/app/app.log.2.gz
        journalctl --output cat --unit app | rampart ingest --data ./rampart-data --service app -
      """)

  @Argument(help: ArgumentHelp("The files; - is standard input.", valueName: "file"))
  var files: [String]

  @Option(help: ArgumentHelp("Server to send to (http://127.0.0.1:8990 without it).", valueName: "url"))
  var server: String?

  @Option(help: ArgumentHelp("Folder of the store of a server that is not running.", valueName: "dir"))
  var data: String?

  @Option(help: "Service of events that tell none.")
  var service: String?

  @Option(help: "Cache of events that tell none.")
  var cache: String?

  @ArgumentParser.Flag(help: "Print the summary as JSON.")
  var json = false

  func validate() throws {
    if server != nil, data != nil { throw ValidationError("--server and --data: give one of the two") }
    if files.filter({ $0 == "-" }).count > 1 { throw ValidationError("-: standard input can be read once") }
    for (option, value) in [("--service", service), ("--cache", cache)] where value?.isEmpty == true {
      throw ValidationError("\(option): must not be empty")
    }
  }

  func run() throws {
    // Before anything is counted: a slip in the last name must not leave half of the work done.
    for file in files where file != "-" { _ = try open(file) }
    let origin = EventOrigin(service: service, cache: cache)
    let summary: IngestSummary
    if data != nil {
      let store = try openStore()
      summary = IngestRun(files: files, origin: origin, deliverers: (0..<IngestCommand.importers).map { _ in StoreDelivery(store) }).run()
      do { try store.close() } catch { throw CommandFailure(status: .failed, message: "ingest: \(error)") }
    } else {
      let address = server ?? "http://127.0.0.1:8990"
      let run = IngestRun.newID()
      let deliverers = (0..<IngestCommand.connections).map { _ in ServerDelivery(server: address, run: run) }
      summary = IngestRun(files: files, origin: origin, deliverers: deliverers).run()
    }
    print(json ? summary.json : summary.text)
    if !summary.unreadable.isEmpty, summary.failure == nil {
      throw CommandFailure(status: .failed, message: summary.unreadable.map { "ingest: \($0)" }.joined(separator: "\n"))
    }
    if let failure = summary.failure { throw CommandFailure(status: .failed, message: "ingest: \(failure)") }
    if summary.rejected > 0 {
      throw CommandFailure(status: .failed, message: "ingest: \(summary.rejected) records were rejected")
    }
  }

  /// The server decodes on as many threads as there are connections.
  private static let connections = 3
  /// Twice the cores of a small machine: some decode while others wait for the disk.
  private static let importers = 4

  private func open(_ file: String) throws -> EventFile {
    do {
      return try EventFile(file)
    } catch {
      throw CommandFailure(status: .wrongUsage, message: "ingest: \(error.path): \(error.reason)")
    }
  }

  private func openStore() throws -> EventImport {
    var reader = ConfigurationReader()
    if Files.exists("rampart.yml") { try reader.read(file: "rampart.yml") }
    try reader.read(environment: ProcessInfo.processInfo.environment)
    if let data { try reader.set("data", to: data, place: "--data") }
    do {
      return try EventImport(reader.configuration)
    } catch {
      throw CommandFailure(status: .failed, message: "ingest: \(error)")
    }
  }
}
