// SPDX-License-Identifier: Apache-2.0

/// What this binary is.
package enum BuildInformation {
  package static let version = "0.1.0"
}
