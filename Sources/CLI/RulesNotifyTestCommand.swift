// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import JSON
internal import Server

// `rampart rules notify-test`: does every receiver take an alert?

struct RulesNotifyTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notify-test",
    abstract: "Sends a test alert to the receivers of a running server.",
    discussion: """
      Each is told of an alert that calls itself a test: that it fires, then that it
      is over. Exits 0 when all took both, and 1 otherwise.

      EXAMPLES:
        rampart rules notify-test
        rampart rules notify-test --receiver alertmanager/127.0.0.1:9093
      """)

  @Option(help: ArgumentHelp("The receiver to try; all without it.", valueName: "name"))
  var receiver: String?

  @Option(help: ArgumentHelp("Server to ask.", valueName: "url"))
  var server = "http://127.0.0.1:8990"

  @ArgumentParser.Flag(help: "Print the JSON of the HTTP API.")
  var json = false

  func run() throws {
    var body = JSONWriter(capacity: 64)
    body.beginObject()
    if let receiver { body.member("receiver", receiver) }
    body.endObject()
    let answer = try ServerClient(server: server).call("POST", "/api/v1/notify/test", body: body.bytes)
    if json {
      print(answer.text)
    } else {
      for result in answer["receivers"]?.array ?? [] { print(Self.line(result)) }
    }
    guard answer["taken"]?.bool == true else {
      throw CommandFailure(status: .failed, message: "notify-test: not every receiver took the test alert")
    }
  }

  /// `slack/hooks.example.com: ok (firing 200, resolved 200)`, or with what went wrong.
  private static func line(_ result: JSONValue) -> String {
    let steps = ["firing", "resolved"].compactMap { name -> String? in
      guard let step = result[name], !step.isNull else { return nil }
      return "\(name) \(step["error"]?.string ?? step["status"]?.integer.map { "\($0)" } ?? "")"
    }
    let name = result["name"]?.string ?? ""
    return "\(name): \(result["taken"]?.bool == true ? "ok" : "failed") (\(steps.joined(separator: ", ")))"
  }
}
