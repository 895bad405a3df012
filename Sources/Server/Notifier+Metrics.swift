// SPDX-License-Identifier: Apache-2.0

internal import Notification
internal import TimeSeries

// `rampart_notifications_*`.

extension Notifier {
  var metrics: [MetricsPage.Entry] {
    let statuses = statuses
    func entry(
      _ name: String, _ type: MetricType, _ help: String, _ value: (ReceiverStatus) -> Int64
    ) -> MetricsPage.Entry {
      MetricsPage.Entry(
        MetricFamily(name, type, help),
        statuses.map { .whole(Labels(metric: name, [Label("receiver", $0.name)]), value($0)) })
    }
    return [
      entry("rampart_notifications_dropped_total", .counter, "Alerts given up: refused by the receiver, or too many.") { $0.dropped },
      entry("rampart_notifications_failed_total", .counter, "Requests that the receiver did not take.") { $0.failed },
      entry("rampart_notifications_queued", .gauge, "Alerts that wait for the receiver.") { Int64($0.queued) },
      entry("rampart_notifications_sent_total", .counter, "Alerts that the receiver took.") { $0.sent },
    ]
  }
}
