// SPDX-License-Identifier: Apache-2.0

// Templates of alert labels and annotations: Go's text/template with the functions of Prometheus. Reading is the
// parser's, expanding Execution's. https://pkg.go.dev/text/template,
// https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
//
// Left out: complex numbers, time zones other than UTC, and HTML mode with its `tmpl`, which rule files have not either.
// Different: lists print what their pointers point at, not addresses, and sortByLabel leaves the list it is given alone.

/// A template that has been read, to be expanded any number of times.
package struct Template: Sendable {
  /// What Prometheus puts in front of each text, so that columns in messages are the same.
  package static let preamble =
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"

  package let text: String
  package let name: String
  /// Nil for a text without actions, which is its own expansion.
  private let trees: TemplateTrees?

  /// Reads a template; `$labels`, `$value`, `$externalLabels` and `$externalURL` are defined.
  ///
  /// - Parameter name: appears in errors. Prometheus' is `__alert_` and the name of the alert.
  /// - Throws: when the text is no template, calls a function or uses a variable that does not exist, or is larger
  ///   than `TemplateLimits.textBytesMax`.
  package init(_ text: String, name: String) throws(TemplateError) {
    self.text = text
    self.name = name
    guard text.utf8.count <= TemplateLimits.textBytesMax else {
      throw TemplateError("template: \(name): the text is larger than \(TemplateLimits.textBytesMax) bytes")
    }
    trees = Self.hasAction(text) ? try Parser.trees(Array((Self.preamble + text).utf8), name: name) : nil
  }

  private static func hasAction(_ text: String) -> Bool {
    let brace = UInt8(ascii: "{")
    return zip(text.utf8, text.utf8.dropFirst()).contains { $0 == brace && $1 == brace }
  }

  /// The text with all actions carried out.
  ///
  /// - Throws: the text that Prometheus shows in `<error expanding template: …>`.
  package func expand(_ scope: TemplateScope) throws(TemplateError) -> String {
    guard let trees else { return text }
    var execution = Execution(trees, scope)
    return try execution.run()
  }
}
