// SPDX-License-Identifier: Apache-2.0

// Our own scripts in Prometheus' test language, for what Prometheus' scripts that lie beside the project do not cover.
// The values are worked out by hand from the documentation.

import PromQL
import Testing

/// Runs a script in which nothing may fail and nothing be skipped.
func check(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let report = try TestLanguage.run(script)
  for failure in report.failures { Issue.record("\(failure)", sourceLocation: sourceLocation) }
  #expect(report.skippedCounts == [:], sourceLocation: sourceLocation)
  #expect(report.passedCount > 0, sourceLocation: sourceLocation)
}

@Test func atPinsASelectorToATime() throws {
  try check(
    """
    load 10s
      m{job="1"} 0+1x100
      m{job="2"} 0+2x100

    eval instant at 10s m @ 100
      m{job="1"} 10
      m{job="2"} 20

    eval instant at 10s m @ 100 offset 50s
      m{job="1"} 5
      m{job="2"} 10

    eval instant at 10s m offset 50s @ 100
      m{job="1"} 5
      m{job="2"} 10

    eval instant at 10s m{job="1"} @ 100.4
      m{job="1"} 10

    eval instant at 10s sum_over_time(m{job="1"}[30s] @ 100)
      {job="1"} 27

    eval instant at 0s timestamp(m{job="1"} @ 105)
      {job="1"} 100

    eval instant at 0s timestamp(abs(m{job="1"} @ 105))
      {job="1"} 0

    eval range from 0 to 40s step 20s m{job="1"} @ start()
      m{job="1"} 0 0 0

    eval range from 0 to 40s step 20s m{job="1"} @ end()
      m{job="1"} 4 4 4

    eval range from 0 to 40s step 20s sum_over_time(m{job="1"}[20s] @ end()) - m{job="1"}
      {job="1"} 7 5 3

    eval range from 0 to 40s step 20s m{job="1"} + (m{job="1"} @ 100)
      {job="1"} 10 12 14

    # Pinned to before the first sample there is nothing.
    eval instant at 10s m @ -10

    # The time of the step is not pinned.
    eval range from 0 to 40s step 20s predict_linear(m{job="1"}[30s] @ 100, 0)
      {job="1"} 0 2 4

    eval range from 0 to 40s step 20s time() - (m{job="2"} @ 100)
      {job="2"} -20 0 20
    """)
}

@Test func subqueriesRunAtMultiplesOfTheirStep() throws {
  try check(
    """
    load 10s
      m 0+1x100

    # Steps at 70, 80, 90 and 100 s: the window is open to the left.
    eval instant at 100s sum_over_time(m[40s:10s])
      {} 34

    # Steps at 80 and 100 s, multiples of 20 s.
    eval instant at 105s count_over_time(m[40s:20s])
      {} 2

    eval instant at 105s sum_over_time(m[40s:20s])
      {} 18

    # Without a step, each minute.
    eval instant at 200s sum_over_time(m[2m:])
      {} 30

    eval instant at 100s sum_over_time(m[40s:10s] offset 20s)
      {} 26

    eval instant at 0s sum_over_time(m[40s:10s] @ 100)
      {} 34

    eval instant at 0s sum_over_time(m[40s:10s] @ 100 offset 20s)
      {} 26

    # The pinned inner expression has one value at all steps.
    eval instant at 100s sum_over_time((m @ 50)[40s:10s])
      {} 20

    eval instant at 100s max_over_time(rate(m[20s])[40s:10s])
      {} 0.1

    eval instant at 100s sum_over_time(sum_over_time(m[20s:10s])[30s:10s])
      {} 51

    eval range from 60s to 100s step 20s max_over_time((m * 2)[30s:10s])
      {} 12 16 20

    eval instant at 100s avg_over_time(sum(m)[40s:10s])
      {} 8.5

    eval instant at 100s sum_over_time(vector(time())[40s:10s])
      {} 340

    eval instant at 30s m[25s:10s]
      expect range vector from 10s to 30s step 10s
      m 1 2 3

    eval instant at 30s rate(m[20s])[25s:10s]
      expect range vector from 10s to 30s step 10s
      {} 0.05 0.1 0.1
    """)
}

@Test func rangesAndLookbackAreOpenToTheLeft() throws {
  try check(
    """
    load 1m
      m 1 2 3 4 5 6

    eval instant at 5m count_over_time(m[1m])
      {} 1

    eval instant at 5m count_over_time(m[61s])
      {} 2

    eval instant at 5m rate(m[1m])

    eval instant at 10m m

    eval instant at 9m59s m
      m 6

    eval instant at 5m m[2m]
      expect range vector from 4m to 5m step 1m
      m 5 6
    """)
}

@Test func namesAreDroppedAtTheEnd() throws {
  try check(
    """
    load 5m
      a_total{env="1"} 0 60 120 180
      b_total{env="1"} 60 120 180 240

    eval instant at 10m a_total > 0
      a_total{env="1"} 120

    eval instant at 10m a_total > bool 0
      {env="1"} 1

    eval instant at 10m -a_total
      {env="1"} -120

    eval instant at 10m a_total + 0
      {env="1"} 120

    eval instant at 10m a_total * on (env) b_total
      {env="1"} 21600

    eval instant at 10m last_over_time(a_total[10m])
      a_total{env="1"} 120

    eval instant at 10m first_over_time(a_total[10m])
      a_total{env="1"} 60

    eval instant at 10m max_over_time(a_total[10m])
      {env="1"} 120

    eval instant at 10m abs({env="1"})
      expect fail msg: vector cannot contain metrics with the same labelset

    eval range from 10m to 15m step 5m rate({env="1"}[10m])
      expect fail msg: vector cannot contain metrics with the same labelset

    # The name may still be asked for.
    eval instant at 10m label_replace(rate({env="1"}[10m]), "metric", "$1", "__name__", "(.+)_total")
      {env="1",metric="a"} 0.2
      {env="1",metric="b"} 0.2

    eval instant at 10m label_replace(rate({env="1"}[10m]), "__name__", "${1}_rate", "__name__", "(.+)_total")
      a_rate{env="1"} 0.2
      b_rate{env="1"} 0.2

    eval instant at 10m label_join(rate({env="1"}[10m]), "metric", "-", "__name__", "env")
      {env="1",metric="a_total-1"} 0.2
      {env="1",metric="b_total-1"} 0.2

    eval instant at 10m sum by (__name__) ({env="1"})
      {__name__="a_total"} 120
      {__name__="b_total"} 180

    eval instant at 10m sum by (__name__) (rate({env="1"}[10m]))
      expect fail msg: vector cannot contain metrics with the same labelset

    eval instant at 10m sum by (env) (rate({env="1"}[10m]))
      {env="1"} 0.4

    eval instant at 10m topk(1, rate(a_total[10m]))
      {env="1"} 0.2

    eval instant at 10m max_over_time(last_over_time(a_total[5m])[10m:5m])
      {env="1"} 120

    eval instant at 10m last_over_time(rate(a_total[10m])[10m:5m])
      {env="1"} 0.2

    eval instant at 10m last_over_time(a_total[10m:5m])
      a_total{env="1"} 120
    """)
}

@Test func seriesThatBecomeTheSameAreJoinedWhereTheyDoNotMeet() throws {
  try check(
    """
    load 1m
      a{l="1"} 1 2 _ _
      b{l="1"} _ _ _ 4
      c{l="1"} 5 6 7 8

    eval range from 0 to 7m step 1m count_over_time({__name__=~"a|b"}[1m])
      {l="1"} 1 1 _ 1

    eval range from 0 to 3m step 1m (c > 6) or c
      c{l="1"} 5 6 7 8

    eval range from 0 to 3m step 1m (c > 6) or -c
      {l="1"} -5 -6 7 8

    eval range from 0 to 3m step 1m count_over_time({__name__=~"a|c"}[1m])
      expect fail msg: vector cannot contain metrics with the same labelset
    """)
}
