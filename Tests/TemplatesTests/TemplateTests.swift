// SPDX-License-Identifier: Apache-2.0

import Templates
import TimeSeries
import Testing

// What callers see: whole messages, and texts that need no expanding.

@Test func mistakesAreRefusedWhenTheTemplateIsRead() {
  let error = #expect(throws: TemplateError.self) { try Template("{{ foo }}", name: "__alert_HighMissRate") }
  #expect(error?.description == #"template: __alert_HighMissRate:1: function "foo" not defined"#)
}

@Test func failuresSayWhereTheyHappened() throws {
  let template = try Template("{{ query \"none\" | first }}", name: "__alert_X")
  let error = #expect(throws: TemplateError.self) { try template.expand(.alert()) }
  let expected = """
    error executing template __alert_X: template: __alert_X:1:130: executing "__alert_X" at <first>: \
    error calling first: first() called on vector with no elements
    """
  #expect(error?.description == expected)
}

@Test(arguments: ["", "plain", "{ {a} }", "}}", "100 %", "héllo\n世界", "{"])
func textWithoutActionsIsItsOwnExpansion(text: String) throws {
  #expect(try Template(text, name: "t").expand(.alert()) == text)
}

@Test func aTemplateExpandsForEachAlert() throws {
  let template = try Template("{{ $labels.job }}: {{ $value | humanizePercentage }}", name: "t")
  var scope = TemplateScope.alert()
  #expect(try template.expand(scope) == "node: 1.235e+05%")
  scope.labels = Labels([Label("job", "cache")])
  scope.value = 0.25
  #expect(try template.expand(scope) == "cache: 25%")
}

@Test func bytesThatAreNoUTF8AreReplaced() {
  #expect(expanded(#"{{ "a\xffb" }}{{ slice "é" 0 1 }}"#) == "a\u{fffd}b\u{fffd}")
  #expect(expanded(#"{{ len "\xff" }} {{ printf "%q" "\xff" }} {{ eq "é" "e\#u{301}" }}"#) == #"1 "\xff" false"#)
}

@Test func queriesSeeTheExpression() {
  var seen: [String] = []
  let scope = TemplateScope.alert { query in
    seen.append(query)
    return try TemplateScope.samples(query)
  }
  #expect(expanded(#"{{ range query (printf "up{job=%q}" $labels.job) }}{{ .Value }} {{ end }}"#, scope) == "21 11.5 ")
  #expect(seen == [#"up{job="node"}"#])
}
