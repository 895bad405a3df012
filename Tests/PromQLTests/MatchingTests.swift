// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing

// Which series of two vectors meet, and what Prometheus says where they may not.

@Test func vectorsMatch() throws {
  try check(
    """
    load 1m
      requests{method="get",code="500"}  24
      requests{method="get",code="404"}  30
      requests{method="post",code="500"} 6
      totals{method="get"}               600
      totals{method="put"}               10
      totals{method="post"}              120

    eval instant at 0m requests{code="500"} / ignoring (code) totals
      {method="get"} 0.04
      {method="post"} 0.05

    eval instant at 0m requests / ignoring (code) group_left totals
      {method="get",code="500"} 0.04
      {method="get",code="404"} 0.05
      {method="post",code="500"} 0.05

    eval instant at 0m totals / ignoring (code) group_right requests
      {method="get",code="500"} 25
      {method="get",code="404"} 20
      {method="post",code="500"} 20

    # A filter keeps the left side's value, and the labels of the many.
    eval instant at 0m totals > ignoring (code) group_right requests
      requests{method="get",code="500"} 600
      requests{method="get",code="404"} 600
      requests{method="post",code="500"} 120

    eval instant at 0m requests / ignoring (code) totals
      expect fail msg: multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)

    eval instant at 0m totals / ignoring (code) requests
      expect fail regex: found duplicate series for the match group \\{method="get"\\} on the right hand-side of the operation: .*;many-to-many matching not allowed: matching labels must be unique on one side

    eval instant at 0m requests / on (method) group_left totals * 0
      {method="get",code="500"} 0
      {method="get",code="404"} 0
      {method="post",code="500"} 0

    eval instant at 0m requests and on (method) totals{method="post"}
      requests{method="post",code="500"} 6

    eval instant at 0m requests unless on (method) totals{method="post"}
      requests{method="get",code="500"} 24
      requests{method="get",code="404"} 30

    eval instant at 0m totals{method="put"} or on (method) requests or totals
      totals{method="put"} 10
      requests{method="get",code="500"} 24
      requests{method="get",code="404"} 30
      requests{method="post",code="500"} 6
      totals{method="get"} 600
      totals{method="post"} 120

    eval instant at 0m requests and on () vector(1)
      requests{method="get",code="500"} 24
      requests{method="get",code="404"} 30
      requests{method="post",code="500"} 6
    """)
}

@Test func groupLabelsAreTakenFromTheOneSide() throws {
  try check(
    """
    load 1m
      hits{cache="c1",tier="L1"}    10
      hits{cache="c2",tier="L1"}    20
      owner{cache="c1",team="x"}    1
      owner{cache="c2"}             1
      team{cache="c1",tier="L1"}    1

    eval instant at 0m hits * on (cache) group_left (team) owner
      {cache="c1",tier="L1",team="x"} 10
      {cache="c2",tier="L1"} 20

    eval instant at 0m hits * on (tier) group_left (cache) team
      expect fail msg: multiple matches for labels: grouping labels must ensure unique matches
    """)
}

@Test func aMatchHoldsForTheStepAlone() throws {
  try check(
    """
    load 1m
      left{l="a"}  1 2 3 4
      one{l="a",v="x"} 10 10 stale
      one{l="a",v="y"} _ stale 20 20

    eval range from 0 to 3m step 1m left * ignoring (v) one
      {l="a"} 10 20 60 80

    eval range from 0 to 3m step 1m left * on (l) group_left (v) one
      {l="a",v="x"} 10 20 _ _
      {l="a",v="y"} _ _ 60 80
    """)
}

@Test func nothingIsAmbiguousWhereOneSideIsEmpty() throws {
  try check(
    """
    load 1m
      a{l="1"} 1 _ 1
      a{l="2"} 1 _ 1
      b        _ _ _ 1

    eval range from 0 to 2m step 1m b + on () a
    """)
}
