// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import Notification

// What the notifier has to say, as lines of the log.

extension NotificationEvent {
  func write(to logger: Logger) {
    switch self {
    case .failed(let receiver, let reason, let againInMs):
      logger.warning(
        "notification not taken: \(reason)",
        metadata: ["receiver": "\(receiver)", "again_in_seconds": "\(Double(againInMs / 100) / 10)"])
    case .dropped(let receiver, let reason, let alerts):
      logger.error(
        "notification given up: \(reason)", metadata: ["receiver": "\(receiver)", "alerts": "\(alerts)"])
    case .recovered(let receiver):
      logger.notice("notifications are taken again", metadata: ["receiver": "\(receiver)"])
    case .notWritten(let reason):
      logger.error("notifications: \(reason): what waits is sent from memory")
    }
  }
}
