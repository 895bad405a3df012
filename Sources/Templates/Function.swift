// SPDX-License-Identifier: Apache-2.0

// The functions there are, and what they take. What they do is in Execution and the files named after their subjects.

enum Function: String {
  // Prometheus': https://prometheus.io/docs/prometheus/latest/configuration/template_reference/#functions
  case query, first, label, value, strvalue, sortByLabel
  case humanize, humanize1024, humanizeDuration, humanizePercentage, humanizeTimestamp
  case toTime, toDuration, now, parseDuration
  case title, toUpper, toLower, match, reReplaceAll, safeHtml, urlQueryEscape
  case graphLink, tableLink, pathPrefix, externalURL, stripPort, stripDomain
  case args
  // Go's: https://pkg.go.dev/text/template#hdr-Functions
  case and, or, not, eq, ne, lt, le, gt, ge
  case len, index, slice, call
  case print, printf, println, html, js, urlquery
}

/// What a parameter takes, as the types of Prometheus' functions in Go say it.
enum Parameter {
  /// `string`
  case text
  /// `interface {}`: anything, and nil.
  case any
  /// `reflect.Value`: anything, and no value at all.
  case reflected
  /// `template.queryResult`
  case samples
  /// `*template.sample`
  case sample
  /// `time.Time`
  case time
  /// `time.Duration`
  case duration
  /// `int`
  case integer

  var typeName: String {
    switch self {
    case .text: "string"
    case .any: "interface {}"
    case .reflected: "reflect.Value"
    case .samples: "template.queryResult"
    case .sample: "*template.sample"
    case .time: "time.Time"
    case .duration: "time.Duration"
    case .integer: "int"
    }
  }

  /// Whether nil stands for a value of the type.
  var canBeNil: Bool {
    switch self {
    case .any, .reflected, .samples, .sample: true
    case .text, .time, .duration, .integer: false
    }
  }
}

struct Signature {
  let parameters: [Parameter]
  /// For any number of arguments behind those.
  let rest: Parameter?

  init(_ parameters: Parameter..., rest: Parameter? = nil) {
    self.parameters = parameters
    self.rest = rest
  }
}

extension Function {
  var signature: Signature {
    switch self {
    case .now, .pathPrefix, .externalURL: Signature()
    case .query, .title, .toUpper, .toLower, .safeHtml, .urlQueryEscape, .graphLink, .tableLink: Signature(.text)
    case .stripPort, .stripDomain, .parseDuration: Signature(.text)
    case .match: Signature(.text, .text)
    case .reReplaceAll: Signature(.text, .text, .text)
    case .first: Signature(.samples)
    case .sortByLabel: Signature(.text, .samples)
    case .label: Signature(.text, .sample)
    case .value, .strvalue: Signature(.sample)
    case .humanize, .humanize1024, .humanizeDuration, .humanizePercentage, .humanizeTimestamp: Signature(.any)
    case .toTime, .toDuration: Signature(.any)
    case .args, .print, .println, .html, .js, .urlquery: Signature(rest: .any)
    case .printf: Signature(.text, rest: .any)
    case .not, .len: Signature(.reflected)
    case .ne, .lt, .le, .gt, .ge: Signature(.reflected, .reflected)
    case .and, .or, .eq, .index, .slice, .call: Signature(.reflected, rest: .reflected)
    }
  }
}
