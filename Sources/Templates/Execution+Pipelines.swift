// SPDX-License-Identifier: Apache-2.0

internal import TimeSeries

// What pipelines, commands and operands give.

extension Execution {
  /// The last command's result, which its variables hold from then on.
  mutating func evaluate(_ pipeline: Pipeline, _ dot: Value) throws(TemplateError) -> Value {
    try enter()
    defer { leave() }
    place = .pipeline(pipeline)
    var value: Value?
    for command in pipeline.commands {
      try step()
      value = try evaluate(command, dot, piped: value)
      if case .emptyInterface? = value { value = Value.none }
    }
    let result = value ?? .none
    for name in pipeline.variables {
      if pipeline.isAssignment { try assign(name, result) } else { declare(name, result) }
    }
    return result
  }

  /// - Parameter piped: the result of the command before, which is the last argument of this one.
  private mutating func evaluate(_ command: Command, _ dot: Value, piped: Value?) throws(TemplateError) -> Value {
    let first = command.operands[0]
    let arguments = command.operands.dropFirst()
    switch first {
    case .field, .variable(_, _, _), .chain:
      return try evaluateFields(first, dot, arguments, piped)
    case .function(let function, _):
      place = .operand(first)
      return try call(function, dot, at: .command(command), arguments, piped)
    case .pipeline(let pipeline):
      try checkIsAlone(first, arguments, piped)
      return try evaluate(pipeline, dot)
    case .bool, .dot, .untyped, .number, .string:
      place = .operand(first)
      try checkIsAlone(first, arguments, piped)
      guard case .untyped = first else { return try constant(first, dot) }
      throw failure("nil is not a command")
    }
  }

  private func checkIsAlone(
    _ operand: Operand, _ arguments: ArraySlice<Operand>, _ piped: Value?
  ) throws(TemplateError) {
    guard arguments.isEmpty, piped == nil else { throw failure("can't give argument to non-function \(operand)") }
  }

  // What is written down, or the dot.
  private func constant(_ operand: Operand, _ dot: Value) throws(TemplateError) -> Value {
    switch operand {
    case .bool(let value, _): return .bool(value)
    case .string(let text, _, _): return .text(text)
    case .number(let number, _):
      guard let value = number.ideal else { throw failure("\(number.text) overflows int") }
      return value
    case .dot: return dot
    case .untyped, .field, .variable, .chain, .function, .pipeline: return .none
    }
  }

  // MARK: Fields

  private mutating func evaluateFields(
    _ operand: Operand, _ dot: Value, _ arguments: ArraySlice<Operand>, _ piped: Value?
  ) throws(TemplateError) -> Value {
    place = .operand(operand)
    switch operand {
    case .field(let names, _): return try fields(names, of: dot, operand, dot, arguments, piped)
    case .variable(let name, let names, _):
      let value = try variable(name)
      if names.isEmpty { try checkIsAlone(operand, arguments, piped) }
      return try fields(names, of: value, operand, dot, arguments, piped)
    case .chain(let base, let names, _):
      let value = try evaluateBase(base, dot)
      return try fields(names, of: value, operand, dot, arguments, piped)
    case .bool, .dot, .untyped, .number, .string, .function, .pipeline: return .none
    }
  }

  // What stands in front of a chain's fields.
  private mutating func evaluateBase(_ base: Operand, _ dot: Value) throws(TemplateError) -> Value {
    place = .operand(base)
    switch base {
    case .pipeline(let pipeline): return try evaluate(pipeline, dot)
    case .function(let function, _): return try call(function, dot, at: .operand(base), [], nil)
    default: return try evaluateFields(base, dot, [], nil)
    }
  }

  // One field after the other; only the last may be a method with arguments.
  private mutating func fields(
    _ names: [String], of value: Value, _ operand: Operand, _ dot: Value, _ arguments: ArraySlice<Operand>,
    _ piped: Value?
  ) throws(TemplateError) -> Value {
    var receiver = Receiver(value: value)
    for (index, name) in names.enumerated() {
      try step()
      let isLast = index == names.count - 1
      receiver = try field(
        name, of: receiver, operand, dot, isLast ? arguments : [], isLast ? piped : nil)
    }
    return receiver.value
  }

  /// A value on its way through a chain of fields.
  private struct Receiver {
    var value: Value
    /// Whether its type is `interface {}`, whatever it holds; messages say so.
    var isInterface = false

    var typeName: String { isInterface ? "interface {}" : value.typeName ?? "interface {}" }
  }

  private mutating func field(
    _ name: String, of receiver: Receiver, _ operand: Operand, _ dot: Value, _ arguments: ArraySlice<Operand>,
    _ piped: Value?
  ) throws(TemplateError) -> Receiver {
    switch receiver.value {
    case .none: return receiver
    case .emptyInterface: throw failure("nil pointer evaluating \(receiver.typeName).\(name)")
    default: break
    }
    if let method = Method(name, of: receiver.value.target) {
      return Receiver(value: try call(method, receiver.value.target, dot, at: .operand(operand), arguments, piped))
    }
    let hasArguments = !arguments.isEmpty || piped != nil
    switch receiver.value.target {
    case .labels(let labels):
      if hasArguments { throw failure("\(name) is not a method but has arguments") }
      return Receiver(value: .text(labels[name] ?? ""))
    case .arguments(let values):
      if hasArguments { throw failure("\(name) is not a method but has arguments") }
      return Receiver(value: values[name] ?? .emptyInterface, isInterface: true)
    case let structure:
      guard let field = structure.field(name) else {
        throw failure("can't evaluate field \(name) in type \(receiver.typeName)")
      }
      if hasArguments { throw failure("\(name) has arguments but cannot be invoked as function") }
      return Receiver(value: field, isInterface: name == "Value")
    }
  }

  // MARK: Arguments

  /// An argument, as a parameter wants it.
  mutating func argument(_ operand: Operand, _ dot: Value, for parameter: Parameter) throws(TemplateError) -> Value {
    place = .operand(operand)
    try step()
    let value: Value
    switch operand {
    case .dot: value = dot
    case .untyped:
      guard parameter.canBeNil else { throw failure("cannot assign nil to \(parameter.typeName)") }
      return .none
    case .field, .variable, .chain: value = try evaluateFields(operand, dot, [], nil)
    case .pipeline(let pipeline): value = try evaluate(pipeline, dot)
    case .function(let function, _): value = try call(function, dot, at: .operand(operand), [], nil)
    case .bool, .number, .string: return try literal(operand, for: parameter)
    }
    return try checked(value, for: parameter)
  }

  private func literal(_ operand: Operand, for parameter: Parameter) throws(TemplateError) -> Value {
    switch parameter {
    case .any, .reflected: return try constant(operand, .none)
    case .text:
      guard case .string(let text, _, _) = operand else { throw failure("expected string; found \(operand)") }
      return .text(text)
    case .integer, .duration:
      guard case .number(let number, _) = operand, let value = number.integer else {
        throw failure("expected integer; found \(operand)")
      }
      return .integer(value, parameter == .integer ? .int : .duration)
    case .samples, .sample, .time: throw failure("can't handle \(operand) for arg of type \(parameter.typeName)")
    }
  }

  /// A value that is not written down, as a parameter wants it.
  func checked(_ value: Value, for parameter: Parameter) throws(TemplateError) -> Value {
    switch (parameter, value) {
    case (.any, .emptyInterface): return .none
    case (.any, _), (.reflected, _): return value
    case (_, .none):
      guard parameter.canBeNil else { throw failure("invalid value; expected \(parameter.typeName)") }
      return .none
    case (.text, .text), (.samples, .samples), (.time, .time), (.duration, .integer(_, .duration)),
      (.integer, .integer(_, .int)):
      return value
    case (.sample, .pointer(let pointer)):
      if case .sample = pointer.target { return value }
    case (.time, .pointer(let pointer)):
      if case .time = pointer.target { return pointer.target }
    case (.duration, .pointer(let pointer)):
      if case .integer(_, .duration) = pointer.target { return pointer.target }
    default: break
    }
    throw failure("wrong type for value; expected \(parameter.typeName); got \(value.typeName ?? "interface {}")")
  }
}

extension Value {
  /// A field of one of Prometheus' structures.
  fileprivate func field(_ name: String) -> Value? {
    switch (self, name) {
    case (.alert(let alert), "Labels"): .labels(alert.labels)
    case (.alert(let alert), "ExternalLabels"): .labels(alert.externalLabels)
    case (.alert(let alert), "ExternalURL"): .text(alert.externalURL)
    case (.alert(let alert), "Value"): .float(alert.value)
    case (.sample(let sample), "Labels"): .labels(sample.labels)
    case (.sample(let sample), "Value"): .float(sample.value)
    default: nil
    }
  }
}
