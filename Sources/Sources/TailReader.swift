// SPDX-License-Identifier: Apache-2.0

internal import Ingest
internal import Platform

// What a file has that was not counted yet: whole lines, as many as one transaction should hold.

/// Reads files of the thread that follows them.
final class TailReader {
  static let name = "file"
  /// Read and counted at a time.
  private static let chunkBytes = 1 << 20

  private let decoder: EventDecoder
  private let lineBytesMax: Int
  private var buffer: [UInt8] = []

  init(settings: IngestSettings) {
    decoder = EventDecoder(settings: settings)
    lineBytesMax = settings.lineBytesMax
  }

  /// The next lines with the position behind them; nil where none is whole.
  func next(_ file: TailedFile) throws(FileError) -> SourceBatch? {
    let status = try file.reader.status()
    let look = (status.sizeBytes, status.modifiedNs)
    if let last = file.lookedAt, last == look { return nil }
    if try !file.isTheSame() { file.restart() }
    buffer.removeAll(keepingCapacity: true)
    try fill(file, from: file.position.offset)
    guard let end = buffer.lastIndex(of: 0x0a).map({ $0 + 1 }) else {
      if buffer.count > lineBytesMax, let batch = try tooLongLine(file) { return batch }
      file.lookedAt = look
      return nil
    }
    return try batch(file, Array(buffer[..<end]), behind: file.position.offset + Int64(end))
  }

  private func fill(_ file: TailedFile, from start: Int64) throws(FileError) {
    while buffer.count < TailReader.chunkBytes {
      let count = try file.reader.read(
        at: start + Int64(buffer.count), countMax: TailReader.chunkBytes - buffer.count, to: &buffer)
      if count == 0 { return }
    }
  }

  /// A line longer than any event is one rejected record as soon as its end is there; until then nothing of it counts.
  private func tooLongLine(_ file: TailedFile) throws(FileError) -> SourceBatch? {
    let beginning = Array(buffer.prefix(lineBytesMax + 1))
    var place = max(file.searchedTo, file.position.offset)
    while true {
      buffer.removeAll(keepingCapacity: true)
      try fill(file, from: place)
      if let end = buffer.firstIndex(of: 0x0a) {
        return try batch(file, beginning, behind: place + Int64(end) + 1)
      }
      place += Int64(buffer.count)
      file.searchedTo = place
      if buffer.count < TailReader.chunkBytes { return nil }
    }
  }

  private func batch(_ file: TailedFile, _ lines: [UInt8], behind offset: Int64) throws(FileError) -> SourceBatch? {
    var head: [UInt8] = []
    _ = try file.reader.read(at: 0, countMax: Int(min(offset, Int64(FilePosition.fingerprintBytesMax))), to: &head)
    // Replaced while it was read: what was read may be of either content, so it is read again.
    guard try file.isTheSame(), try file.reader.status().sizeBytes >= offset else {
      file.restart()
      return nil
    }
    let nowMs = Clock.wallMs()
    let events = decoder.decode(lines.span, from: file.origin, receivedAtMs: nowMs)
    var position = file.position
    position.lines += Int64(lines.reduce(into: 0) { if $1 == 0x0a { $0 += 1 } })
    if lines.last != 0x0a { position.lines += 1 }
    position.offset = offset
    position.fingerprint = FilePosition.fingerprint(head[...])
    position.fingerprintBytes = head.count
    var batch = SourceBatch(name: TailReader.name, events: events.numbered(from: file.position.lines), receivedMs: nowMs)
    batch.position = position
    return batch
  }
}
