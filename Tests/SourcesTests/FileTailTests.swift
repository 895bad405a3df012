// SPDX-License-Identifier: Apache-2.0

import Foundation
import Ingest
import Platform
import Sources
import Testing

/// Keeps what sources bring, and positions as a store would: both or neither.
final class MemorySink: EventSink {
  struct State {
    var batches: [SourceBatch] = []
    var positions: [FileIdentity: FilePosition] = [:]
    var keys: Set<[UInt8]> = []
    var reports: [String] = []
    /// Batches that are refused before the next one is taken.
    var refusals = 0
  }

  let monitor = Monitor(State())

  func submit(_ batch: SourceBatch, completion: @escaping @Sendable (SourceOutcome) -> Void) {
    let outcome: SourceOutcome = monitor.change { state in
      if state.refusals > 0 {
        state.refusals -= 1
        return .refused("for the test")
      }
      if let key = batch.key, !state.keys.insert(key).inserted { return .duplicate }
      state.batches.append(batch)
      if let position = batch.position { state.positions[position.identity] = position }
      return .committed
    }
    completion(outcome)
  }

  func report(_ message: String, name: String) { monitor.change { $0.reports.append("\(name): \(message)") } }

  var accepted: Int { monitor.withLock { $0.batches.reduce(0) { $0 + $1.events.accepted } } }
  var rejections: [Rejection] { monitor.withLock { $0.batches.flatMap(\.events.rejections) } }
  var positions: [FilePosition] { monitor.withLock { Array($0.positions.values) } }

  func waitFor(accepted count: Int) {
    let isThere: Bool? = monitor.wait(timeoutMs: 20_000) { state in
      state.batches.reduce(0) { $0 + $1.events.accepted } >= count ? true : nil
    }
    #expect(isThere == true && accepted == count, "\(accepted) of \(count)")
  }
}

/// A folder that is gone when the test is.
final class LogFolder {
  let path = FileManager.default.temporaryDirectory.path + "/rampart-sources-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  // What stays behind is only a temporary file.
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func append(_ text: String, to name: String) throws {
    if !FileManager.default.fileExists(atPath: "\(path)/\(name)") {
      _ = FileManager.default.createFile(atPath: "\(path)/\(name)", contents: nil)
    }
    let file = try #require(FileHandle(forWritingAtPath: "\(path)/\(name)"))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  func rename(_ name: String, to other: String) throws {
    try FileManager.default.moveItem(atPath: "\(path)/\(name)", toPath: "\(path)/\(other)")
  }

  /// - Parameter pattern: also of rotated names, because a file may be renamed here before it was seen once.
  func tail(_ sink: MemorySink, from positions: [FilePosition] = [], pattern: String = "app.log*") -> FileTail {
    FileTail([FilePattern(pattern: path + "/" + pattern)], settings: IngestSettings(), positions: positions, sink: sink)
  }
}

@Test func linesCountOnceThroughRotationRefusalAndRestart() throws {
  let seed = SeededRandom.seed(for: "linesCountOnceThroughRotationRefusalAndRestart")
  var random = SeededRandom(state: seed)
  let folder = try LogFolder()
  let sink = MemorySink()
  var written = 0
  var rest = ""
  for round in 0..<12 {
    let tail = folder.tail(sink, from: sink.positions)
    tail.start()
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let count = Int.random(in: 1...400, using: &random)
      let text = rest + String(repeating: "[CACHE] HIT user:1\n", count: count) + "[CACHE] HIT user:2\n"
      // Most pieces end in the middle of a line.
      let cut = text.index(text.endIndex, offsetBy: -Int.random(in: 0...10, using: &random))
      try folder.append(String(text[..<cut]), to: "app.log")
      rest = String(text[cut...])
      written += count + 1
      if Bool.random(using: &random) { sink.monitor.change { $0.refusals = 1 } }
    }
    if Bool.random(using: &random) {
      try folder.append(rest, to: "app.log")
      rest = ""
      try folder.rename("app.log", to: "app.log.\(round)")
    }
    if Bool.random(using: &random) { sink.waitFor(accepted: rest.isEmpty ? written : written - 1) }
    #expect(tail.stop(timeoutMs: 5_000))
  }
  try folder.append(rest, to: "app.log")
  let tail = folder.tail(sink, from: sink.positions)
  tail.start()
  sink.waitFor(accepted: written)
  #expect(tail.stop(timeoutMs: 5_000), "seed \(seed)")
}

@Test func rejectionsNameTheLineOfTheFile() throws {
  let folder = try LogFolder()
  let sink = MemorySink()
  try folder.append("[CACHE] HIT a:1\n\n{\"event_type\":\"cache_x\"}\n[CACHE] HIT a:1\n", to: "app.log")
  for round in 1...2 {
    let tail = folder.tail(sink, from: sink.positions)
    tail.start()
    sink.waitFor(accepted: 2 * round)
    #expect(tail.stop(timeoutMs: 5_000))
    if round == 1 { try folder.append("{\"event_type\":\"cache_y\"}\n[CACHE] HIT a:1\n[CACHE] HIT a:1\n", to: "app.log") }
  }
  #expect(sink.rejections.map(\.line) == [3, 5])
}

@Test func aFileThatWasRenamedWhileNobodyLookedIsReadToItsEnd() throws {
  let folder = try LogFolder()
  let sink = MemorySink()
  try folder.append("[CACHE] HIT a:1\n[CACHE] HIT", to: "app.log")
  let first = folder.tail(sink, pattern: "*.log")
  first.start()
  sink.waitFor(accepted: 1)
  #expect(first.stop(timeoutMs: 5_000))
  try folder.append(" a:2\n", to: "app.log")
  try folder.rename("app.log", to: "app.log.1")
  try folder.append("[CACHE] HIT a:3\n", to: "app.log")
  let second = folder.tail(sink, from: sink.positions, pattern: "*.log")
  second.start()
  sink.waitFor(accepted: 3)
  #expect(second.stop(timeoutMs: 5_000))
}

@Test func anInodeWithOtherContentIsAnotherFile() throws {
  let folder = try LogFolder()
  let sink = MemorySink()
  try folder.append("[CACHE] HIT a:1\n[CACHE] HIT a:2\n", to: "app.log")
  let first = folder.tail(sink)
  first.start()
  sink.waitFor(accepted: 2)
  #expect(first.stop(timeoutMs: 5_000))
  let file = try #require(FileHandle(forWritingAtPath: folder.path + "/app.log"))
  try file.truncate(atOffset: 0)
  try file.write(contentsOf: Data("[CACHE] MISS a:1\n[CACHE] MISS a:2\n[CACHE] MISS a:3\n".utf8))
  try file.close()
  let second = folder.tail(sink, from: sink.positions)
  second.start()
  sink.waitFor(accepted: 5)
  #expect(second.stop(timeoutMs: 5_000))
}
