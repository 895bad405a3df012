// SPDX-License-Identifier: Apache-2.0

// Functions on values and texts. Expectations are what Go 1.25 and Prometheus print; "! " begins an error.

import Testing

@Test(arguments: [
  (#"{{ eq 1 1 }} {{ eq 1 2 1 }} {{ eq "a" "b" }} {{ eq 1.5 1.5 }} {{ eq true false }}"#, "true true false true false"),
  ("{{ ne 1 2 }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt 1 2 }} {{ ge 2 2 }}", "true true true false true"),
  (#"{{ lt "a" "b" }} {{ lt "é" "z" }} {{ lt 1.5 2.5 }}"#, "true false true"),
  ("{{ eq 1 1.0 }}", #"! 1:115: executing "t" at <eq 1 1.0>: error calling eq: incompatible types for comparison: int and float64"#),
  ("{{ gt $value 1000 }}", #"! 1:115: executing "t" at <gt $value 1000>: error calling gt: incompatible types for comparison: float64 and int"#),
  (#"{{ lt 1 "a" }}"#, #"! 1:115: executing "t" at <lt 1 "a">: error calling lt: incompatible types for comparison: int and string"#),
  ("{{ lt true false }}", #"! 1:115: executing "t" at <lt true false>: error calling lt: invalid type for comparison"#),
  ("{{ lt nil 1 }}", #"! 1:115: executing "t" at <lt nil 1>: error calling lt: invalid type for comparison"#),
  ("{{ eq nil 1 }} {{ eq .Missing nil }} {{ eq nil nil }}", #"! 1:133: executing "t" at <.Missing>: can't evaluate field Missing in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"#),
  ("{{ eq 1 }}", #"! 1:115: executing "t" at <eq 1>: error calling eq: missing argument for comparison"#),
  ("{{ eq $labels $labels }}", #"! 1:115: executing "t" at <eq $labels $labels>: error calling eq: non-comparable type map[instance:web-1:9100 job:node path:/a b/<c>&d quantile:0.99 unicode:héllo 世界]: map[string]string"#),
  ("{{ eq $labels 1 }}", #"! 1:115: executing "t" at <eq $labels 1>: error calling eq: incompatible types for comparison: map[string]string and int"#),
  (#"{{ eq (query "m") $labels }}"#, #"! 1:115: executing "t" at <eq (query "m") $labels>: error calling eq: non-comparable types [%!s(*template.sample=&{map[__name__:m instance:b job:x] 21}) %!s(*template.sample=&{map[__name__:m __value__:v instance:a] 11.5})]: template.queryResult, map[string]string: map[instance:web-1:9100 job:node path:/a b/<c>&d quantile:0.99 unicode:héllo 世界]"#),
  (#"{{ eq (index "a" 0) 97 }} {{ lt (index "a" 0) 98 }}"#, "true true"),
  (#"{{ $s := query "m" | first }}{{ eq $s $s }} {{ eq $s (query "m" | first) }}"#, "true false"),
  ("{{ eq (toTime 5).UTC (toTime 5).UTC }} {{ eq (toTime 5) (toTime 5) }}", "true false"),
  (#"{{ $n := 0.0 }}{{ gt "NaN" "a" }}"#, "false"), (#"{{ eq "é" "é" }}"#, "false"),
  (#"{{ eq (safeHtml "a") "a" }}"#, "true"),
])
func valuesCompare(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ len "hé" }} {{ len $labels }} {{ len (query "m") }} {{ len (args 1 2) }}"#, "3 5 2 2"),
  ("{{ len 1 }}", #"! 1:115: executing "t" at <len 1>: error calling len: len of type int"#),
  ("{{ len nil }}", #"! 1:115: executing "t" at <len nil>: error calling len: reflect: call of reflect.Value.Type on zero Value"#),
  (#"{{ len (query "m" | first) }}"#, #"! 1:115: executing "t" at <len (query "m" | first)>: error calling len: len of type template.sample"#),
  (#"{{ index $labels "job" }} {{ index $labels "none" }}|"#, "node |"), (#"{{ index "abc" 1 }}"#, "98"),
  (#"{{ index "abc" 3 }}"#, #"! 1:115: executing "t" at <index "abc" 3>: error calling index: reflect: string index out of range"#),
  (#"{{ index "abc" 4 }}"#, #"! 1:115: executing "t" at <index "abc" 4>: error calling index: index out of range: 4"#),
  (#"{{ index "abc" -1 }}"#, #"! 1:115: executing "t" at <index "abc" -1>: error calling index: index out of range: -1"#),
  (#"{{ index (query "m") 1 | value }}"#, "11.5"),
  (#"{{ index (query "m") 2 }}"#, #"! 1:115: executing "t" at <index (query "m") 2>: error calling index: reflect: slice index out of range"#),
  (#"{{ index (query "m") 5 }}"#, #"! 1:115: executing "t" at <index (query "m") 5>: error calling index: index out of range: 5"#),
  (#"{{ index (query "m") "a" }}"#, #"! 1:115: executing "t" at <index (query "m") "a">: error calling index: cannot index slice/array with type string"#),
  ("{{ index $labels 1 }}", #"! 1:115: executing "t" at <index $labels 1>: error calling index: value has type int; should be string"#),
  ("{{ index $labels nil }}", #"! 1:115: executing "t" at <index $labels nil>: error calling index: value is nil; should be of type string"#),
  (#"{{ index (args "a" 5) "arg1" }} {{ index (args 1) "arg7" }}"#, "5 <no value>"),
  ("{{ index 1 2 }}", #"! 1:115: executing "t" at <index 1 2>: error calling index: can't index item of type int"#),
  ("{{ index nil 1 }}", #"! 1:115: executing "t" at <index nil 1>: error calling index: index of untyped nil"#),
  (#"{{ slice "abcdef" 1 3 }} {{ slice "abc" 1 }} {{ slice "abc" }}"#, "bc bc abc"),
  (#"{{ slice "abc" 2 1 }}"#, #"! 1:115: executing "t" at <slice "abc" 2 1>: error calling slice: invalid slice index: 2 > 1"#),
  (#"{{ slice "abc" 1 9 }}"#, #"! 1:115: executing "t" at <slice "abc" 1 9>: error calling slice: index out of range: 9"#),
  (#"{{ slice "abc" 0 1 2 }}"#, #"! 1:115: executing "t" at <slice "abc" 0 1 2>: error calling slice: cannot 3-index slice a string"#),
  (#"{{ slice "hé" 0 2 | printf "%q" }}"#, #""h\xc3""#),
  (#"{{ slice (query "m") 1 | len }} {{ slice (query "m") 0 1 2 | len }}"#, "1 1"),
  ("{{ slice 1 2 }}", #"! 1:115: executing "t" at <slice 1 2>: error calling slice: can't slice item of type int"#),
  (#"{{ slice "abc" 1 2 3 4 }}"#, #"! 1:115: executing "t" at <slice "abc" 1 2 3 4>: error calling slice: too many slice indexes: 4"#),
  (#"{{ slice "a" nil }}"#, #"! 1:115: executing "t" at <slice "a" nil>: error calling slice: cannot index slice/array with nil"#),
])
func valuesAreIndexed(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ html "<a href='x'>&\"\x00</a>" }}"#, "&lt;a href=&#39;x&#39;&gt;&amp;&#34;�&lt;/a&gt;"),
  (#"{{ js "a'b\"<>=&\n\\\u2028é" }}"#, #"a\'b\"\u003C\u003E\u003D\u0026\u000A\\\u2028é"#),
  (#"{{ urlquery "a b&c=d/e?f~g-h_i.jé" }}"#, "a+b%26c%3Dd%2Fe%3Ff~g-h_i.j%C3%A9"),
  (#"{{ urlQueryEscape "a b+c" }}"#, "a+b%2Bc"), (#"{{ html 1 "<" nil $labels.job }}"#, "1&lt;&lt;no value&gt;node"),
  (#"{{ graphLink "up{job=\"a b\"}" }} {{ tableLink "1+1" }}"#, "/graph?g0.expr=up%7Bjob%3D%22a+b%22%7D&g0.tab=0 /graph?g0.expr=1%2B1&g0.tab=1"),
  ("{{ pathPrefix }} {{ externalURL }}", "/path/prefix http://testhost:9090/path/prefix"),
])
func textsAreEscaped(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ toUpper "héllo ß ǆ ᾳ" }} {{ toLower "İÉA" }}"#, "HÉLLO ß Ǆ ᾼ iéa"),
  (#"{{ title "aa bb CC dd-ee don't x.y 1st snake_case a:b éa" }}"#, "Aa Bb CC Dd-Ee Don't X.y 1St Snake_case A:b Éa"),
  (#"{{ title "ǆa" }}"#, "ǅa"),
])
func lettersChange(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ "a.b:80" | stripPort }} {{ "a.b:80" | stripDomain }}"#, "a.b a:80"),
  (#"{{ "a.b" | stripPort }} {{ "a.b" | stripDomain }}"#, "a.b a"),
  (#"{{ "1.2.3.4:80" | stripPort }} {{ "1.2.3.4:80" | stripDomain }}"#, "1.2.3.4 1.2.3.4:80"),
  (#"{{ "1.2.3.04" | stripPort }} {{ "1.2.3.04" | stripDomain }}"#, "1.2.3.04 1"),
  (#"{{ "[::1]:80" | stripPort }} {{ "[::1]:80" | stripDomain }}"#, "::1 [::1]:80"),
  (#"{{ "::1" | stripPort }} {{ "::1" | stripDomain }}"#, "::1 ::1"),
  (#"{{ "[::1" | stripPort }} {{ "[::1" | stripDomain }}"#, "[::1 [::1"),
  (#"{{ "[::1]" | stripPort }} {{ "[::1]" | stripDomain }}"#, "[::1] [::1]"),
  (#"{{ "[a[b]:80" | stripPort }} {{ "[a[b]:80" | stripDomain }}"#, "[a[b]:80 [a[b]:80"),
  (#"{{ "a]:80" | stripPort }} {{ "a]:80" | stripDomain }}"#, "a]:80 a]:80"),
  (#"{{ ":80" | stripPort }} {{ ":80" | stripDomain }}"#, " :80"),
  (#"{{ "a:b:c" | stripPort }} {{ "a:b:c" | stripDomain }}"#, "a:b:c a:b:c"),
  (#"{{ "a.b:" | stripPort }} {{ "a.b:" | stripDomain }}"#, "a.b a"),
  (#"{{ "[::ffff:1.2.3.4]:1" | stripPort }} {{ "[::ffff:1.2.3.4]:1" | stripDomain }}"#, "::ffff:1.2.3.4 [::ffff:1.2.3.4]:1"),
  (#"{{ "1::2::3" | stripPort }} {{ "1::2::3" | stripDomain }}"#, "1::2::3 1::2::3"),
  (#"{{ "1:2:3:4:5:6:7::" | stripPort }} {{ "1:2:3:4:5:6:7::" | stripDomain }}"#, "1:2:3:4:5:6:7:: 1:2:3:4:5:6:7::"),
  (#"{{ "[1:2:3:4:5:6:1.2.3.4]:5" | stripPort }} {{ "[1:2:3:4:5:6:1.2.3.4]:5" | stripDomain }}"#, "1:2:3:4:5:6:1.2.3.4 [1:2:3:4:5:6:1.2.3.4]:5"),
  (#"{{ "fe80::1%eth0" | stripPort }} {{ "fe80::1%eth0" | stripDomain }}"#, "fe80::1%eth0 fe80::1%eth0"),
  (#"{{ "[a.b:c.d]:80" | stripPort }} {{ "[a.b:c.d]:80" | stripDomain }}"#, "a.b:c.d a:80"),
  (#"{{ "12345::" | stripPort }} {{ "12345::" | stripDomain }}"#, "12345:: 12345::"),
  (#"{{ "" | stripPort }} {{ "" | stripDomain }}"#, " "),
])
func hostsLoseTheirPortsAndDomains(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ match "a.b" "xaxbx" }} {{ match "a.b" "a\nb" }} {{ match "(?s)a.b" "a\nb" }} {{ match "^b" "ab" }}"#, "true false true false"),
  (#"{{ match "(?i)ABC" "xabcx" }}"#, "true"),
  (#"{{ match "(" "a" }}"#, #"! 1:115: executing "t" at <match "(" "a">: error calling match: error parsing regexp: missing closing ): `(`"#),
  (#"{{ match "a**" "a" }}"#, #"! 1:115: executing "t" at <match "a**" "a">: error calling match: error parsing regexp: invalid nested repetition operator: `**`"#),
  (#"{{ reReplaceAll "(a)b" "x$1" "ab" }}"#, "xa"), (#"{{ reReplaceAll "a*" "x" "baac" }}"#, "xbxcx"),
  (#"{{ reReplaceAll "" "-" "hé世" }}"#, "-h-é-世-"), (#"{{ reReplaceAll "a" "$0$0" "banana" }}"#, "baanaanaa"),
  (#"{{ reReplaceAll "(a)(b)?" "[$1|$2|$3|$$]" "abaab" }}"#, "[a|b||$][a|||$][a|b||$]"),
  (#"{{ reReplaceAll "(?P<x>a)" "<${x}>" "banana" }}"#, "b<a>n<a>n<a>"),
  (#"{{ reReplaceAll "^a" "x" "aaa" }}"#, "xaa"), (#"{{ reReplaceAll "\\b" "|" "ab cd" }}"#, "|ab| |cd|"),
  (#"{{ reReplaceAll "a|" "x" "baab" }}"#, "xbxxbx"), (#"{{ reReplaceAll "$" "!" "abc" }}"#, "abc!"),
  (#"{{ reReplaceAll "x*" "-" "" }}"#, "-"), (#"{{ reReplaceAll "(a)" "$1x ${1}x" "a" }}"#, " ax"),
  (#"{{ reReplaceAll "(.*):.*" "$1" $labels.instance }}"#, "web-1"),
  (#"{{ $labels.instance | reReplaceAll ":.*" "" | toUpper }}"#, "WEB-1"),
  (#"{{ reReplaceAll "[" "x" "y" }}"#, #"! 1:115: executing "t" at <reReplaceAll "[" "x" "y">: error calling reReplaceAll: regexp: Compile(`[`): error parsing regexp: missing closing ]: `[`"#),
])
func patternsMatchAndReplace(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ range (args "1e3" "0x1p4" "1_0" "0x_1p0" ".5" "5." "+1" "-0" "inf" "-Infinity" "nan" "1e-400") }}{{ humanize . }} {{ end }}"#, "1k 16 NaN 0 10 1 500m 5 1 -0 +Inf -Inf "),
  (#"{{ humanize "" }}"#, #"! 1:115: executing "t" at <humanize "">: error calling humanize: strconv.ParseFloat: parsing "": invalid syntax"#),
  (#"{{ humanize "." }}"#, #"! 1:115: executing "t" at <humanize ".">: error calling humanize: strconv.ParseFloat: parsing ".": invalid syntax"#),
  (#"{{ humanize "1e" }}"#, #"! 1:115: executing "t" at <humanize "1e">: error calling humanize: strconv.ParseFloat: parsing "1e": invalid syntax"#),
  (#"{{ humanize "0x1" }}"#, #"! 1:115: executing "t" at <humanize "0x1">: error calling humanize: strconv.ParseFloat: parsing "0x1": invalid syntax"#),
  (#"{{ humanize "+nan" }}"#, #"! 1:115: executing "t" at <humanize "+nan">: error calling humanize: strconv.ParseFloat: parsing "+nan": invalid syntax"#),
  (#"{{ humanize " 1" }}"#, #"! 1:115: executing "t" at <humanize " 1">: error calling humanize: strconv.ParseFloat: parsing " 1": invalid syntax"#),
  (#"{{ humanize "1__0" }}"#, #"! 1:115: executing "t" at <humanize "1__0">: error calling humanize: strconv.ParseFloat: parsing "1__0": invalid syntax"#),
  (#"{{ humanize "1e999" }}"#, #"! 1:115: executing "t" at <humanize "1e999">: error calling humanize: strconv.ParseFloat: parsing "1e999": value out of range"#),
  (#"{{ humanize "one" }}"#, #"! 1:115: executing "t" at <humanize "one">: error calling humanize: strconv.ParseFloat: parsing "one": invalid syntax"#),
  ("{{ humanize true }}", #"! 1:115: executing "t" at <humanize true>: error calling humanize: can't convert bool to float"#),
  ("{{ humanize nil }}", #"! 1:115: executing "t" at <humanize nil>: error calling humanize: can't convert <nil> to float"#),
  ("{{ humanize (toTime 5).Unix }}", "5"),
  ("{{ humanize (toDuration 5) }}", #"! 1:115: executing "t" at <humanize (toDuration 5)>: error calling humanize: can't convert *time.Duration to float"#),
  ("{{ humanize (toDuration 5).Abs }}", "5"),
  ("{{ humanizeDuration 3599.999 }} {{ humanizeDuration 0.0005 }} {{ humanizeDuration -61 }}", "59m 59s 500us -1m 1s"),
  ("{{ humanize1024 1023.9 }} {{ humanize1024 -1048576 }} {{ humanize 999.95 }} {{ humanize 999950 }} {{ humanize 1e30 }} {{ humanize 1e-30 }}", "1024 -1Mi 1000 1000k 1e+06Y 1e-06y"),
])
func textsAreNumbers(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ parseDuration "1h30m" }}"#, "5400"), (#"{{ parseDuration "-5m" }}"#, "-300"),
  (#"{{ parseDuration "0" }}"#, "0"), (#"{{ parseDuration "1y2w3d4h5m6s7ms" }}"#, "3.3019506007e+07"),
  (#"{{ parseDuration "5" }}"#, #"! 1:115: executing "t" at <parseDuration "5">: error calling parseDuration: not a valid duration string: "5""#),
  (#"{{ parseDuration "" }}"#, #"! 1:115: executing "t" at <parseDuration "">: error calling parseDuration: empty duration string"#),
  (#"{{ parseDuration "-" }}"#, #"! 1:115: executing "t" at <parseDuration "-">: error calling parseDuration: empty duration string"#),
  (#"{{ parseDuration "1m1h" }}"#, #"! 1:115: executing "t" at <parseDuration "1m1h">: error calling parseDuration: not a valid duration string: "1m1h""#),
  (#"{{ parseDuration "1m1m" }}"#, #"! 1:115: executing "t" at <parseDuration "1m1m">: error calling parseDuration: not a valid duration string: "1m1m""#),
  (#"{{ parseDuration "1x" }}"#, #"! 1:115: executing "t" at <parseDuration "1x">: error calling parseDuration: unknown unit "x" in duration "1x""#),
  (#"{{ parseDuration "1.5h" }}"#, #"! 1:115: executing "t" at <parseDuration "1.5h">: error calling parseDuration: unknown unit "." in duration "1.5h""#),
  (#"{{ parseDuration "300y" }}"#, #"! 1:115: executing "t" at <parseDuration "300y">: error calling parseDuration: duration out of range"#),
  (#"{{ parseDuration "99999999999999999999y" }}"#, #"! 1:115: executing "t" at <parseDuration "99999999999999999999y">: error calling parseDuration: not a valid duration string: "99999999999999999999y""#),
  (#"{{ parseDuration "--1m" }}"#, #"! 1:115: executing "t" at <parseDuration "--1m">: error calling parseDuration: not a valid duration string: "-1m""#),
  (#"{{ parseDuration "292y24w3d23h47m16s854ms" }}"#, "9.223372036854e+09"),
])
func durationsAreRead(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}
