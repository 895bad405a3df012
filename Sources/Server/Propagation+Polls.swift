// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import HTTP

// Who polls, as the request tells.

extension Propagation {
  /// Notes that whoever sent a request was answered from a set of flags, with the whole answer or with 304.
  ///
  /// The instance is what `context.instance` says, else the query parameter `instance`, else the header
  /// `X-Rampart-Instance`, else the client's address. (A token's name belongs before the address, once there are tokens.)
  ///
  /// - Parameter flag: the key of the flag that was answered; nil where all flags of the environment were.
  func acknowledge(_ exchange: Exchange, _ set: FlagSet, flag: Span<UInt8>?, context: EvaluationContext? = nil) {
    if let instance = context?.instance, !instance.isEmpty {
      return acknowledge(exchange, set, flag: flag, instance: instance.utf8.span)
    }
    let isNamed =
      exchange.withQuery("instance") { acknowledgeNamed(exchange, set, flag: flag, instance: $0) } == true
      || exchange.withHeader("X-Rampart-Instance") { acknowledgeNamed(exchange, set, flag: flag, instance: $0) } == true
    if !isNamed { acknowledge(exchange, set, flag: flag, instance: Span()) }
  }

  /// - Returns: false for an empty name, which is none.
  private func acknowledgeNamed(
    _ exchange: Exchange, _ set: FlagSet, flag: Span<UInt8>?, instance: Span<UInt8>
  ) -> Bool {
    guard instance.count > 0 else { return false }
    acknowledge(exchange, set, flag: flag, instance: instance)
    return true
  }

  private func acknowledge(_ exchange: Exchange, _ set: FlagSet, flag: Span<UInt8>?, instance: Span<UInt8>) {
    acknowledge(
      environment: set.environment, flag: flag, instance: instance, address: (exchange.peerWords.high, exchange.peerWords.low),
      addressText: { exchange.peer }, revision: set.revision)
  }
}
