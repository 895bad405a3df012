// SPDX-License-Identifier: Apache-2.0

// Calls of functions and methods: how many arguments, of which types, what they give and what goes wrong.

internal import RegularExpressions
internal import TimeSeries

extension Execution {
  /// - Parameter caller: what a message points at when the function fails.
  mutating func call(
    _ function: Function, _ dot: Value, at caller: Place, _ arguments: ArraySlice<Operand>, _ piped: Value?
  ) throws(TemplateError) -> Value {
    let name = function.rawValue
    try checkCount(name, function.signature, arguments.count, piped)
    if function == .and || function == .or { return try decide(function, dot, arguments, piped) }
    let values = try self.arguments(function.signature, dot, arguments, piped)
    do throws(Fault) {
      if function == .call { throw Self.noFunction(values[0], arguments.first) }
      let result = try perform(function, values)
      return try accounted(result)
    } catch {
      place = caller
      throw failure("error calling \(name): \(error.message)")
    }
  }

  mutating func call(
    _ method: Method, _ receiver: Value, _ dot: Value, at caller: Place, _ arguments: ArraySlice<Operand>,
    _ piped: Value?
  ) throws(TemplateError) -> Value {
    try checkCount(method.name, method.signature, arguments.count, piped)
    let values = try self.arguments(method.signature, dot, arguments, piped)
    do throws(Fault) {
      return try accounted(try method.perform(on: receiver, values))
    } catch {
      place = caller
      throw failure("error calling \(method.name): \(error.message)")
    }
  }

  private func checkCount(_ name: String, _ signature: Signature, _ count: Int, _ piped: Value?) throws(TemplateError) {
    let wanted = signature.parameters.count
    let given = count + (piped == nil ? 0 : 1)
    if signature.rest != nil, given < wanted {
      throw failure("wrong number of args for \(name): want at least \(wanted) got \(count)")
    }
    if signature.rest == nil, given != wanted {
      throw failure("wrong number of args for \(name): want \(wanted) got \(given)")
    }
  }

  private mutating func arguments(
    _ signature: Signature, _ dot: Value, _ arguments: ArraySlice<Operand>, _ piped: Value?
  ) throws(TemplateError) -> [Value] {
    var values: [Value] = []
    func parameter() -> Parameter {
      values.count < signature.parameters.count ? signature.parameters[values.count] : signature.rest ?? .any
    }
    for operand in arguments { values.append(try argument(operand, dot, for: parameter())) }
    if let piped { values.append(try checked(piped, for: parameter())) }
    try step(bytes: values.reduce(0) { $0 + $1.sizeBytes })
    return values
  }

  // `and` and `or` look at no more arguments than they need.
  private mutating func decide(
    _ function: Function, _ dot: Value, _ arguments: ArraySlice<Operand>, _ piped: Value?
  ) throws(TemplateError) -> Value {
    var value = Value.none
    for operand in arguments {
      value = try argument(operand, dot, for: .reflected)
      if value.isTrue == (function == .or) { return value }
    }
    return piped ?? value
  }

  // No value of a rule's template is a function.
  private static func noFunction(_ value: Value, _ operand: Operand?) -> Fault {
    guard let type = value.typeName else { return Fault("call of nil") }
    let shown = value.isText ? Printer.shown(value) : "<\(type) Value>"
    return Fault("non-function \(operand?.description ?? shown) of type \(type)")
  }

  private mutating func accounted(_ value: Value) throws(Fault) -> Value {
    try account(steps: Self.stepsOfCall + value.sizeBytes / Self.bytesOfStep)
    guard value.isText, value.sizeBytes > TemplateLimits.outputBytesMax else { return value }
    throw Self.tooLarge
  }

  // Looking at arguments and making a short text takes a microsecond or two.
  private static let stepsOfCall = 10

  private static let tooLarge = Fault("the result is larger than \(TemplateLimits.outputBytesMax) bytes")

  // MARK: What functions do

  private mutating func perform(_ function: Function, _ values: [Value]) throws(Fault) -> Value {
    switch function {
    case .query: return try query(values[0].bytes)
    case .first, .label, .value, .strvalue, .sortByLabel: return try Self.inspect(function, values)
    case .humanize, .humanize1024, .humanizeDuration, .humanizePercentage, .humanizeTimestamp, .toTime, .toDuration:
      return try Self.convert(function, try values[0].number())
    case .now: return .float(Double(scope.nowMs) / 1000)
    case .parseDuration: return .float(try DurationText.seconds(values[0].bytes))
    case .match: return try match(values[0].bytes, values[1].string)
    case .reReplaceAll: return try replace(values[0].bytes, values[2].string, with: values[1].string)
    case .title, .toUpper, .toLower, .safeHtml, .urlQueryEscape, .graphLink, .tableLink, .stripPort, .stripDomain:
      return Self.rewrite(function, values[0].bytes)
    case .pathPrefix: return .text(WebAddress.path(scope.externalURL))
    case .externalURL: return .text(scope.externalURL)
    case .args: return .arguments(try Arguments(values))
    case .and, .or, .call: return .none
    case .not: return .bool(!values[0].isTrue)
    case .eq, .ne, .lt, .le, .gt, .ge: return .bool(try Comparison.compare(function, values))
    case .len: return .integer(Int64(try Indexing.count(values[0])), .int)
    case .index: return try Indexing.element(values[0], values.dropFirst())
    case .slice: return try Indexing.slice(values[0], values.dropFirst())
    case .print, .println, .printf, .html, .js, .urlquery: return try print(function, values)
    }
  }

  private mutating func print(_ function: Function, _ values: [Value]) throws(Fault) -> Value {
    var printer = Printer(bytesMax: TemplateLimits.outputBytesMax, stepsMax: stepsLeft)
    switch function {
    case .printf: printer.printFormatted(values[0].bytes, Array(values.dropFirst()))
    case .println: printer.printLine(values)
    case .print: printer.printAll(values)
    // These show nothing and what a pointer points at as an action does.
    default: printer.printAll(values.map { $0.typeName == nil ? .text("<no value>") : $0.target })
    }
    try account(steps: stepsLeft - printer.stepsLeft)
    guard let bytes = printer.result else { throw Self.tooLarge }
    switch function {
    case .html: return .text(Escaping.html(bytes))
    case .js: return .text(Escaping.javaScript(bytes))
    case .urlquery: return .text(Escaping.urlQuery(bytes))
    default: return .text(bytes)
    }
  }

  // MARK: Samples

  private mutating func query(_ expression: [UInt8]) throws(Fault) -> Value {
    guard queriesLeft > 0 else { throw Fault("the template makes more than \(TemplateLimits.queriesMax) queries") }
    queriesLeft -= 1
    do {
      let samples = try scope.query(String(decoding: expression, as: UTF8.self))
      return .samples(samples.map { Pointer(.sample(Sample(labels: $0.labels, value: $0.value))) })
    } catch {
      throw Fault("\(error)")
    }
  }

  private static func inspect(_ function: Function, _ values: [Value]) throws(Fault) -> Value {
    switch function {
    case .first:
      guard let first = values[0].list.first else { throw Fault("first() called on vector with no elements") }
      return .pointer(first)
    case .sortByLabel:
      let name = values[0].string
      let keyed = values[1].list.map { (key: Array(($0.sample?.labels[name] ?? "").utf8), sample: $0) }
      return .samples(keyed.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.sample))
    case .label: return .text(try sample(values[1]).labels[values[0].string] ?? "")
    case .strvalue: return .text(try sample(values[0]).labels["__value__"] ?? "")
    default: return .float(try sample(values[0]).value)
    }
  }

  private static func sample(_ value: Value) throws(Fault) -> Sample {
    guard case .pointer(let pointer) = value, let sample = pointer.sample else {
      // Go's words for looking behind nil.
      throw Fault("runtime error: invalid memory address or nil pointer dereference")
    }
    return sample
  }

  // MARK: Texts

  private static func rewrite(_ function: Function, _ text: [UInt8]) -> Value {
    switch function {
    case .title: .text(LetterCase.title(text))
    case .toUpper: .text(LetterCase.upper(text))
    case .toLower: .text(LetterCase.lower(text))
    case .safeHtml: .html(text)
    case .graphLink: .text(Array("/graph?g0.expr=".utf8) + Escaping.urlQuery(text) + Array("&g0.tab=0".utf8))
    case .tableLink: .text(Array("/graph?g0.expr=".utf8) + Escaping.urlQuery(text) + Array("&g0.tab=1".utf8))
    case .stripPort: .text(HostPort(text)?.host ?? text)
    case .stripDomain: .text(HostPort.withoutDomain(text))
    default: .text(Escaping.urlQuery(text))
    }
  }

  // Each pattern is compiled once.
  private mutating func expression(_ pattern: [UInt8]) throws(Fault) -> RegularExpression {
    guard pattern.count <= TemplateLimits.patternBytesMax else {
      throw Fault("the pattern is larger than \(TemplateLimits.patternBytesMax) bytes")
    }
    let text = String(decoding: pattern, as: UTF8.self)
    if let known = expressions[text] { return known }
    guard text.utf8.elementsEqual(pattern) else { throw Fault("error parsing regexp: invalid UTF-8: `\(text)`") }
    guard expressions.count < TemplateLimits.patternsMax else {
      throw Fault("the template has more than \(TemplateLimits.patternsMax) patterns")
    }
    do throws(RegularExpressionError) {
      let expression = try RegularExpression(searching: text)
      expressions[text] = expression
      return expression
    } catch {
      throw Fault(error.description)
    }
  }

  private mutating func match(_ pattern: [UInt8], _ text: String) throws(Fault) -> Value {
    let expression = try expression(pattern)
    try account(steps: text.utf8.count * Self.stepsOfSearch(expression) / Self.searchedBytes)
    return .bool(expression.matches(text))
  }

  private mutating func replace(_ pattern: [UInt8], _ text: String, with replacement: String) throws(Fault) -> Value {
    let expression: RegularExpression
    do throws(Fault) {
      expression = try self.expression(pattern)
    } catch {
      // Prometheus compiles with MustCompile, whose words these are.
      let shown =
        Quoting.canBackquote(pattern) ? "`\(String(decoding: pattern, as: UTF8.self))`" : Quoting.quoted(pattern)
      throw Fault("regexp: Compile(\(shown)): \(error.message)")
    }
    let bytesMax = stepsLeft / Self.stepsOfSearch(expression) * Self.searchedBytes
    var bytesLeft = bytesMax
    let result = expression.replacingAll(
      in: text, with: replacement, bytesMax: TemplateLimits.outputBytesMax, searchedBytesLeft: &bytesLeft)
    try account(steps: (bytesMax - bytesLeft) * Self.stepsOfSearch(expression) / Self.searchedBytes)
    guard let result else { throw Self.tooLarge }
    return .text(result)
  }

  // RE2 needs a nanosecond or two a byte; but up to some for each instruction of its program, when a pattern makes
  // more states than it may remember.
  private static let searchedBytes = 64

  private static func stepsOfSearch(_ expression: RegularExpression) -> Int { max(1, expression.programSize) }

  // MARK: Numbers

  private static func convert(_ function: Function, _ number: Double) throws(Fault) -> Value {
    switch function {
    case .humanize: .text(HumanNumber.decimal(number))
    case .humanize1024: .text(HumanNumber.binary(number))
    case .humanizeDuration: .text(HumanNumber.duration(number))
    case .humanizePercentage: .text(HumanNumber.significant(number * 100) + "%")
    case .humanizeTimestamp:
      .text(number.isFinite ? try Instant(seconds: number).description : HumanNumber.significant(number))
    case .toDuration: .pointer(Pointer(.integer(DurationText.nanoseconds(number * 1e9), .duration)))
    default: .pointer(Pointer(.time(try Instant(seconds: number))))
    }
  }
}

// What parameters have made sure of.
extension Value {
  fileprivate var bytes: [UInt8] {
    if case .text(let text) = self { return text }
    return []
  }

  fileprivate var string: String { String(decoding: bytes, as: UTF8.self) }

  /// Nil is a list without elements.
  fileprivate var list: [Pointer] {
    if case .samples(let samples) = self { return samples }
    return []
  }

  /// Prometheus: a number, or a text that is one, or a duration in seconds.
  fileprivate func number() throws(Fault) -> Double {
    switch self {
    case .float(let value): return value
    case .text(let text): return try NumberLiteral.float(text)
    case .integer(let value, .int), .integer(let value, .int64): return Double(value)
    case .integer(let value, .duration): return DurationText.seconds(value)
    default: throw Fault("can't convert \(typeName ?? "<nil>") to float")
    }
  }
}

extension Pointer {
  fileprivate var sample: Sample? {
    if case .sample(let sample) = target { return sample }
    return nil
  }
}
