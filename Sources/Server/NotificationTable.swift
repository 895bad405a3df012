// SPDX-License-Identifier: Apache-2.0

package import Notification
package import Storage

// The store as the notifier sees it.

/// Keeps notifications in the store.
package struct NotificationTable: NotificationStore {
  private let store: Store

  package init(store: Store) {
    self.store = store
  }

  package func load() throws -> NotificationRecords {
    NotificationRecords(
      queued: try store.notifications().map { QueuedRecord(receiver: $0.receiver, id: $0.id, document: $0.document) },
      told: try store.toldAlerts().map { row in
        ToldRecord(
          key: ToldKey(receiver: row.key.receiver, group: row.key.group, alert: row.key.alert), toldMs: row.toldMs,
          isSilenced: row.isSilenced, document: row.document)
      })
  }

  package func write(_ write: NotificationWrite) throws {
    var change = NotificationChange()
    change.queued = write.queued.map { StoredNotification(receiver: $0.receiver, id: $0.id, document: $0.document) }
    change.removed = write.removed.map { ($0.receiver, $0.id) }
    change.told = write.told.map { record in
      StoredTold(
        key: NotificationTable.key(record.key), toldMs: record.toldMs, isSilenced: record.isSilenced, document: record.document)
    }
    change.forgotten = write.forgotten.map(NotificationTable.key)
    try store.apply(change)
  }

  package func keepReceivers(_ names: [String]) throws { try store.keepReceivers(names) }

  private static func key(_ key: ToldKey) -> StoredTold.Key {
    StoredTold.Key(receiver: key.receiver, group: key.group, alert: key.alert)
  }
}
