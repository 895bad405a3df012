// SPDX-License-Identifier: Apache-2.0

// Which flags require which, with every name resolved: an evaluation then looks nothing up and goes round in no circle.
// Total for any list of flags: what cannot be resolved is a fault of its flag, and the others are not concerned.

/// The prerequisites of all flags of an environment.
struct PrerequisiteGraph: Sendable {
  /// Another flag by its index and, for each of its variants, whether it is one of those asked for.
  struct Requirement: Sendable {
    let flag: Int
    let variants: [Bool]
  }

  /// For each flag its prerequisites in the order of its document; none where it has a fault.
  private(set) var requirements: [[Requirement]]
  /// For each flag all that it requires, directly or through others, each after those it requires itself.
  private(set) var closures: [[Int]]
  /// For each flag why its prerequisites cannot be met.
  private(set) var faults: [FlagError?]
  /// All flags, each after those it requires.
  let order: [Int]

  /// - Parameter flags: no key twice.
  init(_ flags: [Flag]) {
    requirements = Array(repeating: [], count: flags.count)
    closures = Array(repeating: [], count: flags.count)
    faults = Array(repeating: nil, count: flags.count)
    guard flags.contains(where: { !$0.prerequisites.isEmpty }) else {
      order = Array(flags.indices)
      return
    }
    var indices: [String: Int] = [:]
    for (index, flag) in flags.enumerated() { indices[flag.key] = index }
    var walk = Walk(flags: flags, indices: indices)
    for (index, flag) in flags.enumerated() where !flag.prerequisites.isEmpty {
      faults[index] = walk.nameFault(of: index)
      // It serves its default variant, whatever it names: a leaf to those above, who are not at fault.
      if faults[index] != nil { walk.depths[index] = 0 }
    }
    for (index, flag) in flags.enumerated() where !flag.prerequisites.isEmpty && faults[index] == nil {
      do throws(FlagError) {
        _ = try walk.depth(of: index, path: [])
        closures[index] = try walk.closure(of: index)
        requirements[index] = flag.prerequisites.map { walk.requirement($0) }
      } catch {
        faults[index] = error
      }
    }
    let depths = walk.depths
    order = flags.indices.sorted { (depths[$0] ?? 0, $0) < (depths[$1] ?? 0, $1) }
  }
}

/// Follows prerequisites; what one flag's walk found serves the next.
private struct Walk {
  let flags: [Flag]
  let indices: [String: Int]
  /// Flags on the longest way down; 0 without prerequisites.
  var depths: [Int?]

  init(flags: [Flag], indices: [String: Int]) {
    self.flags = flags
    self.indices = indices
    depths = Array(repeating: nil, count: flags.count)
  }

  /// - Parameter path: the flags that led here; its bound is what bounds the recursion.
  mutating func depth(of index: Int, path: [Int]) throws(FlagError) -> Int {
    if let known = depths[index] { return known }
    if let start = path.firstIndex(of: index) {
      let circle = (path[start...] + [index]).map { flags[$0].key }.joined(separator: " -> ")
      throw FlagError(field: "prerequisites", value: circle, expected: "flags require each other in a circle")
    }
    var depth = 0
    for prerequisite in flags[index].prerequisites {
      guard let other = indices[prerequisite.flag] else { continue }
      guard path.count < Flag.Bounds.prerequisiteDepthMax else { throw tooDeep(path) }
      depth = max(depth, 1 + (try self.depth(of: other, path: path + [index])))
    }
    guard depth <= Flag.Bounds.prerequisiteDepthMax else { throw tooDeep([index]) }
    depths[index] = depth
    return depth
  }

  private func tooDeep(_ path: [Int]) -> FlagError {
    FlagError(
      field: "prerequisites", value: flags[path[0]].key,
      expected: "requires flags that require flags, over more than \(Flag.Bounds.prerequisiteDepthMax) levels, which is the most")
  }

  /// The first name that leads nowhere.
  func nameFault(of index: Int) -> FlagError? {
    for (place, prerequisite) in flags[index].prerequisites.enumerated() {
      let field = "prerequisites[\(place)]"
      guard let other = indices[prerequisite.flag] else {
        return FlagError(field: "\(field).flag", value: prerequisite.flag, expected: "no such flag in this environment")
      }
      let names = flags[other].variants.map(\.name)
      for (position, name) in prerequisite.variants.enumerated() where !names.contains(name) {
        return FlagError(
          field: "\(field).variants[\(position)]", value: name,
          expected: "flag \(prerequisite.flag) has no such variant: one of \(names.joined(separator: ", "))")
      }
    }
    return nil
  }

  /// - Precondition: `depth(of:path:)` went well, so there is no circle.
  func closure(of index: Int) throws(FlagError) -> [Int] {
    var members: [Int] = []
    try addRequired(by: index, to: &members)
    return members
  }

  private func addRequired(by index: Int, to members: inout [Int]) throws(FlagError) {
    // A leaf, maybe because of a fault.
    guard depths[index] != 0 else { return }
    for prerequisite in flags[index].prerequisites {
      guard let other = indices[prerequisite.flag], !members.contains(other) else { continue }
      try addRequired(by: other, to: &members)
      members.append(other)
      guard members.count <= Flag.Bounds.prerequisiteFlagsMax else {
        throw FlagError(
          field: "prerequisites", value: flags[index].key,
          expected: "requires over \(Flag.Bounds.prerequisiteFlagsMax) flags, directly or through others, which is the most")
      }
    }
  }

  func requirement(_ prerequisite: Prerequisite) -> PrerequisiteGraph.Requirement {
    let other = indices[prerequisite.flag] ?? 0
    return PrerequisiteGraph.Requirement(
      flag: other, variants: flags[other].variants.map { prerequisite.variants.contains($0.name) })
  }
}
