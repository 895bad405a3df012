// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON
internal import PromQL
internal import Storage
internal import TimeSeries

// The envelopes of Prometheus' HTTP API. https://prometheus.io/docs/prometheus/latest/querying/api/

/// An error of the Prometheus API: its `errorType`, its text, its status.
struct PrometheusError: Error {
  enum Kind: String {
    case badData = "bad_data"
    case execution, canceled, timeout, unavailable
    case notFound = "not_found"
    case `internal`

    var status: Int {
      switch self {
      case .badData: 400
      case .execution: 422
      // The client has gone; nginx' number for that.
      case .canceled: 499
      case .timeout, .unavailable: 503
      case .notFound: 404
      case .internal: 500
      }
    }
  }

  let kind: Kind
  let message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  static func invalidParameter(_ name: String, _ reason: String) -> PrometheusError {
    PrometheusError(.badData, "invalid parameter \"\(name)\": \(reason)")
  }

  /// Any error as the API tells it.
  init(_ error: any Error) {
    switch error {
    case let error as PrometheusError: self = error
    case let error as ParseError: self.init(.badData, "invalid parameter \"query\": \(error)")
    case let error as QueryError: self.init(Kind(error.kind), error.message)
    default: self.init(.internal, "\(error)")
    }
  }

  var response: Response {
    var writer = JSONWriter(capacity: 256)
    writer.beginObject()
    writer.member("status", "error")
    writer.member("errorType", kind.rawValue)
    writer.member("error", message)
    writer.endObject()
    let response = Answers.json(status: kind.status, writer.bytes)
    return kind.status == 503 ? response.with("Retry-After", String(Answers.retryAfterSeconds)) : response
  }
}

extension PrometheusError.Kind {
  init(_ kind: QueryError.Kind) {
    self =
      switch kind {
      case .badData: .badData
      case .execution: .execution
      case .timeout: .timeout
      case .canceled: .canceled
      case .internal: .internal
      }
  }
}

/// Writes successful answers.
enum PrometheusAnswer {
  /// Most warnings and most infos of an answer.
  private static let notesMax = 10

  /// - Parameter data: writes the value of `data`.
  static func success(
    warnings: [String] = [], infos: [String] = [], capacity: Int = 1024, _ data: (inout JSONWriter) -> Void
  ) -> Response {
    var writer = JSONWriter(capacity: capacity)
    writer.beginObject()
    writer.member("status", "success")
    writer.key("data")
    data(&writer)
    write("warnings", warnings, to: &writer)
    write("infos", infos, to: &writer)
    writer.endObject()
    return Answers.json(writer.bytes)
  }

  static func strings(_ values: [String], warnings: [String] = []) -> Response {
    success(warnings: warnings) { writer in
      writer.beginArray()
      for value in values { writer.string(value) }
      writer.endArray()
    }
  }

  private static func write(_ key: StaticString, _ notes: [String], to writer: inout JSONWriter) {
    guard !notes.isEmpty else { return }
    writer.key(key)
    writer.beginArray()
    for note in notes.prefix(notesMax) { writer.string(note) }
    if notes.count > notesMax { writer.string("\(notes.count - notesMax) more \(key) were omitted") }
    writer.endArray()
  }

  /// A query's answer.
  ///
  /// - Parameters:
  ///   - query: the text, for the places that annotations name.
  ///   - seriesMax: what is over that is left out, with a warning.
  static func result(_ result: QueryResult, query: String, seriesMax: Int?) -> Response {
    var warnings = result.annotations.warnings(query: query)
    let isCut = seriesMax.map { result.value.seriesCount > $0 } ?? false
    if isCut { warnings.append("results truncated due to limit") }
    return success(
      warnings: warnings, infos: result.annotations.infos(query: query), capacity: result.value.sizeEstimate
    ) { writer in
      writer.beginObject()
      // First, because Grafana's parser reads the answer as it comes.
      writer.member("resultType", result.value.typeName)
      writer.key("result")
      write(result.value, seriesMax: seriesMax ?? .max, to: &writer)
      writer.endObject()
    }
  }

  private static func write(_ value: QueryValue, seriesMax: Int, to writer: inout JSONWriter) {
    var buffer: [UInt8] = []
    switch value {
    case .scalar(let number, let timeMs):
      pair(timeMs, number, &buffer)
      writer.raw(buffer)
    case .string(let text, let timeMs):
      writer.beginArray()
      PrometheusNumber.append(timeMs: timeMs, to: &buffer)
      writer.raw(buffer)
      writer.string(text)
      writer.endArray()
    case .vector(let samples):
      writer.beginArray()
      for sample in samples.prefix(seriesMax) {
        writer.beginObject()
        metric(sample.labels, to: &writer)
        writer.key("value")
        buffer.removeAll(keepingCapacity: true)
        pair(sample.timeMs, sample.value, &buffer)
        writer.raw(buffer)
        writer.endObject()
      }
      writer.endArray()
    case .matrix(let series):
      writer.beginArray()
      for one in series.prefix(seriesMax) {
        writer.beginObject()
        metric(one.labels, to: &writer)
        writer.key("values")
        buffer.removeAll(keepingCapacity: true)
        values(one, &buffer)
        writer.raw(buffer)
        writer.endObject()
      }
      writer.endArray()
    }
  }

  private static func values(_ series: SampleSeries, _ buffer: inout [UInt8]) {
    buffer.append(addingCapacity: 2 + series.values.count * (pairBytesMax + 1)) { output in
      output.append(UInt8(ascii: "["))
      for index in series.timesMs.indices {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        pair(series.timesMs[index], series.values[index], &output)
      }
      output.append(UInt8(ascii: "]"))
    }
  }

  private static func pair(_ timeMs: Int64, _ value: Double, _ buffer: inout [UInt8]) {
    buffer.append(addingCapacity: pairBytesMax) { pair(timeMs, value, &$0) }
  }

  private static let pairBytesMax = PrometheusNumber.timeBytesMax + PrometheusNumber.valueBytesMax + 5

  /// `[time,"value"]`
  private static func pair(_ timeMs: Int64, _ value: Double, _ output: inout OutputSpan<UInt8>) {
    output.append(UInt8(ascii: "["))
    PrometheusNumber.append(timeMs: timeMs, to: &output)
    output.append(UInt8(ascii: ","))
    output.append(UInt8(ascii: "\""))
    PrometheusNumber.append(value, to: &output)
    output.append(UInt8(ascii: "\""))
    output.append(UInt8(ascii: "]"))
  }

  private static func metric(_ labels: Labels, to writer: inout JSONWriter) {
    writer.key("metric")
    object(labels, to: &writer)
  }

  static func exemplars(_ series: [SeriesExemplars]) -> Response {
    success(capacity: 256 + series.reduce(0) { $0 + 256 + $1.exemplars.count * 128 }) { writer in
      var buffer: [UInt8] = []
      writer.beginArray()
      for series in series {
        writer.beginObject()
        writer.key("seriesLabels")
        object(series.labels, to: &writer)
        writer.key("exemplars")
        writer.beginArray()
        for exemplar in series.exemplars { write(exemplar, to: &writer, &buffer) }
        writer.endArray()
        writer.endObject()
      }
      writer.endArray()
    }
  }

  private static func write(_ exemplar: Exemplar, to writer: inout JSONWriter, _ buffer: inout [UInt8]) {
    writer.beginObject()
    writer.key("labels")
    object(Labels([Label(Exemplar.label, exemplar.id)]), to: &writer)
    buffer.removeAll(keepingCapacity: true)
    PrometheusNumber.append(exemplar.seconds, to: &buffer)
    writer.member("value", String(decoding: buffer, as: UTF8.self))
    buffer.removeAll(keepingCapacity: true)
    PrometheusNumber.append(timeMs: exemplar.timeMs, to: &buffer)
    writer.key("timestamp")
    writer.raw(buffer)
    writer.endObject()
  }

  /// Labels as an object, `__name__` among them.
  static func object(_ labels: Labels, to writer: inout JSONWriter) {
    writer.beginObject()
    for label in labels.all {
      writer.key(label.name)
      writer.string(label.value)
    }
    writer.endObject()
  }
}

extension QueryValue {
  fileprivate var typeName: String {
    switch self {
    case .scalar: "scalar"
    case .string: "string"
    case .vector: "vector"
    case .matrix: "matrix"
    }
  }

  fileprivate var seriesCount: Int {
    switch self {
    case .scalar, .string: 1
    case .vector(let samples): samples.count
    case .matrix(let series): series.count
    }
  }

  /// Bytes of the answer, roughly.
  fileprivate var sizeEstimate: Int {
    switch self {
    case .scalar, .string: 128
    case .vector(let samples): 256 + samples.count * 160
    case .matrix(let series): 256 + series.reduce(0) { $0 + 128 + $1.values.count * 32 }
    }
  }
}
