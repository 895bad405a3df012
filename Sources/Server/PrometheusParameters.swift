// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP
internal import PromQL
internal import TimeSeries

// Parameters of Prometheus' API, from the query and from the body of a form.

struct PrometheusParameters: Sendable {
  private static let formType = "application/x-www-form-urlencoded"

  private let fields: FormFields

  /// Takes the body. Fields of the body come before those of the query, as in Go.
  init(_ exchange: Exchange) throws(PrometheusError) {
    let body = exchange.takeBody()
    let type = exchange.header("Content-Type")?.lowercased().split(separator: ";").first.map(String.init) ?? ""
    guard body.isEmpty || type == PrometheusParameters.formType else {
      throw PrometheusError(.badData, "Content-Type: \(type): must be \(PrometheusParameters.formType)")
    }
    var fields = FormFields(body: body.span)
    fields.append(queryOf: exchange)
    self.fields = fields
  }

  /// - Parameter form: of the type application/x-www-form-urlencoded.
  init(form: [UInt8]) {
    fields = FormFields(body: form.span)
  }

  func text(_ name: String) -> String? {
    fields[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  func all(_ name: String) -> [String] { fields.all(name) }

  /// Seconds since 1970 or RFC 3339, in ms; nil where it is missing.
  func timeMs(_ name: String) throws(PrometheusError) -> Int64? {
    guard let text = text(name) else { return nil }
    guard let ms = RequestTime.ms(text) else {
      throw .invalidParameter(name, "cannot parse \"\(text.prefix(80))\" to a valid timestamp")
    }
    return ms
  }

  func requiredTimeMs(_ name: String) throws(PrometheusError) -> Int64 {
    guard let ms = try timeMs(name) else { throw .invalidParameter(name, "cannot parse \"\" to a valid timestamp") }
    return ms
  }

  /// Seconds or a duration such as `1h30m`, in ms; nil where it is missing.
  func durationMs(_ name: String) throws(PrometheusError) -> Int64? {
    guard let text = text(name) else { return nil }
    if let seconds = Double(text), abs(seconds) <= RequestTime.secondsMax {
      return Int64((seconds * 1000).rounded())
    }
    guard let ms = DurationText.milliseconds(text) else {
      throw .invalidParameter(name, "cannot parse \"\(text.prefix(80))\" to a valid duration")
    }
    return ms
  }

  /// The matchers of each `match[]`, which are selectors of PromQL.
  func selections() throws(PrometheusError) -> [[Matcher]] {
    var selections: [[Matcher]] = []
    for text in all("match[]") {
      do throws(ParseError) {
        selections.append(try VectorSelector(parsing: text).matchers)
      } catch {
        throw .invalidParameter("match[]", "\(error)")
      }
    }
    return selections
  }

  /// A whole number from 0; nil where it is missing or 0, which is no limit.
  func limit(_ name: String = "limit") throws(PrometheusError) -> Int? {
    guard let text = text(name) else { return nil }
    guard let limit = Int(text), limit >= 0 else {
      throw .invalidParameter(name, "limit must be non-negative")
    }
    return limit == 0 ? nil : limit
  }
}
