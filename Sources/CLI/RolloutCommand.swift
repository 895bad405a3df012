// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import JSON

// `rampart rollout`: ramps. How one stands is in RolloutStatusCommand.

struct RolloutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollout",
    abstract: "Starts, watches and stops ramps.",
    discussion: """
      With a --reason rollback and kill act without asking.

      EXAMPLES:
        rampart rollout start ENABLE_PROFILE_CACHE && rampart rollout status ENABLE_PROFILE_CACHE --watch
        rampart rollout kill ENABLE_PROFILE_CACHE --reason "wrong profiles are shown"
      """,
    subcommands: [
      RolloutStartCommand.self, RolloutStatusCommand.self, Pause.self, Resume.self, Approve.self, Advance.self, Rollback.self,
      Kill.self, RolloutBacktestCommand.self,
    ])

  struct Pause: RolloutActionCommand {
    static let action = "pause"
    static let configuration: CommandConfiguration = describing("Stops the soak clock; the guard goes on watching.")
    @OptionGroup var options: RolloutOptions
  }

  struct Resume: RolloutActionCommand {
    static let action = "resume"
    static let configuration: CommandConfiguration = describing("Goes on with a ramp that was paused, or held after a breach.")
    @OptionGroup var options: RolloutOptions
  }

  struct Approve: RolloutActionCommand {
    static let action = "approve"
    static let configuration: CommandConfiguration = describing("Lets a ramp that waits for approval go on.")
    @OptionGroup var options: RolloutOptions
  }

  struct Advance: RolloutActionCommand {
    static let action = "advance"
    static let configuration: CommandConfiguration = describing("Goes to the next step now, without asking the checks.")
    @OptionGroup var options: RolloutOptions
  }

  struct Rollback: RolloutActionCommand {
    static let action = "rollback"
    static let configuration: CommandConfiguration = describing("Rolls the flag back, as far as the plan's rollback_to says.")
    @OptionGroup var options: RolloutOptions
    @ArgumentParser.Flag(help: "Do not ask, also without a reason.") var yes = false
    var isConfirmed: Bool { yes || options.reason.reason != nil }
  }

  struct Kill: RolloutActionCommand {
    static let action = "kill"
    static let configuration: CommandConfiguration = describing("Gives everybody the default variant, at once, whatever the rules say.")
    @OptionGroup var options: RolloutOptions
    @ArgumentParser.Flag(help: "Do not ask, also without a reason.") var yes = false
    var isConfirmed: Bool { yes || options.reason.reason != nil }
  }
}

/// What all commands that move a ramp have in common.
struct RolloutOptions: ParsableArguments {
  @Argument(help: "The flag's key.") var key: String
  @OptionGroup var options: APIOptions
  @OptionGroup var environment: EnvironmentOptions
  @OptionGroup var reason: ReasonOptions

  /// Does it, and says how the ramp stands.
  func send(_ request: API.Request, with api: API) throws {
    var request = request
    request.fields.append(environment.field)
    request.headers += reason.headers
    let ramp = try api.call(request)
    print(options.json ? ramp.text : RolloutText.headline(ramp))
  }
}

/// A command that is one action of the API.
protocol RolloutActionCommand: ParsableCommand {
  /// As the API names it.
  static var action: String { get }
  var options: RolloutOptions { get }
  /// Whether it acts without asking.
  var isConfirmed: Bool { get }
}

extension RolloutActionCommand {
  var isConfirmed: Bool { true }

  static func describing(_ abstract: String) -> CommandConfiguration {
    CommandConfiguration(
      commandName: action, abstract: abstract,
      discussion: """
        EXAMPLES:
          rampart rollout \(action) ENABLE_PROFILE_CACHE --reason "as agreed"
          rampart rollout \(action) ENABLE_PROFILE_CACHE --data ./rampart-data --json
        """)
  }

  func run() throws {
    let action = Self.action, command = "rollout \(Self.action)"
    if !isConfirmed {
      let question = "\(action) \(options.key) in \(options.environment.environment)?"
      try Confirmation.ask("\(question) (--reason says why, and asks no more)", for: command)
    }
    try options.options.withAPI(command) { api in
      try options.send(API.Request("POST", "flags", options.key, "rollout", action), with: api)
    }
  }
}

struct RolloutStartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start",
    abstract: "Starts a ramp, by the flag's own plan or by one from a file.",
    discussion: """
      EXAMPLES:
        rampart rollout start ENABLE_PROFILE_CACHE --reason "second try"
        rampart rollout start ENABLE_PROFILE_CACHE --plan plan.json --environment staging
      """)

  @OptionGroup var options: RolloutOptions

  @Option(help: ArgumentHelp("The plan as JSON; - is standard input.", valueName: "file"))
  var plan: String?

  func run() throws {
    let document = try plan.map { JSONValue.object(try JSONFile.object($0, for: "rollout start")) }
    try options.options.withAPI("rollout start") { api in
      let body = document.map { Array($0.text.utf8) }
      try options.send(API.Request("POST", "flags", options.key, "rollout", body: body), with: api)
    }
  }
}
