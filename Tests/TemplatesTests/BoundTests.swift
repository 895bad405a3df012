// SPDX-License-Identifier: Apache-2.0

import Templates
import Testing
import TimeSeries

// What bounds a template: at the bound it expands, one past it is an error, and nothing takes long or crashes.

/// What an error says, without where; nil for an expansion.
private func refusal(_ text: String, _ scope: TemplateScope = .alert()) -> String? {
  do {
    _ = try Template(text, name: "t").expand(scope)
    return nil
  } catch {
    let message = error.description.split(separator: ">: ").last ?? ""
    return String(message).replacing(#/^error calling \w+: /#, with: "")
  }
}

private let steps = "the template takes more than \(TemplateLimits.stepsMax) steps"
private let tooLarge = "the result is larger than \(TemplateLimits.outputBytesMax) bytes"
private let tooMuch = "the output is larger than \(TemplateLimits.outputBytesMax) bytes"

@Test func textsHaveASize() throws {
  let text = String(repeating: "a", count: TemplateLimits.textBytesMax)
  #expect(try Template(text, name: "t").expand(.alert()) == text)
  #expect(refusal(text + "a") == "template: t: the text is larger than 65536 bytes")
}

@Test func structuresNestSoDeep() {
  let max = TemplateLimits.nestingMax
  func nested(_ open: String, _ close: String, _ count: Int) -> String {
    String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
  }
  let refused = "template: t:1: max expression depth exceeded"
  #expect(expanded("{{ \(nested("(", ")", max)) }}") == "1")
  #expect(refusal("{{ \(nested("(", ")", max + 1)) }}") == refused)
  #expect(expanded(nested("{{ if 1 }}", "{{ end }}", max)) == "1")
  #expect(refusal(nested("{{ if 1 }}", "{{ end }}", max + 1)) == refused)
  #expect(expanded("{{ if 0 }}" + String(repeating: "{{ else if 0 }}", count: max - 1) + "{{ end }}") == "")
  #expect(refusal("{{ if 0 }}" + String(repeating: "{{ else if 0 }}", count: max) + "{{ end }}") == refused)
  #expect(refusal(nested("{{ block \"x\" . }}", "{{ end }}", max + 1)) == refused)
}

@Test func templatesCallSoDeep() {
  func chain(_ count: Int) -> String {
    let definitions = (1...count).map { "{{ define \"\($0)\" }}{{ template \"\($0 + 1)\" }}{{ end }}" }
    return definitions.joined() + "{{ define \"\(count + 1)\" }}end{{ end }}{{ template \"1\" }}"
  }
  let max = TemplateLimits.callDepthMax
  #expect(expanded(chain(max - 1)) == "end")
  #expect(refusal(chain(max)) == "exceeded maximum template depth (\(max))")
  #expect(
    refusal(#"{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}"#)
      == "exceeded maximum template depth (\(max))")
}

@Test func executionNestsSoDeep() {
  let max = TemplateLimits.executionDepthMax
  func lists(_ count: Int) -> String {
    var text = "{{ define \"a\" }}" + String(repeating: "{{ if 1 }}", count: 98) + "{{ template \"b\" }}"
    text +=
      String(repeating: "{{ end }}", count: 99) + "{{ define \"b\" }}" + String(repeating: "{{ if 1 }}", count: 98)
    text += "{{ template \"c\" }}" + String(repeating: "{{ end }}", count: 99) + "{{ define \"c\" }}"
    text += String(repeating: "{{ if 1 }}", count: count) + "end" + String(repeating: "{{ end }}", count: count + 1)
    return text + "{{ template \"a\" }}"
  }
  // The text's list, two with 99 and that of "c" are 200.
  #expect(expanded(lists(max - 200)) == "end")
  #expect(refusal(lists(max - 200 + 1)) == "actions are nested too deeply")
}

@Test func outputHasASize() {
  #expect(refusal("{{ $a := \"x\" }}{{ range 16 }}{{ $a = print $a $a }}{{ end }}{{ $a }}") == nil)
  #expect(refusal("{{ $a := \"x\" }}{{ range 16 }}{{ $a = print $a $a }}{{ end }}{{ $a }}y") == tooMuch)
  #expect(refusal("{{ $a := \"x\" }}{{ range 17 }}{{ $a = print $a $a }}{{ end }}") == tooLarge)
  #expect(refusal("{{ range 65535 }}x{{ end }}y") == nil)
  #expect(refusal("{{ range 65536 }}x{{ end }}y") == tooMuch)
  #expect(refusal(#"{{ printf "%65536d" 1 }}"#) == nil)
  #expect(refusal(#"{{ printf "%65537d" 1 }}"#) == tooLarge)
  #expect(refusal(#"{{ printf "%1000000d" 1 }}"#) == tooLarge)
  #expect(refusal(#"{{ printf "%.1000000f" 1.5 }}"#) == tooLarge)
  #expect(refusal(#"{{ printf "%.1000000d" 1 }}"#) == tooLarge)
  #expect(refusal(#"{{ printf "%*d" 1000000 1 }}"#) == tooLarge)
  #expect(expanded(#"{{ printf "%1000000000d" 1 }}"#) == "%!(NOVERB)%!(EXTRA int=1)")
}

@Test(arguments: [
  "{{ range 1000000000000 }}{{ end }}",
  "{{ range 1000000 }}{{ range 1000000 }}{{ end }}{{ end }}",
  #"{{ define "x" }}{{ range 9 }}{{ template "y" }}{{ end }}{{ end }}{{ define "y" }}{{ range 99999 }}{{ end }}{{ end }}{{ template "x" }}"#,
  #"{{ range 1000000 }}{{ $x := toUpper $labels.job }}{{ end }}"#,
  #"{{ $f := "%[1]e" }}{{ range 12 }}{{ $f = print $f $f }}{{ end }}{{ range 1000 }}{{ $x := printf $f 5e-324 }}{{ end }}"#,
  #"{{ $a := "é" }}{{ range 14 }}{{ $a = print $a $a }}{{ end }}{{ range 100000 }}{{ $x := title $a }}{{ end }}"#,
  #"{{ $a := "a" }}{{ range 15 }}{{ $a = print $a $a }}{{ end }}{{ reReplaceAll "(a*b)|a" "x" $a }}"#,
  #"{{ $a := "ab" }}{{ range 14 }}{{ $a = print $a $a }}{{ end }}{{ range 1000 }}{{ $x := match "(a|b)*a(a|b){500}c" $a }}{{ end }}"#,
])
func hostileTemplatesEndSoon(text: String) {
  let start = ContinuousClock.now
  #expect(refusal(text) == steps, "\(text): \(expanded(text).suffix(200))")
  // Twice some tenths of a second; the bound is loose for machines that do other things too.
  #expect(ContinuousClock.now - start < .seconds(5), "\(text)")
}

@Test func queriesAreCounted() {
  var count = 0
  let scope = TemplateScope.alert { query in
    count += 1
    return try TemplateScope.samples(query)
  }
  let max = TemplateLimits.queriesMax
  #expect(refusal("{{ range \(max) }}{{ $x := query \"m\" }}{{ end }}", scope) == nil)
  #expect(count == max)
  count = 0
  #expect(
    refusal("{{ range \(max + 1) }}{{ $x := query \"m\" }}{{ end }}", scope)?.hasSuffix("makes more than 100 queries")
      == true)
  #expect(count == max)
}

@Test func argumentsNestSoDeep() {
  let max = TemplateLimits.argumentDepthMax
  #expect(refusal("{{ $x := args }}{{ range \(max - 1) }}{{ $x = args $x }}{{ end }}{{ $x }}") == nil)
  #expect(
    refusal("{{ $x := args }}{{ range \(max) }}{{ $x = args $x }}{{ end }}")?.hasSuffix("nested too deeply") == true)
  #expect(refusal("{{ $x := args 1 }}{{ range 40 }}{{ $x = args $x $x $x }}{{ end }}{{ $x }}") == tooMuch)
}

@Test func patternsHaveASizeAndANumber() {
  let pattern = String(repeating: "a", count: TemplateLimits.patternBytesMax)
  #expect(expanded("{{ match \"\(pattern)\" \"b\" }}") == "false")
  #expect(refusal("{{ match \"\(pattern)a\" \"b\" }}")?.hasSuffix("the pattern is larger than 1024 bytes") == true)
  let many = #"{{ range COUNT }}{{ $x := match (printf "%d" .) "b" }}{{ end }}{{ match "1" "1" }}"#
  #expect(expanded(many.replacing("COUNT", with: "\(TemplateLimits.patternsMax)")) == "true")
  #expect(
    refusal(many.replacing("COUNT", with: "\(TemplateLimits.patternsMax + 1)"))?.hasSuffix("more than 20 patterns")
      == true)
  #expect(refusal(#"{{ match "(\\pL{500}){2}" "b" }}"#)?.contains("expression too large") == true)
  let wide = #"{{ $a := "a" }}{{ range 15 }}{{ $a = print $a $a }}{{ end }}{{ reReplaceAll ".*" "$0$0$0$0$0$0" $a }}"#
  #expect(refusal(wide)?.hasSuffix(tooLarge) == true)
}

@Test(arguments: [
  ("{{ (toTime 1).AddDate 9223372036854775807 9223372036854775807 9223372036854775807 }}", "time out of range"),
  ("{{ (toTime 1).AddDate -9223372036854775808 0 0 }}", "time out of range"),
  ("{{ $t := toTime 1 }}{{ range 99999 }}{{ $t = $t.AddDate 999999999 0 0 }}{{ end }}", "time out of range"),
  ("{{ parseDuration \"9223372036854775807ms\" }}", "duration out of range"),
  ("{{ slice \"abc\" 9223372036854775807 }}", "index out of range: 9223372036854775807"),
  ("{{ index \"abc\" -9223372036854775808 }}", "index out of range: -9223372036854775808"),
])
func numbersBeyondTheirRangeAreErrors(text: String, expected: String) {
  #expect(refusal(text)?.hasSuffix(expected) == true, "\(text): \(expanded(text))")
}

@Test(arguments: [
  (
    "{{ ((toTime 1).Add -9223372036854775808).Truncate 9223372036854775807 }}",
    "1462-05-21 22:56:24.273879035 +0000 UTC"
  ),
  ("{{ (toDuration -1e300).Abs }} {{ (toDuration 1e300) }}", "2562047h47m16.854775807s -2562047h47m16.854775808s"),
  ("{{ ((toTime 9223372036).Add 9223372036854775807).UnixNano }}", "-854775809"),
  ("{{ range -9223372036854775808 }}{{ end }}", ""),
  ("{{ printf \"%d %x\" -9223372036854775808 -9223372036854775808 }}", "-9223372036854775808 -8000000000000000"),
  ("{{ printf \"%-*d|%.*d\" -9223372036854775808 1 -9223372036854775808 1 }}", "%!(BADWIDTH)1|%!(BADPREC)1"),
  ("{{ printf \"%c %q %U\" -9223372036854775808 9223372036854775807 -1 }}", "\u{fffd} '\u{fffd}' U+FFFFFFFFFFFFFFFF"),
  ("{{ printf \"%[9223372036854775807]d\" 1 }}", "%!d(BADINDEX)"),
])
func extremeNumbersAreSafe(text: String, expected: String) {
  #expect(expanded(text) == expected, "\(text)")
}

@Test func longMessagesAreCut() {
  let text = "{{ first nil }}" + String(repeating: "x", count: 10_000)
  #expect(
    expanded(text)
      == "! 1:115: executing \"t\" at <first nil>: error calling first: first() called on vector with no elements")
  let long = expanded("{{ index \"\(String(repeating: "x", count: 10_000))\" 1 2 }}")
  #expect(long.utf8.count < 4_200 && long.hasSuffix("…"))
}
