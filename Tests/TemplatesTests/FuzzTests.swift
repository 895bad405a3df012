// SPDX-License-Identifier: Apache-2.0

import Templates
import Testing

// Damaged and random templates: each expands or is an error, soon, and nothing crashes.

private let words = [
  "{{", "}}", "{{- ", " -}}", "(", ")", "|", " ", ".", "$", "$x", ":=", "=", ",", "\"a\"", "`b`", "'c'", "1", "2.5",
  "0x1F", "nil", "true",
  "{{ if ", "{{ range ", "{{ with ", "{{ else }}", "{{ else if ", "{{ end }}", "{{ define \"x\" }}",
  "{{ template \"x\" . }}",
  "{{ block \"y\" . }}", "{{ break }}", "{{ continue }}", "{{/*", "*/}}", ".Labels", ".Value", "$labels", "$value",
  ".job", "query \"m\"",
  "first", "len", "index", "slice", "printf", "\"%d\"", "\"%.2f\"", "\"%[2]*.[1]*f\"", "humanize", "eq", "lt", "and",
  "or", "not", "args",
  "toTime", "toDuration", ".Format", ".Add", ".AddDate", ".Round", "\"2006\"", "match", "reReplaceAll", "title",
  "print", "-1", "1e300",
  "9223372036854775807", "\n", "\t", "é", "世", "\u{a0}", "@", "\\", "\"", "'", "`", "%", "i", "e",
]

private let samples = [
  #"{{ range $i, $s := query "m" | sortByLabel "instance" }}{{ $i }}: {{ .Labels.instance }} {{ .Value | humanize }}{{ end }}"#,
  #"{{ $x := 1 }}{{ if and (gt $value 1000.0) (match "web" $labels.instance) }}{{ $x = printf "%08.3f|%-6s" $value "a" }}{{ end }}{{ $x }}"#,
  #"{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" (args 1 "b" nil) }}{{ block "y" 5 }}{{ range . }}{{ break }}{{ end }}{{ end }}"#,
  #"{{ with (toTime 1435065584.128).AddDate 0 1 2 }}{{ .Format "2006-01-02T15:04:05Z07:00" }}{{ else }}{{ toDuration 90.5 }}{{ end }}"#,
  #"{{- reReplaceAll "(.*):(\\d+)" "$2 ${1}" $labels.instance | toUpper | html -}} {{ slice "héllo" 1 3 | printf "%q %x" }}"#,
]

private func damaged(_ text: String, _ random: inout SeededRandom) -> String {
  var text = Array(text.unicodeScalars)
  for _ in 0..<Int.random(in: 1...5, using: &random) {
    let place = Int.random(in: 0...text.count, using: &random)
    let end = min(text.count, place + Int.random(in: 0...8, using: &random))
    switch Int.random(in: 0..<5, using: &random) {
    case 0: text.insert(contentsOf: words.randomElement(using: &random)!.unicodeScalars, at: place)
    case 1: text.replaceSubrange(place..<end, with: words.randomElement(using: &random)!.unicodeScalars)
    case 2: text.removeSubrange(place..<end)
    case 3: text.insert(contentsOf: text[place..<end], at: Int.random(in: 0...text.count, using: &random))
    default:
      let other = Array(samples.randomElement(using: &random)!.unicodeScalars)
      let start = Int.random(in: 0..<other.count, using: &random)
      text.insert(contentsOf: other[start..<min(other.count, start + 30)], at: place)
    }
  }
  return String(String.UnicodeScalarView(text))
}

@Test func damagedTemplatesExpandOrAreErrors() {
  let seed = SeededRandom.seed(for: "damagedTemplatesExpandOrAreErrors")
  var random = SeededRandom(state: seed)
  var expansions = 0
  for _ in 0..<10_000 {
    let text = damaged(samples.randomElement(using: &random)!, &random)
    let start = ContinuousClock.now
    if !expanded(text).hasPrefix("! ") { expansions += 1 }
    #expect(ContinuousClock.now - start < .seconds(5), "\(text.debugDescription)")
  }
  for _ in 0..<10_000 {
    let count = Int.random(in: 0...12, using: &random)
    let text = (0..<count).map { _ in words.randomElement(using: &random)! }.joined(separator: " ")
    if !expanded(text).hasPrefix("! ") { expansions += 1 }
  }
  print("damagedTemplatesExpandOrAreErrors: \(expansions) of 20000 expanded")
  #expect(expansions > 1_000)
}

@Test func randomFormatsPrint() {
  let seed = SeededRandom.seed(for: "randomFormatsPrint")
  var random = SeededRandom(state: seed)
  let values = [
    "1", "-9223372036854775808", "1.5", "5e-324", "1e308", "\"é\\xff\"", "true", "nil", "$labels", "(query \"m\")",
    "(toTime 1)",
  ]
  for _ in 0..<10_000 {
    let flags = (0..<Int.random(in: 0...3, using: &random)).map { _ in
      "+-# 0123456789.*[]".randomElement(using: &random)!
    }
    let verb = "vdsqxXfFeEgGtTcUboOpwz%é".randomElement(using: &random)!
    let arguments = (0..<Int.random(in: 0...3, using: &random)).map { _ in values.randomElement(using: &random)! }
    let text = "{{ printf \"%\(String(flags))\(verb)\" \(arguments.joined(separator: " ")) }}"
    #expect(!expanded(text).hasPrefix("! ") || expanded(text).hasSuffix("bytes"), "\(text)")
  }
}

@Test func randomFloatsReadBack() throws {
  let seed = SeededRandom.seed(for: "randomFloatsReadBack")
  var random = SeededRandom(state: seed)
  for _ in 0..<5_000 {
    let value = Double(bitPattern: random.next())
    guard value.isFinite else { continue }
    for verb in ["%v", "%g", "%.17g", "%.20e", "%x"] {
      var scope = TemplateScope.alert()
      scope.value = value
      let text = try Template("{{ printf \"\(verb)\" $value }}", name: "t").expand(scope)
      #expect(Double(text) == value, "\(verb) of \(value): \(text)")
    }
  }
}
