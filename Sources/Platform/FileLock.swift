// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

// A lock between processes on a file.

/// An exclusive lock on a file, held until `release()`, the last reference's end, or the process's.
package final class FileLock: Sendable {
  /// -1 after the release.
  private let descriptor: Atomic<Int32>

  /// Takes the lock without waiting; the file is created where it is missing.
  ///
  /// - Throws: `FileError` whose operation is `lock` when somebody else holds it; the text says so.
  package init(_ path: String) throws(FileError) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system("open", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isHeld = errno == EWOULDBLOCK
      let error = FileError.system("lock", path)
      close(descriptor)
      throw isHeld ? FileError(operation: "lock", path: path, reason: "held by another process") : error
    }
    self.descriptor = Atomic(descriptor)
  }

  deinit { release() }

  /// Gives the lock back; a second time does nothing.
  package func release() {
    let open = descriptor.exchange(-1, ordering: .relaxed)
    if open >= 0 { close(open) }
  }
}
