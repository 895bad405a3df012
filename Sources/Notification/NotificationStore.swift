// SPDX-License-Identifier: Apache-2.0

// What has to outlive the process, and who keeps it. The documents are this module's own.

/// Keeps the queues of receivers and what they were told.
package protocol NotificationStore: Sendable {
  /// Everything that is kept.
  func load() throws -> NotificationRecords
  /// Writes all of it or nothing, on disk when this returns.
  func write(_ write: NotificationWrite) throws
  /// Forgets all of receivers other than these.
  func keepReceivers(_ names: [String]) throws
}

/// An alert that a receiver has not taken yet.
package struct QueuedRecord: Sendable, Equatable {
  package let receiver: String
  /// Ascending in the order they became due; unique for a receiver.
  package let id: Int64
  package let document: String

  package init(receiver: String, id: Int64, document: String) {
    self.receiver = receiver
    self.id = id
    self.document = document
  }
}

/// Which alert of which receiver.
package struct ToldKey: Sendable, Hashable {
  package let receiver: String
  package let group: String
  package let alert: String

  package init(receiver: String, group: String, alert: String) {
    self.receiver = receiver
    self.group = group
    self.alert = alert
  }
}

/// An alert of which a receiver has been told that it fires, or is about to be.
package struct ToldRecord: Sendable, Equatable {
  package let key: ToldKey
  package let toldMs: Int64
  package let isSilenced: Bool
  package let document: String

  package init(key: ToldKey, toldMs: Int64, isSilenced: Bool, document: String) {
    self.key = key
    self.toldMs = toldMs
    self.isSilenced = isSilenced
    self.document = document
  }
}

package struct NotificationRecords: Sendable {
  /// Ascending by id for each receiver.
  package var queued: [QueuedRecord]
  package var told: [ToldRecord]

  package init(queued: [QueuedRecord] = [], told: [ToldRecord] = []) {
    self.queued = queued
    self.told = told
  }
}

/// A change of what is kept. Of one id or key there is one part: what is removed is not queued as well.
package struct NotificationWrite: Sendable {
  package struct Removal: Sendable, Hashable {
    package let receiver: String
    package let id: Int64
  }

  package var queued: [QueuedRecord] = []
  package var removed: [Removal] = []
  package var told: [ToldRecord] = []
  package var forgotten: [ToldKey] = []

  package init() {}

  var isEmpty: Bool { queued.isEmpty && removed.isEmpty && told.isEmpty && forgotten.isEmpty }

  /// Parts of at most so many rows each, so that no transaction keeps others waiting for long.
  func parts(rowsMax: Int) -> [NotificationWrite] {
    var parts: [NotificationWrite] = []
    func add<Row>(_ rows: [Row], _ path: WritableKeyPath<NotificationWrite, [Row]>) {
      for start in stride(from: 0, to: rows.count, by: rowsMax) {
        var part = NotificationWrite()
        part[keyPath: path] = Array(rows[start..<min(start + rowsMax, rows.count)])
        parts.append(part)
      }
    }
    if queued.count + removed.count + told.count + forgotten.count <= rowsMax { return isEmpty ? [] : [self] }
    add(queued, \.queued)
    add(told, \.told)
    add(removed, \.removed)
    add(forgotten, \.forgotten)
    return parts
  }
}
