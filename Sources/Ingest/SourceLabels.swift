// SPDX-License-Identifier: Apache-2.0

// What the labels of a stream or the attributes of a resource say of everything that comes from there.

import JSON

/// The defaults of a source, as found among its labels.
struct SourceLabels {
  /// The names of labels that tell the service, the first one best; the last of all tells the cache.
  static let lokiNames = WordTable(["service_name", "service", "app", "job", "cache"])
  private static let cacheIndex = 4

  private(set) var service = CacheEvent.absent
  private(set) var cache = CacheEvent.absent
  private var rank = Int.max

  /// Takes a label in.
  ///
  /// - Parameter index: of its name in `lokiNames`, -1 for others.
  mutating func take(_ value: JSONString, named index: Int) {
    guard index >= 0, value.count > 0 else { return }
    if index == SourceLabels.cacheIndex {
      cache = value
    } else if index < rank {
      service = value
      rank = index
    }
  }
}

extension EventLabels {
  /// Makes a source's labels the defaults of the records to come.
  mutating func setSource(_ source: SourceLabels, _ bytes: Span<UInt8>) {
    sourceService = service(source.service, bytes)
    sourceCache = cache(source.cache, bytes)
  }
}
