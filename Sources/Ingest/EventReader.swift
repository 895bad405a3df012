// SPDX-License-Identifier: Apache-2.0

// Reads one event: its fields are `ObjectReader`, what they mean is `EventReader+Meaning`.

import JSON

/// Reads JSON events; reused from event to event, it allocates nothing for one.
struct EventReader {
  private var objects = ObjectReader()
  let typeKinds = EventType.kinds.map(\.kind)
  private(set) var fields = EventFields()
  var times = TimeReader()

  /// Moves past one object and remembers its fields; a name given twice means the last one.
  ///
  /// - Parameter cursor: before the object's brace; after a fault at the offending byte.
  @inline(__always)
  mutating func readObject(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONFault) {
    try objects.read(bytes, &cursor, into: &fields)
  }
}
