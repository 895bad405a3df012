// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// Parts of a series' labels: what groups and matches.

extension Labels {
  /// Labels that describe the metric and not the series: they go with the name.
  private static let ofTheMetric: Set<String> = ["__name__", "__type__", "__unit__"]

  static let none = Labels([])

  /// These labels alone.
  func keeping(_ names: [String]) -> Labels { filtered { names.contains($0) } }

  /// All but these labels.
  func removing(_ names: [String]) -> Labels { filtered { !names.contains($0) } }

  /// Without the name, and without the type and unit that came with it.
  func droppingName() -> Labels { filtered { !Labels.ofTheMetric.contains($0) } }

  /// What two series of a binary operation must have in common.
  func matched(by matching: Binary.Matching) -> Labels {
    matching.isOn ? keeping(matching.labels) : filtered { $0 != Labels.metricLabel && !matching.labels.contains($0) }
  }

  private func filtered(_ isKept: (String) -> Bool) -> Labels {
    let kept = all.filter { isKept($0.name) }
    return kept.count == all.count ? self : Labels(kept)
  }

  /// Prometheus' order of series in a matrix: label by label, the name among them.
  static func precede(_ left: Labels, _ right: Labels) -> Bool { left.all.lexicographicallyPrecedes(right.all) }

  /// All labels in braces, the name as one of them, as Prometheus words them in errors: `{__name__="up", job="a"}`.
  var braces: String {
    "{" + all.map { "\($0.name)=\(QuotedText.quoted($0.value))" }.joined(separator: ", ") + "}"
  }
}
