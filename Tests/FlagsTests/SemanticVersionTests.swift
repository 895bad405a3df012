// SPDX-License-Identifier: Apache-2.0

// The order of versions, seen through conditions: each list ascends, and what is no version matches nothing.

import Flags
import JSON
import Testing

@Suite struct SemanticVersionTests {
  private func holds(_ op: String, _ attribute: String, _ value: String) throws -> Bool? {
    let set = try flagSet(
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"v","op":"semver_\#(op)","values":["\#(value)"]}],"variant":"on"}]}"#)
    return try JSONValue(parsing: answer(set, "F", body: #"{"context":{"v":"\#(attribute)"}}"#).text)["value"]?.bool
  }

  /// semver.org, items 9 to 11, and numbers beyond any integer.
  static let ascending = [
    "0.0.0", "0.0.1-0", "0.0.1", "0.1.0", "1.0.0-0.3.7", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
    "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-beta.11.0", "1.0.0-rc.1", "1.0.0-x-y-z.--", "1.0.0", "1.0.1", "1.9.0", "1.10.0",
    "2.0.0-99999999999999999999999", "2.0.0-100000000000000000000000", "2.0.0", "10.0.0", "99999999999999999999999.999.0",
  ]

  @Test func versionsAscend() throws {
    for (left, lower) in Self.ascending.enumerated() {
      for (right, upper) in Self.ascending.enumerated() {
        #expect(try holds("lt", lower, upper) == (left < right), "\(lower) < \(upper)")
        #expect(try holds("lte", lower, upper) == (left <= right), "\(lower) <= \(upper)")
        #expect(try holds("eq", lower, upper) == (left == right), "\(lower) = \(upper)")
        #expect(try holds("gte", lower, upper) == (left >= right), "\(lower) >= \(upper)")
        #expect(try holds("gt", lower, upper) == (left > right), "\(lower) > \(upper)")
      }
    }
  }

  @Test(arguments: [("v1.2.3", "1.2.3"), ("1.2", "1.2.0"), ("v1", "1.0.0"), ("1.0.0+a.01", "1.0.0+b"), ("1.0.0-a+x", "1.0.0-a")])
  func versionsAreEqual(_ left: String, _ right: String) throws {
    #expect(try holds("eq", left, right) == true)
    #expect(try holds("eq", right, left) == true)
  }

  static let invalid = [
    "", "v", "vv1", "V1.0.0", "1.", "1..0", "1.0.0.0", "01.0.0", "1.00.0", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+", "1.0.0-é", "1-a", "1.0-a",
    "1.0+a", " 1.0.0", "1.0.0 ", "-1.0.0", "one",
  ]

  @Test(arguments: invalid)
  func whatIsNoVersionMatchesNothing(_ text: String) throws {
    for op in ["eq", "gt", "gte", "lt", "lte"] { #expect(try holds(op, text, "1.0.0") == false) }
  }

  @Test(arguments: invalid)
  func whatIsNoVersionIsRefusedInARule(_ text: String) {
    let json =
      #"{"key":"F","type":"boolean","rules":[{"if":[{"attribute":"v","op":"semver_gt","values":["\#(text)"]}],"variant":"on"}]}"#
    #expect(fault { _ = try Flag(JSONValue(parsing: json)) }
        == "rules[0].if[0].values[0]: \(text): must be a version such as 1.20.0 or v2.0.0-beta.1")
  }
}
