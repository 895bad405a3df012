// SPDX-License-Identifier: Apache-2.0

internal import Platform
package import Sources
internal import Yams

// The list `sources` of rampart.yml: an entry a source, told by the key that names it.

extension Configuration {
  /// What is read without being asked for over HTTP.
  package struct SourcesSection: Sendable {
    /// Entries of the list, at most.
    static let entriesMax = 100

    package var files: [FilePattern] = []
    package var syslog: [SyslogSettings] = []
    package var forward: [ForwardSettings] = []

    package init() {}
  }
}

extension Configuration.SourcesSection {
  private static let expected = "a list of sources, such as {file: /var/log/app/*.log, service: app}"
  private static let kinds = ["file", "syslog", "forward"]
  /// They belong to the format; this version does not act on them.
  private static let notYet = ["redis", "postgres"]

  init(_ node: Node, file: String) throws(ConfigurationError) {
    guard let entries = node.sequence else { throw Self.wrong(node, file, "must be \(Self.expected)") }
    guard entries.count <= Self.entriesMax else {
      throw Self.wrong(node, file, "\(entries.count) sources: must be at most \(Self.entriesMax)")
    }
    for entry in entries { try read(entry, file) }
  }

  private mutating func read(_ entry: Node, _ file: String) throws(ConfigurationError) {
    guard let fields = entry.mapping else { throw Self.wrong(entry, file, "must be \(Self.expected)") }
    for (name, _) in fields where Self.notYet.contains(name.string ?? "") {
      throw Self.wrong(name, file, "\(name.string ?? ""): this version does not have it yet: remove the entry")
    }
    for (name, _) in fields where !(Self.kinds + ["service", "cache"]).contains(name.string ?? "") {
      let known = (Self.kinds + ["service", "cache"]).joined(separator: ", ")
      throw Self.wrong(name, file, "\(name.string ?? ""): unknown key: known here: \(known)")
    }
    let kinds = fields.filter { Self.kinds.contains($0.key.string ?? "") }
    guard kinds.count == 1, let kind = kinds.first else {
      throw Self.wrong(entry, file, "must have one of \(Self.kinds.joined(separator: ", "))")
    }
    let value = try Self.text(kind.value, kind.key.string ?? "", file)
    let service = try Self.optional(fields["service"], "service", file)
    let cache = try Self.optional(fields["cache"], "cache", file)
    switch kind.key.string {
    case "syslog":
      guard let (kind, address) = Self.syslogAddress(value) else {
        let expected = "tcp:// or udp:// and a loopback ADDRESS:PORT, such as tcp://127.0.0.1:5514"
        throw Self.wrong(entry, file, "syslog: \(value.prefix(80)): must be \(expected)")
      }
      syslog.append(SyslogSettings(kind: kind, address: address, service: service, cache: cache))
    case "forward":
      guard let address = Self.loopback(value) else {
        throw Self.wrong(entry, file, "forward: \(value.prefix(80)): must be a loopback ADDRESS:PORT, such as 127.0.0.1:24224")
      }
      forward.append(ForwardSettings(address: address, service: service, cache: cache))
    default: files.append(FilePattern(pattern: value, service: service, cache: cache))
    }
  }

  private static func syslogAddress(_ text: String) -> (Socket.Kind, ListenAddress)? {
    for (scheme, kind) in [("tcp://", Socket.Kind.stream), ("udp://", .datagram)] where text.hasPrefix(scheme) {
      return loopback(String(text.dropFirst(scheme.count))).map { (kind, $0) }
    }
    return nil
  }

  /// Nobody can say who they are over these protocols, so nobody from elsewhere may come.
  private static func loopback(_ text: String) -> ListenAddress? {
    guard let (host, port) = Quantity.address(text), Access.isLoopback(host) else { return nil }
    return ListenAddress(host: host, port: port)
  }

  private static func optional(_ node: Node?, _ key: String, _ file: String) throws(ConfigurationError) -> String? {
    guard let node else { return nil }
    return try text(node, key, file)
  }

  private static func text(_ node: Node, _ key: String, _ file: String) throws(ConfigurationError) -> String {
    guard let text = node.scalar?.string, !text.isEmpty, !text.utf8.contains(0) else {
      throw wrong(node, file, "\(key): must be a text that is not empty")
    }
    return text
  }

  private static func wrong(_ node: Node, _ file: String, _ message: String) -> ConfigurationError {
    ConfigurationError(place: "\(file):\(node.mark?.line ?? 1)", key: "sources", message: message)
  }
}
