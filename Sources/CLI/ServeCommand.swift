// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Platform
internal import Server

// `rampart serve`: settings, the service, and the signals that end it.

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Starts the server.",
    discussion: """
      Settings come from their defaults, then rampart.yml, then RAMPART_* variables, then these options.
      SIGTERM drains and exits; a second signal does not hurry it.
      SIGHUP reads the sources of rampart.yml and the rule files again.

      EXAMPLES:
        rampart serve --data ./rampart-data
        rampart serve --config rampart.yml --listen 127.0.0.1:9000
      """)

  @Option(help: ArgumentHelp("Settings file. Without it ./rampart.yml is read where it exists.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Folder that holds the store.", valueName: "dir"))
  var data: String?

  @Option(help: ArgumentHelp("Address to listen on; port 0 takes any free one.", valueName: "host:port"))
  var listen: String?

  @Option(help: ArgumentHelp("Serve the page from this folder instead of the built-in one.", valueName: "dir"))
  var assets: String?

  func run() throws {
    // Before the first thread starts, so that all inherit it.
    Signals.block()
    let configuration = try readConfiguration()
    LoggingSystem.bootstrap { ServerLog(label: $0, level: configuration.log.level, format: configuration.log.format) }
    let service = Service(configuration)
    do {
      try service.start()
    } catch let error as ConfigurationError {
      throw error
    } catch {
      throw CommandFailure(status: .failed, message: "\(error)")
    }
    waitForEnd(service)
    guard service.stop() else { throw CommandFailure(status: .failed, message: "serve: could not drain within its limit") }
  }

  private func readConfiguration() throws -> Configuration {
    var reader = ConfigurationReader()
    if let file = config ?? (Files.exists("rampart.yml") ? "rampart.yml" : nil) { try reader.read(file: file) }
    try reader.read(environment: ProcessInfo.processInfo.environment)
    if let data { try reader.set("data", to: data, place: "--data") }
    if let listen { try reader.set("listen", to: listen, place: "--listen") }
    if let assets, !Files.exists(assets + "/index.html") {
      throw ValidationError("--assets: \(assets): holds no index.html: give the folder of the page, such as web")
    }
    reader.set(assetsFolder: assets)
    return reader.configuration
  }

  private func waitForEnd(_ service: Service) {
    while true {
      switch Signals.wait() {
      case .terminate, .interrupt: return
      case .reload: service.reload { try readConfiguration() }
      }
    }
  }
}
