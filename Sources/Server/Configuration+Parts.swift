// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Ingest
internal import Storage

// What the settings mean to the parts they configure, whoever opens them: the server or a command.

extension Configuration {
  /// Where this server listens.
  ///
  /// - Parameter port: the one that was bound.
  func listenURL(port: Int) -> String {
    let host = listenHost.contains(":") ? "[\(listenHost)]" : listenHost
    return "http://\(host):\(port)"
  }

  /// Where people find this server, for templates of rules.
  var rulesURL: String { externalURL ?? listenURL(port: Int(listenPort)) }

  var store: StoreConfiguration {
    var settings = StoreConfiguration(
      folder: dataFolder, sizeBytesMax: retention.sizeBytesMax, limits: SeriesLimits(labelValuesMax: ingest.labelLimit))
    settings.recentEventBytesMax = retention.recentEventBytesMax
    settings.widthMs = resolutionMs
    // Raw windows are finer than 1 min and take about a byte each, so they serve that retention too.
    settings.retention.rawMs = max(retention.rawMs, retention.oneMinuteMs)
    settings.retention.hourMs = retention.longestMs
    return settings
  }

  /// - Parameters:
  ///   - userSeed: the store's.
  ///   - cohorts: asked for each body.
  func ingestSettings(userSeed: UInt64, cohorts: @escaping @Sendable () -> CohortPicture) -> IngestSettings {
    var settings = IngestSettings()
    settings.resolutionMs = resolutionMs
    settings.oldestMs = retention.longestMs
    settings.keyPatterns = KeyPatterns(configured: ingest.keys)
    settings.labelValuesMax = ingest.labelLimit
    settings.userSeed = userSeed
    settings.cohorts = cohorts
    // No body may push all others out of the log.
    settings.recentBytesMax = min(settings.recentBytesMax, retention.recentEventBytesMax / 8)
    return settings
  }
}
