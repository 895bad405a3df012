// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Files and folders, with errors that name the operation and the path.

/// An operation on a file that the system refused.
package struct FileError: Error, Equatable, CustomStringConvertible {
  package let operation: String
  package let path: String
  package let reason: String

  package init(operation: String, path: String, reason: String) {
    self.operation = operation
    self.path = path
    self.reason = reason
  }

  package var description: String { "\(operation) \(path): \(reason)" }

  static func system(_ operation: String, _ path: String) -> FileError {
    FileError(operation: operation, path: path, reason: unsafe String(cString: strerror(errno)))
  }
}

package enum Files {
  /// The whole content of a regular file or a pipe.
  ///
  /// - Throws: `FileError`, also when there are more than `bytesMax` bytes.
  package static func read(_ path: String, bytesMax: Int) throws(FileError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("read", path) }
    defer { close(descriptor) }
    return try read(descriptor, path, bytesMax: bytesMax)
  }

  /// The same of a regular file alone: a pipe would keep its reader waiting for whoever writes into it.
  package static func readRegular(_ path: String, bytesMax: Int) throws(FileError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("read", path) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system("read", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(operation: "read", path: path, reason: "is no file") }
    return try read(descriptor, path, bytesMax: bytesMax)
  }

  private static func read(_ descriptor: Int32, _ path: String, bytesMax: Int) throws(FileError) -> [UInt8] {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", path) }
      if count == 0 { return content }
      guard content.count + count <= bytesMax else {
        throw FileError(operation: "read", path: path, reason: "larger than \(bytesMax) bytes")
      }
      content.append(contentsOf: chunk[..<count])
    }
  }

  package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Creates a folder and those above it, readable by the owner alone; one that exists is left as it is.
  package static func createFolder(_ path: String) throws(FileError) {
    let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    if !parent.isEmpty, !exists(parent) { try createFolder(parent) }
    let status = unsafe mkdir(path, 0o700)
    guard status == 0 || errno == EEXIST else { throw .system("create folder", path) }
  }

  /// Whether a file descriptor is a terminal.
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Writes to standard output or standard error until all is written. Errors are ignored: there is no one to tell.
  package static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var offset = 0
    while offset < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      offset += count
    }
  }
}
