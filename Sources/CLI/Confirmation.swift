// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import JSON
internal import Platform

// Showing what a change would do, and asking before it is made.

/// Options of commands that ask first.
struct ConfirmationOptions: ParsableArguments {
  @ArgumentParser.Flag(help: "Make the change without showing it first and asking.")
  var yes = false

  @ArgumentParser.Flag(help: "Only show what would change.")
  var dryRun = false

  func validate() throws {
    if yes, dryRun { throw ValidationError("--dry-run: only shows: leave it out with --yes") }
  }

  /// Makes a change, after showing it and asking where that is wanted.
  ///
  /// - Parameter request: takes `dry_run=true`.
  /// - Returns: the server's answer; nil where nothing was changed, which was then said.
  func apply(_ request: API.Request, with api: API, json: Bool) throws -> JSONValue? {
    if yes { return try api.call(request) }
    var preview = request
    preview.fields.append((name: "dry_run", value: "true"))
    let document = try api.call(preview)
    guard document["dry_run"]?.bool == true else {
      throw CommandFailure(
        status: .failed, message: "\(api.command): the server knows no dry runs and made the change: its version is older")
    }
    let changes = document["changes"]?.array ?? []
    // With --json standard output holds the answer alone.
    if json, dryRun { print(document.text) } else { ChangeText.lines(changes).forEach { say($0, toError: json) } }
    guard !dryRun, !changes.isEmpty else { return nil }
    try Confirmation.ask("Make the change?", for: api.command)
    return try api.call(request)
  }

  private func say(_ line: String, toError: Bool) {
    Files.write(Array((line + "\n").utf8), to: toError ? 2 : 1)
  }
}

enum Confirmation {
  /// - Throws: wrong usage where nobody is there to answer, a failure where the answer is no.
  static func ask(_ question: String, for command: String) throws {
    guard Files.isTerminal(0) else {
      throw CommandFailure(
        status: .wrongUsage, message: "\(command): not done: nobody can be asked, since standard input is no terminal: give --yes")
    }
    Files.write(Array("\(question) [y/N] ".utf8), to: 2)
    guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
      throw CommandFailure(status: .failed, message: "\(command): not done")
    }
  }
}

/// What would change, a line for each difference.
enum ChangeText {
  static func lines(_ changes: [JSONValue]) -> [String] {
    guard !changes.isEmpty else { return ["nothing would change"] }
    return changes.flatMap { change in
      let head = "\(change["action"]?.string ?? "change") \(TextTable.plain(change["flag"]?.string ?? change["segment"]?.string ?? ""))"
      let rows = (change["differences"]?.array ?? []).map { difference in
        ["  " + (difference["path"]?.string ?? ""), "\(value(difference["before"])) -> \(value(difference["after"]))"]
      }
      return [head] + TextTable(rows: rows).lines
    }
  }

  private static func value(_ value: JSONValue?) -> String {
    guard let value, !value.isNull else { return "(none)" }
    return value.text
  }
}
