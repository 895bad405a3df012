// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import Logging
internal import Platform
internal import Sources
internal import Storage
internal import Synchronization

// The sources that the settings name, while they run. A change of the settings touches only what it changes.

/// What is read without being asked for over HTTP.
final class SourceSet: Sendable {
  /// What one source is made from.
  private enum Entry: Equatable {
    case files([FilePattern])
    case syslog(SyslogSettings)
    case forward(ForwardSettings)
  }

  private struct Running {
    let entry: Entry
    let source: any EventSource
  }

  private static let stopMs: Int64 = 2_000

  private let store: Store
  private let sink: SourceIntake
  private let ingest: IngestSettings
  private let messageBytesMax: Int
  private let logger: Logger
  private let running = Mutex<[Running]>([])

  /// - Parameter messageBytesMax: of one message of the forward protocol.
  init(store: Store, sink: SourceIntake, ingest: IngestSettings, messageBytesMax: Int, logger: Logger) {
    self.store = store
    self.sink = sink
    self.ingest = ingest
    self.messageBytesMax = messageBytesMax
    self.logger = logger
  }

  /// Stops what the settings no longer name and starts what they name anew; what they still name goes on undisturbed.
  ///
  /// - Throws: `SocketError`, `StoreError`. What ran before runs again then.
  func change(to settings: Configuration.SourcesSection) throws {
    let wanted = SourceSet.entries(settings)
    try running.withLock { running in
      let leaving = running.filter { !wanted.contains($0.entry) }
      running.removeAll { !wanted.contains($0.entry) }
      // First, since a new listener may want the address of an old one.
      for one in leaving { _ = one.source.stop(timeoutMs: SourceSet.stopMs) }
      do {
        let kept = running.map(\.entry)
        running += try start(wanted.filter { !kept.contains($0) })
      } catch {
        // Their addresses are free again: nobody else has been given them.
        running += (try? start(leaving.map(\.entry))) ?? []
        throw error
      }
    }
  }

  /// - Returns: false when one did not end in time.
  func stop() -> Bool {
    let hasEnded = running.withLock { $0.map { $0.source.stop(timeoutMs: SourceSet.stopMs) } }
    return hasEnded.allSatisfy { $0 }
  }

  private static func entries(_ settings: Configuration.SourcesSection) -> [Entry] {
    (settings.files.isEmpty ? [] : [.files(settings.files)]) + settings.syslog.map(Entry.syslog)
      + settings.forward.map(Entry.forward)
  }

  /// Starts all or none.
  private func start(_ entries: [Entry]) throws -> [Running] {
    let made = try entries.map { Running(entry: $0, source: try make($0)) }
    for one in made { one.source.start() }
    return made
  }

  private func make(_ entry: Entry) throws -> any EventSource {
    switch entry {
    case .files(let patterns):
      return FileTail(patterns, settings: ingest, positions: try store.filePositions(), sink: sink)
    case .syslog(let settings):
      let listener = try SyslogListener(settings, ingest: ingest, sink: sink)
      let scheme = settings.kind == .stream ? "tcp" : "udp"
      logger.info("syslog", metadata: ["url": "\(scheme)://\(settings.address.host):\(listener.port)"])
      return listener
    case .forward(let settings):
      let listener = try ForwardListener(settings, ingest: ingest, messageBytesMax: messageBytesMax, sink: sink)
      logger.info("forward", metadata: ["url": "tcp://\(settings.address.host):\(listener.port)"])
      return listener
    }
  }
}
