// SPDX-License-Identifier: Apache-2.0

// Reads tokens to trees: texts, actions and control structures. What stands inside of an action is in
// Parser+Pipelines. Messages, and the order in which mistakes are found, are those of Go's text/template/parse.

struct Parser {
  /// What belongs to one body: that of the text, of a `define` or of a `block`.
  struct Body {
    var name: [UInt8]
    var variables = ["$"]
    var rangeDepth = 0
    /// Tokens that were read ahead, the next one last.
    var pending: [Token] = []
    /// Of the newest token, which is the line that messages name.
    var line = 0
    /// On which the action begins that is being read; 0 outside of one.
    var actionLine = 0
  }

  private enum Item {
    case statement(Statement)
    case end
    case otherwise
  }

  private let templateName: String
  private var lexer: Lexer
  private var trees: TemplateTrees
  var body: Body
  private var nesting = 0

  private init(_ text: [UInt8], name: String) {
    templateName = name
    lexer = Lexer(text)
    trees = TemplateTrees(text: text, name: Array(name.utf8))
    body = Body(name: Array(name.utf8))
  }

  static func trees(_ text: [UInt8], name: String) throws(TemplateError) -> TemplateTrees {
    var parser = Parser(text, name: name)
    try parser.define(parser.body.name, try parser.text())
    return parser.trees
  }

  // MARK: Bodies

  // The whole text; only here may `define` stand.
  private mutating func text() throws(TemplateError) -> [Statement] {
    var statements: [Statement] = []
    while peek().kind != .end {
      if peek().kind == .leftDelimiter {
        let delimiter = next()
        let token = nextNonSpace()
        if token.kind == .keyword(.define) {
          try definition()
          continue
        }
        body.pending += [token, delimiter]
      }
      switch try item() {
      case .statement(let statement): statements.append(statement)
      case .end: throw failure("unexpected {{end}}")
      case .otherwise: throw failure("unexpected {{else}}")
      }
    }
    return statements
  }

  private mutating func definition() throws(TemplateError) {
    let outer = enter(Array("definition".utf8))
    let context = "define clause"
    let token = nextNonSpace()
    body.name = try templateName(token, context)
    try expect(.rightDelimiter, context)
    let (statements, end) = try list()
    guard case .end = end else { throw failure("unexpected {{else}} in \(context)") }
    try define(body.name, statements)
    body = outer
  }

  private mutating func enter(_ name: [UInt8]) -> Body {
    defer { body = Body(name: name) }
    return body
  }

  private mutating func define(_ name: [UInt8], _ statements: [Statement]) throws(TemplateError) {
    let isBlank = statements.allSatisfy(\.isBlank)
    if let earlier = trees.bodies[name], !earlier.allSatisfy(\.isBlank) {
      guard isBlank else { throw failure("template: multiple definition of template \(Quoting.quoted(name))") }
    } else {
      trees.bodies[name] = statements
    }
  }

  // Up to an `end` or `else`, which is told apart.
  private mutating func list() throws(TemplateError) -> ([Statement], Item) {
    var statements: [Statement] = []
    while peekNonSpace().kind != .end {
      let item = try item()
      guard case .statement(let statement) = item else { return (statements, item) }
      statements.append(statement)
    }
    throw failure("unexpected EOF")
  }

  private mutating func item() throws(TemplateError) -> Item {
    let token = nextNonSpace()
    switch token.kind {
    case .text: return .statement(.text(token.value, token.position))
    case .leftDelimiter:
      body.actionLine = token.line
      let item = try action()
      body.actionLine = 0
      return item
    default: throw unexpected(token, "input")
    }
  }

  // MARK: Actions

  private mutating func action() throws(TemplateError) -> Item {
    let token = nextNonSpace()
    switch token.kind {
    case .keyword(.block): return .statement(try block())
    case .keyword(.break): return .statement(try loopControl(.break))
    case .keyword(.continue): return .statement(try loopControl(.continue))
    case .keyword(.else): return try otherwise()
    case .keyword(.end):
      try expect(.rightDelimiter, "end")
      return .end
    case .keyword(.if): return .statement(.if(try branches("if")))
    case .keyword(.range): return .statement(.range(try branches("range")))
    case .keyword(.template): return .statement(try call())
    case .keyword(.with): return .statement(.with(try branches("with")))
    default:
      body.pending.append(token)
      return .statement(.action(try pipeline("command", end: .rightDelimiter), token.position))
    }
  }

  private mutating func loopControl(_ statement: Statement) throws(TemplateError) -> Statement {
    try expect(.rightDelimiter, statement.description)
    guard body.rangeDepth > 0 else { throw failure("\(statement) outside {{range}}") }
    return statement
  }

  private mutating func otherwise() throws(TemplateError) -> Item {
    let kind = peekNonSpace().kind
    // `else if` and `else with` go on as a structure of their own, which the caller reads.
    if kind != .keyword(.if), kind != .keyword(.with) { try expect(.rightDelimiter, "else") }
    return .otherwise
  }

  private mutating func branches(_ word: String) throws(TemplateError) -> Branches {
    try enterNesting()
    let outerVariables = body.variables
    let pipeline = try pipeline(word, end: .rightDelimiter)
    let isRange = word == "range"
    if isRange { body.rangeDepth += 1 }
    let (statements, end) = try list()
    if isRange { body.rangeDepth -= 1 }
    var otherwise: [Statement]?
    if case .otherwise = end { otherwise = try alternative(word) }
    body.variables = outerVariables
    leaveNesting()
    return Branches(pipeline: pipeline, body: statements, otherwise: otherwise)
  }

  private mutating func alternative(_ word: String) throws(TemplateError) -> [Statement] {
    // The `end` of what follows an `else if` is that of the whole chain.
    switch peek().kind {
    case .keyword(.if) where word == "if":
      _ = next()
      return [.if(try branches("if"))]
    case .keyword(.with) where word == "with":
      _ = next()
      return [.with(try branches("with"))]
    default: break
    }
    let (statements, end) = try list()
    guard case .end = end else { throw failure("expected end; found {{else}}") }
    return statements
  }

  private mutating func block() throws(TemplateError) -> Statement {
    let context = "block clause"
    let token = nextNonSpace()
    let name = try templateName(token, context)
    let pipeline = try pipeline(context, end: .rightDelimiter)
    try enterNesting()
    let outer = enter(name)
    let (statements, end) = try list()
    guard case .end = end else { throw failure("unexpected {{else}} in \(context)") }
    try define(name, statements)
    body = outer
    leaveNesting()
    return .template(name, pipeline, token.position)
  }

  private mutating func call() throws(TemplateError) -> Statement {
    let context = "template clause"
    let token = nextNonSpace()
    let name = try templateName(token, context)
    let following = nextNonSpace()
    if following.kind == .rightDelimiter { return .template(name, nil, token.position) }
    body.pending.append(following)
    return .template(name, try pipeline(context, end: .rightDelimiter), token.position)
  }

  private func templateName(_ token: Token, _ context: String) throws(TemplateError) -> [UInt8] {
    guard token.kind == .string || token.kind == .rawString else { throw unexpected(token, context) }
    guard let name = Quoting.unquoted(token.value) else { throw failure("invalid syntax") }
    return name
  }

  // MARK: Tokens

  mutating func next() -> Token {
    if let token = body.pending.popLast() { return token }
    let token = lexer.next()
    body.line = token.line
    return token
  }

  mutating func peek() -> Token {
    let token = next()
    body.pending.append(token)
    return token
  }

  mutating func nextNonSpace() -> Token {
    var token = next()
    while token.kind == .space { token = next() }
    return token
  }

  mutating func peekNonSpace() -> Token {
    let token = nextNonSpace()
    body.pending.append(token)
    return token
  }

  private mutating func expect(_ kind: Token.Kind, _ context: String) throws(TemplateError) {
    let token = nextNonSpace()
    guard token.kind == kind else { throw unexpected(token, context) }
  }

  /// The caller leaves again what it has entered, but for a mistake, which ends the reading.
  mutating func enterNesting() throws(TemplateError) {
    guard nesting < TemplateLimits.nestingMax else { throw failure("max expression depth exceeded") }
    nesting += 1
  }

  mutating func leaveNesting() { nesting -= 1 }

  // MARK: Messages

  func unexpected(_ token: Token, _ context: String) -> TemplateError {
    guard token.kind == .error else { return failure("unexpected \(token.shown) in \(context)") }
    guard body.actionLine != 0, body.actionLine != token.line else { return failure(token.shown) }
    // Not "unclosed action in action started at".
    let link = token.shown.hasSuffix(" action") ? "started" : "in action started"
    return failure("\(token.shown) \(link) at \(templateName):\(body.actionLine)")
  }

  func failure(_ message: String) -> TemplateError {
    TemplateError("template: \(templateName):\(body.line): \(message)")
  }
}
