// SPDX-License-Identifier: Apache-2.0

// Whom a flag is evaluated for, read from an OFREP body. OpenFeature clients without a context send `{"context":{}}`,
// and some nothing at all: both are a context without a targeting key, which only a split misses.

package import JSON

/// An evaluation context.
package struct EvaluationContext: Sendable {
  /// nil when absent or empty, since one bucket for everybody without a key would be no split.
  package let targetingKey: String?
  /// In document order, without the targeting key.
  package let attributes: [JSONMember]

  package init(targetingKey: String? = nil, attributes: [JSONMember] = []) {
    self.targetingKey = targetingKey?.isEmpty == true ? nil : targetingKey
    self.attributes = attributes
  }

  /// - Parameter body: an OFREP request, `{"context":{"targetingKey":…,…}}`; empty for no context.
  /// - Throws: `PARSE_ERROR` when the body is not a JSON object, `INVALID_CONTEXT` when its context is not what OFREP
  ///   allows.
  package init(body: Span<UInt8>) throws(EvaluationFailure) {
    guard body.count > 0 else {
      self.init()
      return
    }
    let request: JSONValue
    do {
      request = try JSONValue(parsing: body)
    } catch {
      throw EvaluationFailure(code: .parseError, details: "request body: \(error): must be JSON")
    }
    guard request.members != nil else {
      throw EvaluationFailure(code: .parseError, details: "request body: must be an object such as {\"context\":{}}")
    }
    guard let context = request["context"] else {
      self.init()
      return
    }
    try self.init(context)
  }

  private init(_ context: JSONValue) throws(EvaluationFailure) {
    guard let members = context.members else {
      throw EvaluationFailure(
        code: .invalidContext, details: "context: \(FlagError.cut(context.text)): must be an object")
    }
    var attributes: [JSONMember] = []
    var targetingKey: String?
    for member in members {
      guard member.name == "targetingKey" else {
        attributes.append(member)
        continue
      }
      guard let key = member.value.string else {
        throw EvaluationFailure(
          code: .invalidContext, details: "context.targetingKey: \(FlagError.cut(member.value.text)): must be a string")
      }
      targetingKey = key
    }
    self.init(targetingKey: targetingKey, attributes: attributes)
  }

  /// The instance that asks, where it says so.
  package var instance: String? {
    attributes.first { $0.name == "instance" }?.value.string
  }
}
