// SPDX-License-Identifier: Apache-2.0

internal import GRDB

// How the store fails, in terms of what the caller can do about it.

/// An operation that the store could not do. Nothing of it is kept.
package enum StoreError: Error, Equatable, Sendable {
  /// The disk, or the configured size, is full. Passes when space is freed.
  case full(String)
  /// Too much is waiting to be written. Passes by itself.
  case busy
  /// The store has been closed.
  case closed
  /// What was to be changed has changed meanwhile; `currentVersion` is nil where it no longer exists.
  case conflict(currentVersion: Int64?)
  /// The file is not a Rampart store, is damaged, or comes from a newer Rampart.
  case damaged(String)
  /// Another process uses the store.
  case inUse(String)
  /// SQLite or the system refused; the text is theirs.
  case failed(operation: String, reason: String)
}

extension StoreError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .full(let reason): "store: full: \(reason): free disk space or raise retention.max_size"
    case .busy: "store: too much is waiting to be written: try again"
    case .closed: "store: closed"
    case .conflict(.some(let version)): "changed meanwhile: the version is now \(version): read it again and repeat the change"
    case .conflict(.none): "not there: it was never created, or deleted meanwhile"
    case .damaged(let reason): "store: \(reason)"
    case .inUse(let path): "store: \(path): in use by another process: stop it, or use another folder"
    case .failed(let operation, let reason): "store: \(operation): \(reason)"
    }
  }

  /// Runs `body`, turning whatever SQLite throws into a `StoreError` that names the operation.
  static func wrapping<Value>(_ operation: String, _ body: () throws -> Value) throws(StoreError) -> Value {
    do {
      return try body()
    } catch let error as StoreError {
      throw error
    } catch let error as DatabaseError {
      let reason = error.message ?? "SQLite error \(error.resultCode.rawValue)"
      switch error.resultCode {
      case .SQLITE_FULL: throw .full(reason)
      case .SQLITE_CORRUPT, .SQLITE_NOTADB: throw .damaged("\(operation): \(reason)")
      default: throw .failed(operation: operation, reason: reason)
      }
    } catch {
      throw .failed(operation: operation, reason: "\(error)")
    }
  }
}
