// SPDX-License-Identifier: Apache-2.0

// Templates, held against what Go's regexp.Expand documents and does.

import RegularExpressions
import Testing

@Test(arguments: [
  ("", ""), ("plain", "plain"), ("$0", "cache-7"), ("$1", "cache"), ("${1}", "cache"), ("$2", "7"), ("$2$1", "7cache"),
  ("$kind", "cache"), ("${kind}", "cache"), ("${kind}x", "cachex"), ("$kind-$2", "cache-7"),
  // The longest name: these are the groups "1x", "1_" and "kindé", which do not exist.
  ("$1x", ""), ("$1_$2", "7"), ("$kindé", ""), ("${1x}", ""), ("$1-x", "cache-x"), ("$1.", "cache."),
  ("$3", ""), ("$9", ""), ("${99}", ""), ("$unknown", ""), ("$999999999", ""),
  ("$9999999999999999999999", ""), ("$01", ""), ("$00", ""),
  ("$$", "$"), ("$$1", "$1"), ("$$$1", "$cache"), ("$$$$", "$$"), ("100$", "100$"), ("$", "$"), ("$ 1", "$ 1"), ("$-", "$-"),
  // What begins no reference stays as it is.
  ("${1", "${1"), ("${", "${"), ("${}", "${}"), ("${1 }", "${1 }"), ("${kind$2", "${kind7"), ("${$1}", "${cache}"),
  ("$\u{301}", "$\u{301}"), ("é$1é", "é"), ("é$1 é", "écache é"), ("$１", ""), ("$1\0", "cache\0"),
])
func aTemplateIsReadAsGoReadsIt(_ template: String, _ expected: String) throws {
  let expression = try RegularExpression("(?P<kind>[a-z]+)-([0-9]+)(x)?", anchored: true)
  #expect(expression.expanding(template, in: "cache-7") == expected)
  #expect(expression.expanding(template, in: "cache-") == nil)
}

@Test(arguments: [
  ("(.*)", "a:b", "$1", "a:b"), ("(.*)", "", "<$1>", "<>"), (".*", "a", "$0$1", "a"), ("(a|b)", "b", "$1$2", "b"),
  ("(.*):.*", "host:9090", "$1", "host"), ("(é+)(.*)", "éé💡", "$2$1", "💡éé"), ("(a)|(b)", "b", "<$1$2>", "<b>"),
  ("()", "", "<$1>", "<>"), ("(?P<_1>a)", "a", "$_1", "a"), ("(?P<1x>a)", "a", "$1x", "a"), ("(?P<01>a)", "a", "$01", "a"),
  ("(a*)*", "aaa", "<$1>", "<aaa>"),
])
func groupsAreThoseOfTheMatch(_ pattern: String, _ text: String, _ template: String, _ expected: String) throws {
  #expect(try RegularExpression(pattern, anchored: true).expanding(template, in: text) == expected)
}

@Test func unanchoredTheFirstMatchCounts() throws {
  #expect(try RegularExpression("([0-9]+)", anchored: false).expanding("<$1>", in: "a12b34") == "<12>")
}
