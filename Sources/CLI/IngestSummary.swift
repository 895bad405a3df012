// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import JSON
internal import Platform

// What a run of `rampart ingest` says: at its end, and meanwhile to a terminal.

/// What became of all records.
struct IngestSummary: Sendable {
  /// Rejections that are listed.
  private static let reasonsMax = 20

  private(set) var accepted = 0
  private(set) var rejected = 0
  private(set) var ignored = 0
  /// In bodies that had been counted before.
  private(set) var duplicate = 0
  private(set) var bytes = 0
  private var reasons: [(place: PartPlace, line: Int, reason: String)] = []
  /// Files that could not be read, or not to their end, and why.
  var unreadable: [String] = []
  /// Why the run stopped before its end.
  var failure: String?
  var seconds = 0.0

  var records: Int { accepted + rejected + ignored + duplicate }

  mutating func add(_ outcome: PartOutcome, of place: PartPlace) {
    bytes += place.byteCount
    guard !outcome.isDuplicate else {
      duplicate += outcome.accepted + outcome.rejected + outcome.ignored
      return
    }
    accepted += outcome.accepted
    rejected += outcome.rejected
    ignored += outcome.ignored
    for (line, reason) in outcome.reasons { reasons.append((place, line + (place.firstLine ?? 1) - 1, reason)) }
    // Parts end in any order; each lists its first ones, so the first of all are among them.
    reasons.sort { ($0.place.fileIndex, $0.line) < ($1.place.fileIndex, $1.line) }
    if reasons.count > IngestSummary.reasonsMax { reasons.removeLast(reasons.count - IngestSummary.reasonsMax) }
  }

  var text: String {
    var lines = ["accepted \(accepted), rejected \(rejected), ignored \(ignored), counted before \(duplicate)"]
    for (place, line, reason) in reasons { lines.append("\(place.file):\(line): \(reason)") }
    if rejected > reasons.count { lines.append("… \(rejected - reasons.count) more") }
    return lines.joined(separator: "\n")
  }

  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("accepted", accepted)
    writer.member("rejected", rejected)
    writer.member("ignored", ignored)
    writer.member("duplicate", duplicate)
    writer.member("bytes", bytes)
    writer.member("seconds", seconds)
    writer.key("errors")
    writer.beginArray()
    for (place, line, reason) in reasons {
      writer.beginObject()
      writer.member("file", place.file)
      writer.member("line", line)
      writer.member("reason", reason)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

/// One line on standard error that is written over, where that is a terminal.
struct IngestProgress {
  private let isShown = Files.isTerminal(2)
  private let startMs: Int64
  /// Of all files together; nil where one of them is a pipe.
  private let sizeBytes: Int64?

  init(files: [String], startMs: Int64) {
    self.startMs = startMs
    let sizes = files.map { $0 == "-" ? nil : Files.status($0).flatMap { $0.isRegular ? $0.sizeBytes : nil } }
    sizeBytes = sizes.contains { $0 == nil } ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
  }

  func show(_ summary: IngestSummary, bytesRead: Int64) {
    guard isShown else { return }
    let seconds = Double(max(Clock.monotonicMs() - startMs, 1)) / 1000
    var line = "\(bytesRead >> 20) MiB"
    if let sizeBytes { line += " of \(sizeBytes >> 20) MiB" }
    line += ", \(Int(Double(summary.records) / seconds)) records/s"
    if let sizeBytes, bytesRead > 0 {
      line += ", \(Int(seconds * Double(max(sizeBytes - bytesRead, 0)) / Double(bytesRead))) s left"
    }
    Files.write(Array("\r\u{1b}[K\(line)".utf8), to: 2)
  }

  func clear() {
    if isShown { Files.write(Array("\r\u{1b}[K".utf8), to: 2) }
  }
}
