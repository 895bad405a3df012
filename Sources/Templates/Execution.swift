// SPDX-License-Identifier: Apache-2.0

// Carries out a template: walks its statements and writes. What an action's pipeline gives is in Execution+Pipelines.
// Messages name the node that was looked at last, as Go's do, so each step notes where it is.

internal import RegularExpressions
internal import TimeSeries

struct Execution {
  /// What a message points at.
  enum Place {
    case statement(Statement)
    case pipeline(Pipeline)
    case command(Command)
    case operand(Operand)
  }

  enum Flow {
    case onward
    case leavesLoop
    case continuesLoop
  }

  let scope: TemplateScope
  private let trees: TemplateTrees
  private var templateName: [UInt8]
  private var output: [UInt8] = []
  private var variables: [(name: String, value: Value)] = []
  var place: Place?
  private var callDepth = 0
  private var depth = 0
  private(set) var stepsLeft = TemplateLimits.stepsMax
  var queriesLeft = TemplateLimits.queriesMax
  var expressions: [String: RegularExpression] = [:]

  init(_ trees: TemplateTrees, _ scope: TemplateScope) {
    self.trees = trees
    self.scope = scope
    templateName = trees.name
  }

  mutating func run() throws(TemplateError) -> String {
    let alert = Alert(
      labels: scope.labels, externalLabels: scope.externalLabels, externalURL: Array(scope.externalURL.utf8),
      value: scope.value)
    variables = [("$", .alert(alert))]
    // Nothing leaves a loop at the top: the parser refuses that.
    _ = try walk(trees.bodies[trees.name] ?? [], .alert(alert))
    return String(decoding: output, as: UTF8.self)
  }

  // MARK: Statements

  private mutating func walk(_ statements: [Statement], _ dot: Value) throws(TemplateError) -> Flow {
    try enter()
    defer { leave() }
    for statement in statements {
      let flow = try walk(statement, dot)
      guard case .onward = flow else { return flow }
    }
    return .onward
  }

  private mutating func walk(_ statement: Statement, _ dot: Value) throws(TemplateError) -> Flow {
    place = .statement(statement)
    try step()
    switch statement {
    case .text(let text, _): try write(text)
    case .action(let pipeline, _):
      let value = try evaluate(pipeline, dot)
      place = .statement(statement)
      if pipeline.variables.isEmpty { try write(Printer.printed(value, atMost: roomLeft)) }
    case .if(let branches): return try choose(branches, dot, movesDot: false)
    case .with(let branches): return try choose(branches, dot, movesDot: true)
    case .range(let branches): return try loop(branches, dot)
    case .template(let name, let pipeline, _): try call(name, pipeline, dot)
    case .break: return .leavesLoop
    case .continue: return .continuesLoop
    }
    return .onward
  }

  private mutating func choose(_ branches: Branches, _ dot: Value, movesDot: Bool) throws(TemplateError) -> Flow {
    let variableCount = variables.count
    let value = try evaluate(branches.pipeline, dot)
    var flow = Flow.onward
    if value.isTrue {
      flow = try walk(branches.body, movesDot ? value : dot)
    } else if let otherwise = branches.otherwise {
      flow = try walk(otherwise, dot)
    }
    variables.removeSubrange(variableCount...)
    return flow
  }

  private mutating func call(_ name: [UInt8], _ pipeline: Pipeline?, _ dot: Value) throws(TemplateError) {
    guard let body = trees.bodies[name] else { throw failure("template \(Quoting.quoted(name)) not defined") }
    guard callDepth < TemplateLimits.callDepthMax else {
      throw failure("exceeded maximum template depth (\(TemplateLimits.callDepthMax))")
    }
    var newDot = Value.none
    if let pipeline { newDot = try evaluate(pipeline, dot) }
    let outer = (templateName, variables, place)
    // A template sees no variables but its dot.
    (templateName, variables) = (name, [("$", newDot)])
    callDepth += 1
    _ = try walk(body, newDot)
    callDepth -= 1
    (templateName, variables, place) = outer
  }

  // MARK: Loops

  private mutating func loop(_ branches: Branches, _ dot: Value) throws(TemplateError) -> Flow {
    let variableCount = variables.count
    defer { variables.removeSubrange(min(variableCount, variables.count)...) }
    let list = try evaluate(branches.pipeline, dot).target
    var index = 0
    while let (key, element) = try iteration(list, index, branches.pipeline) {
      if try iterate(branches, key, element) { break }
      index += 1
    }
    if index == 0, list.isEmptyList, let otherwise = branches.otherwise { return try walk(otherwise, dot) }
    return .onward
  }

  // The key and the element of one turn; nil when there are no more.
  private func iteration(_ list: Value, _ index: Int, _ pipeline: Pipeline) throws(TemplateError) -> (Value, Value)? {
    switch list {
    case .none, .emptyInterface: return nil
    case .integer(let count, let type):
      guard pipeline.variables.count < 2 else {
        throw failure("can't use \(Printer.shown(list)) to iterate over more than one variable")
      }
      return index < count ? (.none, .integer(Int64(index), type)) : nil
    case .samples(let samples):
      return index < samples.count ? (.integer(Int64(index), .int), .pointer(samples[index])) : nil
    case .labels(let labels):
      return index < labels.all.count ? (.text(labels.all[index].name), .text(labels.all[index].value)) : nil
    case .arguments(let arguments):
      guard index < arguments.elements.count else { return nil }
      return (.text(arguments.elements[index].key), arguments.elements[index].value)
    case .bool, .float, .text, .html, .sample, .time, .alert, .pointer:
      throw failure("range can't iterate over \(Printer.shown(list))")
    }
  }

  /// - Returns: whether the loop is left.
  private mutating func iterate(_ branches: Branches, _ key: Value, _ element: Value) throws(TemplateError) -> Bool {
    try step()
    let names = branches.pipeline.variables
    let variableCount = variables.count
    let values = names.count > 1 ? [key, element] : [element]
    for (offset, name) in names.enumerated() {
      if branches.pipeline.isAssignment {
        try assign(name, values[offset])
      } else {
        variables[variableCount - names.count + offset].value = values[offset]
      }
    }
    let flow = try walk(branches.body, element)
    variables.removeSubrange(variableCount...)
    if case .leavesLoop = flow { return true }
    return false
  }

  // MARK: Variables

  func variable(_ name: String) throws(TemplateError) -> Value {
    guard let found = variables.last(where: { $0.name == name }) else { throw failure("undefined variable: \(name)") }
    return found.value
  }

  mutating func declare(_ name: String, _ value: Value) { variables.append((name, value)) }

  mutating func assign(_ name: String, _ value: Value) throws(TemplateError) {
    guard let index = variables.lastIndex(where: { $0.name == name }) else {
      throw failure("undefined variable: \(name)")
    }
    variables[index].value = value
  }

  // MARK: Bounds

  mutating func enter() throws(TemplateError) {
    guard depth < TemplateLimits.executionDepthMax else { throw failure("actions are nested too deeply") }
    depth += 1
  }

  mutating func leave() { depth -= 1 }

  /// Counts one step, and a share for what a function has to look at.
  mutating func step(bytes: Int = 0) throws(TemplateError) {
    stepsLeft -= 1 + bytes / Self.bytesOfStep
    guard stepsLeft >= 0 else { throw failure(Self.tooManySteps) }
  }

  // The slowest functions, those that change letters beyond ASCII, take about 100 ns a byte: some steps.
  static let bytesOfStep = 4

  static let tooManySteps = "the template takes more than \(TemplateLimits.stepsMax) steps"

  /// What a function does beyond reading its arguments.
  mutating func account(steps: Int) throws(Fault) {
    stepsLeft -= steps
    guard stepsLeft >= 0 else { throw Fault(Self.tooManySteps) }
  }

  private var roomLeft: Int { TemplateLimits.outputBytesMax - output.count }

  /// - Parameter bytes: nil for more than there is room for.
  private mutating func write(_ bytes: [UInt8]?) throws(TemplateError) {
    guard let bytes, bytes.count <= roomLeft else {
      throw failure("the output is larger than \(TemplateLimits.outputBytesMax) bytes")
    }
    output += bytes
    try step(bytes: bytes.count)
  }

  // MARK: Messages

  func failure(_ message: String) -> TemplateError {
    let position: Int
    let shown: String
    switch place {
    case .statement(let statement): (position, shown) = (statement.position, statement.description)
    case .pipeline(let pipeline): (position, shown) = (pipeline.position, pipeline.description)
    case .command(let command): (position, shown) = (command.position, command.description)
    case .operand(let operand): (position, shown) = (operand.position, operand.description)
    case nil: (position, shown) = (0, "")
    }
    let name = String(decoding: trees.name, as: UTF8.self)
    let action = "executing \(Quoting.quoted(templateName)) at <\(shown)>: \(message)"
    return TemplateError("error executing template \(name): template: \(name):\(trees.location(position)): \(action)")
  }
}

extension Value {
  /// Whether a loop over it takes its `else`.
  fileprivate var isEmptyList: Bool {
    if case .integer(let count, _) = self { return count <= 0 }
    return !isTrue
  }
}
