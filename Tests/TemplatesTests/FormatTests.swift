// SPDX-License-Identifier: Apache-2.0

// printf with every verb and type, and print. Expectations are what Go 1.25 prints; "! " begins an error.

import Testing

@Test(arguments: [
  (#"{{ printf "%d" 42 }}"#, "42"), (#"{{ printf "%5d" 42 }}"#, "   42"), (#"{{ printf "%-5d|" 42 }}"#, "42   |"),
  (#"{{ printf "%05d" 42 }}"#, "00042"), (#"{{ printf "%+d" 42 }}"#, "+42"), (#"{{ printf "% d" 42 }}"#, " 42"),
  (#"{{ printf "%x" 42 }}"#, "2a"), (#"{{ printf "%X" 42 }}"#, "2A"), (#"{{ printf "%#x" 42 }}"#, "0x2a"),
  (#"{{ printf "%o" 42 }}"#, "52"), (#"{{ printf "%#o" 42 }}"#, "052"), (#"{{ printf "%O" 42 }}"#, "0o52"),
  (#"{{ printf "%b" 42 }}"#, "101010"), (#"{{ printf "%c" 42 }}"#, "*"), (#"{{ printf "%q" 42 }}"#, "'*'"),
  (#"{{ printf "%U" 42 }}"#, "U+002A"), (#"{{ printf "%#U" 42 }}"#, "U+002A '*'"),
  (#"{{ printf "%.5d" 42 }}"#, "00042"), (#"{{ printf "%8.3d" 42 }}"#, "     042"),
  (#"{{ printf "%s" 42 }}"#, "%!s(int=42)"), (#"{{ printf "%t" 42 }}"#, "%!t(int=42)"),
  (#"{{ printf "%f" 42 }}"#, "%!f(int=42)"), (#"{{ printf "%e" 42 }}"#, "%!e(int=42)"),
  (#"{{ printf "%v" 42 }}"#, "42"), (#"{{ printf "%T" 42 }}"#, "int"), (#"{{ printf "%z" 42 }}"#, "%!z(int=42)"),
  (#"{{ printf "%d" -42 }}"#, "-42"), (#"{{ printf "%05d" -42 }}"#, "-0042"), (#"{{ printf "%x" -42 }}"#, "-2a"),
  (#"{{ printf "%+d" -42 }}"#, "-42"), (#"{{ printf "%v" -42 }}"#, "-42"), (#"{{ printf "%f" 3.14159 }}"#, "3.141590"),
  (#"{{ printf "%.2f" 3.14159 }}"#, "3.14"), (#"{{ printf "%8.2f" 3.14159 }}"#, "    3.14"),
  (#"{{ printf "%-8.2f|" 3.14159 }}"#, "3.14    |"), (#"{{ printf "%08.2f" 3.14159 }}"#, "00003.14"),
  (#"{{ printf "%+.1f" 3.14159 }}"#, "+3.1"), (#"{{ printf "%e" 3.14159 }}"#, "3.141590e+00"),
  (#"{{ printf "%.3e" 3.14159 }}"#, "3.142e+00"), (#"{{ printf "%E" 3.14159 }}"#, "3.141590E+00"),
  (#"{{ printf "%g" 3.14159 }}"#, "3.14159"), (#"{{ printf "%.3g" 3.14159 }}"#, "3.14"),
  (#"{{ printf "%G" 3.14159 }}"#, "3.14159"), (#"{{ printf "%#g" 3.14159 }}"#, "3.14159"),
  (#"{{ printf "%v" 3.14159 }}"#, "3.14159"), (#"{{ printf "%x" 3.14159 }}"#, "0x1.921f9f01b866ep+01"),
  (#"{{ printf "%d" 3.14159 }}"#, "%!d(float64=3.14159)"), (#"{{ printf "%s" 3.14159 }}"#, "%!s(float64=3.14159)"),
  (#"{{ printf "%5.1f" 3.14159 }}"#, "  3.1"), (#"{{ printf "%T" 3.14159 }}"#, "float64"),
  (#"{{ printf "%s" "héllo" }}"#, "héllo"), (#"{{ printf "%10s" "héllo" }}"#, "     héllo"),
  (#"{{ printf "%-10s|" "héllo" }}"#, "héllo     |"), (#"{{ printf "%.2s" "héllo" }}"#, "hé"),
  (#"{{ printf "%q" "héllo" }}"#, #""héllo""#), (#"{{ printf "%+q" "héllo" }}"#, #""h\u00e9llo""#),
  (#"{{ printf "%#q" "héllo" }}"#, "`héllo`"), (#"{{ printf "%x" "héllo" }}"#, "68c3a96c6c6f"),
  (#"{{ printf "%X" "héllo" }}"#, "68C3A96C6C6F"), (#"{{ printf "% x" "héllo" }}"#, "68 c3 a9 6c 6c 6f"),
  (#"{{ printf "%# x" "héllo" }}"#, "0x68 0xc3 0xa9 0x6c 0x6c 0x6f"), (#"{{ printf "%v" "héllo" }}"#, "héllo"),
  (#"{{ printf "%d" "héllo" }}"#, "%!d(string=héllo)"), (#"{{ printf "%t" "héllo" }}"#, "%!t(string=héllo)"),
  (#"{{ printf "%T" "héllo" }}"#, "string"), (#"{{ printf "%010s" "héllo" }}"#, "00000héllo"),
  (#"{{ printf "%t" true }}"#, "true"), (#"{{ printf "%v" true }}"#, "true"), (#"{{ printf "%6t" true }}"#, "  true"),
  (#"{{ printf "%s" true }}"#, "%!s(bool=true)"), (#"{{ printf "%d" true }}"#, "%!d(bool=true)"),
  (#"{{ printf "%v" nil }}"#, "<nil>"), (#"{{ printf "%s" nil }}"#, "%!s(<nil>)"),
  (#"{{ printf "%T" nil }}"#, "<nil>"),
  (#"{{ printf "%v" $labels }}"#, "map[instance:web-1:9100 job:node path:/a b/<c>&d quantile:0.99 unicode:héllo 世界]"),
  (#"{{ printf "%s" $labels }}"#, "map[instance:web-1:9100 job:node path:/a b/<c>&d quantile:0.99 unicode:héllo 世界]"),
  (#"{{ printf "%d" $labels }}"#, "map[%!d(string=instance):%!d(string=web-1:9100) %!d(string=job):%!d(string=node) %!d(string=path):%!d(string=/a b/<c>&d) %!d(string=quantile):%!d(string=0.99) %!d(string=unicode):%!d(string=héllo 世界)]"),
  (#"{{ printf "%#v" $labels }}"#, #"map[string]string{"instance":"web-1:9100", "job":"node", "path":"/a b/<c>&d", "quantile":"0.99", "unicode":"héllo 世界"}"#),
  (#"{{ printf "%v" (query "m" | first) }}"#, "&{map[__name__:m instance:b job:x] 21}"),
  (#"{{ printf "%+v" (query "m" | first) }}"#, "&{Labels:map[__name__:m instance:b job:x] Value:21}"),
  (#"{{ printf "%v" (toTime 1) }}"#, "1970-01-01 00:00:01 +0000 UTC"),
  (#"{{ printf "%s" (toTime 1) }}"#, "1970-01-01 00:00:01 +0000 UTC"),
  (#"{{ printf "%T" (toTime 1) }}"#, "*time.Time"), (#"{{ printf "%v" (toDuration 90).Abs }}"#, "1m30s"),
  (#"{{ printf "%d" (toDuration 90).Abs }}"#, "90000000000"), (#"{{ printf "%s" (toDuration 90).Abs }}"#, "1m30s"),
  (#"{{ printf "%T" (toDuration 90).Abs }}"#, "time.Duration"), (#"{{ printf "%v" (toTime 1).Month }}"#, "January"),
  (#"{{ printf "%d" (toTime 1).Month }}"#, "1"), (#"{{ printf "%s" (toTime 1).Month }}"#, "January"),
  (#"{{ printf "%v" (index "a" 0) }}"#, "97"), (#"{{ printf "%c" (index "a" 0) }}"#, "a"),
  (#"{{ printf "%x" (index "a" 0) }}"#, "61"), (#"{{ printf "%T" (index "a" 0) }}"#, "uint8"),
  (#"{{ printf "%v" (args 1 "a" nil) }}"#, "map[arg0:1 arg1:a arg2:<nil>]"),
  (#"{{ printf "%d" (args 1 "a" nil) }}"#, "map[%!d(string=arg0):1 %!d(string=arg1):%!d(string=a) %!d(string=arg2):<nil>]"),
  (#"{{ printf "%#v" (args 1 "a" nil) }}"#, #"map[string]interface {}{"arg0":1, "arg1":"a", "arg2":interface {}(nil)}"#),
  (#"{{ printf "%T" (args 1 "a" nil) }}"#, "map[string]interface {}"),
])
func verbsMeanWhatTheTypeSays(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ printf "%.2f" 1.005 }}"#, "1.00"), (#"{{ printf "%.2f" 0.125 }}"#, "0.12"),
  (#"{{ printf "%.2f" 0.375 }}"#, "0.38"), (#"{{ printf "%.0f" 0.5 }}"#, "0"), (#"{{ printf "%.0f" 1.5 }}"#, "2"),
  (#"{{ printf "%.0f" 2.5 }}"#, "2"), (#"{{ printf "%.1f" 0.25 }}"#, "0.2"), (#"{{ printf "%.1f" 0.35 }}"#, "0.3"),
  (#"{{ printf "%.3f" 1234.5678 }}"#, "1234.568"), (#"{{ printf "%.20f" 0.1 }}"#, "0.10000000000000000555"),
  (#"{{ printf "%.1f" 999.95 }}"#, "1000.0"), (#"{{ printf "%.4g" 999.95 }}"#, "1000"),
  (#"{{ printf "%.4g" 1234567.0 }}"#, "1.235e+06"), (#"{{ printf "%.4g" 0.00001234 }}"#, "1.234e-05"),
  (#"{{ printf "%.3g" 100000.0 }}"#, "1e+05"), (#"{{ printf "%.3g" 123.0 }}"#, "123"),
  (#"{{ printf "%g" 1e21 }}"#, "1e+21"), (#"{{ printf "%g" 100000.0 }}"#, "100000"),
  (#"{{ printf "%g" 1000000.0 }}"#, "1e+06"), (#"{{ printf "%g" 0.0001 }}"#, "0.0001"),
  (#"{{ printf "%g" 0.00001 }}"#, "1e-05"), (#"{{ printf "%v" 1e-7 }}"#, "1e-07"),
  (#"{{ printf "%f" 1e21 }}"#, "1000000000000000000000.000000"), (#"{{ printf "%e" 0.0 }}"#, "0.000000e+00"),
  (#"{{ printf "%g" 0.0 }}"#, "0"), (#"{{ printf "%v" 5e-324 }}"#, "5e-324"),
  (#"{{ printf "%.3e" 1.7976931348623157e308 }}"#, "1.798e+308"), (#"{{ printf "%.0e" 15.0 }}"#, "2e+01"),
  (#"{{ printf "%.0e" 25.0 }}"#, "2e+01"), (#"{{ printf "%x" 1.0 }}"#, "0x1p+00"),
  (#"{{ printf "%x" -0.1 }}"#, "-0x1.999999999999ap-04"), (#"{{ printf "%.2x" 1.999 }}"#, "0x1.00p+01"),
  (#"{{ printf "%b" 1.0 }}"#, "4503599627370496p-52"), (#"{{ printf "%6.2f%%" 12.3456 }}"#, " 12.35%"),
  (#"{{ printf "%+.2e" 12345.678 }}"#, "+1.23e+04"), (#"{{ printf "%+g" 1.5 }}"#, "+1.5"),
  (#"{{ printf "% g" 1.5 }}"#, " 1.5"), (#"{{ printf "%010.3f" -1.5 }}"#, "-00001.500"),
  (#"{{ printf "%-10.3f|" -1.5 }}"#, "-1.500    |"), (#"{{ printf "%#.3g" 1.0 }}"#, "1.00"),
  (#"{{ printf "%#v" 1.0 }}"#, "1"), (#"{{ printf "%.3f" 0.0005 }}"#, "0.001"),
  (#"{{ printf "%.3f" 0.0015 }}"#, "0.002"), (#"{{ printf "%.15g" 0.1 }}"#, "0.1"),
  (#"{{ printf "%.17g" 0.1 }}"#, "0.10000000000000001"), (#"{{ printf "%.1f" 0.05 }}"#, "0.1"),
  (#"{{ printf "%.0f" 1e15 }}"#, "1000000000000000"),
])
func floatsAreRoundedOnce(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ printf "%" }}"#, "%!(NOVERB)"), (#"{{ printf "%d" }}"#, "%!d(MISSING)"),
  (#"{{ printf "%d %d" 1 }}"#, "1 %!d(MISSING)"),
  (#"{{ printf "a" 1 "b" nil }}"#, "a%!(EXTRA int=1, string=b, <nil>)"), (#"{{ printf "%[2]d %[1]d" 1 2 }}"#, "2 1"),
  (#"{{ printf "%[3]d" 1 }}"#, "%!d(BADINDEX)"), (#"{{ printf "%[0]d" 1 }}"#, "%!d(BADINDEX)"),
  (#"{{ printf "%[x]d" 1 }}"#, "%!d(BADINDEX)"), (#"{{ printf "%[1" 1 }}"#, "%!(NOVERB)"),
  (#"{{ printf "%[]d" 1 }}"#, "%!d(BADINDEX)"), (#"{{ printf "%*d" 5 1 }}"#, "    1"),
  (#"{{ printf "%-*d|" 5 1 }}"#, "1    |"), (#"{{ printf "%*d" -5 1 }}|"#, "1    |"),
  (#"{{ printf "%*d" "a" 1 }}"#, "%!(BADWIDTH)1"), (#"{{ printf "%.*f" 2 1.5 }}"#, "1.50"),
  (#"{{ printf "%.*f" -2 1.5 }}"#, "%!(BADPREC)1.500000"), (#"{{ printf "%[2]*[1]d" 1 5 }}"#, "    1"),
  (#"{{ printf "%[3]*.[2]*[1]f" 1.5 2 8 }}"#, "    1.50"), (#"{{ printf "%[2]2d" 1 2 }}"#, "%!d(BADINDEX)"),
  (#"{{ printf "%1000000000d" 1 }}"#, "%!(NOVERB)%!(EXTRA int=1)"), (#"{{ printf "%!" 1 }}"#, "%!!(int=1)"),
  (#"{{ printf "%%" }}"#, "%"), (#"{{ printf "%5%" }}"#, "%"), (#"{{ printf "%é" 1 }}"#, "%!é(int=1)"),
  (#"{{ printf "%-+ #0d" 1 }}"#, "+1"), (#"{{ printf "%.d" 0 }}"#, ""), (#"{{ printf "%w" 1 }}"#, "%!w(int=1)"),
  (#"{{ printf "%v%v" 1 }}"#, "1%!v(MISSING)"),
  ("{{ printf 1 }}", #"! 1:122: executing "t" at <1>: expected string; found 1"#),
  (#"{{ printf "%.[2]f" 1.5 2 }}"#, "%!f(int=2)"), (#"{{ printf "%d" "a" }}"#, "%!d(string=a)"),
  (#"{{ printf "%s" 1.5 }}"#, "%!s(float64=1.5)"), (#"{{ printf "%t" "a" }}"#, "%!t(string=a)"),
  (#"{{ printf "%c" 1114112 }}"#, "�"),
])
func wrongFormatsSayWhatIsWrong(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}

@Test(arguments: [
  (#"{{ print 1 2 "a" "b" 3 4.5 nil true false }}"#, "1 2ab3 4.5 <nil> true false"),
  (#"{{ println 1 "a" nil }}"#, "1 a <nil>\n"), ("{{ print }}", ""), ("{{ print $labels.job 1 }}", "node1"),
  (#"{{ print "a" 1 2 "b" }}"#, "a1 2b"),
])
func printPutsSpacesWhereGoDoes(template: String, expected: String) {
  #expect(expanded(template) == expected, "\(template)")
}
