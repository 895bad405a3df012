// SPDX-License-Identifier: Apache-2.0

import Server
import Testing

@Suite struct ConfigurationReaderTests {
  private func reading(_ yaml: String) throws -> Configuration {
    var reader = ConfigurationReader()
    try reader.read(yaml: yaml, file: "rampart.yml")
    return reader.configuration
  }

  @Test func anEmptyFileGivesTheDefaults() throws {
    for yaml in ["", "# only a comment\n", "---\n"] {
      let configuration = try reading(yaml)
      #expect(configuration.listenHost == "127.0.0.1")
      #expect(configuration.listenPort == 8990)
      #expect(configuration.resolutionMs == 10_000)
      #expect(configuration.ingest.bodyBytesMax == 64 << 20)
      #expect(configuration.retention.longestMs == 730 * 86_400_000)
    }
  }

  @Test func everySettingOfAFileIsTaken() throws {
    let configuration = try reading(
      """
      listen: "[::1]:9000"
      data: /var/lib/rampart
      log: {level: debug, format: json}
      allowed_hosts: [Rampart.example.com, other]
      resolution: 1s
      retention: {raw: 1d, 1m: 2d, 1h: 3d, max_size: 1GiB}
      ingest:
        max_body: 1MiB
        dedupe_window: 30m
        label_limit: 7
        keys:
          - {match: "a:*", cache: a}
          - {match: "b:*", cache: b, service: s}
      """)
    #expect(configuration.listenHost == "::1" && configuration.listenPort == 9000)
    #expect(configuration.dataFolder == "/var/lib/rampart")
    #expect(configuration.log.level == .debug && configuration.log.format == .json)
    #expect(configuration.allowedHosts == ["rampart.example.com", "other"])
    #expect(configuration.resolutionMs == 1_000)
    #expect(configuration.retention.longestMs == 3 * 86_400_000)
    #expect(configuration.retention.sizeBytesMax == 1 << 30)
    #expect(configuration.ingest.bodyBytesMax == 1 << 20)
    #expect(configuration.ingest.dedupeWindowMs == 1_800_000)
    #expect(configuration.ingest.labelLimit == 7)
    #expect(configuration.ingest.keys.map(\.cache) == ["a", "b"])
  }

  @Test(arguments: [
    ("resolution: 10", "rampart.yml:1: resolution: 10: must be a duration"),
    ("resolution: 1500ms", "rampart.yml:1: resolution: 1500ms: must be a duration"),
    ("\n\ningest:\n  max_body: 64", "rampart.yml:4: ingest.max_body: 64: must be a size"),
    ("listen: localhost:80", "rampart.yml:1: listen: localhost:80: must be ADDRESS:PORT"),
    ("listen: 127.0.0.1:70000", "rampart.yml:1: listen: 127.0.0.1:70000: must be ADDRESS:PORT"),
    ("tls: {certificate: a}", "rampart.yml:1: tls: this version does not have it yet"),
    ("log: {colour: red}", "rampart.yml:1: log.colour: unknown key: known here: format, level"),
  ])
  func aWrongSettingIsNamedWithItsPlace(yaml: String, expected: String) {
    let error = #expect(throws: ConfigurationError.self) { try reading(yaml) }
    #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "no error")")
  }

  @Test func variablesSetTheSameSettingsAndUnknownOnesAreRefused() throws {
    var reader = ConfigurationReader()
    try reader.read(environment: ["RAMPART_INGEST_MAX_BODY": "2MiB", "RAMPART_TOKEN": "secret", "HOME": "/"])
    #expect(reader.configuration.ingest.bodyBytesMax == 2 << 20)
    #expect(throws: ConfigurationError.self) { try reader.read(environment: ["RAMPART_INGEST_MAXBODY": "2MiB"]) }
  }
}
