// SPDX-License-Identifier: Apache-2.0

// How far a file has been read, in a form that outlives the process.

/// A place in a file, with what tells the file from another that later has its inode or was written anew.
package struct FilePosition: Sendable, Equatable {
  /// The beginning of a file by which it is recognised has at most so many bytes.
  package static let fingerprintBytesMax = 1_024

  package let identity: FileIdentity
  /// Where the file was last seen.
  package var path: String
  /// Bytes that have been read.
  package var offset: Int64
  /// Line ends among them.
  package var lines: Int64
  /// Over the file's first `fingerprintBytes` bytes.
  package var fingerprint: UInt64
  package var fingerprintBytes: Int

  package init(
    identity: FileIdentity, path: String, offset: Int64 = 0, lines: Int64 = 0, fingerprint: UInt64 = 0,
    fingerprintBytes: Int = 0
  ) {
    self.identity = identity
    self.path = path
    self.offset = offset
    self.lines = lines
    self.fingerprint = fingerprint
    self.fingerprintBytes = fingerprintBytes
  }

  /// FNV-1a with 64 bits: files are told apart, nobody is kept from making two alike.
  package static func fingerprint(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0100_0000_01b3 }
  }
}
