// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Ingest
internal import Platform
internal import Server

// Reads files on one thread and has their parts delivered on several, with a bound on what lies between them.

/// A part of a file on its way.
struct IngestPart: Sendable {
  let place: PartPlace
  let origin: EventOrigin
  let bytes: [UInt8]
  /// Which part of the run it is, from 0.
  let number: Int
}

/// Where a part is from.
struct PartPlace: Sendable {
  let file: String
  /// Which of the files it is, from 0.
  let fileIndex: Int
  /// In the file; of a whole file's only part nil, since its records are counted and not its lines.
  let firstLine: Int?
  let byteCount: Int
}

/// What became of a part.
struct PartOutcome: Sendable {
  var isDuplicate = false
  var accepted = 0
  var rejected = 0
  var ignored = 0
  /// The first ones, with their lines within the part.
  var reasons: [(line: Int, reason: String)] = []
}

/// A way to where events are counted. Each belongs to one thread.
protocol PartDelivery: AnyObject, Sendable {
  /// Takes a part to be counted once; its bytes are free when this returns.
  ///
  /// - Parameter completion: told when the part is on disk, before or after this returns, on any thread.
  func deliver(_ part: IngestPart, completion: @escaping @Sendable (Result<PartOutcome, any Error>) -> Void)

  /// No more parts come.
  func finish()
}

/// One run over all files.
final class IngestRun: Sendable {
  private struct State {
    var queue: [IngestPart] = []
    /// Arrays of parts that were delivered, for the reader to fill again.
    var spare: [[UInt8]] = []
    var hasAll = false
    var deliverersLeft: Int
    /// Parts that were taken and are not on disk.
    var underWay = 0
    var summary = IngestSummary()
    var bytesRead: Int64 = 0
  }

  /// Parts that wait, of about 1 MiB each.
  private static let queueMax = 4
  private static let progressIntervalMs: Int64 = 250

  private let files: [String]
  private let origin: EventOrigin
  private let deliverers: [any PartDelivery]
  private let monitor: Monitor<State>

  init(files: [String], origin: EventOrigin, deliverers: [any PartDelivery]) {
    self.files = files
    self.origin = origin
    self.deliverers = deliverers
    monitor = Monitor(State(deliverersLeft: deliverers.count))
  }

  /// A name that no other run has.
  static func newID() -> String { UUID().uuidString }

  /// Delivers everything, or stops at the first failure, which is then in the summary.
  func run() -> IngestSummary {
    let startMs = Clock.monotonicMs()
    for deliverer in deliverers { startThread(named: "ingest") { self.work(deliverer) } }
    startThread(named: "ingest reader") { self.read() }
    let progress = IngestProgress(files: files, startMs: startMs)
    while true {
      let end: Bool? = monitor.wait(timeoutMs: IngestRun.progressIntervalMs) { $0.deliverersLeft == 0 && $0.underWay == 0 ? true : nil }
      if end == true { break }
      let (summary, bytesRead) = monitor.withLock { ($0.summary, $0.bytesRead) }
      progress.show(summary, bytesRead: bytesRead)
    }
    progress.clear()
    var summary = monitor.withLock { $0.summary }
    summary.seconds = Double(Clock.monotonicMs() - startMs) / 1000
    return summary
  }

  /// Reads one file after the other. What cannot be read ends its file alone: what was read before it and the other files
  /// are counted all the same.
  private func read() {
    var number = 0
    var bytesBefore: Int64 = 0
    for (fileIndex, path) in files.enumerated() {
      do {
        let source = try EventFile(path)
        guard try read(source, path, fileIndex, &number, bytesBefore) else { return }
        bytesBefore += source.bytesRead
      } catch let error as FileError {
        monitor.change { $0.summary.unreadable.append("\(error.path): \(error.reason)") }
      } catch {
        monitor.change { $0.summary.unreadable.append("\(path): \(error)") }
      }
    }
    monitor.change { $0.hasAll = true }
  }

  /// - Returns: false where the run has failed.
  private func read(
    _ source: EventFile, _ path: String, _ fileIndex: Int, _ number: inout Int, _ bytesBefore: Int64
  ) throws -> Bool {
    while true {
      if let bytes = monitor.withLock({ $0.spare.popLast() }) { source.reuse(bytes) }
      guard let part = try source.next() else { return true }
      var origin = origin
      origin.framing = part.framing
      let place = PartPlace(
        file: path, fileIndex: fileIndex, firstLine: part.framing == .byContent ? nil : part.firstLine, byteCount: part.bytes.count)
      let isWanted = put(
        IngestPart(place: place, origin: origin, bytes: part.bytes, number: number), bytesBefore + source.bytesRead)
      guard isWanted else { return false }
      number += 1
    }
  }

  /// False where the run has failed.
  private func put(_ part: IngestPart, _ bytesRead: Int64) -> Bool {
    let isWanted: Bool? = monitor.wait { state in
      if state.summary.failure != nil { return false }
      return state.queue.count < IngestRun.queueMax ? true : nil
    }
    guard isWanted == true else { return false }
    monitor.change {
      $0.queue.append(part)
      $0.bytesRead = bytesRead
    }
    return true
  }

  private func work(_ deliverer: any PartDelivery) {
    while let part = take() {
      deliverer.deliver(part) { self.settle(part.place, $0) }
      monitor.change { $0.spare.append(part.bytes) }
    }
    deliverer.finish()
    monitor.change { $0.deliverersLeft -= 1 }
  }

  private func settle(_ place: PartPlace, _ result: Result<PartOutcome, any Error>) {
    if case .failure(let error) = result {
      let reason = (error as? CommandFailure)?.message ?? "\(error)"
      fail("\(place.file): \(place.firstLine.map { "line \($0): " } ?? "")\(reason)")
    }
    monitor.change { state in
      if case .success(let outcome) = result { state.summary.add(outcome, of: place) }
      state.underWay -= 1
    }
  }

  private func take() -> IngestPart? {
    enum Turn { case part(IngestPart), end }
    let turn: Turn? = monitor.wait { state in
      if state.summary.failure != nil { return .end }
      if !state.queue.isEmpty {
        state.underWay += 1
        return .part(state.queue.removeFirst())
      }
      return state.hasAll ? .end : nil
    }
    guard case .part(let part)? = turn else { return nil }
    // The reader may wait for room.
    monitor.change { _ in }
    return part
  }

  private func fail(_ reason: String) {
    monitor.change { if $0.summary.failure == nil { $0.summary.failure = reason } }
  }
}
