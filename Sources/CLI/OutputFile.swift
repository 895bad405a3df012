// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A file that is written from its start, or standard output.
struct OutputFile {
  private let handle: FileHandle
  private let command: String

  /// - Parameters:
  ///   - path: `-` for standard output.
  ///   - command: who writes, for errors.
  init(_ path: String, command: String) throws {
    self.command = command
    if path == "-" {
      handle = .standardOutput
    } else {
      guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path) else {
        throw CommandFailure(status: .failed, message: "\(command): \(path): could not be created")
      }
      self.handle = handle
    }
  }

  func write(_ bytes: [UInt8]) throws {
    do {
      try handle.write(contentsOf: Data(bytes))
    } catch {
      throw CommandFailure(status: .failed, message: "\(command): write: \(error.localizedDescription)")
    }
  }
}
