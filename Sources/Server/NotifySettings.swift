// SPDX-License-Identifier: Apache-2.0

internal import Notification
internal import PromQL
internal import TimeSeries
internal import Yams

// The list `notify` of rampart.yml: an entry a receiver, told by the key that names its kind.

/// Reads receivers, each from the place the user wrote it.
struct NotifySettings {
  private static let expected = "a list of receivers, such as {alertmanager: \"http://127.0.0.1:9093\"}"
  private static let kinds = Receiver.Kind.allCases.map(\.rawValue)
  private static let known = kinds + kinds.map { $0 + fileSuffix } + ["name", "match", "allow_private"]
  private static let fileSuffix = "_file"
  private static let nameBytesMax = 64

  private let file: String
  private(set) var receivers: [Receiver] = []

  init(_ node: Node, file: String) throws(ConfigurationError) {
    self.file = file
    guard let entries = node.sequence else { throw wrong(node, "must be \(Self.expected)") }
    guard entries.count <= Receiver.countMax else {
      throw wrong(node, "\(entries.count) receivers: must be at most \(Receiver.countMax)")
    }
    for entry in entries {
      let receiver = try receiver(entry)
      guard !receivers.contains(where: { $0.name == receiver.name }) else {
        throw wrong(entry, "\(receiver.name): two receivers of this name: give one another with `name`")
      }
      receivers.append(receiver)
    }
  }

  private func receiver(_ entry: Node) throws(ConfigurationError) -> Receiver {
    guard let fields = entry.mapping else { throw wrong(entry, "must be \(Self.expected)") }
    for (name, _) in fields where !Self.known.contains(name.string ?? "") {
      throw wrong(name, "\(name.string ?? ""): unknown key: known here: \(Self.known.joined(separator: ", "))")
    }
    let places = fields.filter { !["name", "match", "allow_private"].contains($0.key.string) }
    guard places.count == 1, let place = places.first, let key = place.key.string,
      let kind = Receiver.Kind(rawValue: key.hasSuffix(Self.fileSuffix) ? String(key.dropLast(Self.fileSuffix.count)) : key)
    else { throw wrong(entry, "must have one of \(Self.known.prefix(6).joined(separator: ", "))") }
    let allowsPrivate = try bool(fields["allow_private"], "allow_private")
    let text = try text(place.value, key)
    return Receiver(
      name: try name(fields["name"]), kind: kind,
      location: key == kind.rawValue ? .url(try url(text, key, place.value, allowsPrivate)) : .file(text),
      allowsPrivate: allowsPrivate, matchers: try matchers(fields["match"]))
  }

  /// The error names the host alone, since the rest may be the secret.
  private func url(
    _ text: String, _ key: String, _ node: Node, _ allowsPrivate: Bool
  ) throws(ConfigurationError) -> OutgoingURL {
    do throws(OutgoingURLError) {
      let url = try OutgoingURL(text)
      try url.checkAddress(allowsPrivate: allowsPrivate)
      return url
    } catch {
      throw wrong(node, "\(key): \(error)")
    }
  }

  private func name(_ node: Node?) throws(ConfigurationError) -> String? {
    guard let node else { return nil }
    let name = try text(node, "name")
    guard name.utf8.count <= Self.nameBytesMax, name.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F }) else {
      throw wrong(node, "name: \(name.prefix(80)): must be at most \(Self.nameBytesMax) bytes without spaces")
    }
    return name
  }

  private func matchers(_ node: Node?) throws(ConfigurationError) -> [Matcher] {
    guard let node else { return [] }
    let text = try text(node, "match")
    do throws(ParseError) {
      return try VectorSelector(parsing: text).matchers
    } catch {
      throw wrong(node, "match: \(text.prefix(80)): must be a selector, such as {severity=~\"warning|critical\"}: \(error)")
    }
  }

  private func bool(_ node: Node?, _ key: String) throws(ConfigurationError) -> Bool {
    guard let node else { return false }
    guard let value = node.bool else { throw wrong(node, "\(key): must be true or false") }
    return value
  }

  private func text(_ node: Node, _ key: String) throws(ConfigurationError) -> String {
    guard let text = node.scalar?.string, !text.isEmpty, !text.utf8.contains(0) else {
      throw wrong(node, "\(key): must be a text that is not empty")
    }
    return text
  }

  private func wrong(_ node: Node, _ message: String) -> ConfigurationError {
    ConfigurationError(place: "\(file):\(node.mark?.line ?? 1)", key: "notify", message: message)
  }
}
