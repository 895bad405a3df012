// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// What the kernel says of this process, for `process_*` metrics.

/// A reading of /proc/self. Fields that could not be read are nil, and then not exposed.
package struct ProcessStatistics: Sendable {
  package var cpuSeconds: Double?
  package var residentBytes: Double?
  package var virtualBytes: Double?
  package var startTimeSeconds: Double?
  package var openDescriptors: Double?
  package var maxDescriptors: Double?
  package var threads: Double?

  /// Reads /proc; takes some 50 µs.
  package static func read() -> ProcessStatistics {
    var statistics = ProcessStatistics()
    statistics.readStat()
    statistics.openDescriptors = descriptorCount()
    var limit = rlimit()
    if unsafe getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 {
      statistics.maxDescriptors = Double(limit.rlim_cur)
    }
    return statistics
  }

  // Fields as in proc(5), counted from the one after the command, which may itself hold spaces and parentheses.
  private mutating func readStat() {
    guard let text = try? text(of: "/proc/self/stat"), let end = text.lastIndex(of: ")") else { return }
    let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) }
    guard fields.count > 21 else { return }
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    if let user = fields[11], let system = fields[12] { cpuSeconds = (user + system) / ticks }
    threads = fields[17]
    virtualBytes = fields[20]
    residentBytes = fields[21].map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) }
    if let started = fields[19], let bootedSeconds { startTimeSeconds = bootedSeconds + started / ticks }
  }

  private var bootedSeconds: Double? {
    guard let text = try? text(of: "/proc/stat") else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix("btime ") }
    return line.flatMap { Double($0.dropFirst(6)) }
  }

  private func text(of path: String) throws(FileError) -> String {
    String(decoding: try Files.read(path, bytesMax: 1 << 20), as: UTF8.self)
  }

  private static func descriptorCount() -> Double? {
    guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
    defer { unsafe closedir(folder) }
    // ".", ".." and the descriptor of this reading itself are not the process' own.
    var count = -3.0
    while unsafe readdir(folder) != nil { count += 1 }
    return count
  }
}
