// SPDX-License-Identifier: Apache-2.0

// Flags, contexts and answers as the tests write them: JSON in, JSON out.

import Flags
import JSON
import Testing

func flagSet(_ flags: String..., segments: [String] = [], labels: [String: RolloutLabel] = [:]) throws -> FlagSet {
  let decoded = try flags.map { try Flag(JSONValue(parsing: $0)) }.sorted {
    Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8))
  }
  let decodedSegments = try segments.map { try Segment(JSONValue(parsing: $0)) }.sorted { $0.key < $1.key }
  return FlagSet(environment: "production", revision: 57, flags: decoded, segments: decodedSegments, labels: labels)
}

/// What the error says.
func fault(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch {
    return "\(error)"
  }
}

/// The single answer to an OFREP body, with its status.
func answer(_ set: FlagSet, _ key: String, body: String) -> (status: Int, text: String) {
  var writer = JSONWriter()
  let bytes = Array(body.utf8)
  do {
    let context = try EvaluationContext(body: bytes.span)
    let status = set.answer(key: key.utf8.span, context: context, into: &writer)
    return (status.httpStatus, String(decoding: writer.bytes, as: UTF8.self))
  } catch {
    error.write(key: key.utf8.span, to: &writer)
    return (400, String(decoding: writer.bytes, as: UTF8.self))
  }
}

/// What real OFREP clients need of one evaluation, whatever the published schema allows: returns the faults.
func ofrepFaults(_ item: JSONValue) -> [String] {
  var faults: [String] = []
  if item["key"]?.string == nil { faults.append("no key") }
  if let code = item["errorCode"] {
    if EvaluationErrorCode(rawValue: code.string ?? "") == nil { faults.append("errorCode \(code.text)") }
    if item["errorDetails"]?.string?.isEmpty != false { faults.append("no errorDetails") }
    return faults
  }
  if item["value"] == nil { faults.append("no value") }
  if item["variant"]?.string == nil { faults.append("no variant") }
  if !["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT"].contains(item["reason"]?.string) {
    faults.append("reason")
  }
  guard let metadata = item["metadata"]?.members else { return faults + ["no metadata"] }
  for member in metadata where member.value.string == nil && member.value.double == nil && member.value.bool == nil {
    faults.append("metadata.\(member.name) is not flat")
  }
  for name in ["algorithm", "rolloutPercent", "rolloutStep", "rolloutState", "configRevision"]
  where !metadata.contains(where: { $0.name == name }) {
    faults.append("no metadata.\(name)")
  }
  return faults
}
