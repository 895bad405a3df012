// SPDX-License-Identifier: Apache-2.0

// What every source file has and has not.

import Testing

private let linesMax = 500
private let columnsMax = 140
private let columnsAim = 120

@Test func everySwiftFileStartsWithItsLicence() {
  for file in Project.sources + Project.tests {
    #expect(file.text.hasPrefix("// SPDX-License-Identifier: Apache-2.0\n"), "\(file.path):1")
    #expect(file.text.hasSuffix("\n") && !file.text.hasSuffix("\n\n"), "\(file.path): ends in one line end")
  }
}

@Test func noFileIsTooLongToRead() {
  for file in Project.sources + Project.tests {
    // The last line end starts no line.
    #expect(file.lines.count - 1 <= linesMax, "\(file.path): \(file.lines.count - 1) lines")
  }
}

@Test func noLineIsTooWide() {
  var wide = 0
  for file in Project.sources {
    for (number, line) in file.lines {
      if line.count > columnsAim { wide += 1 }
      #expect(line.count <= columnsMax, "\(file.path):\(number): \(line.count) columns")
    }
  }
  print("\(wide) lines of Sources are wider than \(columnsAim) columns")
}

@Test func noTabsAndNoTrailingSpaces() {
  for file in Project.sources + Project.tests {
    for (number, line) in file.lines {
      #expect(!line.contains("\t"), "\(file.path):\(number): a tab")
      #expect(line.last != " ", "\(file.path):\(number): ends in a space")
    }
  }
}

@Test func nothingIsLeftForLater() {
  // Spelled in two parts, or this line would be its own finding.
  let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
  let pages = Project.paths(under: "web").compactMap { path in
    (try? Project.text(path)).map { ProjectFile(path: path, text: $0) }
  }
  for file in Project.sources + Project.tests + pages {
    for (number, line) in file.lines {
      let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
      #expect(!marks.contains { words.contains(Substring($0)) }, "\(file.path):\(number): \(line)")
    }
  }
}

@Test func namesSayWhatIsInside() {
  let empty = ["Utils", "Util", "Helper", "Manager", "Common", "Misc"]
  for file in Project.sources + Project.tests {
    #expect(!empty.contains { file.name.contains($0) }, "\(file.path)")
  }
  // One word a thing: two files of a module are told apart by more than their case.
  for (module, files) in Dictionary(grouping: Project.sources, by: \.module) {
    #expect(Set(files.map { $0.name.lowercased() }).count == files.count, "\(module)")
  }
}

@Test func theProjectSpeaksOfTheProductAlone() throws {
  let pages = (Project.paths(under: "web") + ["README.md", "Makefile"]).filter { !$0.hasSuffix(".png") }
  let texts = pages.compactMap { path in (try? Project.text(path)).map { ProjectFile(path: path, text: $0) } }
  for file in Project.sources + texts {
    for (number, line) in file.lines {
      #expect(!line.contains("/wo" + "rk/"), "\(file.path):\(number): a path of one machine: \(line)")
    }
  }
}
