// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Ingest
internal import Logging
internal import Notification
internal import Platform
internal import Yams

// Fills a Configuration from rampart.yml and from RAMPART_* variables. One table says what settings there are; file and
// environment both go through it, so a key means the same in either and an unknown one is an error in both.

/// Reads settings, each from the place the user wrote it.
package struct ConfigurationReader {
  private struct Setting: Sendable {
    let key: String
    /// What a value must be, as an error says it.
    let expected: String
    /// Nil where the text is no such value.
    let apply: @Sendable (inout Configuration, String) -> Void?
  }

  private static let settings: [Setting] = [
    Setting(key: "listen", expected: "a loopback ADDRESS:PORT, such as 127.0.0.1:8990 or [::1]:8990") { configuration, text in
      // Nobody can sign in yet, so nobody from elsewhere may come.
      guard let address = Quantity.address(text), Access.isLoopback(address.0) else { return nil }
      (configuration.listenHost, configuration.listenPort) = address
    },
    Setting(key: "data", expected: "a folder") { configuration, text in
      guard !text.isEmpty else { return nil }
      configuration.dataFolder = text
    },
    Setting(key: "log.level", expected: "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))") {
      guard let level = Logger.Level(rawValue: $1) else { return nil }
      $0.log.level = level
    },
    Setting(key: "log.format", expected: "text or json") {
      guard let format = Configuration.LogFormat(rawValue: $1) else { return nil }
      $0.log.format = format
    },
    Setting(key: "allowed_hosts", expected: "a list of host names without port") { configuration, text in
      let names = text.split(separator: ",").map { $0.filter { $0 != " " }.lowercased() }
      guard names.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isLetter || $0.isNumber || "-._".contains($0) } }) else { return nil }
      configuration.allowedHosts = names
    },
    Setting(key: "allowed_origins", expected: "a list of origins, such as https://app.example.com") { configuration, text in
      let origins = text.split(separator: ",").map { $0.filter { $0 != " " }.lowercased() }
      guard origins.allSatisfy({ (try? OutgoingURL($0))?.origin == $0 && !$0.contains("*") }) else { return nil }
      configuration.allowedOrigins = origins
    },
    Setting(key: "external_url", expected: "an http or https URL, such as https://rampart.example.com") { configuration, text in
      guard (try? OutgoingURL(text)) != nil, !text.contains("?"), !text.contains("#"), !text.contains("@") else { return nil }
      configuration.externalURL = text
    },
    Setting(key: "resolution", expected: "a duration from 1s to 60s in whole seconds, such as 10s") {
      guard let ms = DurationText.milliseconds($1), (1_000...60_000).contains(ms), ms % 1_000 == 0 else { return nil }
      $0.resolutionMs = ms
    },
    Setting(key: "retention.raw", expected: retentionExpected) { assign(&$0.retention.rawMs, retentionMs($1)) },
    Setting(key: "retention.1m", expected: retentionExpected) { assign(&$0.retention.oneMinuteMs, retentionMs($1)) },
    Setting(key: "retention.1h", expected: retentionExpected) { assign(&$0.retention.oneHourMs, retentionMs($1)) },
    Setting(key: "retention.max_size", expected: "a size of at least 1MiB, such as 20GiB") {
      assign(&$0.retention.sizeBytesMax, Quantity.sizeBytes($1).flatMap { $0 >= 1 << 20 ? $0 : nil })
    },
    Setting(key: "retention.recent_events", expected: "a size from 1MiB to 1GiB, such as 64MiB, or 0B for none") {
      let bytes = Quantity.sizeBytes($1).flatMap { $0 == 0 || (1 << 20...1 << 30).contains($0) ? Int($0) : nil }
      return assign(&$0.retention.recentEventBytesMax, bytes)
    },
    Setting(key: "ingest.max_body", expected: "a size from 1KiB to 1GiB, such as 64MiB") {
      assign(&$0.ingest.bodyBytesMax, Quantity.sizeBytes($1).flatMap { (1 << 10...1 << 30).contains($0) ? Int($0) : nil })
    },
    Setting(key: "ingest.dedupe_window", expected: "a duration from 1s to 30d, such as 1h") {
      let windowMs = DurationText.milliseconds($1).flatMap { (1_000...30 * Configuration.dayMs).contains($0) ? $0 : nil }
      return assign(&$0.ingest.dedupeWindowMs, windowMs)
    },
    Setting(key: "ingest.label_limit", expected: "a whole number from 1 to 1000000") {
      assign(&$0.ingest.labelLimit, Int($1).flatMap { (1...1_000_000).contains($0) ? $0 : nil })
    },
    Setting(key: "rules.files", expected: "a list of rule files, such as alerts/*.yml") { configuration, text in
      let files = text.split(separator: ",").map { $0.trimming(" ") }
      guard !files.contains("") else { return nil }
      configuration.rules.files = files
    },
    Setting(key: "rules.interval", expected: "a duration from 1s to 1d, such as 15s") {
      assign(&$0.rules.intervalMs, DurationText.milliseconds($1).flatMap { (1_000...Configuration.dayMs).contains($0) ? $0 : nil })
    },
  ]

  private static let retentionExpected = "a duration from 1h to 100y, such as 35d"

  /// Settings that belong to the format but that this version does not act on. Saying so beats ignoring them.
  private static let notYet: Set<String> = ["tls", "dashboards", "savings"]

  package private(set) var configuration = Configuration()

  package init() {}

  /// Sets what the file sets.
  ///
  /// - Throws: `ConfigurationError` with file, line, key and what was expected.
  package mutating func read(file path: String) throws(ConfigurationError) {
    let text: String
    do throws(FileError) {
      text = String(decoding: try Files.read(path, bytesMax: 1 << 20), as: UTF8.self)
    } catch {
      throw ConfigurationError(place: path, key: "", message: error.reason)
    }
    try read(yaml: text, file: path)
  }

  package mutating func read(yaml: String, file: String) throws(ConfigurationError) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch let error as YamlError {
      throw ConfigurationReader.error(for: error, file: file)
    } catch {
      throw ConfigurationError(place: file, key: "", message: "\(error)")
    }
    guard let root, root.null == nil else { return }
    guard let mapping = root.mapping else {
      throw ConfigurationError(place: file, key: "", message: "must be a mapping of settings, such as `listen: 127.0.0.1:8990`")
    }
    try read(mapping, prefix: "", file: file)
  }

  /// Sets what `RAMPART_*` variables set: the key in capitals with `_` for `.`, such as `RAMPART_INGEST_MAX_BODY`.
  ///
  /// - Throws: `ConfigurationError` for a wrong value and for a name that is no setting.
  package mutating func read(environment: [String: String]) throws(ConfigurationError) {
    // Read by other commands and by the tests.
    let others: Set<String> = ["RAMPART_TOKEN", "RAMPART_SERVER", "RAMPART_CONFORMANCE"]
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("RAMPART_") && !others.contains(name) {
      let setting = ConfigurationReader.settings.first { ConfigurationReader.variable($0.key) == name }
      guard let setting else {
        let known = ConfigurationReader.settings.map { ConfigurationReader.variable($0.key) }.joined(separator: ", ")
        throw ConfigurationError(place: name, key: "", message: "not a setting: known variables: \(known)")
      }
      try apply(setting, value, place: name, key: "")
    }
  }

  /// Sets one setting, such as from a command line option.
  package mutating func set(_ key: String, to value: String, place: String) throws(ConfigurationError) {
    guard let setting = ConfigurationReader.settings.first(where: { $0.key == key }) else {
      preconditionFailure("\(key) is no setting")
    }
    try apply(setting, value, place: place, key: "")
  }

  /// Serves the page from a folder.
  package mutating func set(assetsFolder: String?) { configuration.assetsFolder = assetsFolder }

  private mutating func apply(_ setting: Setting, _ value: String, place: String, key: String) throws(ConfigurationError) {
    if setting.apply(&configuration, value) == nil {
      throw ConfigurationError(place: place, key: key, message: "\(value.prefix(80)): must be \(setting.expected)")
    }
  }

  // MARK: YAML

  private mutating func read(_ mapping: Node.Mapping, prefix: String, file: String) throws(ConfigurationError) {
    for (name, node) in mapping {
      let key = prefix + (name.string ?? "")
      let place = "\(file):\(name.mark?.line ?? 1)"
      if key == "ingest.keys" {
        try readKeys(node, file: file)
      } else if key == "sources" {
        configuration.sources = try Configuration.SourcesSection(node, file: file)
      } else if key == "notify" {
        configuration.notify = try NotifySettings(node, file: file).receivers
      } else if let setting = ConfigurationReader.settings.first(where: { $0.key == key }) {
        try apply(setting, try ConfigurationReader.text(of: node, setting, place: place), place: place, key: key)
      } else if let section = node.mapping, ConfigurationReader.isSection(key) {
        try read(section, prefix: key + ".", file: file)
      } else {
        throw ConfigurationError(place: place, key: key, message: ConfigurationReader.refusal(of: key, prefix: prefix))
      }
    }
  }

  private mutating func readKeys(_ node: Node, file: String) throws(ConfigurationError) {
    let expected = "a list of patterns, such as {match: \"match:org:*:results\", cache: match_results, service: connect}"
    func wrong(_ node: Node, _ message: String) -> ConfigurationError {
      ConfigurationError(place: "\(file):\(node.mark?.line ?? 1)", key: "ingest.keys", message: message)
    }
    guard let items = node.sequence else { throw wrong(node, "must be \(expected)") }
    guard items.count <= KeyPatterns.configuredMax else {
      throw wrong(node, "\(items.count) patterns: must be at most \(KeyPatterns.configuredMax)")
    }
    for item in items {
      guard let fields = item.mapping else { throw wrong(item, "must be \(expected)") }
      for (name, _) in fields where !["match", "cache", "service"].contains(name.string) {
        throw wrong(name, "\(name.string ?? ""): unknown key: known here: match, cache, service")
      }
      guard let match = fields["match"]?.string, let cache = fields["cache"]?.string, !match.isEmpty, !cache.isEmpty else {
        throw wrong(item, "match and cache must be given: \(expected)")
      }
      configuration.ingest.keys.append(KeyPattern(match: match, cache: cache, service: fields["service"]?.string))
    }
  }

  private static func text(of node: Node, _ setting: Setting, place: String) throws(ConfigurationError) -> String {
    if let text = node.scalar?.string { return text }
    if ["allowed_hosts", "allowed_origins", "rules.files"].contains(setting.key), let items = node.sequence {
      return items.map { $0.scalar?.string ?? "/" }.joined(separator: ",")
    }
    throw ConfigurationError(place: place, key: setting.key, message: "must be \(setting.expected)")
  }

  private static func isSection(_ key: String) -> Bool { settings.contains { $0.key.hasPrefix(key + ".") } }

  private static func refusal(of key: String, prefix: String) -> String {
    if notYet.contains(key) { return "this version does not have it yet: remove the key" }
    if isSection(key) { return "must be a mapping" }
    let names = settings.map(\.key).filter { $0.hasPrefix(prefix) }.map { $0.dropFirst(prefix.count).prefix { $0 != "." } }
    let known = Set(names.map(String.init) + (prefix == "ingest." ? ["keys"] : prefix.isEmpty ? ["notify", "sources"] : [])).sorted()
    return "unknown key: known here: \(known.joined(separator: ", "))"
  }

  private static func variable(_ key: String) -> String {
    "RAMPART_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
  }

  private static func error(for error: YamlError, file: String) -> ConfigurationError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
      ConfigurationError(place: "\(file):\(mark.line)", key: "", message: "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, _):
      ConfigurationError(place: file, key: keys.map { "\($0)" }.joined(separator: ", "), message: "given twice")
    default:
      ConfigurationError(place: file, key: "", message: "not YAML: \(error)")
    }
  }
}

extension Substring {
  fileprivate func trimming(_ character: Character) -> String {
    String(drop { $0 == character }.reversed().drop { $0 == character }.reversed())
  }
}

private func assign<Value>(_ target: inout Value, _ value: Value?) -> Void? {
  guard let value else { return nil }
  target = value
  return ()
}

private func retentionMs(_ text: String) -> Int64? {
  DurationText.milliseconds(text).flatMap { (3_600_000...100 * 365 * Configuration.dayMs).contains($0) ? $0 : nil }
}
