// SPDX-License-Identifier: Apache-2.0

// Why there is no value, in OFREP's words. A client shows `errorDetails` to people, and some fail where it is missing.

package import JSON

/// OFREP's error codes that this server gives.
package enum EvaluationErrorCode: String, CaseIterable, Sendable {
  case flagNotFound = "FLAG_NOT_FOUND"
  case parseError = "PARSE_ERROR"
  case targetingKeyMissing = "TARGETING_KEY_MISSING"
  case invalidContext = "INVALID_CONTEXT"
  case general = "GENERAL"
}

/// A failed evaluation.
package struct EvaluationFailure: Error, Equatable, Sendable {
  package let code: EvaluationErrorCode
  /// For people: what was wrong and what to do.
  package let details: String

  package init(code: EvaluationErrorCode, details: String) {
    self.code = code
    self.details = details
  }

  /// The OFREP `evaluationFailure`, or with no key the `bulkEvaluationFailure`.
  package func write(key: Span<UInt8>?, to writer: inout JSONWriter) {
    writer.beginObject()
    if let key {
      writer.key("key")
      writer.string(utf8: key)
    }
    writer.member("errorCode", code.rawValue)
    writer.member("errorDetails", details)
    writer.endObject()
  }
}

/// How an answer went, for the status line.
package enum AnswerStatus: Sendable {
  case success
  case flagNotFound
  case badRequest

  package var httpStatus: Int {
    switch self {
    case .success: 200
    case .flagNotFound: 404
    case .badRequest: 400
    }
  }
}
