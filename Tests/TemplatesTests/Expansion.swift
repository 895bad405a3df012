// SPDX-License-Identifier: Apache-2.0

import Templates
import TimeSeries

// The alert that the tests' templates are about.

private struct QueryFailure: Error, CustomStringConvertible {
  let description = "1:1: parse error: bad"
}

extension TemplateScope {
  /// `none` finds nothing, `bad` fails, and any other query finds two samples.
  static func alert(query: @escaping (String) throws -> [(labels: Labels, value: Double)] = samples) -> TemplateScope {
    TemplateScope(
      labels: Labels([
        Label("instance", "web-1:9100"), Label("job", "node"), Label("path", "/a b/<c>&d"), Label("quantile", "0.99"),
        Label("unicode", "héllo 世界"),
      ]),
      value: 1234.5678, externalLabels: Labels([Label("region", "eu")]),
      externalURL: "http://testhost:9090/path/prefix",
      nowMs: 1_353_755_652_000, query: query)
  }

  static func samples(_ query: String) throws -> [(labels: Labels, value: Double)] {
    switch query {
    case "none": return []
    case "bad": throw QueryFailure()
    default:
      return [
        (Labels(metric: "m", [Label("instance", "b"), Label("job", "x")]), 21),
        (Labels(metric: "m", [Label("instance", "a"), Label("__value__", "v")]), 11.5),
      ]
    }
  }
}

/// What a template gives, or `! ` and the error without what is the same in all.
func expanded(_ text: String, _ scope: TemplateScope = .alert()) -> String {
  do {
    return try Template(text, name: "t").expand(scope)
  } catch {
    let message = error.description
    let prefix = ["error executing template t: template: t:", "template: t:"].first { message.hasPrefix($0) } ?? ""
    return "! " + message.dropFirst(prefix.utf8.count)
  }
}
