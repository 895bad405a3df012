// SPDX-License-Identifier: Apache-2.0

internal import CAssets

// The files of the page and the bundled rules as they were when the binary was built. What serves them is the Server's.

/// One embedded file.
package struct Asset: Sendable {
  private enum Place {
    /// Index in the table of the page, or in that of rule files.
    case page(Int), rules(Int)
  }

  /// As it is served, such as `/assets/style.css`; `/` is the page itself. Of a rule file its name, such as
  /// `alerts/profile.yml`.
  package let path: String
  package let contentType: String
  private let place: Place

  /// A copy.
  package var bytes: [UInt8] {
    let source = unsafe Asset.source(place)
    return unsafe Array(UnsafeBufferPointer(start: source.bytes, count: source.size))
  }

  /// All files of the page, in no particular order.
  package static func all() -> [Asset] { (0..<rampart_asset_count()).map { Asset(.page($0)) } }

  /// The bundled rule files, ascending by path.
  package static func ruleFiles() -> [Asset] { (0..<rampart_rule_file_count()).map { Asset(.rules($0)) } }

  private init(_ place: Place) {
    self.place = place
    let source = unsafe Asset.source(place)
    path = unsafe String(cString: source.path)
    contentType = unsafe String(cString: source.content_type)
  }

  /// What it points to is valid for as long as the process lives.
  private static func source(_ place: Place) -> rampart_asset {
    switch place {
    case .page(let index): unsafe rampart_asset_at(index)
    case .rules(let index): unsafe rampart_rule_file_at(index)
    }
  }
}
