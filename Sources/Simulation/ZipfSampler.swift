// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// Who is asked for: rank k with a weight of 1 / (k + offset)^exponent. Walker's alias method draws in constant time;
// thresholds are kept as 32 bits, so that a last digit of pow() which differs between machines cannot change a draw.

/// Draws ranks by the Zipf-Mandelbrot law.
package struct ZipfSampler: Sendable {
  /// 8 bytes a rank; more ranks than this is a mistake of the caller.
  package static let countMax = 1_000_000

  private var thresholds: [UInt32]
  private var aliases: [UInt32]

  /// - Parameters:
  ///   - count: ranks, 1 ... `countMax`.
  ///   - exponent: 0 is uniform, 1 the classic law.
  ///   - offset: flattens the head; 0 is plain Zipf.
  package init(count: Int, exponent: Double, offset: Double = 0) {
    precondition((1...Self.countMax).contains(count), "a Zipf sampler has 1 to \(Self.countMax) ranks")
    let weights = (1...count).map { 1 / pow(Double($0) + offset, exponent) }
    let mean = weights.reduce(0, +) / Double(count)
    var shares = weights.map { $0 / mean }
    thresholds = [UInt32](repeating: .max, count: count)
    aliases = (0..<count).map { UInt32($0) }
    var poor = shares.indices.filter { shares[$0] < 1 }
    var rich = shares.indices.filter { shares[$0] >= 1 }
    while let needy = poor.popLast(), let giver = rich.last {
      thresholds[needy] = UInt32(min(shares[needy] * 0x1p32, Double(UInt32.max)))
      aliases[needy] = UInt32(giver)
      shares[giver] -= 1 - shares[needy]
      if shares[giver] < 1 { poor.append(rich.removeLast()) }
    }
  }

  package var count: Int { thresholds.count }

  /// A rank, 0 ..< count; 0 is the most frequent.
  package func sample(_ random: inout SeededGenerator) -> Int {
    let bits = random.next()
    let column = Int(((bits &>> 32) &* UInt64(truncatingIfNeeded: thresholds.count)) &>> 32)
    return UInt32(truncatingIfNeeded: bits) < thresholds[column] ? column : Int(aliases[column])
  }
}
