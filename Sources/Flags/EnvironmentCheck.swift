// SPDX-License-Identifier: Apache-2.0

// What flags and segments of an environment say of each other. Looked at as a whole after each change, because deleting
// one breaks another.

internal import JSON

/// Whether all names that flags use lead somewhere.
package enum EnvironmentCheck {
  /// A flag that names what is not there.
  package struct Fault: Equatable, Sendable {
    /// The flag's key.
    package let key: String
    package let error: FlagError
  }

  /// - Parameters:
  ///   - flags: all of the environment, no key twice.
  ///   - segments: the keys of all of its segments.
  /// - Returns: the first fault of each flag that has one, in the order of the flags.
  package static func faults(flags: [Flag], segments: [String]) -> [Fault] {
    let graph = PrerequisiteGraph(flags)
    let known = Set(segments)
    return flags.indices.compactMap { index in
      (missingSegment(flags[index], known) ?? graph.faults[index]).map { Fault(key: flags[index].key, error: $0) }
    }
  }

  private static func missingSegment(_ flag: Flag, _ known: Set<String>) -> FlagError? {
    for (rule, conditions) in flag.rules.map(\.conditions).enumerated() {
      for (position, condition) in conditions.enumerated() where condition.op.isOfSegments {
        guard let missing = condition.values.firstIndex(where: { !known.contains($0.string ?? "") }) else { continue }
        return FlagError(
          field: "rules[\(rule)].if[\(position)].values[\(missing)]", value: condition.values[missing].string ?? "",
          expected: "no such segment in this environment: create it with PUT /api/v1/segments/KEY")
      }
    }
    return nil
  }
}
