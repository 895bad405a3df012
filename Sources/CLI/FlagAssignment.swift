// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import JSON
internal import Platform

// `path=value` of `rampart flags set` as a part of a merge patch.

struct FlagAssignment {
  /// Members that are texts whatever they look like.
  private static let texts: Set<String> = ["description", "defaultVariant", "salt", "bucketing", "rollout.variant"]
  private static let shorthands = ["percent": "rollout.percent", "variant": "rollout.variant"]

  private let path: [String]
  private let value: JSONValue

  /// - Throws: `ValidationError` for what is no assignment.
  init(_ text: String) throws {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw ValidationError("\(text): must be path=value, such as percent=25")
    }
    let name = String(text[..<equals]), value = String(text[text.index(after: equals)...])
    let full = FlagAssignment.shorthands[name] ?? name
    path = full.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard !path.contains("") else { throw ValidationError("\(name): must be names with dots between them") }
    let isText = FlagAssignment.texts.contains(full) && value != "null"
    self.value = isText ? .string(value) : (try? JSONValue(parsing: value)) ?? .string(value)
  }

  /// - Parameter flag: what is patched: a percentage needs a variant, which a flag of two variants leaves no doubt about.
  func apply(to members: inout [JSONMember], of flag: JSONValue) throws {
    members.set(path[...], value)
    let others = (flag["variants"]?.members ?? []).map(\.name).filter { $0 != flag["defaultVariant"]?.string }
    let hasVariant = [flag["rollout"], members.first { $0.name == "rollout" }?.value].contains { $0?["variant"] != nil }
    if path == ["rollout", "percent"], !hasVariant, others.count == 1 {
      members.set(["rollout", "variant"], .string(others[0]))
    }
  }
}

extension [JSONMember] {
  mutating func set(_ name: String, _ value: JSONValue) {
    set([name], value)
  }

  /// - Parameter path: at least one name; what is on the way becomes an object where it is none.
  mutating func set(_ path: ArraySlice<String>, _ value: JSONValue) {
    guard let name = path.first else { return }
    let index = firstIndex { $0.name == name }
    var value = value
    if path.count > 1 {
      var inner = index.flatMap { self[$0].value.members } ?? []
      inner.set(path.dropFirst(), value)
      value = .object(inner)
    }
    let member = JSONMember(name: name, value: value)
    if let index { self[index] = member } else { append(member) }
  }
}

/// JSON documents that commands read.
enum JSONFile {
  /// As the server bounds an import.
  private static let bytesMax = 64 << 20

  /// - Parameter path: `-` for standard input.
  static func value(_ path: String, for command: String) throws -> JSONValue {
    let name = path == "-" ? "standard input" : path
    do {
      return try JSONValue(parsing: try Files.read(path == "-" ? "/dev/stdin" : path, bytesMax: bytesMax))
    } catch let error as FileError {
      throw CommandFailure(status: .wrongUsage, message: "\(command): \(name): \(error.reason)")
    } catch {
      throw CommandFailure(status: .wrongUsage, message: "\(command): \(name): \(error)")
    }
  }

  static func object(_ path: String, for command: String) throws -> [JSONMember] {
    guard let members = try value(path, for: command).members else {
      throw CommandFailure(status: .wrongUsage, message: "\(command): \(path == "-" ? "standard input" : path): must hold a JSON object")
    }
    return members
  }
}
