// SPDX-License-Identifier: Apache-2.0

package import TimeSeries

// Who is told of alerts: an entry of the list `notify`.

/// A place that takes alerts.
package struct Receiver: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case alertmanager, webhook, slack
  }

  package enum Location: Sendable, Equatable {
    case url(OutgoingURL)
    /// A file that holds the URL and is read for each message, so that a secret can be replaced.
    case file(String)
  }

  /// Most receivers there may be; each has a thread.
  package static let countMax = 20

  /// Unique; in metrics, logs and the API.
  package let name: String
  package let kind: Kind
  package let location: Location
  /// Whether the location may be in a private network.
  package let allowsPrivate: Bool
  /// Conditions on the alerts it is told of; none lets all through.
  package let matchers: [Matcher]

  /// - Parameter name: nil for one made of kind and place.
  package init(name: String?, kind: Kind, location: Location, allowsPrivate: Bool, matchers: [Matcher]) {
    self.name = name ?? "\(kind.rawValue)/\(location.place)"
    self.kind = kind
    self.location = location
    self.allowsPrivate = allowsPrivate
    self.matchers = matchers
  }

  func wants(_ labels: Labels) -> Bool { matchers.allSatisfy { $0.matches(labels[$0.name] ?? "") } }
}

extension Receiver.Location {
  /// Of a URL what may be shown; of a file its name, since it holds a secret.
  package var place: String {
    switch self {
    case .url(let url): url.authority
    case .file(let path): String(path.split(separator: "/").last ?? "file")
    }
  }
}
