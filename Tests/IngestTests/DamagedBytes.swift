// SPDX-License-Identifier: Apache-2.0

extension SeededRandom {
  /// The bytes with one to four of them changed, taken away or added.
  mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &self) {
      let index = Int.random(in: 0..<bytes.count, using: &self)
      switch Int.random(in: 0..<3, using: &self) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
      case 1 where bytes.count > 1: bytes.remove(at: index)
      default: bytes.insert(UInt8.random(in: 0...255, using: &self), at: index)
      }
    }
    return bytes
  }
}
