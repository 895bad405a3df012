// SPDX-License-Identifier: Apache-2.0

// The small nodes of a template's tree: what stands inside of an action. Their texts are those that messages show.

/// One word of a command, with its place in the text.
indirect enum Operand: Sendable {
  case bool(Bool, Int)
  case dot(Int)
  case untyped(Int)
  case number(NumberLiteral, Int)
  /// The text, and the literal as it was written.
  case string([UInt8], literal: String, Int)
  /// `.A.B`
  case field([String], Int)
  /// `$x.A.B`; the name has its dollar.
  case variable(String, [String], Int)
  /// `(…).A.B`, or a function's result with fields.
  case chain(Operand, [String], Int)
  case function(Function, Int)
  case pipeline(Pipeline)

  var position: Int {
    switch self {
    case .bool(_, let position), .dot(let position), .untyped(let position), .number(_, let position): position
    case .string(_, _, let position), .field(_, let position), .variable(_, _, let position): position
    case .chain(_, _, let position), .function(_, let position): position
    case .pipeline(let pipeline): pipeline.position
    }
  }

  /// Whether it can take arguments, so that it may stand behind a pipe.
  var isExecutable: Bool {
    switch self {
    case .bool, .dot, .untyped, .number, .string: false
    case .field, .variable, .chain, .function, .pipeline: true
    }
  }
}

extension Operand: CustomStringConvertible {
  var description: String {
    switch self {
    case .bool(let value, _): "\(value)"
    case .dot: "."
    case .untyped: "nil"
    case .number(let number, _): number.text
    case .string(_, let literal, _): literal
    case .field(let names, _): Self.chained("", names)
    case .variable(let name, let fields, _): Self.chained(name, fields)
    case .chain(let operand, let fields, _): Self.chained(operand.asArgument, fields)
    case .function(let function, _): function.rawValue
    case .pipeline(let pipeline): pipeline.description
    }
  }

  /// With parentheses around a pipeline.
  var asArgument: String {
    if case .pipeline(let pipeline) = self { return "(\(pipeline))" }
    return description
  }

  private static func chained(_ base: String, _ fields: [String]) -> String {
    fields.reduce(into: base) { $0 += "." + $1 }
  }
}

/// A function or a value with its arguments.
final class Command: Sendable, CustomStringConvertible {
  /// Not empty.
  let operands: [Operand]
  let position: Int

  init(_ operands: [Operand], position: Int) {
    self.operands = operands
    self.position = position
  }

  var description: String { operands.map(\.asArgument).joined(separator: " ") }
}

/// Commands, each of which gets the result of the one before as its last argument; and variables for the last result.
final class Pipeline: Sendable, CustomStringConvertible {
  /// At most one, or two of a range. With their dollars.
  let variables: [String]
  /// Whether the variables exist already.
  let isAssignment: Bool
  /// Not empty.
  let commands: [Command]
  let position: Int

  init(_ commands: [Command], variables: [String], isAssignment: Bool, position: Int) {
    self.variables = variables
    self.isAssignment = isAssignment
    self.commands = commands
    self.position = position
  }

  var description: String {
    let names = variables.isEmpty ? "" : variables.joined(separator: ", ") + (isAssignment ? " = " : " := ")
    return names + commands.map(\.description).joined(separator: " | ")
  }
}
