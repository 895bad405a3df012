// SPDX-License-Identifier: Apache-2.0

// Places in files, which are on disk exactly when what was counted of the file is.

import Platform
import Storage
import Testing
import TimeSeries

private let hits = SeriesKey(kind: .counter, labels: Labels(metric: "cache_hits_total", [Label("cache", "a")]))

private func submission(_ increment: Int64, _ position: FilePosition?, key: DedupeKey? = nil) -> Submission {
  var delta = BatchDelta()
  delta.series = [hits]
  delta.counts = [.init(series: 0, windowStartMs: 0, increment: increment)]
  var submission = Submission(
    delta: delta, deadLetters: [], dedupeKey: key, answer: Answer(status: 200, body: []), receivedMs: 1_000)
  submission.position = position
  return submission
}

private func position(_ offset: Int64, inode: UInt64 = 7) -> FilePosition {
  FilePosition(
    identity: FileIdentity(device: .max, inode: inode), path: "/var/log/a.log", offset: offset, lines: 3,
    fingerprint: .max - 1, fingerprintBytes: 5)
}

@Test func aPositionIsKeptWithWhatWasCounted() throws {
  let folder = Folder()
  var store = try folder.open()
  try store.commit(submission(1, position(10)))
  try store.commit(submission(2, position(30)))
  try store.commit(submission(4, position(5, inode: 8)))
  // A crash leaves both or neither.
  let crashed = try folder.crashed()
  store = try crashed.open()
  #expect(try store.filePositions().sorted { $0.offset < $1.offset } == [position(5, inode: 8), position(30)])
  #expect(try store.listing().map { $0.suffix(2) } == [" 7"])
  try store.close()
}

@Test func aRepetitionMovesNoPosition() throws {
  let folder = Folder()
  let store = try folder.open()
  let key = DedupeKey(digest: Array(repeating: 1, count: 32), expiresMs: 100_000)
  try store.commit(submission(1, position(10), key: key))
  try store.commit(submission(1, position(20), key: key))
  #expect(try store.filePositions() == [position(10)])
  try store.close()
}
