// SPDX-License-Identifier: Apache-2.0

package import Ingest
package import Platform

// Follows log files: finds those that patterns name, reads what is appended, and goes on where it stopped. Which lines
// were counted is known to the store alone: a position is written in the transaction of the lines before it. Files are
// looked at four times a second rather than watched, which works on every file system and is bounded by their number.

/// One entry of the settings.
package struct FilePattern: Sendable, Equatable {
  /// A path, with `*`, `?` and `[…]` as in a shell.
  package var pattern: String
  package var service: String?
  package var cache: String?

  package init(pattern: String, service: String? = nil, cache: String? = nil) {
    self.pattern = pattern
    self.service = service
    self.cache = cache
  }

  var origin: EventOrigin { EventOrigin(service: service, cache: cache, framing: .lines) }
}

/// The thread that follows all files.
package final class FileTail: EventSource {
  /// Files of one pattern.
  static let filesMax = 10_000
  private static let lookIntervalMs: Int64 = 250
  /// Patterns are looked up at every so manieth look.
  private static let looksPerSearch = 4
  /// For how long a file that lost its name is still read: its writer may not have noticed yet.
  static let farewellMs: Int64 = 60_000

  private let patterns: [FilePattern]
  private let settings: IngestSettings
  private let positions: [FilePosition]
  private let sink: any EventSink
  private let thread = SourceThread()

  /// - Parameter positions: how far files have been read by earlier processes.
  package init(
    _ patterns: [FilePattern], settings: IngestSettings, positions: [FilePosition], sink: any EventSink
  ) {
    self.patterns = patterns
    self.settings = settings
    self.positions = positions
    self.sink = sink
  }

  package func start() {
    thread.start(named: "files") { self.run() }
  }

  package func stop(timeoutMs: Int64) -> Bool {
    thread.stop(timeoutMs: timeoutMs)
  }

  private func run() {
    var folder = FollowedFiles(patterns, positions: positions)
    let reader = TailReader(settings: settings)
    var looks = 0
    repeat {
      if looks % FileTail.looksPerSearch == 0 {
        for problem in folder.search(nowMs: Clock.monotonicMs()) { sink.report(problem, name: TailReader.name) }
      }
      looks += 1
      for file in folder.files { follow(file, reader) }
      folder.removeEnded(nowMs: Clock.monotonicMs())
    } while !thread.isStopping(afterMs: FileTail.lookIntervalMs)
  }

  /// Reads a file to its end.
  private func follow(_ file: TailedFile, _ reader: TailReader) {
    do {
      while !thread.isStopping, let batch = try reader.next(file) {
        guard store(batch) else { return }
        guard let position = batch.position else { preconditionFailure("lines of a file have a position") }
        file.advance(to: position)
      }
    } catch {
      file.note(error.description) { sink.report($0, name: TailReader.name) }
    }
  }

  /// False when the thread is to end before the store takes the batch.
  private func store(_ batch: SourceBatch) -> Bool {
    // A full store is waited for: the file keeps the lines.
    let subject = "\(batch.position?.path ?? ""): "
    return thread.insist(subject, name: TailReader.name, sink: sink) { sink.store(batch) } == nil
  }
}
