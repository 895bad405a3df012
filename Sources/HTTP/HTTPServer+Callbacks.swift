// SPDX-License-Identifier: Apache-2.0

// What libmicrohttpd calls, as C functions. Each finds its Swift object and goes on there.
//
// The owner of an Exchange is the connection's socket context: made when the connection starts, released when it
// closes. The context of all callbacks is the ServerCore, retained until the daemon has stopped.

internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

extension HTTPServer {
  static func startDaemon(_ core: ServerCore, _ descriptor: Int32) -> OpaquePointer? {
    let configuration = core.configuration
    let context = unsafe Unmanaged.passRetained(core).toOpaque()
    func option(_ name: MHD_OPTION, _ value: Int) -> MHD_OptionItem {
      unsafe MHD_OptionItem(option: name, value: value, ptr_value: nil)
    }
    // libmicrohttpd divides its limit among the workers, though clients do not spread evenly; the registry holds the
    // real one.
    let ampleConnections = (configuration.connectionsMax + 64) * configuration.workers
    var options = unsafe [
      cmhd_notify_completed(requestCompleted, context),
      cmhd_notify_connection(connectionChanged, context),
      cmhd_keep_escapes(),
      option(.LISTEN_SOCKET, Int(descriptor)),
      option(.CONNECTION_LIMIT, ampleConnections),
      option(.CONNECTION_TIMEOUT, max(1, configuration.idleTimeoutSeconds)),
      option(.CONNECTION_MEMORY_LIMIT, configuration.memoryPerConnectionBytes),
    ]
    // A pool of one is refused with a warning; without a pool there is one thread anyway.
    if configuration.workers > 1 { unsafe options.append(option(.THREAD_POOL_SIZE, configuration.workers)) }
    unsafe options.append(option(.END, 0))
    // Without MHD_USE_ERROR_LOG, which writes a line to stderr whenever a client goes away.
    let flags =
      MHD_USE_EPOLL.rawValue | MHD_USE_INTERNAL_POLLING_THREAD.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue
    let daemon = unsafe cmhd_start_daemon(flags, accessed, context, options)
    if unsafe daemon == nil { unsafe Unmanaged<ServerCore>.fromOpaque(context).release() }
    return unsafe daemon
  }
}

private func connectionChanged(
  _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?,
  _ socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ change: MHD_ConnectionNotificationCode
) {
  let core = unsafe Unmanaged<ServerCore>.fromOpaque(context!).takeUnretainedValue()
  switch change {
  case .CONNECTION_NOTIFY_STARTED:
    let connection = unsafe Connection(handle: handle!)
    unsafe socketContext!.pointee = Unmanaged.passRetained(Exchange(core, connection)).toOpaque()
    connection.deadlineMs.store(core.requestDeadlineMs, ordering: .relaxed)
    guard !core.registry.add(connection) else { return }
    connection.sendLastWord(core.error(503, "too many connections; try again later").closingBytes(omitsBody: false))
    connection.cut()
  case .CONNECTION_NOTIFY_CLOSED:
    guard let pointer = unsafe socketContext!.pointee else { return }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
    if let lingering = exchange.connection.close() { core.sweeper.linger(lingering) }
    core.registry.remove(exchange.connection)
  @unknown default: break
  }
}

// Called when the headers are in (with no request context yet), for each part of the body, when the request is
// complete, and when it was resumed.
private func accessed(
  _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?, _ path: UnsafePointer<CChar>?,
  _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ part: UnsafePointer<CChar>?,
  _ partSize: UnsafeMutablePointer<Int>?, _ requestContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  if let pointer = unsafe requestContext!.pointee {
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(pointer)
    return unsafe exchange._withUnsafeGuaranteedRef { exchange in
      guard unsafe partSize!.pointee > 0 else { return exchange.finish() }
      defer { unsafe partSize!.pointee = 0 }
      return unsafe exchange.receive(UnsafeRawBufferPointer(start: part, count: partSize!.pointee))
    }
  }
  guard let pointer = unsafe cmhd_connection_context(handle!) else { return .NO }
  unsafe requestContext!.pointee = pointer
  return unsafe Unmanaged<Exchange>.fromOpaque(pointer)._withUnsafeGuaranteedRef { exchange in
    unsafe exchange.begin(path: path!, method: method!)
  }
}

private func requestCompleted(
  _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?,
  _ requestContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
  guard let pointer = unsafe requestContext!.pointee else { return }
  unsafe requestContext!.pointee = nil
  unsafe Unmanaged<Exchange>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.end() }
}
