// SPDX-License-Identifier: Apache-2.0

// What bounds a template: it is written by people, may recurse and loop, and runs in every evaluation of its rule.

/// The bounds of reading and expanding templates. Past any of them is a `TemplateError`.
package enum TemplateLimits {
  /// Most bytes of a template. The largest of published rule files are a few KiB.
  package static let textBytesMax = 64 << 10
  /// Most bytes of the result, and of any text that is made on the way.
  package static let outputBytesMax = 64 << 10
  /// Parentheses and control structures inside of each other. A chain of `else if` counts each.
  package static let nestingMax = 100
  /// Templates that run inside of each other. Go allows 100,000, on a stack that grows.
  package static let callDepthMax = 50
  /// Lists of statements and pipelines under way at once, those of called templates included. All of them take less
  /// than 384 KiB of the stack.
  package static let executionDepthMax = 250
  /// Statements, commands and arguments evaluated, with a share for the bytes that functions read and write.
  package static let stepsMax = 250_000
  /// Calls of `query` in one expansion.
  package static let queriesMax = 100
  /// Maps made by `args` inside of each other.
  package static let argumentDepthMax = 50
  /// Most bytes of a pattern of `match` and `reReplaceAll`.
  package static let patternBytesMax = 1 << 10
  /// Patterns compiled in one expansion. Each is compiled once.
  package static let patternsMax = 20
}
