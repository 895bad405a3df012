// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import Synchronization
internal import TimeSeries

// `rampart_flag_*` and `rampart_rollout_state`, read off the picture.

extension FlagService {
  func metrics(nowMs: Int64) -> [MetricsPage.Entry] {
    let flags = allFlags()
    func labels(_ name: String, _ id: FlagID, _ more: [Label] = []) -> Labels {
      Labels(metric: name, [Label("flag", id.key), Label("environment", id.environment)] + more)
    }
    let states = flags.flatMap { id, _, rollout in
      RolloutState.allCases.map { state in
        MetricsPage.Entry.Sample.whole(
          labels("rampart_rollout_state", id, [Label("state", state.rawValue)]), (rollout?.state ?? .draft) == state ? 1 : 0)
      }
    }
    return [
      MetricsPage.Entry(
        MetricFamily("rampart_flag_enabled", .gauge, "1 while the flag is enabled."),
        flags.map { .whole(labels("rampart_flag_enabled", $0.id), $0.flag.enabled ? 1 : 0) }),
      MetricsPage.Entry(
        MetricFamily("rampart_flag_rollout_percent", .gauge, "Share of targeting keys that get the rollout's variant, in percent."),
        flags.map {
          .number(labels("rampart_flag_rollout_percent", $0.id), $0.flag.rollout?.percent.value ?? 0)
        }),
      MetricsPage.Entry(
        MetricFamily("rampart_flag_rollout_age_seconds", .gauge, "Time since the ramp's first step above 0 percent."),
        flags.compactMap { id, flag, rollout in
          guard let startedMs = rollout?.startedMs, flag.rollout?.percent != .zero else { return nil }
          return .number(labels("rampart_flag_rollout_age_seconds", id), Double(max(nowMs - startedMs, 0)) / 1000)
        }),
      MetricsPage.Entry(
        MetricFamily("rampart_flag_instances", .gauge, "Instances that polled the flag, by itself or with all others, lately."),
        instances(of: flags.map(\.id)).map { .whole(labels("rampart_flag_instances", $0), Int64($1)) }),
      MetricsPage.Entry(
        MetricFamily(
          "rampart_flag_instances_dropped_total", .counter, "Polls of instances that were not noted because there were too many."),
        [.whole(Labels(metric: "rampart_flag_instances_dropped_total"), Int64(propagation.droppedTotal))]),
      MetricsPage.Entry(MetricFamily("rampart_rollout_state", .gauge, "1 for the state the ramp is in, 0 for the others."), states),
    ] + evaluationMetrics()
  }

  /// Series of evaluations that are shown and recorded, of a hundred times as many that there could be. The first by
  /// environment, flag and variant.
  static let evaluationSeriesMax = 10_000

  private func evaluationMetrics() -> [MetricsPage.Entry] {
    let sets = picture.withLock { $0.sets }.sorted { $0.key < $1.key }
    let all = sets.flatMap { environment, set in set.evaluationTotals.map { (environment, $0) } }
    let samples = all.prefix(FlagService.evaluationSeriesMax).map { environment, total in
      let labels = [
        Label("flag", total.flag), Label("environment", environment), Label("variant", total.variant), Label("reason", total.reason),
      ]
      return MetricsPage.Entry.Sample.whole(Labels(metric: "rampart_flag_evaluations_total", labels), Int64(total.count))
    }
    return [
      MetricsPage.Entry(
        MetricFamily("rampart_flag_evaluations_total", .counter, "Evaluations since the start, by variant and reason."), Array(samples)),
      MetricsPage.Entry(
        "rampart_flag_evaluation_series_omitted", .gauge, "Series of rampart_flag_evaluations_total left out, being too many.",
        Double(all.count - samples.count)),
    ]
  }
}

extension FlagService {
  private func instances(of flags: [FlagID]) -> [(FlagID, Int)] {
    Dictionary(grouping: flags, by: \.environment).sorted { $0.key < $1.key }.flatMap { environment, flags in
      zip(flags, propagation.seen(environment: environment, flags: flags.map(\.key)))
    }
  }
}
