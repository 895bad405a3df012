// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing

// Histograms whose buckets are series.

@Test func quantilesAreInterpolatedInABucket() throws {
  try check(
    """
    load 5m
      h_bucket{le="0.1",job="a"}  0+5x10
      h_bucket{le="0.2",job="a"}  0+7x10
      h_bucket{le="1e0",job="a"}  0+11x10
      h_bucket{le="+Inf",job="a"} 0+12x10
      h_bucket{le="-0.2",job="b"} 0+1x10
      h_bucket{le="-0.1",job="b"} 0+2x10
      h_bucket{le="+Inf",job="b"} 0+4x10

    # Rank 6 of 12, the first above the 5 of the lowest bucket.
    eval instant at 50m histogram_quantile(0.5, rate(h_bucket{job="a"}[10m]))
      {job="a"} 0.15

    # The lowest bucket begins at 0.
    eval instant at 50m histogram_quantile(0.25, h_bucket{job="a"})
      {job="a"} 0.06

    # Of what is above the highest bound only that is known.
    eval instant at 50m histogram_quantile(0.99, h_bucket{job="a"})
      {job="a"} 1

    # And of what is below a lowest bound that is not positive.
    eval instant at 50m histogram_quantile(0.1, h_bucket{job="b"})
      {job="b"} -0.2

    eval instant at 50m histogram_quantile(0.375, h_bucket{job="b"})
      {job="b"} -0.15

    eval instant at 50m histogram_quantile(-0.1, h_bucket{job="a"})
      expect warn msg: PromQL warning: quantile value should be between 0 and 1, got -0.1 (1:20)
      {job="a"} -Inf

    eval instant at 50m histogram_quantile(1.01, h_bucket{job="a"})
      expect warn
      {job="a"} +Inf

    eval instant at 50m histogram_quantile(NaN, h_bucket{job="a"})
      expect warn
      {job="a"} NaN

    eval instant at 0m histogram_quantile(0.5, h_bucket{job="a"})
      {job="a"} NaN

    eval instant at 50m histogram_quantile(0.5, sum by (le) (h_bucket{job="a"}))
      {} 0.15

    eval range from 5m to 15m step 5m histogram_quantile(scalar(h_bucket{le="-0.2"}) / 4, h_bucket{job="a"})
      {job="a"} 0.06 0.15 0.6

    eval instant at 50m histogram_fraction(0, 0.15, h_bucket{job="a"})
      {job="a"} 0.5

    eval instant at 50m histogram_fraction(0.1, 0.2, h_bucket{job="a"})
      {job="a"} 0.16666666666666666

    eval instant at 50m histogram_fraction(-Inf, +Inf, h_bucket{job="a"})
      {job="a"} 1

    eval instant at 50m histogram_fraction(0.2, 0.1, h_bucket{job="a"})
      {job="a"} 0
    """)
}

@Test func bucketsAreRepaired() throws {
  try check(
    """
    load 5m
      broken_bucket{le="1"}    10
      broken_bucket{le="2"}    8
      broken_bucket{le="4"}    20
      broken_bucket{le="+Inf"} 20
      noisy_bucket{le="1"}     10
      noisy_bucket{le="2"}     9.9999999999999
      noisy_bucket{le="4"}     20
      noisy_bucket{le="+Inf"}  20
      twice_bucket{le="1"}     10
      twice_bucket{le="1.0"}   10
      twice_bucket{le="+Inf"}  40
      open_bucket{le="1"}      10
      open_bucket{le="2"}      20
      odd_bucket{le="one"}     3
      odd_bucket{le="1"}       10
      odd_bucket{le="+Inf"}    20

    # The 8 counts as 10: rank 15 is in the middle between 2 and 4.
    eval instant at 0m histogram_quantile(0.75, broken_bucket)
      expect info regex: PromQL info: input to histogram_quantile needed to be fixed .* for metric name "broken_bucket", from buckets 2 to 2, with a max diff of 2, over 1 samples from 19(69-12-31|70-01-01)T.*Z to .*Z \\(1:26\\)
      {} 3

    eval instant at 0m histogram_quantile(0.75, noisy_bucket)
      expect no_info
      {} 3

    eval instant at 0m histogram_quantile(0.25, twice_bucket)
      {} 0.5

    eval instant at 0m histogram_quantile(0.5, open_bucket)
      {} NaN

    eval instant at 0m histogram_quantile(0.25, odd_bucket)
      expect warn msg: PromQL warning: bucket label "le" is missing or has a malformed value of "one" for metric name "odd_bucket" (1:26)
      {} 0.5
    """)
}
