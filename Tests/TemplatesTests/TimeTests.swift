// SPDX-License-Identifier: Apache-2.0

// Times and durations with their methods. Expectations are what Go 1.25 prints; "! " begins an error.

import Testing

@Test(arguments: [
  (#"{{ (toTime 1435065584.128).Format "2006-01-02T15:04:05Z07:00" }}"#, "2015-06-23T13:19:44Z"),
  (#"{{ (toTime 1435065584.128).Format "2006-01-02 15:04:05.000" }}"#, "2015-06-23 13:19:44.128"),
  (#"{{ (toTime 1435065584.128).Format "Mon Jan _2 15:04:05 MST 2006" }}"#, "Tue Jun 23 13:19:44 UTC 2015"),
  (#"{{ (toTime 1435065584.128).Format "Monday, 02-Jan-06 03:04:05 PM -0700" }}"#, "Tuesday, 23-Jun-15 01:19:44 PM +0000"),
  (#"{{ (toTime 1435065584.128).Format "1/2/06 3:4:5pm -07:00 Z0700 -07 Z07" }}"#, "6/23/15 1:19:44pm +00:00 Z +00 Z"),
  (#"{{ (toTime 1435065584.128).Format "002 __2 _2006" }}"#, "174 174 _2015"),
  (#"{{ (toTime 1435065584.128).Format "Month Janx" }}"#, "Month Janx"),
  (#"{{ (toTime 1435065584.128).Format ".000000 .999 ,99 .0001" }}"#, ".128000 .128 ,12 .0006"),
  (#"{{ (toTime 1435065584.128).Format ".000000000000" }}"#, ".128000000"),
  (#"{{ (toTime 1435065584.128).Format "x" }}"#, "x"), (#"{{ (toTime 1435065584.128).Format "" }}"#, ""),
  (#"{{ (toTime 0).Format "2006-01-02 002 15:04:05.999 3PM Mon" }}"#, "1970-01-01 001 00:00:00 12AM Thu"),
  (#"{{ (toTime -1).Format "2006-01-02 002 15:04:05.999 3PM Mon" }}"#, "1969-12-31 365 23:59:59 11PM Wed"),
  (#"{{ (toTime -86400.5).Format "2006-01-02 002 15:04:05.999 3PM Mon" }}"#, "1969-12-30 364 23:59:59.5 11PM Tue"),
  (#"{{ (toTime 951782400).Format "2006-01-02 002 15:04:05.999 3PM Mon" }}"#, "2000-02-29 060 00:00:00 12AM Tue"),
  (#"{{ (toTime 1709210096).Format "2006-01-02 002 15:04:05.999 3PM Mon" }}"#, "2024-02-29 060 12:34:56 12PM Thu"),
  (#"{{ (toTime -9223372036).Format "2006-01-02 002 15:04:05.999 3PM Mon" }}"#, "1677-09-21 264 00:12:44 12AM Tue"),
  (#"{{ (toTime 9223372036).Format "2006-01-02 002 15:04:05.999 3PM Mon" }}"#, "2262-04-11 101 23:47:16 11PM Fri"),
  (#"{{ (toTime 1735689599.999).Format "2006-01-02 002 15:04:05.999 3PM Mon" }}"#, "2024-12-31 366 23:59:59.999 11PM Tue"),
])
func layoutsAreExamples(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  ("{{ (toTime 1435065584.128).Unix }}", "1435065584"), ("{{ (toTime 1435065584.128).UnixMilli }}", "1435065584128"),
  ("{{ (toTime 1435065584.128).UnixMicro }}", "1435065584128000"),
  ("{{ (toTime 1435065584.128).UnixNano }}", "1435065584128000000"),
  ("{{ (toTime 1435065584.128).UTC }}", "2015-06-23 13:19:44.128 +0000 UTC"),
  ("{{ (toTime 1435065584.128).String }}", "2015-06-23 13:19:44.128 +0000 UTC"),
  ("{{ (toTime 1435065584.128).Year }}", "2015"), ("{{ (toTime 1435065584.128).Month }}", "June"),
  ("{{ (toTime 1435065584.128).Day }}", "23"), ("{{ (toTime 1435065584.128).Weekday }}", "Tuesday"),
  ("{{ (toTime 1435065584.128).YearDay }}", "174"), ("{{ (toTime 1435065584.128).Hour }}", "13"),
  ("{{ (toTime 1435065584.128).Minute }}", "19"), ("{{ (toTime 1435065584.128).Second }}", "44"),
  ("{{ (toTime 1435065584.128).Nanosecond }}", "128000000"), ("{{ (toTime 1435065584.128).IsZero }}", "false"),
  ("{{ (toTime 1435065584.128).Month.String }}", "June"),
  ("{{ (toTime 1435065584.128).Add (toDuration 3600) }}", "2015-06-23 14:19:44.128 +0000 UTC"),
  ("{{ (toTime 1435065584.128).Add 5 }}", "2015-06-23 13:19:44.128000005 +0000 UTC"),
  ("{{ (toTime 1435065584.128).AddDate 0 1 31 }}", "2015-08-23 13:19:44.128 +0000 UTC"),
  ("{{ (toTime 1435065584.128).AddDate -1 -14 400 }}", "2014-05-28 13:19:44.128 +0000 UTC"),
  ("{{ (toTime 1435065584.128).Sub (toTime 0) }}", "398629h19m44.128s"),
  ("{{ (toTime 1435065584.128).Truncate (toDuration 3600) }}", "2015-06-23 13:00:00 +0000 UTC"),
  ("{{ (toTime 1435065584.128).Round (toDuration 3600) }}", "2015-06-23 13:00:00 +0000 UTC"),
  ("{{ (toTime 1435065584.128).After (toTime 0) }}", "true"),
  ("{{ (toTime 1435065584.128).Before (toTime 0) }}", "false"),
  ("{{ (toTime 1435065584.128).Equal (toTime 0) }}", "false"),
  ("{{ (toTime 1435065584.128).Compare (toTime 0) }}", "1"),
  ("{{ (toTime 1435065584.128).Nope }}", #"! 1:123: executing "t" at <1435065584.128>: can't evaluate field Nope in type *time.Time"#),
  ("{{ (toTime 1435065584.128).Format }}", #"! 1:123: executing "t" at <1435065584.128>: wrong number of args for Format: want 1 got 0"#),
  ("{{ (toTime 1435065584.128).Format 1 }}", #"! 1:146: executing "t" at <1>: expected string; found 1"#),
  ("{{ (toTime 1435065584.128).Sub nil }}", #"! 1:143: executing "t" at <nil>: cannot assign nil to time.Time"#),
  ("{{ (toTime 1435065584.128).AddDate 1 }}", #"! 1:123: executing "t" at <1435065584.128>: wrong number of args for AddDate: want 3 got 1"#),
  (#"{{ ("-30m" | parseDuration | toDuration | (now | toTime).Add).UnixMilli }}"#, "1353753852000"),
  ("{{ now }} {{ now | toTime }} {{ now | humanizeTimestamp }}", "1.353755652e+09 2012-11-24 11:14:12 +0000 UTC 2012-11-24 11:14:12 +0000 UTC"),
])
func timesHaveMethods(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  ("{{ (toDuration 90061.001).String }}", "25h1m1.001s"), ("{{ (toDuration 90061.001).Hours }}", "25.016944722222224"),
  ("{{ (toDuration 90061.001).Minutes }}", "1501.0166833333333"),
  ("{{ (toDuration 90061.001).Seconds }}", "90061.001"), ("{{ (toDuration 90061.001).Milliseconds }}", "90061001"),
  ("{{ (toDuration 90061.001).Microseconds }}", "90061001000"),
  ("{{ (toDuration 90061.001).Nanoseconds }}", "90061001000000"), ("{{ (toDuration 90061.001).Abs }}", "25h1m1.001s"),
  ("{{ (toDuration 90061.001).Truncate (toDuration 60) }}", "25h1m0s"),
  ("{{ (toDuration 90061.001).Round (toDuration 0.1) }}", "25h1m1s"),
  ("{{ (toDuration 90061.001).Nope }}", #"! 1:127: executing "t" at <90061.001>: can't evaluate field Nope in type *time.Duration"#),
  ("{{ (toDuration -0.25).String }}", "-250ms"), ("{{ (toDuration -0.25).Hours }}", "-6.944444444444444e-05"),
  ("{{ (toDuration -0.25).Minutes }}", "-0.004166666666666667"), ("{{ (toDuration -0.25).Seconds }}", "-0.25"),
  ("{{ (toDuration -0.25).Milliseconds }}", "-250"), ("{{ (toDuration -0.25).Microseconds }}", "-250000"),
  ("{{ (toDuration -0.25).Nanoseconds }}", "-250000000"), ("{{ (toDuration -0.25).Abs }}", "250ms"),
  ("{{ (toDuration -0.25).Truncate (toDuration 60) }}", "0s"),
  ("{{ (toDuration -0.25).Round (toDuration 0.1) }}", "-300ms"),
  ("{{ (toDuration -0.25).Nope }}", #"! 1:127: executing "t" at <-0.25>: can't evaluate field Nope in type *time.Duration"#),
  ("{{ range (args 0 1e-9 0.0000015 0.002 59.9999 3661 1e300) }}{{ toDuration . }} {{ end }}", "0s 1ns 1.5µs 2ms 59.9999s 1h1m1s -2562047h47m16.854775808s "),
])
func durationsHaveMethods(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  ("{{ toTime 1e300 }}", #"! 1:115: executing "t" at <toTime 1e300>: error calling toTime: 1e+300 cannot be represented as a nanoseconds timestamp since it overflows int64"#),
  (#"{{ toTime "inf" }}"#, #"! 1:115: executing "t" at <toTime "inf">: error calling toTime: value is NaN or Inf"#),
  (#"{{ toTime "NaN" }}"#, #"! 1:115: executing "t" at <toTime "NaN">: error calling toTime: value is NaN or Inf"#),
  ("{{ humanizeTimestamp 1e300 }}", #"! 1:115: executing "t" at <humanizeTimestamp 1e300>: error calling humanizeTimestamp: 1e+300 cannot be represented as a nanoseconds timestamp since it overflows int64"#),
  (#"{{ toTime "x" }}"#, #"! 1:115: executing "t" at <toTime "x">: error calling toTime: strconv.ParseFloat: parsing "x": invalid syntax"#),
  (#"{{ toDuration "x" }}"#, #"! 1:115: executing "t" at <toDuration "x">: error calling toDuration: strconv.ParseFloat: parsing "x": invalid syntax"#),
])
func timesBeyondTheRangeAreRefused(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}
