// SPDX-License-Identifier: Apache-2.0

// Finds the route of a method and a path in a trie of path segments. Paths are compared as bytes after
// percent-decoding each segment, so %2F belongs to a segment and never separates two.

/// Routes by method and path pattern. Filled before the server starts, then immutable.
package struct Router: Sendable {
  /// Parameters a pattern may have.
  package static let parametersMax = 8

  private(set) var root = Node()

  package init() {}

  /// Registers a route.
  ///
  /// A GET route answers HEAD too, without its body, unless HEAD has a route of its own. A literal segment wins over a
  /// parameter. Registering the same method and pattern twice is a programming error and stops the process.
  ///
  /// - Parameters:
  ///   - pattern: begins with "/"; a segment `:name` matches any non-empty segment, `*name` as the last one matches
  ///     all that remains, slashes included, and at least one byte. `Exchange.parameter(_:)` counts both from 0. What
  ///     a parameter holds is the client's choice, "..", and "/" by %2F, included.
  ///   - tag: the owner's own number, found as `Exchange.routeTag`, for access rules and metrics.
  package mutating func add(
    _ method: Method, _ pattern: String, body: BodyPolicy = .none, tag: Int = 0, handler: @escaping Handler
  ) {
    precondition(pattern.utf8.first == UInt8(ascii: "/"), "a route's pattern must begin with /: \(pattern)")
    precondition(method != .other, "a route needs a method with a name")
    let segments = pattern.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let route = Route(body: body, tag: tag, handler: handler)
    var parameters = 0
    root.insert(segments.map(Array.init)[...], method, route, pattern, &parameters)
    precondition(parameters <= Router.parametersMax, "a pattern has at most 8 parameters: \(pattern)")
  }

  /// GET, and HEAD with it.
  package mutating func get(_ pattern: String, tag: Int = 0, _ handler: @escaping Handler) {
    add(.get, pattern, tag: tag, handler: handler)
  }

  /// POST.
  package mutating func post(
    _ pattern: String, body: BodyPolicy, tag: Int = 0, _ handler: @escaping Handler
  ) {
    add(.post, pattern, body: body, tag: tag, handler: handler)
  }

  // The node whose pattern fits, with the ranges of its parameters; nil when no pattern does. `path` is decoded;
  // `segments` are ranges of it, at least one.
  func match(_ path: [UInt8], _ segments: [Range<Int>], _ parameters: inout [Range<Int>]) -> Node? {
    parameters.removeAll(keepingCapacity: true)
    return root.match(path, segments, 0, &parameters)
  }
}

extension Router {
  // One position in the path. Written only while routes are added, which the owner does before it shares the router.
  final class Node: @unchecked Sendable {
    private struct Literal {
      let bytes: [UInt8]
      let node: Node
    }

    private var literals: [Literal] = []
    private var parameter: Node?
    private var remainder: Node?
    private var routes: [Route?] = Array(repeating: nil, count: Method.allCases.count)
    private(set) var hasRoutes = false

    func route(_ method: Method) -> Route? {
      let route = routes[Int(method.rawValue)]
      return route == nil && method == .head ? routes[Int(Method.get.rawValue)] : route
    }

    // The value of Allow, in a fixed order.
    var allowedMethods: String {
      Method.allCases.filter { $0 != .other && route($0) != nil }.map(\.name).joined(separator: ", ")
    }

    func insert(
      _ segments: ArraySlice<[UInt8]>, _ method: Method, _ route: Route, _ pattern: String, _ parameters: inout Int
    ) {
      guard let segment = segments.first else {
        precondition(routes[Int(method.rawValue)] == nil, "\(method.name) \(pattern) is registered twice")
        routes[Int(method.rawValue)] = route
        hasRoutes = true
        return
      }
      let next = child(for: segment, isLast: segments.count == 1, pattern, &parameters)
      next.insert(segments.dropFirst(), method, route, pattern, &parameters)
    }

    private func child(for segment: [UInt8], isLast: Bool, _ pattern: String, _ parameters: inout Int) -> Node {
      let made = Node()
      switch segment.first {
      case UInt8(ascii: ":"):
        parameters += 1
        let node = parameter ?? made
        parameter = node
        return node
      case UInt8(ascii: "*"):
        precondition(isLast, "* must be the last segment: \(pattern)")
        parameters += 1
        let node = remainder ?? made
        remainder = node
        return node
      default:
        if let literal = literals.first(where: { $0.bytes == segment }) { return literal.node }
        literals.append(Literal(bytes: segment, node: made))
        return made
      }
    }

    // Depth is bounded by the patterns', and each node tries at most three ways, so a hostile path costs no more than
    // 3^depth of the few patterns that share a prefix.
    func match(_ path: [UInt8], _ segments: [Range<Int>], _ index: Int, _ parameters: inout [Range<Int>]) -> Node? {
      guard index < segments.count else { return hasRoutes ? self : nil }
      let segment = segments[index]
      if let next = literal(path, segment), let found = next.match(path, segments, index + 1, &parameters) {
        return found
      }
      if let parameter, !segment.isEmpty {
        parameters.append(segment)
        if let found = parameter.match(path, segments, index + 1, &parameters) { return found }
        parameters.removeLast()
      }
      if let remainder, segment.lowerBound < path.count {
        parameters.append(segment.lowerBound..<path.count)
        return remainder
      }
      return nil
    }

    private func literal(_ path: [UInt8], _ segment: Range<Int>) -> Node? {
      next: for literal in literals where literal.bytes.count == segment.count {
        for offset in 0..<segment.count where literal.bytes[offset] != path[segment.lowerBound + offset] {
          continue next
        }
        return literal.node
      }
      return nil
    }
  }
}
