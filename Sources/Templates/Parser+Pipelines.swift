// SPDX-License-Identifier: Apache-2.0

// What stands inside of an action: pipelines of commands, commands of operands.

extension Parser {
  /// `$x := command | command`, up to the token that ends it, which is taken too.
  mutating func pipeline(_ context: String, end: Token.Kind) throws(TemplateError) -> Pipeline {
    let position = peekNonSpace().position
    let (variables, isAssignment) = try declarations(context)
    var commands: [Command] = []
    while true {
      let token = nextNonSpace()
      switch token.kind {
      case end:
        try check(commands, context)
        return Pipeline(commands, variables: variables, isAssignment: isAssignment, position: position)
      case .bool, .characterConstant, .complex, .field, .identifier, .number, .rawString, .string, .variable,
        .leftParenthesis,
        .keyword(.dot), .keyword(.untyped):
        body.pending.append(token)
        commands.append(try command())
      default: throw unexpected(token, context)
      }
    }
  }

  private mutating func declarations(_ context: String) throws(TemplateError) -> ([String], isAssignment: Bool) {
    var variables: [String] = []
    while peekNonSpace().kind == .variable {
      let variable = next()
      // A space is a token, which an argument needs and a declaration does not.
      let following = peek()
      let operation = peekNonSpace()
      let isComma = operation.kind == .character && operation.value == [UInt8(ascii: ",")]
      guard isComma || operation.kind == .assign || operation.kind == .declare else {
        if following.kind == .space { body.pending.append(following) }
        body.pending.append(variable)
        break
      }
      _ = nextNonSpace()
      variables.append(String(decoding: variable.value, as: UTF8.self))
      body.variables.append(variables[variables.count - 1])
      guard isComma else { return (variables, operation.kind == .assign) }
      guard context == "range", variables.count < 2 else { throw failure("too many declarations in \(context)") }
      switch peekNonSpace().kind {
      case .variable, .rightDelimiter, .rightParenthesis: break
      default: throw failure("range can only initialize variables")
      }
    }
    return (variables, false)
  }

  private func check(_ commands: [Command], _ context: String) throws(TemplateError) {
    guard !commands.isEmpty else { throw failure("missing value for \(context)") }
    if let stage = commands.dropFirst().firstIndex(where: { !$0.operands[0].isExecutable }) {
      throw failure("non executable command in pipeline stage \(stage + 1)")
    }
  }

  // Takes the pipe behind it, but not what ends the pipeline.
  private mutating func command() throws(TemplateError) -> Command {
    let position = peekNonSpace().position
    var operands: [Operand] = []
    while true {
      _ = peekNonSpace()
      if let operand = try operand() { operands.append(operand) }
      let token = next()
      switch token.kind {
      case .space: continue
      case .rightDelimiter, .rightParenthesis: body.pending.append(token)
      case .pipe: break
      default: throw unexpected(token, "operand")
      }
      guard !operands.isEmpty else { throw failure("empty command") }
      return Command(operands, position: position)
    }
  }

  /// A term with the fields behind it; nil when the next token begins none.
  private mutating func operand() throws(TemplateError) -> Operand? {
    guard let term = try term() else { return nil }
    guard peek().kind == .field else { return term }
    let position = peek().position
    var fields: [String] = []
    while peek().kind == .field { fields.append(Self.fieldName(next())) }
    switch term {
    case .field(let names, _): return .field(names + fields, position)
    case .variable(let name, let names, _): return .variable(name, names + fields, position)
    case .bool, .string, .number, .untyped, .dot:
      throw failure("unexpected . after term \(Quoting.quoted(term.description))")
    case .chain, .function, .pipeline: return .chain(term, fields, position)
    }
  }

  private static func fieldName(_ token: Token) -> String { String(decoding: token.value.dropFirst(), as: UTF8.self) }

  private mutating func term() throws(TemplateError) -> Operand? {
    let token = nextNonSpace()
    let text = String(decoding: token.value, as: UTF8.self)
    switch token.kind {
    case .identifier:
      guard let function = Function(rawValue: text) else {
        throw failure("function \(Quoting.quoted(text)) not defined")
      }
      return .function(function, token.position)
    case .keyword(.dot): return .dot(token.position)
    case .keyword(.untyped): return .untyped(token.position)
    case .variable:
      guard body.variables.contains(text) else { throw failure("undefined variable \(Quoting.quoted(text))") }
      return .variable(text, [], token.position)
    case .field: return .field([Self.fieldName(token)], token.position)
    case .bool: return .bool(text == "true", token.position)
    case .characterConstant, .complex, .number: return .number(try number(token), token.position)
    case .leftParenthesis:
      try enterNesting()
      let pipeline = try pipeline("parenthesized pipeline", end: .rightParenthesis)
      leaveNesting()
      return .pipeline(pipeline)
    case .string, .rawString:
      guard let value = Quoting.unquoted(token.value) else { throw failure("invalid syntax") }
      return .string(value, literal: text, token.position)
    default:
      body.pending.append(token)
      return nil
    }
  }

  private func number(_ token: Token) throws(TemplateError) -> NumberLiteral {
    guard token.kind == .characterConstant else {
      do throws(Fault) { return try NumberLiteral(token.value) } catch { throw failure(error.message) }
    }
    let text = String(decoding: token.value, as: UTF8.self)
    guard let (value, isWhole) = Quoting.character(token.value) else { throw failure("invalid syntax") }
    guard isWhole else { throw failure("malformed character constant: \(text)") }
    return NumberLiteral(character: value, text: text)
  }
}
