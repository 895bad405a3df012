// SPDX-License-Identifier: Apache-2.0

// What identifies a series: its name and its labels. No matching here (Matcher) and no values (Sample).

/// One label of a series.
package struct Label: Hashable, Comparable, Sendable {
  package let name: String
  package let value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  package static func < (left: Label, right: Label) -> Bool {
    (left.name, left.value) < (right.name, right.value)
  }
}

/// The labels of one series, `__name__` included.
///
/// As in Prometheus a label with an empty value is the same as no label, so such labels are dropped.
package struct Labels: Hashable, Comparable, Sendable {
  package static let metricLabel = "__name__"

  /// Ascending by name, no name twice, no empty value.
  package let all: [Label]

  /// - Parameter labels: in any order; a name given twice is an error of the caller.
  package init(metric: String, _ labels: [Label] = []) {
    self.init([Label(Labels.metricLabel, metric)] + labels)
  }

  /// - Parameter labels: in any order, with or without `__name__`; a name given twice is an error of the caller.
  package init(_ labels: [Label]) {
    // Most labels are parts of others and in order; sorting them again would be most of a query's time.
    if Labels.areCanonical(labels) {
      all = labels
      return
    }
    let sorted = labels.filter { !$0.value.isEmpty }.sorted()
    for (left, right) in zip(sorted, sorted.dropFirst()) {
      precondition(left.name != right.name, "label \(left.name) is given twice")
    }
    all = sorted
  }

  private static func areCanonical(_ labels: [Label]) -> Bool {
    for index in labels.indices {
      if labels[index].value.isEmpty || index > 0 && labels[index - 1].name >= labels[index].name { return false }
    }
    return true
  }

  /// The value of `__name__`, empty where there is none.
  package var metricName: String { self[Labels.metricLabel] ?? "" }

  /// Linear in the number of labels, which is small.
  package subscript(_ name: String) -> String? {
    all.first { $0.name == name }?.value
  }

  /// These labels with one value replaced or added.
  package func replacing(_ name: String, with value: String) -> Labels {
    Labels(all.filter { $0.name != name } + [Label(name, value)])
  }

  /// These labels with one more, which they have not.
  package func inserting(_ name: String, _ value: String) -> Labels {
    var labels = all
    labels.insert(Label(name, value), at: labels.firstIndex { $0.name > name } ?? labels.count)
    return Labels(labels)
  }

  package static func < (left: Labels, right: Labels) -> Bool {
    if left.metricName != right.metricName { return left.metricName < right.metricName }
    return left.all.lexicographicallyPrecedes(right.all)
  }
}

extension Labels: CustomStringConvertible {
  /// As Prometheus prints a series: `cache_hits_total{cache="profile",tier="L1"}`.
  package var description: String {
    let pairs = all.filter { $0.name != Labels.metricLabel }.map { "\($0.name)=\"\(Exposition.escapedLabelValue($0.value))\"" }
    return pairs.isEmpty ? metricName : "\(metricName){\(pairs.joined(separator: ","))}"
  }
}
