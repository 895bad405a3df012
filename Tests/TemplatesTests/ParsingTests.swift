// SPDX-License-Identifier: Apache-2.0

// What is read, and in which words the rest is refused. Expectations are what Go 1.25 says; "! " begins an error.

import Testing

@Test(arguments: [
  ("{{", "! 1: unclosed action"), ("{{}}", "! 1: missing value for command"), ("{{ 1", "! 1: unclosed action"),
  ("{{ 1\n\n", "! 3: unclosed action started at t:1"), (#"{{ "a"#, "! 1: unterminated quoted string"),
  ("{{ `a", "! 1: unterminated raw quoted string"), ("{{ 'a", "! 1: unterminated character constant"),
  ("{{ \"a\nb\" }}", "! 1: unterminated quoted string"), ("{{/* a", "! 1: unclosed comment"),
  ("{{/* a */ }}", "! 1: comment ends before closing delimiter"), ("{{ foo }}", #"! 1: function "foo" not defined"#),
  ("a\n{{ foo }}", #"! 2: function "foo" not defined"#),
  ("{{ if 1 }}\n\n{{ foo }}{{ end }}", #"! 3: function "foo" not defined"#),
  ("{{\n1\nfoo }}", #"! 3: function "foo" not defined"#), (#"{{ "x" | foo }}"#, #"! 1: function "foo" not defined"#),
  ("{{ $x }}", #"! 1: undefined variable "$x""#), ("{{ $label.instance }}", #"! 1: undefined variable "$label""#),
  ("{{ $labels.quantile * 100 }}", #"! 1: unexpected "*" in operand"#),
  ("{{ $labels-instance }}", "! 1: bad character U+002D '-'"),
  ("{{ $labels[instance] }}", "! 1: bad character U+005B '['"),
  ("{{ \u{a0} }}", "! 1: unrecognized character in action: U+00A0"), ("{{ 世 }}", #"! 1: function "世" not defined"#),
  ("{{ .a-b }}", "! 1: bad character U+002D '-'"), ("{{ @ }}", #"! 1: unexpected "@" in command"#),
  ("{{ 1a }}", #"! 1: bad number syntax: "1a""#), ("{{ 1.2.3 }}", #"! 1: unexpected ".3" in operand"#),
  ("{{ 08 }}", #"! 1: integer overflow: "08""#), ("{{ 1__0 }}", #"! 1: illegal number syntax: "1__0""#),
  ("{{ 9223372036854775808 }}", #"! 1:115: executing "t" at <9223372036854775808>: 9223372036854775808 overflows int"#),
  ("{{ 18446744073709551616 }}", #"! 1: integer overflow: "18446744073709551616""#),
  ("{{ 1e999 }}", #"! 1: illegal number syntax: "1e999""#), ("{{ 'ab' }}", "! 1: malformed character constant: 'ab'"),
  ("{{ '' }}", "! 1: invalid syntax"), (#"{{ '\q' }}"#, "! 1: invalid syntax"),
  (#"{{ "\q" }}"#, "! 1: invalid syntax"), (#"{{ "\x4" }}"#, "! 1: invalid syntax"),
  (#"{{ "\ud800" }}"#, "! 1: invalid syntax"), ("{{ end }}", "! 1: unexpected {{end}}"),
  ("{{ else }}", "! 1: unexpected {{else}}"), ("{{ if }}{{ end }}", "! 1: missing value for if"),
  ("{{ if 1 }}", "! 1: unexpected EOF"),
  ("{{ if 1 }}{{ else }}{{ else }}{{ end }}", "! 1: expected end; found {{else}}"),
  ("{{ range 0 }}{{ else if 1 }}{{ end }}", "! 1: unexpected <if> in input"),
  ("{{ with 0 }}{{ else if 1 }}{{ end }}", "! 1: unexpected <if> in input"),
  ("{{ break }}", "! 1: {{break}} outside {{range}}"), ("{{ continue }}", "! 1: {{continue}} outside {{range}}"),
  ("{{ range 2 }}{{ break 1 }}{{ end }}", #"! 1: unexpected "1" in {{break}}"#),
  (#"{{ range 2 }}{{ block "x" . }}{{ break }}{{ end }}{{ end }}"#, "! 1: {{break}} outside {{range}}"),
  ("{{ define x }}{{ end }}", #"! 1: unexpected "x" in define clause"#), (#"{{ define "x" }}"#, "! 1: unexpected EOF"),
  (#"{{ define "x" 1 }}{{ end }}"#, #"! 1: unexpected "1" in define clause"#),
  (#"{{ define "x" }}{{ else }}{{ end }}"#, "! 1: unexpected {{else}} in define clause"),
  (#"{{ if 1 }}{{ define "x" }}{{ end }}{{ end }}"#, "! 1: unexpected <define> in command"),
  (#"{{ define "x" }}1{{ end }}{{ define "x" }}2{{ end }}"#, #"! 1: template: multiple definition of template "x""#),
  (#"{{ define "t" }}1{{ end }}{{ define "t" }}2{{ end }}"#, #"! 1: template: multiple definition of template "t""#),
  ("{{ template x }}", #"! 1: unexpected "x" in template clause"#),
  ("{{ template }}", #"! 1: unexpected "}}" in template clause"#),
  (#"{{ block "b" }}{{ end }}"#, "! 1: missing value for block clause"),
  ("{{ 1 | 2 }}", "! 1: non executable command in pipeline stage 2"),
  ("{{ | 1 }}", #"! 1: unexpected "|" in command"#), ("{{ 1 | | 2 }}", #"! 1: unexpected "|" in command"#),
  ("{{ ( }}", "! 1: unclosed left paren"), ("{{ (1 }}", "! 1: unclosed left paren"),
  ("{{ () }}", "! 1: missing value for parenthesized pipeline"), ("{{ 1) }}", "! 1: unexpected right paren"),
  ("{{ 1.foo }}", #"! 1: bad number syntax: "1.f""#), (#"{{ "a".foo }}"#, #"! 1: unexpected . after term "\"a\"""#),
  ("{{ nil.foo }}", #"! 1: unexpected . after term "nil""#), ("{{ $x := }}", "! 1: missing value for command"),
  ("{{ $x, $y := 1 }}", "! 1: too many declarations in command"),
  ("{{ range $x, 1 := . }}{{ end }}", "! 1: range can only initialize variables"),
  ("{{ range $x, $y, $z := . }}{{ end }}", "! 1: too many declarations in range"),
  ("{{ $x : 1 }}", #"! 1: undefined variable "$x""#), ("{{ print 1,2 }}", #"! 1: unexpected "," in operand"#),
  (#"{{ print "a""b" }}"#, #"! 1: unexpected "\"b\"" in operand"#),
  (#"{{ tmpl "x" . }}"#, #"! 1: function "tmpl" not defined"#),
  ("{{ humanize $value% }}", "! 1: bad character U+0025 '%'"),
])
func mistakesAreRefusedInGosWords(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  ("{{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 017 }} {{ 1e3 }} {{ 1.5e-3 }} {{ .5 }} {{ 5. }} {{ 0x1p-2 }} {{ +5 }} {{ -0 }}", "1000 31 5 15 15 1000 0.0015 0.5 5 0.25 5 0"),
  (#"{{ 'a' }} {{ '\n' }} {{ '世' }} {{ '\x41' }}"#, "97 10 19990 65"),
  (#"{{ "\u00e9\U0001F600\101\x41\t\"" }}"#, "é😀AA\t\""),
  ("{{ 1.0 }} {{ 1e6 }} {{ 100000.0 }} {{ 1e20 }} {{ 1234567.5 }} {{ 0.0001 }} {{ 0.00001 }} {{ 123456789 }}", "1 1e+06 100000 1e+20 1.2345675e+06 0.0001 1e-05 123456789"),
  ("{{ true }} {{ false }}", "true false"), ("{{ 1 | }}", "1"),
  ("{{ print(1) }}{{ print (1)(2) }}", #"! 1: unexpected "(" in operand"#),
  ("{{ range $x, $y }}{{ end }}", #"! 1: undefined variable "$y""#),
  ("{{range $x, }}{{end}}", "! 1: missing value for range"),
  ("{{ -9223372036854775808 }} {{ 9223372036854775807 }}", "-9223372036854775808 9223372036854775807"),
  ("{{ 18446744073709551615 }}", #"! 1:115: executing "t" at <18446744073709551615>: 18446744073709551615 overflows int"#),
  (#"{{ 1.0e0 | printf "%d" }}"#, "%!d(float64=1)"),
])
func literalsAreRead(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}
