// SPDX-License-Identifier: Apache-2.0

internal import HTTP

// Query parameters that several routes share.

extension Exchange {
  /// `limit`: how many rows to answer with.
  func limit(default defaultLimit: Int, max: Int) throws(RequestError) -> Int {
    guard let text = query("limit") else { return defaultLimit }
    guard let limit = Int(text), limit >= 1 else {
      throw .badRequest("limit: \(text.prefix(40)): must be a whole number from 1; \(max) are the most that are given")
    }
    return min(limit, max)
  }

  /// What rows must have; nil, for any, where the parameter is missing or empty.
  func filter(_ name: StaticString) -> String? {
    query(name).flatMap { $0.isEmpty ? nil : $0 }
  }
}
