// SPDX-License-Identifier: Apache-2.0

import Notification
import Testing
import TimeSeries

// What a receiver is told and when, in a clock of our own.

private let low = AlertNotice("HitRatioLow")

@Test func aWebhookIsToldOfEachTransitionOnce() {
  var post = Post(.webhook)
  post.take([low])
  #expect(post.sendAll() == [["HitRatioLow/profile firing"]])
  for _ in 0..<100 {
    post.nowMs += 15_000
    post.take([low])
  }
  #expect(post.sendAll() == [])
  for _ in 0..<60 {
    post.nowMs += 15_000
    post.take([low.resolved(at: noonMs + 1_600_000)])
  }
  #expect(post.sendAll() == [["HitRatioLow/profile resolved"]])
  post.take([])
  #expect(post.sendAll() == [])
  #expect(post.disk.isEmpty && post.toldOnDisk.isEmpty)
  post.take([AlertNotice("HitRatioLow", startsMs: post.nowMs)])
  #expect(post.sendAll() == [["HitRatioLow/profile firing"]])
}

@Test func whatStillFiresIsRepeatedAfterFourHours() {
  var post = Post(.slack)
  post.take([low])
  _ = post.sendAll()
  post.nowMs = noonMs + 14_399_000
  post.take([low])
  #expect(post.sendAll() == [])
  post.nowMs = noonMs + 14_400_000
  post.take([low])
  #expect(post.sendAll() == [["HitRatioLow/profile firing"]])
}

@Test func anAlertmanagerIsToldEachMinuteAndOfAnEndForAsLongAsItIsNamed() {
  var post = Post(.alertmanager)
  post.take([low])
  #expect(post.sendAll() == [["HitRatioLow/profile firing"]])
  post.nowMs += 59_000
  post.take([low])
  #expect(post.sendAll() == [])
  post.nowMs += 1_000
  post.take([low])
  #expect(post.sendAll() == [["HitRatioLow/profile firing"]])
  post.nowMs += 15_000
  let over = low.resolved(at: post.nowMs)
  post.take([over])
  #expect(post.sendAll() == [["HitRatioLow/profile resolved"]])
  post.nowMs += 15_000
  post.take([over])
  #expect(post.sendAll() == [])
  post.nowMs += 60_000
  post.take([over])
  #expect(post.sendAll() == [["HitRatioLow/profile resolved"]])
  post.nowMs += 60_000
  post.take([])
  #expect(post.sendAll() == [])
}

@Test func anAlertmanagerThatWasAwayHearsTheLastStateOnce() {
  var post = Post(.alertmanager)
  for minute in 0..<30 {
    post.nowMs = noonMs + Int64(minute) * 60_000
    post.take([low])
    if minute < 20, let batch = post.next() { _ = post.finish(batch, .failed("refused", retryAfterMs: nil)) }
  }
  post.take([low.resolved(at: post.nowMs)])
  #expect(post.sendAll() == [["HitRatioLow/profile resolved"]])
}

@Test func aWebhookThatWasAwayHearsEachTransitionInOrder() {
  var post = Post(.webhook)
  post.take([low])
  post.take([low.resolved(at: noonMs + 1)])
  let again = AlertNotice("HitRatioLow", startsMs: noonMs + 2)
  post.take([again])
  #expect(post.sendAll() == [["HitRatioLow/profile firing"], ["HitRatioLow/profile resolved"], ["HitRatioLow/profile firing"]])
}

@Test func anAlertThatIsNoLongerNamedIsOver() {
  for kind in Receiver.Kind.allCases {
    var post = Post(kind)
    post.take([low, AlertNotice("Other")])
    _ = post.sendAll()
    post.nowMs += 15_000
    post.take([AlertNotice("Other")])
    #expect(post.sendAll() == [["HitRatioLow/profile resolved"]])
    post.outbox.keep(groups: ["another"], at: post.moment)
    post.write()
    #expect(post.sendAll() == [["Other/profile resolved"]])
  }
}

@Test func anEndOfWhichTheBeginningWasNeverToldIsNoNews() {
  var post = Post(.webhook)
  post.take([low.resolved(at: noonMs + 5)])
  #expect(post.sendAll() == [])
  // Prometheus tells an Alertmanager all the same.
  var other = Post(.alertmanager)
  other.take([low.resolved(at: noonMs + 5)])
  #expect(other.sendAll() == [["HitRatioLow/profile resolved"]])
}

// MARK: Restarts

@Test func whatWasDueAndNotTakenIsSentByTheNextProcess() {
  for kind in Receiver.Kind.allCases {
    var post = Post(kind)
    post.take([low])
    let batch = post.next()
    #expect(batch != nil)
    // The answer never came.
    var next = post.restarted(kind)
    #expect(next.sendAll() == [["HitRatioLow/profile firing"]])
    #expect(next.disk.isEmpty)
  }
}

@Test func afterARestartNothingIsToldTwiceAndAnEndIsTold() {
  var post = Post(.webhook)
  post.take([low])
  _ = post.sendAll()
  var next = post.restarted(.webhook)
  next.nowMs += 30_000
  next.take([low])
  #expect(next.sendAll() == [])
  var third = next.restarted(.webhook)
  third.take([low.resolved(at: third.nowMs)])
  #expect(third.sendAll() == [["HitRatioLow/profile resolved"]])
}

@Test func anEndDuringAnOutageLongerThanTheEvaluatorRemembersIsTold() {
  var post = Post(.webhook)
  post.take([low])
  _ = post.sendAll()
  var next = post.restarted(.webhook)
  next.nowMs += 3_600_000
  next.take([])
  #expect(next.sendAll() == [["HitRatioLow/profile resolved"]])
}

@Test func nothingIsSentBeforeItIsWritten() {
  var post = Post(.alertmanager)
  post.outbox.take("cache", [JudgedNotice(low, isSilenced: false)], at: post.moment)
  #expect(post.outbox.next(at: post.moment) == .wait(untilMs: nil))
  post.write()
  #expect(post.next() != nil)
}

@Test func whatIsTakenBeforeItWasWrittenLeavesNoRow() {
  var post = Post(.webhook)
  post.outbox.take("cache", [JudgedNotice(low, isSilenced: false)], at: post.moment)
  // The writer is under way while the entry is taken back.
  let (changes, through) = post.outbox.takeChanges()
  post.outbox.withdraw { _ in true }
  post.outbox.written(through: through)
  for (id, notice) in changes.queued { post.disk[id] = notice }
  post.write()
  #expect(post.disk.isEmpty)
  #expect(post.sendAll() == [])
}

// MARK: Silences

@Test func aSilencedAlertIsNotToldAndIsToldWhenTheSilenceEnds() {
  for kind in Receiver.Kind.allCases {
    var post = Post(kind)
    post.take([low, AlertNotice("HitRatioLow", cache: "orders")], silenced: ["profile"])
    #expect(post.sendAll() == [["HitRatioLow/orders firing"]])
    post.nowMs += 15_000
    post.take([low, AlertNotice("HitRatioLow", cache: "orders")])
    #expect(post.sendAll() == [["HitRatioLow/profile firing"]])
  }
}

@Test func whatBeganAndEndedUnderASilenceIsNeverTold() {
  for kind in Receiver.Kind.allCases {
    var post = Post(kind)
    post.take([low], silenced: ["profile"])
    post.nowMs += 15_000
    post.take([low.resolved(at: post.nowMs)], silenced: ["profile"])
    #expect(post.sendAll() == [])
  }
}

@Test func anAcknowledgedAlertIsToldAgainWhenThatEndsAndItsEndIsToldAtOnce() {
  var post = Post(.slack)
  post.take([low])
  _ = post.sendAll()
  post.nowMs += 86_400_000
  post.take([low], silenced: ["profile"])
  #expect(post.sendAll() == [])
  var next = post.restarted(.slack)
  next.nowMs += 15_000
  next.take([low])
  #expect(next.sendAll() == [["HitRatioLow/profile firing"]])
  next.take([low], silenced: ["profile"])
  next.take([low.resolved(at: next.nowMs)], silenced: ["profile"])
  #expect(next.sendAll() == [["HitRatioLow/profile resolved"]])
}

@Test func anAlertmanagerThatKnowsASilencedAlertIsNotLetToThinkItOver() {
  var post = Post(.alertmanager)
  post.take([low])
  _ = post.sendAll()
  post.nowMs += 60_000
  post.take([low], silenced: ["profile"])
  #expect(post.sendAll() == [["HitRatioLow/profile firing"]])
}

@Test func aNewSilenceTakesBackWhatWaits() {
  var post = Post(.webhook)
  post.take([low, AlertNotice("HitRatioLow", cache: "orders")])
  post.outbox.withdraw { $0["cache"] == "profile" }
  post.write()
  #expect(post.sendAll() == [["HitRatioLow/orders firing"]])
  // It was never told, so it is when the silence ends.
  post.take([low, AlertNotice("HitRatioLow", cache: "orders")])
  #expect(post.sendAll() == [["HitRatioLow/profile firing"]])
}

// MARK: Bounds

@Test(arguments: [Outbox.queueMax, Outbox.queueMax + 1, Outbox.queueMax + 500])
func ofTooManyTheOldestAreDroppedAndCounted(count: Int) {
  var post = Post(.webhook)
  post.take((0..<count).map { AlertNotice("A", cache: "\($0)") })
  #expect(post.outbox.queue.count == min(count, Outbox.queueMax))
  #expect(post.outbox.counts.dropped == Int64(max(count - Outbox.queueMax, 0)))
  #expect(post.outbox.queue.last?.notice.labels["cache"] == "\(count - 1)")
  #expect(post.disk.count == post.outbox.queue.count)
}

@Test func moreAlertsThanAreRememberedAreNotTold() {
  var post = Post(.slack)
  post.take((0..<Outbox.alertsMax + 1).map { AlertNotice("A", cache: "\($0)") })
  #expect(post.outbox.counts.dropped == Int64(Outbox.alertsMax - Outbox.queueMax + 1))
  #expect(post.toldOnDisk.count == Outbox.alertsMax)
}

@Test func tenThousandAlertsAtOnceAreABoundedNumberOfMessages() {
  let many = (0..<10_000).map { AlertNotice("HitRatioLow", cache: "c\($0)") }
  let messages = Dictionary(uniqueKeysWithValues: Receiver.Kind.allCases.map { kind in
    var post = Post(kind)
    post.take(many)
    let all = post.sendAll()
    #expect(Set(all.joined()).count == 10_000)
    #expect(post.disk.isEmpty)
    return (kind, all.count)
  })
  #expect(messages == [.alertmanager: 40, .webhook: 20, .slack: 1])
}

@Test func tenThousandNamesAreABoundedNumberOfMessages() {
  var post = Post(.slack)
  post.take((0..<10_000).map { AlertNotice("A\($0)") })
  #expect(post.sendAll().count == 1)
}

// MARK: Grouping

@Test func alertsOfOneNameServiceAndCacheGoTogether() {
  var post = Post(.webhook)
  var second = low
  second.labels = low.labels.inserting("tier", "L1")
  post.take([low, AlertNotice("HitRatioLow", cache: "orders"), second])
  var groups: [String] = []
  while let batch = post.next() {
    groups.append("\(batch.message.groupLabels) \(batch.message.notices.count)")
    _ = post.finish(batch)
  }
  #expect(groups == [#"{alertname="HitRatioLow",cache="profile"} 2"#, #"{alertname="HitRatioLow",cache="orders"} 1"#])
}

@Test(arguments: [(20, 20), (21, 1)])
func tooManyGroupsAreBroughtTogetherByName(caches: Int, messages: Int) {
  var post = Post(.webhook)
  post.take((0..<caches).map { AlertNotice("HitRatioLow", cache: "c\($0)") })
  #expect(post.sendAll().count == messages)
}

@Test func aMessageWaitsForOthersAndSlackTakesOneASecond() {
  var post = Post(.slack)
  post.take([low])
  #expect(post.outbox.next(at: post.moment) == .wait(untilMs: post.moment.monotonicMs + 2_000))
  post.nowMs += 1_000
  post.take([AlertNotice("Other")], group: "another")
  let first = post.next()
  #expect(post.nowMs == noonMs + 2_000)
  _ = first.map { post.finish($0) }
  #expect(post.outbox.next(at: post.moment) == .wait(untilMs: post.moment.monotonicMs + 1_000))
}

// MARK: Answers

@Test func whatFailsIsRetriedWithBackOffUntilItIsTaken() throws {
  var post = Post(.webhook)
  post.take([low])
  var waits: [Int64] = []
  for _ in 0..<10 {
    let next = post.next()
    let batch = try #require(next)
    guard case .retried(_, let inMs) = post.finish(batch, .failed("answered 500", retryAfterMs: nil)) else {
      Issue.record("not retried")
      return
    }
    waits.append(inMs)
  }
  #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000])
  let next = post.next()
  let batch = try #require(next)
  #expect(post.finish(batch) == .taken(alerts: 1, isRecovery: true))
  #expect(post.outbox.counts.failed == 10)
  #expect(post.disk.isEmpty)
}

@Test func whatIsRefusedIsGivenUpAndWhatIsBehindItGoesOut() throws {
  var post = Post(.webhook)
  post.take([low, AlertNotice("Other")])
  for attempt in 1...Outbox.refusalsMax {
    let next = post.next()
    let batch = try #require(next)
    #expect(batch.message.notices.map(\.told) == ["HitRatioLow/profile firing"])
    let consequence = post.finish(batch, .refused("answered 400"))
    let isLast = attempt == Outbox.refusalsMax
    #expect((consequence == .dropped(reason: "answered 400", alerts: 1)) == isLast)
  }
  #expect(post.sendAll() == [["Other/profile firing"]])
  #expect(post.outbox.counts.dropped == 1)
  #expect(post.disk.isEmpty)
}

@Test func aReceiverThatAsksToWaitIsLetWait() throws {
  var post = Post(.slack)
  post.take([low])
  let next = post.next()
  let batch = try #require(next)
  #expect(post.finish(batch, .failed("answered 429", retryAfterMs: 30_000)) == .retried(reason: "answered 429", inMs: 30_000))
  #expect(post.outbox.next(at: post.moment) == .wait(untilMs: post.moment.monotonicMs + 30_000))
}

@Test(arguments: [(0.0, 800), (0.5, 1_000), (1.0, 1_200)])
func backOffIsSpreadByChance(random: Double, firstMs: Int64) {
  var backOff = BackOff()
  #expect(backOff.failed(retryAfterMs: nil, random: random) == firstMs)
  for _ in 0..<100 { #expect(backOff.failed(retryAfterMs: nil, random: random) <= BackOff.longestMs * 12 / 10) }
  #expect(backOff.failed(retryAfterMs: .max, random: random) == BackOff.retryAfterMsMax)
  backOff.succeeded()
  #expect(backOff.failed(retryAfterMs: 10, random: random) == firstMs)
}
