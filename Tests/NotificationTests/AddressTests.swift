// SPDX-License-Identifier: Apache-2.0

import HTTPClient
import Notification
import Testing

// Where notifications may go, by address and by the way a URL is written.

@Test(arguments: [
  "8.8.8.8", "1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "192.169.0.1",
  "11.0.0.0", "9.255.255.255", "169.253.255.255", "169.255.0.0", "223.255.255.255", "2606:4700::1111", "2001:4860:4860::8888",
  "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
])
func anAddressOfTheInternetIsOpen(text: String) throws {
  #expect(AddressKind(try #require(RemoteAddress(text))) == .open)
}

@Test(arguments: ["127.0.0.1", "127.255.255.255", "127.0.1.1", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"])
func thisMachineIsLoopback(text: String) throws {
  #expect(AddressKind(try #require(RemoteAddress(text))) == .loopback)
}

@Test(arguments: [
  "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.1", "192.168.255.255", "100.64.0.0", "100.127.255.255",
  "198.18.0.1", "fc00::1", "fd12:3456::1", "fdff:ffff::1", "fec0::1", "::ffff:10.0.0.1", "::ffff:c0a8:1", "64:ff9b::10.1.2.3",
  "2002:a00:1::1",
])
func aNetworkOfOnesOwnIsPrivate(text: String) throws {
  #expect(AddressKind(try #require(RemoteAddress(text))) == .private)
}

@Test(arguments: [
  "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192",
  "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.51.100.7", "203.0.113.9", "::", "fe80::1",
  "febf::1", "fd00:ec2::254", "fd00:ec2::253", "fd20:ce::254", "ff02::1", "2001:db8::1", "100::1", "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe", "::ffff:0:a9fe:a9fe", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "2001:0:a9fe:a9fe::1",
  "::ffff:0.0.0.0", "2600::5efe:a9fe:a9fe", "2600::200:5efe:10.0.0.1",
])
func whatIsNeverAReceiverIsForbidden(text: String) throws {
  #expect(AddressKind(try #require(RemoteAddress(text))) == .forbidden)
}

private func refusal(of text: String, allowsPrivate: Bool = false) -> String {
  do throws(OutgoingURLError) {
    try OutgoingURL(text).checkAddress(allowsPrivate: allowsPrivate)
    return "accepted"
  } catch {
    return error.description
  }
}

@Test(arguments: [
  "http://127.0.0.1:9093", "http://[::1]:9093/prefix", "http://localhost:9093", "https://hooks.example.com/services/T/B/x?y=z",
  "HTTPS://Hooks.Example.com", "http://user:pass@example.com:8080/", "http://8.8.8.8", "http://a_b.example./x",
] as [String])
func whatIsWrittenPlainlyIsAccepted(text: String) {
  #expect(refusal(of: text) == "accepted")
}

@Test(arguments: [
  ("http://2130706433/", "four decimal numbers"), ("http://0177.0.0.1/", "four decimal numbers"),
  ("http://0x7f.0.0.1/", "four decimal numbers"), ("http://0x7f000001/", "four decimal numbers"),
  ("http://127.1/", "four decimal numbers"), ("http://017700000001/", "four decimal numbers"),
  ("http://127.0.0.0x1/", "four decimal numbers"), ("http://example.1/", "four decimal numbers"),
  ("http://256.0.0.1/", "four decimal numbers"), ("http://1.2.3.4.5/", "four decimal numbers"),
  ("http://169.254.169.254/latest/meta-data", "never a receiver"), ("http://[fe80::1]/", "never a receiver"),
  ("http://[::ffff:169.254.169.254]/", "never a receiver"), ("http://0.0.0.0:9093", "never a receiver"),
  ("http://[fd00:ec2::254]/", "never a receiver"), ("http://10.0.0.1/", "allow_private"), ("http://[fd12::1]/", "allow_private"),
  ("http://[fe80::1%25eth0]/", "without a zone"), ("http://[::1/", "ends in ]"), ("http://[::1]x/", "only a port"),
  ("http://[127.0.0.1]/", "IPv6"), ("ftp://example.com/", "http://"), ("file:///etc/passwd", "http://"), ("//example.com", "http://"),
  ("http://", "host name"), ("http:///path", "host name"), ("http://exa mple.com", "printable"), ("http://example.com\\@10.0.0.1", "printable"),
  ("http://ex\u{e4}mple.com", "printable"), ("http://example.com:0/", "port"), ("http://example.com:70000/", "port"),
  ("http://example.com:/", "port"), ("http://169.254.169.254#@example.com/", "never a receiver"),
  ("http://example.com@169.254.169.254/", "never a receiver"), ("http://a@b@169.254.169.254/", "never a receiver"),
  ("http://127.0.0.1\u{3002}1/", "printable"), ("http://①27.0.0.1/", "printable"), ("http://%31%32%37.0.0.1/", "host name"),
])
func whatCouldBeReadInTwoWaysIsRefused(text: String, reason: String) {
  #expect(refusal(of: text).contains(reason), "\(refusal(of: text))")
}

@Test func privateAddressesNeedTheSettingAndForbiddenOnesStayForbidden() {
  #expect(refusal(of: "http://10.0.0.1/", allowsPrivate: true) == "accepted")
  #expect(refusal(of: "http://[fd12::1]/", allowsPrivate: true) == "accepted")
  #expect(refusal(of: "http://169.254.169.254/", allowsPrivate: true) != "accepted")
  #expect(refusal(of: "http://[fd00:ec2::254]/", allowsPrivate: true) != "accepted")
  #expect(refusal(of: "http://100.100.100.200/", allowsPrivate: true) != "accepted")
}

@Test func anErrorOfAURLHoldsNoSecret() {
  for text in ["http://user:secret@10.0.0.1/secret?secret", "http://0x7f.1/secret", "secret://example.com/secret", "http://h:99999/secret"] {
    #expect(!refusal(of: text).contains("secret"), "\(refusal(of: text))")
  }
}
