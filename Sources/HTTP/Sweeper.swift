// SPDX-License-Identifier: Apache-2.0

// One thread that looks at all connections a few times a second: it cuts those past their deadline (libmicrohttpd's
// own timeout counts inactivity only, and one byte a second is activity), sends heartbeats, and reads what clients
// send after a refusal so that they get to see it.

internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

final class Sweeper: Sendable {
  static let intervalMs: Int64 = 200

  private struct State {
    var streams: [EventStream] = []
    var lingering: [Lingering] = []
    var isStopping = false
    var hasEnded = true
  }

  private let registry: ConnectionRegistry
  private let alarm = Alarm()
  private let state = Mutex(State())
  private let clockMs: Atomic<Int64>
  private let cuts = Atomic<Int>(0)

  init(_ registry: ConnectionRegistry) {
    self.registry = registry
    clockMs = Atomic(monotonicMs())
  }

  // The time of the last sweep, at most an interval old: no system call for a request.
  var nowMs: Int64 { clockMs.load(ordering: .relaxed) }

  var deadlineCutsTotal: Int { cuts.load(ordering: .relaxed) }

  func start() -> Bool {
    state.withLock { $0.hasEnded = false }
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    let status = unsafe pthread_create(
      &thread, nil,
      { context in
        unsafe Unmanaged<Sweeper>.fromOpaque(context!).takeRetainedValue().run()
        return nil
      }, context)
    guard status == 0 else {
      unsafe Unmanaged<Sweeper>.fromOpaque(context).release()
      state.withLock { $0.hasEnded = true }
      return false
    }
    pthread_detach(thread)
    return true
  }

  // Returns when the thread has ended, at once where it sleeps.
  func stop() {
    state.withLock { $0.isStopping = true }
    alarm.ring()
    while !state.withLock({ $0.hasEnded }) { usleep(500) }
  }

  // The stream gets a heartbeat from now on.
  func add(_ stream: EventStream) {
    state.withLock { state in
      if !state.streams.contains(where: { $0 === stream }) { state.streams.append(stream) }
    }
  }

  var streams: [EventStream] { state.withLock { $0.streams } }

  // Takes over the descriptor.
  func linger(_ descriptor: Int32) {
    let lingering = Lingering(descriptor, nowMs: nowMs)
    let isTaken = state.withLock { state in
      guard !state.isStopping, !state.hasEnded, state.lingering.count < Lingering.countMax else { return false }
      state.lingering.append(lingering)
      return true
    }
    if isTaken { alarm.ring() } else { close(descriptor) }
  }

  private func run() {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while !state.withLock({ $0.isStopping }) {
      wait()
      let nowMs = monotonicMs()
      clockMs.store(nowMs, ordering: .relaxed)
      cutOverdue(nowMs)
      drainLingering(nowMs, &buffer)
      for stream in streams { stream.tick(nowMs: nowMs) }
    }
    state.withLock { state in
      for lingering in state.lingering { close(lingering.descriptor) }
      state.lingering = []
      state.streams = []
      state.hasEnded = true
    }
  }

  // An interval, or until a refused client sends more, whose window would otherwise stay full.
  private func wait() {
    let descriptors = [alarm.descriptor] + state.withLock { $0.lingering.map(\.descriptor) }
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    _ = unsafe poll(&polled, nfds_t(polled.count), Int32(Sweeper.intervalMs))
    alarm.silence()
  }

  private func cutOverdue(_ nowMs: Int64) {
    for connection in registry.all where connection.deadlineMs.load(ordering: .relaxed) < nowMs {
      connection.deadlineMs.store(.max, ordering: .relaxed)
      connection.cut()
      cuts.add(1, ordering: .relaxed)
    }
  }

  private func drainLingering(_ nowMs: Int64, _ buffer: inout [UInt8]) {
    var lingering = state.withLock { state in
      defer { state.lingering = [] }
      return state.lingering
    }
    lingering.removeAll { one in
      let isOver = one.isOver(nowMs: nowMs, &buffer)
      if isOver { close(one.descriptor) }
      return isOver
    }
    let left = lingering
    state.withLock { $0.lingering.append(contentsOf: left) }
  }
}

// Wakes a thread that polls: a pair of sockets, since Glibc keeps pipe2 behind _GNU_SOURCE. Without descriptors to
// spare nobody is woken early.
private final class Alarm: Sendable {
  private let ends: (read: Int32, write: Int32)

  var descriptor: Int32 { ends.read }

  init() {
    var pair: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    _ = unsafe socketpair(AF_UNIX, type, 0, &pair)
    ends = (pair[0], pair[1])
  }

  deinit {
    if ends.read >= 0 {
      close(ends.read)
      close(ends.write)
    }
  }

  func ring() {
    var byte: UInt8 = 0
    _ = unsafe write(ends.write, &byte, 1)
  }

  func silence() {
    var bytes: (UInt64, UInt64) = (0, 0)
    _ = unsafe read(ends.read, &bytes, 16)
  }
}

// A connection that was answered before its request was read to the end. Closing it at once would make the kernel
// send a reset, which discards the answer at the client (RFC 9112, section 9.6).
struct Lingering: Sendable {
  static let countMax = 256
  private static let limitMs: Int64 = 5_000

  let descriptor: Int32
  private let untilMs: Int64

  init(_ descriptor: Int32, nowMs: Int64) {
    self.descriptor = descriptor
    untilMs = nowMs + Lingering.limitMs
  }

  // Reads what there is, at most 64 times the buffer a turn, and throws it away.
  func isOver(nowMs: Int64, _ buffer: inout [UInt8]) -> Bool {
    for _ in 0..<64 {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
      }
      if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { return true }
      if count < 0 { break }
    }
    return nowMs > untilMs
  }
}

func monotonicMs() -> Int64 {
  var time = timespec()
  _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
