// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Glibc
internal import Platform
internal import Server

// How a command ends. Every error of every command becomes a line on standard error and a status here.

enum ExitStatus: Int32 {
  case done = 0
  /// The thing asked for failed or does not hold.
  case failed = 1
  /// Wrong usage or configuration.
  case wrongUsage = 2
  case interrupted = 130

  func exit() -> Never {
    Glibc.exit(rawValue)
  }

  /// Says what went wrong, where it did, and exits.
  static func exit(for error: any Error) -> Never {
    if let error = error as? CommandFailure {
      say("rampart: \(error.message)")
      error.status.exit()
    }
    if let error = error as? ConfigurationError {
      say("rampart: \(error)")
      wrongUsage.exit()
    }
    let isHelp = RampartCommand.exitCode(for: error).isSuccess
    let message = RampartCommand.fullMessage(for: error)
    Files.write(Array((message + "\n").utf8), to: isHelp ? 1 : 2)
    (isHelp ? done : wrongUsage).exit()
  }

  private static func say(_ line: String) {
    Files.write(Array((line + "\n").utf8), to: 2)
  }
}

/// A failure whose sentence is already what the user should read.
struct CommandFailure: Error {
  let status: ExitStatus
  let message: String
}
