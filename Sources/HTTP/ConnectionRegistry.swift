// SPDX-License-Identifier: Apache-2.0

// All connections of one server and the limits on their number. Locked once when a connection opens and once when it
// closes, never for a request.

internal import Synchronization

final class ConnectionRegistry: Sendable {
  private struct State {
    var connections: [ObjectIdentifier: Connection] = [:]
    var perClient: [ClientAddress: Int] = [:]
    var opened = 0
    var refused = 0
    var requestsOfClosed = 0
    var refusal: Response?
  }

  private let connectionsMax: Int
  private let connectionsPerClientMax: Int
  private let state = Mutex(State())

  init(connectionsMax: Int, connectionsPerClientMax: Int) {
    self.connectionsMax = connectionsMax
    self.connectionsPerClientMax = connectionsPerClientMax
  }

  // False when a limit is exceeded. The connection is kept either way, until it is removed.
  func add(_ connection: Connection) -> Bool {
    state.withLock { state in
      state.connections[ObjectIdentifier(connection)] = connection
      state.perClient[connection.client, default: 0] += 1
      state.opened += 1
      if let refusal = state.refusal { connection.refuseSuspensions(with: refusal) }
      let fits =
        state.connections.count <= connectionsMax
        && state.perClient[connection.client, default: 0] <= connectionsPerClientMax
      if !fits { state.refused += 1 }
      return fits
    }
  }

  func remove(_ connection: Connection) {
    state.withLock { state in
      guard state.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
      state.requestsOfClosed += connection.requests.load(ordering: .relaxed)
      let left = state.perClient[connection.client, default: 1] - 1
      state.perClient[connection.client] = left == 0 ? nil : left
    }
  }

  // A moment's picture; each of them may close at any time.
  var all: [Connection] { state.withLock { Array($0.connections.values) } }

  // From now on nothing stays suspended, on connections still to come included.
  func refuseSuspensions(with response: Response) {
    let open = state.withLock { state in
      state.refusal = response
      return Array(state.connections.values)
    }
    for connection in open { connection.refuseSuspensions(with: response) }
  }

  func write(to statistics: inout HTTPServer.Statistics) {
    state.withLock { state in
      statistics.connections = state.connections.count
      statistics.connectionsTotal = state.opened
      statistics.connectionsRefusedTotal = state.refused
      statistics.requestsTotal = state.connections.values.reduce(state.requestsOfClosed) {
        $0 + $1.requests.load(ordering: .relaxed)
      }
    }
  }
}
