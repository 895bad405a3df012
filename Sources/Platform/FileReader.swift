// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Reading a file piece by piece, and what tells it from a file that later has its name.

/// Which file it is, whatever it is called.
package struct FileIdentity: Sendable, Hashable {
  package let device: UInt64
  package let inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// An open file, pipe or standard input. For one thread.
package final class FileReader {
  package let path: String
  private let descriptor: Int32

  /// - Parameter path: `-` is standard input.
  package init(_ path: String) throws(FileError) {
    self.path = path
    descriptor = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path) }
  }

  deinit { if descriptor > 0 { close(descriptor) } }

  /// What the system says of the file now.
  package struct Status: Sendable {
    package let identity: FileIdentity
    package let sizeBytes: Int64
    /// When it was last written, in ns.
    package let modifiedNs: Int64
    package let isRegular: Bool
    package let isFolder: Bool
  }

  package func status() throws(FileError) -> Status {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .system("stat", path) }
    return Status(status)
  }

  /// Appends what comes next, at most `countMax` bytes.
  ///
  /// - Returns: how many; 0 at the end.
  package func read(countMax: Int, to buffer: inout [UInt8]) throws(FileError) -> Int {
    try unsafe append(countMax, to: &buffer) { unsafe Glibc.read(self.descriptor, $0, $1) }
  }

  /// As `read`, from a place of a regular file.
  package func read(at offset: Int64, countMax: Int, to buffer: inout [UInt8]) throws(FileError) -> Int {
    try unsafe append(countMax, to: &buffer) { unsafe pread(self.descriptor, $0, $1, off_t(offset)) }
  }

  private func append(
    _ countMax: Int, to buffer: inout [UInt8], _ read: (UnsafeMutableRawPointer?, Int) -> Int
  ) throws(FileError) -> Int {
    let start = buffer.count
    var count = 0
    buffer.append(addingCapacity: countMax) { (output: inout OutputSpan<UInt8>) in
      unsafe output.withUnsafeMutableBufferPointer { bytes, initialized in
        repeat {
          count = unsafe read(bytes.baseAddress.map { unsafe UnsafeMutableRawPointer($0 + initialized) }, countMax)
        } while count < 0 && errno == EINTR
        initialized += max(count, 0)
      }
    }
    guard count >= 0 else { throw .system("read", path) }
    precondition(buffer.count == start + count)
    return count
  }
}

extension FileReader.Status {
  fileprivate init(_ status: stat) {
    identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    sizeBytes = Int64(status.st_size)
    modifiedNs = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
    isRegular = status.st_mode & S_IFMT == S_IFREG
    isFolder = status.st_mode & S_IFMT == S_IFDIR
  }
}

extension Files {
  /// What the system says of a name, behind links; nil where there is none.
  package static func status(_ path: String) -> FileReader.Status? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? FileReader.Status(status) : nil
  }

  /// The names that a pattern of the shell stands for, ascending; at most `countMax`. Folders that cannot be read have
  /// none.
  package static func matching(_ pattern: String, countMax: Int) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe glob(pattern, 0, nil, &found) == 0, let names = unsafe found.gl_pathv else { return [] }
    return unsafe (0..<min(Int(found.gl_pathc), countMax)).compactMap { unsafe names[$0].map { unsafe String(cString: $0) } }
  }

  /// Whether a pattern of the shell stands for a name; `*` and `?` match no slash.
  package static func matches(_ path: String, _ pattern: String) -> Bool {
    unsafe fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0
  }

  /// The names in a folder, without its own and its parent's; none where it cannot be read.
  package static func names(in folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
