// SPDX-License-Identifier: Apache-2.0

package import Ingest
package import Logging
package import Notification
internal import Storage

// Every setting with its default. How a file or a variable sets it is in ConfigurationReader; what it does is where it
// is used.

/// What a server runs with. The defaults are those of docs/configuration.md.
package struct Configuration: Sendable {
  package enum LogFormat: String, Sendable, CaseIterable { case text, json }

  package struct Log: Sendable {
    package var level: Logger.Level = .info
    package var format: LogFormat = .text
  }

  package struct Retention: Sendable {
    package var rawMs: Int64 = 3 * Configuration.dayMs
    package var oneMinuteMs: Int64 = 35 * Configuration.dayMs
    package var oneHourMs: Int64 = 2 * 365 * Configuration.dayMs
    package var sizeBytesMax: Int64 = 20 << 30
    /// Of events as they were received; 0 keeps none.
    package var recentEventBytesMax = 64 << 20

    /// How long anything is kept; events older than this are refused.
    package var longestMs: Int64 { max(rawMs, oneMinuteMs, oneHourMs) }
  }

  package struct IngestSection: Sendable {
    /// After decompression.
    package var bodyBytesMax: Int = 64 << 20
    package var dedupeWindowMs: Int64 = 3_600_000
    /// Distinct values a label may have.
    package var labelLimit: Int = 1_000
    /// Before the bundled ones, in this order.
    package var keys: [KeyPattern] = []
  }

  package struct Rules: Sendable {
    /// Files, or patterns of files with `*`, `?` and `[…]`; nil for the bundled ones.
    package var files: [String]?
    /// Of groups that name none.
    package var intervalMs: Int64 = 15_000
  }

  package static let dayMs: Int64 = 86_400_000

  /// An IPv4 or IPv6 address, without brackets.
  package var listenHost = "127.0.0.1"
  package var listenPort: UInt16 = 8990
  package var dataFolder = "./rampart-data"
  package var log = Log()
  /// Names, without port, that a `Host` header may carry beside the loopback ones.
  package var allowedHosts: [String] = []
  /// Origins, in lower case, whose pages may evaluate flags in the browser.
  package var allowedOrigins: [String] = []
  /// Width of a window.
  package var resolutionMs: Int64 = 10_000
  package var retention = Retention()
  package var ingest = IngestSection()
  package var sources = SourcesSection()
  package var rules = Rules()
  /// Who is told of alerts, in the order of the settings.
  package var notify: [Receiver] = []
  /// Where people reach this server, for links in notifications; nil for the address it listens on.
  package var externalURL: String?
  /// Serves `web/` from this folder instead of the embedded copy; for those who change the page.
  package var assetsFolder: String?

  package init() {}
}

/// A setting that stops the start.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// Where it stands: `rampart.yml:3` or the name of a variable or option.
  package let place: String
  package let key: String
  package let message: String

  package init(place: String, key: String, message: String) {
    self.place = place
    self.key = key
    self.message = message
  }

  package var description: String { key.isEmpty ? "\(place): \(message)" : "\(place): \(key): \(message)" }
}
