// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Foundation

// How rows of the audit hang together: each has the hash of the row before it and of all its own fields, so that whoever
// edits, deletes, inserts or reorders one must write anew every row after it. docs/store.md describes the bytes for
// people who check a file without Rampart; a change here would break every chain that exists.

enum AuditChain {
  static let hashBytes = 32
  /// What the first row follows.
  static let start = [UInt8](repeating: 0, count: hashBytes)

  /// SHA-256 of the hash before, the id and the time as eight bytes, and the texts; numbers big-endian.
  ///
  /// - Parameters:
  ///   - texts: actor, action, environment, flag, reason, before, after, details, as bytes; nil is NULL.
  ///   - previous: the hash of the row before, `start` for the first.
  static func hash<Text: Collection<UInt8>>(id: Int64, atMs: Int64, _ texts: [Text?], after previous: [UInt8]) -> [UInt8] {
    var bytes = previous
    append(UInt64(bitPattern: id), to: &bytes)
    append(UInt64(bitPattern: atMs), to: &bytes)
    for text in texts {
      // The mark and the length keep NULL and the empty text apart, and the end of one field from the start of the next.
      bytes.append(text == nil ? 0 : 1)
      guard let text else { continue }
      append(UInt64(text.count), to: &bytes)
      bytes.append(contentsOf: text)
    }
    return Array(SHA256.hash(data: bytes))
  }

  /// The hash that an entry gets.
  static func hash(id: Int64, _ entry: AuditEntry, after previous: [UInt8]) -> [UInt8] {
    let texts = [entry.actor, entry.action, entry.environment, entry.flag, entry.reason, entry.before, entry.after, entry.details]
    return hash(id: id, atMs: entry.atMs, texts.map { $0?.utf8 }, after: previous)
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
  }
}
