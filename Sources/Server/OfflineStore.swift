// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import Platform
internal import Storage

// A store that no server uses, as commands read it: the same answers as a server's, without one.

/// Why a store cannot be read without its server, as the user of a command reads it.
package struct OfflineStoreError: Error, CustomStringConvertible {
  package enum Kind: Sendable {
    /// A parameter is wrong.
    case usage
    case failed
  }

  package let kind: Kind
  package let description: String
}

/// Reads a store that no server uses. Nothing is written but what opening takes: what a crash left in SQLite's log goes
/// into the file, and the tables of an older version become those of this one.
package struct OfflineStore {
  private let store: Store
  private let resolutionMs: Int64
  private let externalURL: String

  /// Opens the store.
  ///
  /// - Parameter configuration: for the folder, and the resolution, which must be the server's.
  package init(_ configuration: Configuration) throws(OfflineStoreError) {
    store = try OfflineStore.open(configuration)
    resolutionMs = configuration.resolutionMs
    externalURL = configuration.rulesURL
  }

  /// Opens the store of a folder for a command.
  static func open(_ configuration: Configuration) throws(OfflineStoreError) -> Store {
    let folder = configuration.dataFolder
    guard Files.exists(folder + "/" + Store.fileName) else {
      throw OfflineStoreError(kind: .usage, description: "\(folder): holds no store: give the folder of a server with --data")
    }
    var settings = StoreConfiguration(folder: folder)
    settings.widthMs = configuration.resolutionMs
    // Compaction and retention are the server's business: both limits are beyond what a command lives to see.
    settings.compaction.intervalMs = 86_400_000
    settings.compaction.journalBytesMax = .max
    do {
      return try Store(settings)
    } catch .inUse {
      throw OfflineStoreError(
        kind: .failed, description: "\(folder): in use by a running server: ask it with --server URL instead of --data, or stop it")
    } catch {
      throw OfflineStoreError(kind: .failed, description: "\(error)")
    }
  }

  package func close() throws(OfflineStoreError) {
    do {
      try store.close()
    } catch {
      throw OfflineStoreError(kind: .failed, description: "\(error)")
    }
  }

  /// What `/api/v1/query` or `/api/v1/query_range` would answer.
  ///
  /// - Parameter form: their parameters, as `application/x-www-form-urlencoded`.
  package func query(form: [UInt8], isRange: Bool) -> (status: Int, body: [UInt8]) {
    let evaluation = QueryEvaluation(queries: QueryService(store: store, resolutionMs: resolutionMs))
    let parameters = PrometheusParameters(form: form)
    let response: Response
    do {
      response =
        isRange
        ? try evaluation.range(parameters, isAbandoned: { false }) : try evaluation.instant(parameters, isAbandoned: { false })
    } catch {
      response = PrometheusError(error).response
    }
    return (response.status, response.body)
  }

  /// What `/api/v1/rules/backtest` would answer.
  ///
  /// - Parameters:
  ///   - rules: a rule file.
  ///   - file: its name.
  ///   - from, to, interval: as its parameters.
  package func backtest(rules: [UInt8], file: String, from: String?, to: String?, interval: String?) throws(OfflineStoreError) -> [UInt8] {
    do {
      let request = try BacktestRequest(rules, file: file, from: from, to: to, interval: interval, nowMs: Clock.wallMs())
      return try BacktestService(store: store, resolutionMs: resolutionMs, externalURL: externalURL).run(request) { true }
    } catch let error as RequestError {
      throw OfflineStoreError(kind: .usage, description: error.sentence)
    } catch {
      throw OfflineStoreError(kind: .failed, description: "\(error)")
    }
  }

  /// What `/api/v1/export` would send.
  ///
  /// - Parameters:
  ///   - form: its parameters, as `application/x-www-form-urlencoded`.
  ///   - write: takes the text piece by piece; false ends the export.
  /// - Returns: false where `write` ended it.
  package func export(form: [UInt8], to write: @escaping ([UInt8]) -> Bool) throws(OfflineStoreError) -> Bool {
    do {
      let extent = try StoreExport.Extent(PrometheusParameters(form: form))
      return try StoreExport(store: store, resolutionMs: resolutionMs).write(extent, while: { true }, to: write)
    } catch {
      let error = PrometheusError(error)
      throw OfflineStoreError(kind: error.kind == .badData ? .usage : .failed, description: error.message)
    }
  }
}
