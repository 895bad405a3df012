// SPDX-License-Identifier: Apache-2.0

// Why a query has no answer, in Prometheus' kinds and words.

/// A query that could not be answered.
package struct QueryError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Spelled as `errorType` of Prometheus' HTTP API.
  package enum Kind: String, Sendable {
    /// The query or its parameters are wrong.
    case badData = "bad_data"
    /// The query is well formed, but these series do not bear it.
    case execution
    case timeout
    case canceled
    /// The source of the series failed.
    case `internal`
  }

  package let kind: Kind
  /// As Prometheus words it where Prometheus has the same fault.
  package let message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  package var description: String { message }

  /// The time given to the query is up.
  package static let timedOut = QueryError(.timeout, "query timed out in expression evaluation")
  /// The one who asked is gone.
  package static let canceled = QueryError(.canceled, "query was canceled in expression evaluation")

  static let tooManySamples = QueryError(
    .execution, "query processing would load too many samples into memory in query execution")
  static let sameLabels = QueryError(.execution, "vector cannot contain metrics with the same labelset")
}
