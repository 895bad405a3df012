// SPDX-License-Identifier: Apache-2.0

// Who an audit row names where no guard or schedule acts.

enum Actor {
  /// Whoever uses a loopback server without tokens.
  static let localUser = "local user"
  /// The server itself.
  static let rampart = "rampart"
}
