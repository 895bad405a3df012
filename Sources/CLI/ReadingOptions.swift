// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Foundation
internal import Platform
internal import Server

// Where a command reads: from a running server, or from the store of one that is not running.

struct ReadingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Server to ask; http://127.0.0.1:8990 without it.", valueName: "url"))
  private var server: String?

  @Option(help: ArgumentHelp("Folder of a store that no server uses, to read it instead.", valueName: "dir"))
  private var data: String?

  func validate() throws {
    if server != nil, data != nil { throw ValidationError("--data: reads without a server: leave it out with --server") }
  }

  var client: ServerClient { ServerClient(server: server ?? "http://127.0.0.1:8990") }

  /// The store of `--data`, closed after `body`; nil, without a call, where a server is to be asked.
  func withStore<Result>(_ command: String, _ body: (OfflineStore) throws -> Result) throws -> Result? {
    guard let data else { return nil }
    do {
      let store = try OfflineStore(try ReadingOptions.configuration(data: data))
      let result = try body(store)
      try store.close()
      return result
    } catch let error as OfflineStoreError {
      throw CommandFailure(status: error.kind == .usage ? .wrongUsage : .failed, message: "\(command): \(error)")
    }
  }

  /// Settings as serve reads them: the resolution must be the same.
  static func configuration(data: String) throws -> Configuration {
    var reader = ConfigurationReader()
    if Files.exists("rampart.yml") { try reader.read(file: "rampart.yml") }
    try reader.read(environment: ProcessInfo.processInfo.environment)
    try reader.set("data", to: data, place: "--data")
    return reader.configuration
  }
}

/// Parameters as `application/x-www-form-urlencoded`, which is a query as well.
func formText(_ fields: [(name: String, value: String)]) -> String {
  fields.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }.joined(separator: "&")
}

/// A text as a part of a path, or of a form.
func percentEncoded(_ text: String) -> String {
  var allowed = CharacterSet.alphanumerics
  allowed.insert(charactersIn: "-._~")
  return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
}
