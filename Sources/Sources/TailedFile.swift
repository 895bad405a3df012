// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import Platform

// One file that is followed, and which files those are. A file is its inode: its name may move on to another.

/// An open file and how far its lines are counted. For the thread of the files.
final class TailedFile {
  let reader: FileReader
  let origin: EventOrigin
  private(set) var position: FilePosition
  /// Size and time of the last look, after which nothing was left to read.
  var lookedAt: (sizeBytes: Int64, modifiedNs: Int64)?
  /// Up to where no line end was found behind the position.
  var searchedTo: Int64 = 0
  /// Since when no pattern's name leads to it, or when it last grew after that; monotonic.
  var namelessSinceMs: Int64?
  private var lastProblem: String?

  init(_ reader: FileReader, _ position: FilePosition, origin: EventOrigin) {
    self.reader = reader
    self.position = position
    self.origin = origin
    self.position.path = reader.path
  }

  func advance(to position: FilePosition) {
    self.position = position
    searchedTo = 0
    lookedAt = nil
    lastProblem = nil
    if namelessSinceMs != nil { namelessSinceMs = Clock.monotonicMs() }
  }

  /// Its content was replaced: it is read from its beginning.
  func restart() {
    position = FilePosition(identity: position.identity, path: position.path)
    searchedTo = 0
    lookedAt = nil
  }

  /// Reports a problem once, and not at every look.
  func note(_ problem: String, _ report: (String) -> Void) {
    guard problem != lastProblem else { return }
    lastProblem = problem
    report(problem)
  }

  /// Whether the file's beginning is still the one that the position is of.
  func isTheSame() throws(FileError) -> Bool {
    guard position.offset > 0 else { return true }
    guard try reader.status().sizeBytes >= position.offset else { return false }
    var head: [UInt8] = []
    _ = try reader.read(at: 0, countMax: position.fingerprintBytes, to: &head)
    return head.count == position.fingerprintBytes && FilePosition.fingerprint(head[...]) == position.fingerprint
  }
}

/// The files that patterns name, and those that have lost their names but perhaps not their writers.
struct FollowedFiles {
  private let patterns: [FilePattern]
  private var known: [FileIdentity: FilePosition]
  private var followed: [FileIdentity: TailedFile] = [:]
  private(set) var files: [TailedFile] = []
  private var hasSearched = false
  private var problems: Set<String> = []

  /// - Parameter positions: how far files have been read before.
  init(_ patterns: [FilePattern], positions: [FilePosition]) {
    self.patterns = patterns
    known = Dictionary(positions.map { ($0.identity, $0) }) { _, last in last }
  }

  /// Finds new files, and which ones have lost their names.
  ///
  /// - Returns: what could not be opened, once for each.
  mutating func search(nowMs: Int64) -> [String] {
    var named: Set<FileIdentity> = []
    var found: [String] = []
    for pattern in patterns {
      for path in Files.matching(pattern.pattern, countMax: FileTail.filesMax) {
        guard let status = Files.status(path), status.isRegular, named.insert(status.identity).inserted else { continue }
        guard followed[status.identity] == nil else { continue }
        if let problem = open(path, pattern), problems.insert(problem).inserted { found.append(problem) }
      }
    }
    for (identity, file) in followed {
      if named.contains(identity) { file.namelessSinceMs = nil } else if file.namelessSinceMs == nil { file.namelessSinceMs = nowMs }
    }
    if !hasSearched { openRenamed(nowMs: nowMs) }
    hasSearched = true
    return found
  }

  mutating func removeEnded(nowMs: Int64) {
    let ended = files.filter { $0.lookedAt != nil && $0.namelessSinceMs.map { nowMs - $0 > FileTail.farewellMs } == true }
    guard !ended.isEmpty else { return }
    for file in ended {
      known[file.position.identity] = file.position
      followed[file.position.identity] = nil
    }
    files.removeAll { file in ended.contains { $0 === file } }
  }

  private mutating func open(_ path: String, _ pattern: FilePattern) -> String? {
    do {
      let reader = try FileReader(path)
      // The name may have moved on since it was looked up.
      let identity = try reader.status().identity
      guard followed[identity] == nil else { return nil }
      let file = TailedFile(reader, known[identity] ?? FilePosition(identity: identity, path: path), origin: pattern.origin)
      if try !file.isTheSame() { file.restart() }
      followed[identity] = file
      files.append(file)
      return nil
    } catch {
      return error.description
    }
  }

  /// Files that were renamed while nobody looked have lines that nobody counted. Rotation leaves them in their folder.
  private mutating func openRenamed(nowMs: Int64) {
    let missing = known.values.filter { followed[$0.identity] == nil }
    for (folder, positions) in Dictionary(grouping: missing, by: { FollowedFiles.folder(of: $0.path) }) {
      var wanted: [FileIdentity: FilePosition] = [:]
      for position in positions { wanted[position.identity] = position }
      for name in Files.names(in: folder) {
        let path = folder == "." ? name : "\(folder)/\(name)"
        guard let status = Files.status(path), let position = wanted[status.identity],
          status.sizeBytes > position.offset,
          let pattern = patterns.first(where: { Files.matches(position.path, $0.pattern) }),
          let reader = try? FileReader(path)
        else { continue }
        let file = TailedFile(reader, position, origin: pattern.origin)
        // Unreadable, or another file by now: nothing of it was asked for.
        guard (try? file.isTheSame()) == true else { continue }
        file.namelessSinceMs = nowMs
        followed[status.identity] = file
        files.append(file)
      }
    }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "" : String(path[..<slash])
  }
}
