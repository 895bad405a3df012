// SPDX-License-Identifier: Apache-2.0

// Settings as people write them, and what they are told when one is wrong.

import Server
import Testing

private func reading(_ yaml: String) throws(ConfigurationError) -> Configuration {
  var reader = ConfigurationReader()
  try reader.read(yaml: yaml, file: "rampart.yml")
  return reader.configuration
}

private func refusal(of yaml: String) -> String {
  do throws(ConfigurationError) {
    _ = try reading(yaml)
    return "accepted"
  } catch {
    return error.description
  }
}

@Test(arguments: ["", "# nothing\n", "---\n"])
func anEmptyFileLeavesTheDefaults(yaml: String) throws {
  let configuration = try reading(yaml)
  #expect(configuration.listenHost == "127.0.0.1")
  #expect(configuration.listenPort == 8990)
  #expect(configuration.resolutionMs == 10_000)
  #expect(configuration.ingest.bodyBytesMax == 64 << 20)
}

@Test func aFileSetsWhatItNames() throws {
  let configuration = try reading(
    """
    listen: "[::1]:9000"
    data: /var/lib/rampart
    log: {level: debug, format: json}
    allowed_hosts: [Rampart.example, other.example]
    allowed_origins: ["https://App.example", "http://localhost:3000"]
    resolution: 5s
    retention:
      raw: 7d
      1m: 40d
      1h: 1y
      max_size: 5GiB
    ingest:
      max_body: 1MiB
      dedupe_window: 2h
      label_limit: 50
      keys:
        - {match: "match:org:*:results", cache: match_results, service: connect}
        - {match: "user:*", cache: user}
    """)
  #expect(configuration.listenHost == "::1")
  #expect(configuration.listenPort == 9000)
  #expect(configuration.dataFolder == "/var/lib/rampart")
  #expect("\(configuration.log.level) \(configuration.log.format)" == "debug json")
  #expect(configuration.allowedHosts == ["rampart.example", "other.example"])
  #expect(configuration.allowedOrigins == ["https://app.example", "http://localhost:3000"])
  #expect(configuration.resolutionMs == 5_000)
  #expect(configuration.retention.rawMs == 7 * Configuration.dayMs)
  #expect(configuration.retention.oneMinuteMs == 40 * Configuration.dayMs)
  #expect(configuration.retention.sizeBytesMax == 5 << 30)
  #expect(configuration.ingest.bodyBytesMax == 1 << 20)
  #expect(configuration.ingest.dedupeWindowMs == 7_200_000)
  #expect(configuration.ingest.labelLimit == 50)
  #expect(configuration.ingest.keys.count == 2)
}

@Test(arguments: [
  ("listen: localhost:80", "rampart.yml:1: listen: localhost:80: must be a loopback ADDRESS:PORT"),
  ("listen: 127.0.0.1", "rampart.yml:1: listen: 127.0.0.1: must be"),
  ("listen: 127.0.0.1:65536", "rampart.yml:1: listen: 127.0.0.1:65536: must be"),
  ("data: x\n\nresolution: 61s", "rampart.yml:3: resolution: 61s: must be a duration from 1s to 60s"),
  ("resolution: 1500ms", "rampart.yml:1: resolution: 1500ms: must be"),
  ("ingest:\n  max_body: 1023B", "rampart.yml:2: ingest.max_body: 1023B: must be a size from 1KiB"),
  ("ingest:\n  max_body: 1025MiB", "rampart.yml:2: ingest.max_body: 1025MiB: must be"),
  ("ingest:\n  label_limit: 0", "rampart.yml:2: ingest.label_limit: 0: must be a whole number from 1"),
  ("retention:\n  max_size: 9999999999TiB", "rampart.yml:2: retention.max_size: 9999999999TiB: must be a size"),
  ("ingest:\n  lable_limit: 5", "rampart.yml:2: ingest.lable_limit: unknown key: known here: dedupe_window, keys, label_limit"),
  ("port: 80", "rampart.yml:1: port: unknown key: known here: allowed_hosts"),
  ("ingest: 5", "rampart.yml:1: ingest: must be a mapping"),
  ("ingest:\n  keys:\n    - {match: \"a:*\"}", "rampart.yml:3: ingest.keys: match and cache must be given"),
  ("ingest:\n  keys:\n    - {match: \"a:*\", cache: a, tier: L1}", "rampart.yml:3: ingest.keys: tier: unknown key"),
  ("- listen", "rampart.yml: must be a mapping of settings"),
  ("allowed_origins: [https://a.example/]", "rampart.yml:1: allowed_origins: https://a.example/: must be a list of origins"),
  ("allowed_origins: [a.example]", "rampart.yml:1: allowed_origins: a.example: must be a list of origins"),
  ("allowed_origins: [\"*\"]", "rampart.yml:1: allowed_origins: *: must be a list of origins"),
  ("allowed_hosts: [\"a.example:80\"]", "rampart.yml:1: allowed_hosts: a.example:80: must be a list of host names"),
  ("log: {level: loud}", "rampart.yml:1: log.level: loud: must be one of trace, debug"),
  ("tls: {}", "rampart.yml:1: tls: this version does not have it yet"),
])
func aWrongSettingIsNamedWithItsPlace(yaml: String, expected: String) {
  let text = refusal(of: yaml)
  #expect(text.hasPrefix(expected), "\(text)")
}

@Test func brokenYAMLIsNamedWithItsLine() {
  let text = refusal(of: "listen: 127.0.0.1:80\ndata: [")
  #expect(text.hasPrefix("rampart.yml:"), "\(text)")
  #expect(text.contains("not YAML"), "\(text)")
  #expect(refusal(of: "data: a\ndata: b").contains("data"), "a key given twice")
}

@Test(arguments: [("512B", 512), ("1KiB", 1024), ("2 kB", 2_000), ("1MB", 1_000_000), ("1GiB", 1 << 30)])
func sizesHaveUnits(text: String, bytes: Int) throws {
  var reader = ConfigurationReader()
  if bytes < 1024 {
    #expect(throws: ConfigurationError.self) { try reader.set("ingest.max_body", to: text, place: "--max-body") }
  } else {
    try reader.set("ingest.max_body", to: text, place: "--max-body")
    #expect(reader.configuration.ingest.bodyBytesMax == bytes)
  }
}

@Test func variablesOverrideTheFileAndMayNotBeUnknown() throws {
  var reader = ConfigurationReader()
  try reader.read(yaml: "listen: 127.0.0.1:1", file: "rampart.yml")
  try reader.read(environment: [
    "RAMPART_LISTEN": "127.0.0.1:2", "RAMPART_RETENTION_1M": "36d", "RAMPART_TOKEN": "x", "HOME": "/root", "RAMPARTX": "1",
  ])
  #expect(reader.configuration.listenPort == 2)
  #expect(reader.configuration.retention.oneMinuteMs == 36 * Configuration.dayMs)
  let wrong = #expect(throws: ConfigurationError.self) { try reader.read(environment: ["RAMPART_LISTN": "127.0.0.1:2"]) }
  #expect(wrong?.description.hasPrefix("RAMPART_LISTN: not a setting: known variables: RAMPART_LISTEN") == true, "\(wrong as Any)")
  let value = #expect(throws: ConfigurationError.self) { try reader.read(environment: ["RAMPART_RESOLUTION": "0s"]) }
  #expect(value?.description.hasPrefix("RAMPART_RESOLUTION: 0s: must be a duration") == true, "\(value as Any)")
}

@Test func aMissingFileIsNamed() {
  var reader = ConfigurationReader()
  let error = #expect(throws: ConfigurationError.self) { try reader.read(file: "/nowhere/rampart.yml") }
  #expect(error?.description == "/nowhere/rampart.yml: No such file or directory")
}

@Test func theLogOfRecentEventsIsBoundedOrOff() throws {
  #expect(try reading("").retention.recentEventBytesMax == 64 << 20)
  for (text, bytes) in [("0B", 0), ("1MiB", 1 << 20), ("1GiB", 1 << 30)] {
    #expect(try reading("retention: {recent_events: \(text)}").retention.recentEventBytesMax == bytes)
  }
  for text in ["1B", "1023KiB", "1025MiB", "64", "-1MiB"] {
    #expect(refusal(of: "retention: {recent_events: \(text)}").contains("must be a size from 1MiB to 1GiB"), "\(text)")
  }
}
