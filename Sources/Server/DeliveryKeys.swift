// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Ingest
internal import Storage

// By what a repetition of a body or of an item is recognised, for as long as senders may repeat themselves.

/// Makes the keys of deliveries to one store.
struct DeliveryKeys: Sendable {
  private static let nonce = [UInt8](repeating: 0, count: 12)

  private let secret: SymmetricKey
  private let windowMs: Int64

  /// - Parameter windowMs: for how long a delivery is recognised.
  init(store: Store, windowMs: Int64) {
    secret = SymmetricKey(data: store.secret)
    self.windowMs = windowMs
  }

  /// The key of a delivery.
  ///
  /// The bytes go through GMAC with the store's secret, which reads them six times as fast as SHA-256: two different ones
  /// agree with a chance of 2^-107 for 16 MB, and nobody without the secret can look for such a pair (NIST SP 800-38D; one
  /// nonce for all is right here, because the tags stay in the store, where they only tell bodies apart).
  ///
  /// - Parameters:
  ///   - path: the endpoint or protocol, since no two of them share keys.
  ///   - kind: what the bytes are, so that a key is no body.
  func key(path: String, _ kind: String, _ bytes: [UInt8], nowMs: Int64) -> DedupeKey {
    guard let nonce = try? AES.GCM.Nonce(data: DeliveryKeys.nonce),
      let tag = try? AES.GCM.seal([UInt8](), using: secret, nonce: nonce, authenticating: bytes).tag
    else { preconditionFailure("a key of 32 bytes and a nonce of 12 are right") }
    var hash = SHA256()
    hash.update(data: Array("\(path)\0\(kind)\0".utf8))
    hash.update(data: tag)
    return DedupeKey(digest: Array(hash.finalize()), expiresMs: nowMs + windowMs)
  }

  /// The keys of items by their ids; nil for no items.
  ///
  /// - Parameters:
  ///   - path: the endpoint, within which ids are told apart.
  ///   - write: appends the id of an item to a buffer that is used for all of them.
  func keys(of items: [BulkItem], path: String, nowMs: Int64, _ write: (BulkItem, inout [UInt8]) -> Void) -> ItemKeys? {
    guard !items.isEmpty else { return nil }
    var keys = ItemKeys(expiresMs: nowMs + windowMs)
    let prefix = Array("\(path)\0item\0".utf8)
    var text: [UInt8] = []
    for item in items {
      text.removeAll(keepingCapacity: true)
      text += prefix
      write(item, &text)
      keys.append(Array(SHA256.hash(data: text)))
    }
    return keys
  }
}
