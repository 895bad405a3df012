// SPDX-License-Identifier: Apache-2.0

// Text, actions, variables and control structures. Expectations are what Go 1.25 prints; "! " begins an error.

import Testing

@Test(arguments: [
  ("plain", "plain"), ("{ {x} }", "{ {x} }"), ("", ""), ("a {{ 1 }} b", "a 1 b"), ("  {{- 1 -}}  x", "1x"),
  ("a\n {{- 1 -}} \n b", "a1b"), ("{{-1}}", "-1"), ("{{ -1 }}", "-1"), ("a{{/* c */}}b", "ab"),
  ("a {{- /* c\n */ -}} b", "ab"), (#"{{ "a" }}{{`b\n`}}"#, #"ab\n"#), (#"hé {{ "wö" }} 世"#, "hé wö 世"),
])
func textStaysAndMarkersTrim(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
  ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"),
  ("{{ $x := 1 }}{{ $x := 2 }}{{ $x }}", "2"), ("{{ if $x := 5 }}{{ $x }}{{ end }}", "5"),
  ("{{ if $x := 0 }}a{{ else }}{{ $x }}{{ end }}", "0"),
  ("{{ if 1 }}{{ $x := 1 }}{{ end }}{{ $x }}", #"! 1: undefined variable "$x""#),
  ("{{ $x = 1 }}", #"! 1:120: executing "t" at <1>: undefined variable: $x"#),
  ("{{ $x := 0 }}{{ range 4 }}{{ $x = . }}{{ end }}{{ $x }}", "3"),
  (#"{{ $i := 9 }}{{ $s := 9 }}{{ range $i, $s = query "m" }}{{ end }}{{ $i }} {{ $s.Value }}"#, "1 11.5"),
  (#"{{ define "x" }}{{ $labels.job }}{{ end }}"#, #"! 1: undefined variable "$labels""#),
  (#"{{ define "x" }}{{ $ }}{{ end }}{{ template "x" 5 }}"#, "5"),
  ("{{ $.Labels.job }} {{ with 5 }}{{ . }} {{ $.Value }}{{ end }}", "node 5 1234.5678"),
])
func variablesHaveScopes(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ if 0 }}a{{ else if "" }}b{{ else if "x" }}c{{ else }}d{{ end }}"#, "c"), ("{{ if $labels }}y{{ end }}", "y"),
  ("{{ if .Missing }}{{ end }}", #"! 1:118: executing "t" at <.Missing>: can't evaluate field Missing in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"#),
  ("{{ if nil }}{{ end }}", #"! 1:118: executing "t" at <nil>: nil is not a command"#),
  ("{{ if 0.0 }}a{{ else }}b{{ end }}", "b"), (#"{{ if query "none" }}a{{ else }}b{{ end }}"#, "b"),
  (#"{{ if query "m" }}a{{ end }}"#, "a"), ("{{ if toTime 0 }}a{{ end }}", "a"),
  ("{{ if $labels.none }}a{{ else }}b{{ end }}", "b"), ("{{ with $labels.job }}{{ . }}{{ end }}", "node"),
  ("{{ with 0 }}a{{ else with 5 }}{{ . }}{{ else }}c{{ end }}", "5"),
  ("{{ with 0 }}a{{ else }}{{ .Value }}{{ end }}", "1234.5678"), ("{{ with $x := 3 }}{{ $x }}{{ . }}{{ end }}", "33"),
  (#"{{ and 1 0 2 }} {{ and 1 2 }} {{ or 0 "" 3 }} {{ or 0 "" }}|{{ not 0 }} {{ not "a" }}"#, "0 2 3 |true false"),
  (#"{{ or 1 (index "a" 5) }} {{ and 0 (index "a" 5) }}"#, "1 0"),
  (#"{{ and 1 (index "a" 5) }}"#, #"! 1:122: executing "t" at <index "a" 5>: error calling index: index out of range: 5"#),
  ("{{ 0 | or 7 }} {{ 5 | and 1 }} {{ 1 | and }}", "7 5 1"),
])
func conditionsChoose(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  ("{{ range 3 }}{{ . }},{{ end }}", "0,1,2,"), ("{{ range $i := 3 }}{{ $i }}{{ end }}", "012"),
  ("{{ range 0 }}a{{ else }}b{{ end }}", "b"), ("{{ range -5 }}a{{ else }}b{{ end }}", "b"),
  ("{{ range $i, $v := 3 }}{{ end }}", #"! 1:131: executing "t" at <3>: can't use 3 to iterate over more than one variable"#),
  ("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "instance=web-1:9100;job=node;path=/a b/<c>&d;quantile=0.99;unicode=héllo 世界;"),
  ("{{ range .Labels }}{{ . }};{{ end }}", "web-1:9100;node;/a b/<c>&d;0.99;héllo 世界;"),
  (#"{{ range $i, $s := query "m" }}{{ $i }}:{{ $s.Labels.instance }}={{ .Value }} {{ end }}"#, "0:b=21 1:a=11.5 "),
  (#"{{ range query "none" }}a{{ else }}b{{ end }}"#, "b"),
  ("{{ range .Missing }}a{{ else }}b{{ end }}", #"! 1:121: executing "t" at <.Missing>: can't evaluate field Missing in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"#),
  (#"{{ range $k, $v := args 1 "b" nil }}{{ $k }}:{{ $v }} {{ end }}"#, "arg0:1 arg1:b arg2:<no value> "),
  (#"{{ range "abc" }}{{ end }}"#, #"! 1:121: executing "t" at <"abc">: range can't iterate over abc"#),
  ("{{ range 1.5 }}{{ end }}", #"! 1:121: executing "t" at <1.5>: range can't iterate over 1.5"#),
  ("{{ range true }}{{ end }}", #"! 1:121: executing "t" at <true>: range can't iterate over true"#),
  ("{{ range 5 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}", "012"),
  ("{{ range 5 }}{{ if eq . 3 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "0124"),
  ("{{ range 2 }}{{ range 3 }}{{ if eq . 1 }}{{ break }}{{ end }}{{ . }}{{ end }};{{ end }}", "0;0;"),
  ("{{ $n := 0 }}{{ range 3 }}{{ with . }}{{ if eq . 2 }}{{ break }}{{ end }}{{ end }}{{ $n = . }}{{ end }}{{ $n }}", "1"),
])
func loopsRun(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" }}{{ template "x" 1 }}"#, "[<no value>][1]"),
  (#"{{ template "x" 2 }}{{ define "x" }}<{{ . }}>{{ end }}"#, "<2>"),
  (#"{{ block "b" 5 }}<{{ . }}>{{ end }}"#, "<5>"),
  (#"{{ define "b" }}1{{ end }}{{ template "b" }}{{ define "b" }} {{ end }}"#, "1"),
  (#"{{ define "b" }} {{ end }}{{ define "b" }}2{{ end }}{{ template "b" }}"#, "2"),
  (#"{{ template "none" }}"#, #"! 1:124: executing "t" at <{{template "none"}}>: template "none" not defined"#),
  ("{{ define \"x\" }}{{ index 1 2 }}{{ end }}a\nb{{ template \"x\" }}", #"! 1:131: executing "x" at <index 1 2>: error calling index: can't index item of type int"#),
  (#"{{ define "a%d" }}{{ first nil }}{{ end }}{{ template "a%d" }}"#, #"! 1:133: executing "a%d" at <first nil>: error calling first: first() called on vector with no elements"#),
  (#"{{ define "n" }}{{ if gt . 0 }}{{ . }}{{ template "n" (len (slice "aaaa" 0 (len (slice "aaaa" 1 .)))) }}{{ end }}{{ end }}{{ template "n" 3 }}"#, "321"),
])
func templatesCallTemplates(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  ("{{ .Labels.job }} {{ $labels.job }} {{ $labels.none }}|{{ .Value }} {{ $value }}", "node node |1234.5678 1234.5678"),
  ("{{ .ExternalLabels.region }} {{ $externalLabels.region }} {{ .ExternalURL }} {{ $externalURL }}", "eu eu http://testhost:9090/path/prefix http://testhost:9090/path/prefix"),
  ("{{ $labels }}", "map[instance:web-1:9100 job:node path:/a b/<c>&d quantile:0.99 unicode:héllo 世界]"),
  ("{{ . }}", "{map[instance:web-1:9100 job:node path:/a b/<c>&d quantile:0.99 unicode:héllo 世界] map[region:eu] http://testhost:9090/path/prefix 1234.5678}"),
  (#"{{ (query "m" | first).Labels.instance }}"#, "b"),
  (#"{{ query "m" | first }}"#, "{map[__name__:m instance:b job:x] 21}"),
  ("{{ $labels.a.b }}", #"! 1:122: executing "t" at <$labels.a.b>: can't evaluate field b in type string"#),
  ("{{ $value.foo }}", #"! 1:121: executing "t" at <$value.foo>: can't evaluate field foo in type float64"#),
  ("{{ .Value.foo }}", #"! 1:121: executing "t" at <.Value.foo>: can't evaluate field foo in type interface {}"#),
  ("{{ .labels }}", #"! 1:115: executing "t" at <.labels>: can't evaluate field labels in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"#),
  ("{{ (args 1).arg0 }} {{ (args 1).arg1 }}", "1 <no value>"),
  ("{{ (args 1).arg1.foo }}", #"! 1:121: executing "t" at <1>: nil pointer evaluating interface {}.foo"#),
  ("{{ now.Foo }}", #"! 1:115: executing "t" at <now>: can't evaluate field Foo in type float64"#),
  ("{{ .Labels 1 }}", #"! 1:115: executing "t" at <.Labels>: Labels has arguments but cannot be invoked as function"#),
  ("{{ .Value 1 }}", #"! 1:115: executing "t" at <.Value>: Value has arguments but cannot be invoked as function"#),
  ("{{ 1 | $labels.job }}", #"! 1:126: executing "t" at <$labels.job>: job is not a method but has arguments"#),
  ("{{ 1 2 }}", #"! 1:115: executing "t" at <1>: can't give argument to non-function 1"#),
  ("{{ . 1 }}", #"! 1:115: executing "t" at <.>: can't give argument to non-function ."#),
  ("{{ (now) 1 }}", #"! 1:115: executing "t" at <(now) 1>: can't give argument to non-function now"#),
  ("{{ nil }}", #"! 1:115: executing "t" at <nil>: nil is not a command"#), (#"{{ 1 | printf "%d-%d" 2 }}"#, "2-1"),
  ("{{ 1 | now }}", #"! 1:119: executing "t" at <now>: wrong number of args for now: want 0 got 1"#),
  ("{{ now 1 }}", #"! 1:115: executing "t" at <now>: wrong number of args for now: want 0 got 1"#),
  ("{{ printf }}", #"! 1:115: executing "t" at <printf>: wrong number of args for printf: want at least 1 got 0"#),
  ("{{ eq }}", #"! 1:115: executing "t" at <eq>: wrong number of args for eq: want at least 1 got 0"#),
  ("{{ title 1 }}", #"! 1:121: executing "t" at <1>: expected string; found 1"#),
  ("{{ title nil }}", #"! 1:121: executing "t" at <nil>: cannot assign nil to string"#),
  ("{{ title .Missing }}", #"! 1:121: executing "t" at <.Missing>: can't evaluate field Missing in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"#),
  ("{{ title $value }}", #"! 1:121: executing "t" at <$value>: wrong type for value; expected string; got float64"#),
  (#"{{ label "a" 1 }}"#, #"! 1:125: executing "t" at <1>: can't handle 1 for arg of type *template.sample"#),
  ("{{ first $labels }}", #"! 1:121: executing "t" at <$labels>: wrong type for value; expected template.queryResult; got map[string]string"#),
  ("{{ first nil }}", #"! 1:115: executing "t" at <first nil>: error calling first: first() called on vector with no elements"#),
  ("{{ value nil }}", #"! 1:115: executing "t" at <value nil>: error calling value: runtime error: invalid memory address or nil pointer dereference"#),
  (#"{{ query "bad" }}"#, #"! 1:115: executing "t" at <query "bad">: error calling query: 1:1: parse error: bad"#),
  ("{{ call 1 }}", #"! 1:115: executing "t" at <call 1>: error calling call: non-function 1 of type int"#),
  ("{{ call nil }}", #"! 1:115: executing "t" at <call nil>: error calling call: call of nil"#),
  ("{{ print nil .Missing (args 1).arg9 }}", #"! 1:125: executing "t" at <.Missing>: can't evaluate field Missing in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"#),
  ("{{ .Missing }}", #"! 1:115: executing "t" at <.Missing>: can't evaluate field Missing in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"#),
  ("{{ humanize $labels }}", #"! 1:115: executing "t" at <humanize $labels>: error calling humanize: can't convert map[string]string to float"#),
  (#"{{ safeHtml "<b>" }} {{ safeHtml "<b>" | len }}"#, "<b> 3"),
  (#"{{ safeHtml "<b>" | title }}"#, #"! 1:132: executing "t" at <title>: wrong type for value; expected string; got template.HTML"#),
])
func fieldsAndCallsChain(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}
