// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import HTTPClient
internal import JSON
internal import Platform

// `rampart flags create`, `set` and `delete`: one flag at a time.

/// What commands that change one flag have in common.
struct FlagChangeOptions: ParsableArguments {
  @Argument(help: "The flag's key.") var key: String
  @OptionGroup var options: APIOptions
  @OptionGroup var environment: EnvironmentOptions
  @OptionGroup var reason: ReasonOptions
  @OptionGroup var confirmation: ConfirmationOptions

  func request(_ method: String, _ document: JSONValue? = nil) -> API.Request {
    var request = API.Request(method, "flags", key, fields: [environment.field], body: document.map { Array($0.text.utf8) })
    request.headers = reason.headers
    return request
  }

  /// Makes the change and says what became of it.
  ///
  /// - Parameter done: the word for it.
  func apply(_ request: API.Request, with api: API, done: String) throws {
    guard let flag = try confirmation.apply(request, with: api, json: options.json) else { return }
    if options.json {
      print(flag.isNull ? "{\"key\":\(JSONValue.string(key).text),\"deleted\":true}" : flag.text)
    } else {
      print("\(key) in \(environment.environment): \(done)\(flag["version"]?.integer.map { ", version \($0)" } ?? "")")
    }
  }
}

struct FlagsCreateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Creates a flag.",
    discussion: """
      Options stand over what the file says. A flag that exists is left as it is.

      EXAMPLES:
        rampart flags create ENABLE_SESSION_CACHE --type boolean --caches session
        rampart flags create PAGE_SIZE --file page-size.json --yes
      """)

  @OptionGroup var change: FlagChangeOptions

  @Option(help: "boolean, string, number or object.")
  var type: String?

  @Option(help: ArgumentHelp("Caches that the flag governs, separated by commas.", valueName: "names"))
  var caches: String?

  @Option(help: ArgumentHelp("The definition as JSON; - is standard input.", valueName: "file"))
  var file: String?

  func validate() throws {
    if type == nil, file == nil { throw ValidationError("--type: missing: boolean, string, number or object, or a --file that has one") }
  }

  func run() throws {
    var members = try file.map { try JSONFile.object($0, for: "flags create") } ?? []
    if let type { members.set("type", .string(type)) }
    if let caches {
      members.set("caches", .array(caches.split(separator: ",").map { .string(String($0.filter { $0 != " " })) }))
    }
    var request = change.request("PUT", .object(members))
    request.headers.append(("If-None-Match", "*"))
    try change.options.withAPI("flags create") { api in
      guard try api.answer(change.request("GET")).status == 404 else {
        throw CommandFailure(
          status: .failed,
          message: "flags create: \(change.key): is in \(change.environment.environment) already: change it with flags set")
      }
      try change.apply(request, with: api, done: "created")
    }
  }
}

struct FlagsSetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Changes members of a flag.",
    discussion: """
      A path names a member of the definition, such as enabled, description or
      variants.large; percent stands for rollout.percent. A value is JSON, or a text.
      null removes the member. --file gives a JSON merge patch (RFC 7396) instead.

      EXAMPLES:
        rampart flags set ENABLE_PROFILE_CACHE enabled=false --reason maintenance --yes
        rampart flags set ENABLE_PROFILE_CACHE --file patch.json --dry-run
      """)

  @OptionGroup var change: FlagChangeOptions

  @Argument(help: ArgumentHelp("What to set.", valueName: "path=value"))
  var assignments: [String] = []

  @Option(help: ArgumentHelp("A merge patch as JSON; - is standard input.", valueName: "file"))
  var file: String?

  func validate() throws {
    if assignments.isEmpty == (file == nil) { throw ValidationError("path=value: give some, or --file with a patch") }
    for text in assignments { _ = try FlagAssignment(text) }
  }

  func run() throws {
    let patch = try file.map { try JSONFile.object($0, for: "flags set") }
    try change.options.withAPI("flags set") { api in
      // The version that the patch was made for: a change in between is not overwritten.
      let flag = try api.call(change.request("GET"))
      var members = patch ?? []
      for text in assignments { try FlagAssignment(text).apply(to: &members, of: flag) }
      var request = change.request("PATCH", .object(members))
      request.headers.append(("If-Match", "\"\(flag["version"]?.integer ?? 0)\""))
      try change.apply(request, with: api, done: "set")
    }
  }
}

struct FlagsDeleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Deletes a flag with its ramp.",
    discussion: """
      Whoever asks for it is then told that there is no such flag. The audit stays.

      EXAMPLES:
        rampart flags delete OLD_FLAG --reason "nobody asks for it"
        rampart flags delete OLD_FLAG --environment staging --yes
      """)

  @OptionGroup var change: FlagChangeOptions

  func run() throws {
    try change.options.withAPI("flags delete") { api in
      let flag = try api.call(change.request("GET"))
      var request = change.request("DELETE")
      request.headers.append(("If-Match", "\"\(flag["version"]?.integer ?? 0)\""))
      try change.apply(request, with: api, done: "deleted")
    }
  }
}
