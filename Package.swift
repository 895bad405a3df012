// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// ExistentialAny: a protocol used as a type costs an allocation and a witness table; `any` makes that visible.
// InternalImportsByDefault, MemberImportVisibility: a module's imports are its arrows in docs/architecture.md;
// neither leaks through another module, so TidyTests can hold them by reading the import lines.
// strictMemorySafety: every unsafe expression is spelled `unsafe`, which TidyTests confines to row 0.
let house: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: house)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: house)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
  name: "rampart",
  products: [
    .executable(name: "rampart", targets: ["rampart"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Row 0: what touches C and the operating system. Only here is `unsafe` allowed.
    .systemLibrary(name: "CMicroHTTPD"),
    .systemLibrary(name: "CZlib"),
    .systemLibrary(name: "CZstd"),
    .systemLibrary(name: "CSnappy"),
    .target(name: "CCurl"),
    .target(name: "CAssets"),
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
    module("RegularExpressions", ["CRE2"]),
    module("HTTP", ["CMicroHTTPD"]),
    module("Compression", ["CZlib", "CZstd", "CSnappy"]),
    module("HTTPClient", ["CCurl"]),
    module("Platform"),
    module("Assets", ["CAssets"]),

    // Row 1 and 2: pure domain. Bytes and values in, values out; no input or output, no clock, no lock.
    module("TimeSeries", ["RegularExpressions"]),
    module("JSON"),
    module("Assignment"),
    module("Flags", ["Assignment", "JSON", "RegularExpressions"]),
    module("Ingest", ["Assignment", "JSON", "TimeSeries"]),
    module("PromQL", ["TimeSeries", "RegularExpressions"]),
    module("Simulation", ["JSON"]),
    module("Templates", ["TimeSeries", "RegularExpressions"]),

    // Row 3: input and output.
    module("Alerting", ["PromQL", "Templates", "TimeSeries", yams]),
    module("Sources", ["Compression", "Ingest", "Platform"]),
    module("Notification", ["HTTPClient", "JSON", "TimeSeries", "RegularExpressions", "Platform"]),
    module("Storage", ["TimeSeries", "JSON", "Platform", crypto, grdb]),

    // Row 4: wiring.
    module(
      "Server",
      [
        "Alerting", "HTTP", "Compression", "Platform", "Assets", "TimeSeries", "JSON", "Assignment", "Flags", "Ingest", "PromQL",
        "Sources", "Notification", "Storage", crypto, logging, yams,
      ]),

    // Row 5: the command line.
    module(
      "CLI",
      [
        "Alerting", "Server", "HTTPClient", "Platform", "JSON", "Flags", "Ingest", "PromQL", "Simulation", argumentParser,
        logging,
      ]),
    // Relative relocations packed (DT_RELR, glibc 2.36): half a megabyte less to read at each start and to keep resident.
    .executableTarget(
      name: "rampart", dependencies: ["CLI"], swiftSettings: house,
      linkerSettings: [.unsafeFlags(["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"])]),

    tests("HTTPTests", ["HTTP"]),
    tests("CompressionTests", ["Compression"]),
    tests("HTTPClientTests", ["HTTPClient"]),
    tests("PlatformTests", ["Platform"]),
    tests("RegularExpressionsTests", ["RegularExpressions"]),
    tests("PromQLTests", ["PromQL", "TimeSeries"]),
    tests("TemplatesTests", ["Templates", "TimeSeries"]),
    tests("TimeSeriesTests", ["TimeSeries"]),
    tests("AlertingTests", ["Alerting", "PromQL", "TimeSeries"]),
    tests("JSONTests", ["JSON"]),
    tests("AssignmentTests", ["Assignment"]),
    tests("FlagsTests", ["Assignment", "Flags", "JSON"]),
    tests("IngestTests", ["Assignment", "Ingest", "JSON", "TimeSeries"]),
    tests("SimulationTests", ["Simulation", "JSON"]),
    tests("SourcesTests", ["Sources", "Ingest", "Platform"]),
    tests("NotificationTests", ["Notification", "HTTPClient", "JSON", "TimeSeries"]),
    tests("StorageTests", ["Storage", "TimeSeries", "Platform", grdb]),
    tests("ServerTests", ["Server", "Assignment", "Flags", "HTTP", "JSON", "Notification", "Platform", "Storage", "TimeSeries"]),
    tests("TidyTests", []),
  ]
)
