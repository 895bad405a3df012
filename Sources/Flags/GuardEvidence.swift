// SPDX-License-Identifier: Apache-2.0

// What was measured for a ramp's guard. Numbers only; what follows from them is said in RolloutCheck+Judging.

/// The caches' telemetry at one moment, as far as it lies within the step.
package struct GuardEvidence: Equatable, Sendable {
  /// Parts of a whole.
  package struct Tally: Equatable, Sendable {
    package var count: Int64
    package var bad: Int64

    package init(count: Int64 = 0, bad: Int64 = 0) {
      self.count = count
      self.bad = bad
    }

    /// 0…1; nil of nothing.
    package var ratio: Double? { count > 0 ? Double(bad) / Double(count) : nil }
  }

  /// The users in the ramp, or those outside it.
  package struct Arm: Equatable, Sendable {
    /// Lookups that were answered and those that failed.
    package var lookups: Tally
    /// Lookups that went through the cache, hit or miss.
    package var cached: Int64
    /// Lookups that were sent past the cache because of the flag.
    package var bypassed: Int64

    package init(lookups: Tally = Tally(), cached: Int64 = 0, bypassed: Int64 = 0) {
      self.lookups = lookups
      self.cached = cached
      self.bypassed = bypassed
    }
  }

  /// What an expression of a check gave.
  package struct Measurement: Equatable, Sendable {
    /// One for each series; empty where there is no data.
    package var values: [Double]
    /// nil where the check does not ask.
    package var samples: Double?
    /// Why there is no value; nil where there is one, or none was found.
    package var fault: String?

    package init(values: [Double] = [], samples: Double? = nil, fault: String? = nil) {
      self.values = values
      self.samples = samples
      self.fault = fault
    }
  }

  /// Instances that poll the flag and name themselves.
  package struct Instances: Equatable, Sendable {
    package var seen: Int
    /// Of those, the ones that hold what the step set.
    package var current: Int

    package init(seen: Int = 0, current: Int = 0) {
      self.seen = seen
      self.current = current
    }
  }

  /// Lookups and errors over the guard's window, since the step began at the earliest.
  package var errors = Tally()
  /// The same over the time since the last evaluation, roughly.
  package var recentErrors = Tally()
  /// Hits and misses (the bad ones) over the window, since `Rollout.hitRatioSinceMs` at the earliest, so that the
  /// warm-up's misses are not held against the step.
  package var reads = Tally()
  /// Over the time since the last evaluation.
  package var treatment = Arm()
  package var control = Arm()
  /// Lookups and failed ones before the ramp began.
  package var before = Tally()
  /// Whether any circuit breaker of the flag's caches is open now.
  package var breakerOpen = false
  /// How often a breaker opened since the step began.
  package var breakerOpenings: Int64 = 0
  /// How old the newest event of the flag's caches is, by the wall clock; nil when there is none.
  package var newestEventAgeMs: Int64?
  /// For each check with an expression, in the plan's order; nil where they were not evaluated this time.
  package var measurements: [Measurement]?
  /// For each of the plan's alerts those that fire; nil where no rule can give any, which is no health.
  package var alerts: [[FiringAlert]?] = []
  package var instances = Instances()
  /// Whether the flag is enabled; while it is not, nobody is in the ramp, and health proves nothing.
  package var isEnabled = true
  /// Of the plan's time zone, east of UTC.
  package var utcOffsetMs: Int64 = 0

  package init() {}

  func isFresh(withinMs freshnessMs: Int64) -> Bool {
    newestEventAgeMs.map { $0 <= freshnessMs } ?? false
  }
}
