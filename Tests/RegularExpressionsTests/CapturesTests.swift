// SPDX-License-Identifier: Apache-2.0

import RegularExpressions
import Testing

@Test(arguments: [
  // pattern, text, template, expansion
  ("source-value-(.*)", "source-value-10", "destination-value-$1", "destination-value-10"),
  ("source-value-(.*)", "source-value-10", "${1}x", "10x"),
  ("source-value-(.*)", "source-value-10", "$1x", ""),
  ("source-value-(.*)", "source-value-10", "$1_", ""),
  ("source-value-(.*)", "source-value-10", "$1-$0", "10-source-value-10"),
  ("(?P<tier>L.)(?P<rest>.*)", "L1 a", "${tier}:$rest", "L1: a"),
  ("(?P<x>a)?(?P<y>b)", "b", "[$x]$y", "[]b"),
  ("(a)", "a", "$$1 $ ${1 ${} $-", "$1 $ ${1 ${} $-"),
  ("(a)", "a", "$", "$"),
  ("(a)", "a", "$2 $10 $99999999999999999999 $01", "   "),
  ("(a)", "a", "", ""),
  ("(.*)", "é😀", "<$1>", "<é😀>"),
  ("(.)(.*)", "é😀", "$2$1", "😀é"),
  ("(.*)", "", "[$1]", "[]"),
  ("(a)", "a", "$é", ""),
  ("(a)", "a", "é$1é", "é"),
  ("(a)", "a", "é${1}é", "éaé"),
])
func templatesExpandAsInGo(pattern: String, text: String, template: String, expansion: String) throws {
  let captures = try RegularExpression(pattern, anchored: true).captures(in: text)
  #expect(captures?.expanding(template) == expansion)
}

@Test func groupsAreFoundByNumberAndName() throws {
  let expression = try RegularExpression("(?P<a>x)|(?P<b>(y))", anchored: true)
  let captures = try #require(expression.captures(in: "y"))
  #expect(captures[0] == "y" && captures[1] == nil && captures[2] == "y" && captures[3] == "y")
  #expect(captures[4] == nil && captures[-1] == nil)
  #expect(captures["a"] == nil && captures["b"] == "y" && captures["c"] == nil)
  #expect(expression.captures(in: "z") == nil)
}
