// SPDX-License-Identifier: Apache-2.0

internal import HTTP
internal import JSON

// Bodies of Rampart's own API.

extension Exchange {
  /// Takes the body, which must call itself JSON where it is not empty: a form of another origin can send text, but not
  /// this type.
  func takeJSONBody() throws(RequestError) -> [UInt8] {
    let contentType = header("Content-Type")
    let body = takeBody()
    let type = contentType?.lowercased().split(separator: ";").first
    let isJSON = type.map { $0 == "application/json" || $0.hasSuffix("+json") } ?? false
    guard body.isEmpty || isJSON else {
      throw .unsupportedMediaType("Content-Type: \(contentType?.prefix(80) ?? "missing"): must be application/json")
    }
    return body
  }

  /// The body as an object; an empty one is an object without members.
  ///
  /// - Parameter known: the members that it may have.
  func takeJSONObject(_ known: [String]) throws(RequestError) -> JSONValue {
    let body = try takeJSONBody()
    guard !body.isEmpty else { return .object([]) }
    let document: JSONValue
    do throws(JSONError) {
      document = try JSONValue(parsing: body)
    } catch {
      throw .badRequest("body: \(error)")
    }
    guard let members = document.members else { throw .badRequest("body: must be a JSON object") }
    for member in members where !known.contains(member.name) {
      throw .badRequest("\(member.name.prefix(40)): unknown member: known here: \(known.joined(separator: ", "))")
    }
    return document
  }
}
