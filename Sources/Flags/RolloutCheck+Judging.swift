// SPDX-License-Identifier: Apache-2.0

// From numbers to verdicts. Judging is pure: the same numbers always give the same verdict and the same sentence. Missing
// data are never success; little data with something bad in it is never called inconclusive.

/// What judging needs beside the evidence.
struct JudgingContext {
  /// Whether the warm-up is over.
  let isWarm: Bool
  /// Whether an event arrived lately.
  let isFresh: Bool
  /// Openings of the breaker that an operator has seen and resumed after.
  let openingsKnown: Int64
  let arms: ArmComparison
}

extension RolloutCheck {
  /// - Parameter measurement: of a check with an expression; nil where it was not evaluated yet.
  func judge(
    _ evidence: GuardEvidence, _ measurement: GuardEvidence.Measurement?, _ context: JudgingContext
  ) -> JudgedCheck {
    switch measure {
    case .hitRatio: judgeHits(evidence, context)
    case .errorRatio: judgeErrors(evidence, context)
    case .circuitBreaker: judgeBreaker(evidence, context)
    case .failureRatio: judgeFailures(evidence, context)
    case .exposure: judgeExposure(context)
    case .expression: judgeExpression(measurement, context)
    }
  }

  private func judged(
    _ verdict: GuardVerdict, _ reason: String, _ value: Double? = nil, of samples: Int64 = 0,
    weight: JudgedCheck.Weight = .repeated
  ) -> JudgedCheck {
    JudgedCheck(check: self, value: value, samples: samples, verdict: verdict, weight: weight, reason: reason)
  }

  // MARK: The arm in the ramp by itself

  private func judgeHits(_ evidence: GuardEvidence, _ context: JudgingContext) -> JudgedCheck {
    let reads = evidence.reads
    let value = reads.ratio.map { 1 - $0 }
    if !context.isWarm { return judged(.muted, Self.mutedReason, value, of: reads.count) }
    guard context.isFresh else { return judged(.noData, Self.staleReason, value, of: reads.count) }
    guard let value else { return judged(.noData, "no lookups in the window") }
    return judgeRatio(value, of: reads.count, "lookups")
  }

  private func judgeRatio(_ value: Double, of samples: Int64, _ unit: String) -> JudgedCheck {
    guard let success else { preconditionFailure("a ratio has a condition") }
    let numbers = "\(name) \(RatioText.rounded(value)) of \(samples) \(unit)"
    switch (success.holds(value), samples >= minSamples) {
    case (true, true): return judged(.pass, "\(numbers) is \(success)", value, of: samples)
    case (false, true): return judged(.fail, "\(numbers) is not \(success)", value, of: samples)
    case (true, false):
      return judged(.inconclusive, "\(numbers), fewer than the \(minSamples) asked for", value, of: samples)
    case (false, false):
      let few = "\(numbers) is not \(success), of fewer than the \(minSamples) that a rollback takes"
      return judged(.fail, few, value, of: samples, weight: .doubtful)
    }
  }

  /// A bad minute is harm in the third one; one of a few errors is not, and neither is a bad minute that is over and
  /// still in the window.
  private func judgeErrors(_ evidence: GuardEvidence, _ context: JudgingContext) -> JudgedCheck {
    guard let success else { preconditionFailure("a ratio has a condition") }
    let (recent, whole) = (evidence.recentErrors, evidence.errors)
    let unit = "lookups and errors"
    guard context.isFresh else { return judged(.noData, Self.staleReason, whole.ratio, of: whole.count) }
    guard let value = whole.ratio else { return judged(.noData, "no \(unit) in the window") }
    if let now = recent.ratio, !success.holds(now) {
      if isEnough(recent) {
        return judged(.fail, "\(name) \(RatioText.rounded(now)) of \(recent.count) \(unit) is not \(success)", now, of: recent.count)
      }
      if isEnough(whole), !success.holds(value) {
        return judged(.fail, "\(name) \(RatioText.rounded(value)) of \(whole.count) \(unit) is not \(success)", value, of: whole.count)
      }
    }
    guard !success.holds(value) else { return judgeRatio(value, of: whole.count, unit) }
    let numbers = "\(name) \(RatioText.rounded(value)) of \(whole.count) \(unit) is not \(success)"
    return judged(.fail, "\(numbers), lately or by too few errors for a rollback", value, of: whole.count, weight: .doubtful)
  }

  private func isEnough(_ tally: GuardEvidence.Tally) -> Bool {
    tally.count >= minSamples && tally.bad >= RolloutCheck.errorsMin
  }

  private func judgeBreaker(_ evidence: GuardEvidence, _ context: JudgingContext) -> JudgedCheck {
    let samples = evidence.breakerOpenings
    let openings = max(0, samples - context.openingsKnown)
    if evidence.breakerOpen { return judged(.fail, "a circuit breaker is open", of: samples, weight: .atOnce) }
    if openings > 0 {
      return judged(.fail, "a circuit breaker opened \(openings) times during the step", of: samples, weight: .atOnce)
    }
    guard context.isFresh else { return judged(.noData, Self.staleReason, of: samples) }
    return judged(.pass, "no circuit breaker is open", of: samples)
  }

  // MARK: The arms against each other

  /// First the hard limit, several times in a row; then the sequential test, which needs no repetition; then whether harm
  /// of any size that matters can be ruled out.
  private func judgeFailures(_ evidence: GuardEvidence, _ context: JudgingContext) -> JudgedCheck {
    guard let margin = success?.limit else { preconditionFailure("the failure ratio has a margin") }
    let (arms, samples) = (context.arms, context.arms.treatment.count)
    guard let treated = arms.treatment.ratio else { return judged(.muted, "no event says which users are in the ramp") }
    let baseline = RolloutCheck.baseline(evidence, arms)
    let limit = max(5 * baseline.ratio, baseline.ratio + 0.02)
    let recent = evidence.treatment.lookups
    if let now = recent.ratio, now >= limit, recent.count >= RolloutCheck.recentLookupsMin, recent.bad >= RolloutCheck.errorsMin {
      let numbers = "\(RatioText.rounded(now)) of \(recent.count) lookups of users in the ramp fail"
      return judged(
        .fail, "\(numbers), \(RatioText.rounded(baseline.ratio)) \(baseline.name): at least \(RatioText.rounded(limit)) is too much", now,
        of: recent.count)
    }
    guard arms.control.count > 0 else { return judgeUncontrolled(treated, baseline, margin, arms) }
    let outside = RatioText.rounded(arms.control.ratio ?? 0)
    let ratios = "\(RatioText.rounded(treated)) of \(samples) lookups in the ramp fail, \(outside) outside"
    guard let bounds = arms.bounds else {
      return judged(.inconclusive, "\(ratios): too early to compare", arms.mean, of: samples)
    }
    let evidenceText = "over \(arms.evaluations) evaluations"
    if bounds.lower > 0 {
      return judged(
        .fail, "\(ratios): worse by at least \(RatioText.rounded(bounds.lower)) \(evidenceText)", arms.mean, of: samples, weight: .atOnce)
    }
    if bounds.upper < margin {
      return judged(.pass, "\(ratios): worse by at most \(RatioText.rounded(bounds.upper))", arms.mean, of: samples)
    }
    return judged(
      .inconclusive, "\(ratios): being worse by \(RatioText.rounded(bounds.upper)) cannot be ruled out \(evidenceText)", arms.mean,
      of: samples)
  }

  /// At 100 % nobody is outside: what there was before the ramp has to do.
  private func judgeUncontrolled(
    _ treated: Double, _ baseline: (ratio: Double, name: String), _ margin: Double, _ arms: ArmComparison
  ) -> JudgedCheck {
    let samples = arms.treatment.count
    let difference = treated - baseline.ratio
    let numbers = "\(RatioText.rounded(treated)) of \(samples) lookups fail, \(RatioText.rounded(baseline.ratio)) \(baseline.name); "
      + "nobody is outside the ramp to compare with"
    guard samples >= minSamples, difference < margin else { return judged(.inconclusive, numbers, difference, of: samples) }
    return judged(.pass, numbers, difference, of: samples)
  }

  /// What would fail without the flag: the other arm lately, in the step, or everybody before the ramp.
  private static func baseline(_ evidence: GuardEvidence, _ arms: ArmComparison) -> (ratio: Double, name: String) {
    let candidates = [
      (evidence.control.lookups, "outside it lately"), (arms.control, "outside it"), (evidence.before, "before the ramp"),
    ]
    for (tally, name) in candidates where tally.count >= recentLookupsMin {
      if let ratio = tally.ratio { return (ratio, name) }
    }
    return (0, "taken for granted without it")
  }

  /// Never a reason to roll back: the cache may be fine while a service ignores the flag.
  private func judgeExposure(_ context: JudgingContext) -> JudgedCheck {
    guard let success else { preconditionFailure("exposure has a limit") }
    let exposure = context.arms.exposure
    guard let value = exposure.ratio else {
      return judged(.muted, "needs events with user ids of both sides, bypasses for users outside the ramp among them")
    }
    let numbers = "\(RatioText.rounded(value)) of \(exposure.count) lookups were on the wrong side of the flag"
    guard exposure.count >= minSamples else {
      return judged(.inconclusive, "\(numbers), of fewer than the \(minSamples) asked for", value, of: exposure.count)
    }
    if success.holds(value) { return judged(.pass, numbers, value, of: exposure.count) }
    return judged(.inconclusive, "\(numbers): a service ignores it, or polls too rarely", value, of: exposure.count)
  }

  // MARK: Expressions

  private func judgeExpression(_ measurement: GuardEvidence.Measurement?, _ context: JudgingContext) -> JudgedCheck {
    guard let success else { preconditionFailure("an expression has a condition") }
    let samples = measurement?.samples.map { $0 > 0 && $0 < 1e15 ? Int64($0) : 0 } ?? 0
    let worst = measurement?.values.first { !success.holds($0) } ?? measurement?.values.first
    if isMutedWhileCold, !context.isWarm { return judged(.muted, Self.mutedReason, worst, of: samples) }
    guard let measurement else { return judged(.noData, "not evaluated yet") }
    if let fault = measurement.fault { return judged(.noData, "\(name): \(fault)") }
    guard let worst, measurement.values.allSatisfy({ !$0.isNaN }) else {
      return judged(.noData, "\(name) has no value: its expression gives nothing, or NaN", of: samples)
    }
    guard minSamples > 0 else {
      return success.holds(worst)
        ? judged(.pass, "\(name) \(RatioText.rounded(worst)) is \(success)", worst)
        : judged(.fail, "\(name) \(RatioText.rounded(worst)) is not \(success)", worst)
    }
    guard samples > 0 else { return judged(.noData, "no samples stand behind \(name)", worst) }
    return judgeRatio(worst, of: samples, "samples")
  }

  private static let mutedReason = "muted while the users just admitted warm the cache"
  private static let staleReason = "no cache event lately"
}

extension GuardAlert {
  /// - Parameters:
  ///   - firing: nil where no rule can give such an alert.
  ///   - onBreach: the plan's, for alerts without an action of their own.
  func judge(_ firing: [FiringAlert]?, onBreach: RolloutPlan.OnBreach, isWarm: Bool) -> JudgedAlert {
    let action = self.action ?? (onBreach == .rollback ? .rollback : .hold)
    func judged(_ verdict: GuardVerdict, _ reason: String, _ action: Action) -> JudgedAlert {
      JudgedAlert(alert: self, action: action, verdict: verdict, firing: firing ?? [], reason: reason)
    }
    guard let firing else {
      return judged(.noData, "no rule gives an alert that matches \(matchers)", action == .observe ? .observe : .hold)
    }
    let loud = firing.filter { isWarm || $0.kind != FiringAlert.kindHitRatio }
    // That data are missing is no harm: it holds, whatever else an alert leads to.
    let harm = loud.filter { $0.kind != FiringAlert.kindSilence }
    if let first = harm.first {
      let more = harm.count > 1 ? " and \(harm.count - 1) more" : ""
      return judged(.fail, "alert \(first.name) is firing at \(RatioText.rounded(first.value))\(more)", action)
    }
    if let silence = loud.first {
      return judged(.noData, "alert \(silence.name) is firing", action == .observe ? .observe : .hold)
    }
    if let muted = firing.first { return judged(.muted, "\(muted.name) is muted while the users just admitted warm the cache", action) }
    return judged(.pass, "none is firing", action)
  }
}
