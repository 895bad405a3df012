// SPDX-License-Identifier: Apache-2.0

internal import CAssets

// The files of the page as they were when the binary was built. What serves them is the Server's.

/// One embedded file.
package struct Asset: Sendable {
  /// As it is served, such as `/assets/style.css`; `/` is the page itself.
  package let path: String
  package let contentType: String
  package let bytes: [UInt8]

  /// All embedded files, in no particular order. Copies them: call it once.
  package static func all() -> [Asset] {
    (0..<rampart_asset_count()).map { unsafe Asset(rampart_asset_at($0)) }
  }

  /// The bundled rule files, ascending by path, such as `alerts/profile.yml`. Copies them.
  package static func ruleFiles() -> [Asset] {
    (0..<rampart_rule_file_count()).map { unsafe Asset(rampart_rule_file_at($0)) }
  }

  private init(_ asset: rampart_asset) {
    path = unsafe String(cString: asset.path)
    contentType = unsafe String(cString: asset.content_type)
    bytes = unsafe Array(UnsafeBufferPointer(start: asset.bytes, count: asset.size))
  }
}
