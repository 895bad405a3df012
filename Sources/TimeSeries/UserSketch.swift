// SPDX-License-Identifier: Apache-2.0

// How many different users there were, without keeping any: a HyperLogLog. It is the union of its parts whatever the
// order and however often each is added, so slices of time, bodies and repetitions merge into the same registers.

/// A sketch of users.
package struct UserSketch: Sendable {
  /// A table of more registers than this takes as much memory as all of them, a byte each.
  private static let sparseMax = UserRegister.count / 8

  private enum Registers {
    case sparse(UserRegisterTable)
    case dense([UInt8])
  }

  private var registers = Registers.sparse(UserRegisterTable())

  package init() {}

  /// Whether nobody was seen.
  package var isEmpty: Bool {
    guard case .sparse(let table) = registers else { return false }
    return table.count == 0
  }

  /// Raises registers.
  ///
  /// - Parameter words: `UserRegister.word(hash:)`, without anything above the register.
  package mutating func raise(_ words: [UInt32]) {
    // Taken out, or it would be copied for the first of the words.
    var registers = Registers.dense([])
    swap(&registers, &self.registers)
    switch registers {
    case .sparse(var table):
      registers = .dense([])
      for word in words { table.raise(word) }
      self.registers = table.count > UserSketch.sparseMax ? .dense(UserSketch.dense(table.words)) : .sparse(table)
    case .dense(var ranks):
      registers = .dense([])
      UserSketch.raise(words, in: &ranks)
      self.registers = .dense(ranks)
    }
  }

  /// Those of some words that are above this sketch's registers.
  package func rising(_ words: [UInt32]) -> [UInt32] {
    switch registers {
    case .sparse(let table): return words.filter { $0 & UserRegister.rankMask > table.rank($0) }
    case .dense(let ranks):
      return words.filter { $0 & UserRegister.rankMask > UInt32(ranks[Int($0 >> UserRegister.rankBits)]) }
    }
  }

  /// The registers that were raised; in no order while they are few, else ascending.
  package var words: [UInt32] {
    switch registers {
    case .sparse(let table): return table.words
    case .dense(let ranks):
      return ranks.indices.compactMap { ranks[$0] == 0 ? nil : UInt32($0) << UserRegister.rankBits | UInt32(ranks[$0]) }
    }
  }

  private static func dense(_ words: [UInt32]) -> [UInt8] {
    var ranks = [UInt8](repeating: 0, count: UserRegister.count)
    raise(words, in: &ranks)
    return ranks
  }

  private static func raise(_ words: [UInt32], in ranks: inout [UInt8]) {
    for word in words {
      let register = Int(word >> UserRegister.rankBits)
      ranks[register] = max(ranks[register], UInt8(word & UserRegister.rankMask))
    }
  }

  // MARK: Estimate

  /// How many users there were in any of some sketches, within 2 % (3.5 standard errors).
  package static func estimate(ofUnion sketches: [UserSketch]) -> Double {
    var ranks = [UInt8](repeating: 0, count: UserRegister.count)
    for sketch in sketches {
      switch sketch.registers {
      case .sparse(let table): raise(table.words, in: &ranks)
      case .dense(let other): for index in 0..<UserRegister.count { ranks[index] = max(ranks[index], other[index]) }
      }
    }
    var counts = [Int](repeating: 0, count: Int(UserRegister.rankMax) + 1)
    for rank in ranks { counts[Int(rank)] += 1 }
    return estimate(counts)
  }

  /// The improved raw estimator: without a bias to correct and without another formula for few users (O. Ertl, "New
  /// cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6).
  ///
  /// - Parameter counts: how many registers have each rank.
  private static func estimate(_ counts: [Int]) -> Double {
    let all = Double(UserRegister.count)
    let last = Int(UserRegister.rankMax)
    var z = all * tau(1 - Double(counts[last]) / all)
    for rank in stride(from: last - 1, through: 1, by: -1) { z = 0.5 * (z + Double(counts[rank])) }
    z += all * sigma(Double(counts[0]) / all)
    // 1 / (2 ln 2), the limit of the constant for many registers.
    return 0.721_347_520_444_481_7 * all * all / z
  }

  /// For registers that nobody raised; infinite where that is all of them.
  private static func sigma(_ share: Double) -> Double {
    guard share < 1 else { return .infinity }
    var x = share, y = 1.0, z = share, previous: Double
    repeat {
      x *= x
      previous = z
      z += x * y
      y += y
    } while z != previous
    return z
  }

  /// For registers that cannot be raised further.
  private static func tau(_ share: Double) -> Double {
    guard share > 0, share < 1 else { return 0 }
    var x = share, y = 1.0, z = 1 - share, previous: Double
    repeat {
      x = x.squareRoot()
      previous = z
      y *= 0.5
      z -= (1 - x) * (1 - x) * y
    } while z != previous
    return z / 3
  }
}

extension UserSketch {
  private static let listForm: UInt8 = 1
  private static let denseForm: UInt8 = 2

  /// Registers as the store keeps them: a byte with the form; then three bytes each, the lowest first, in any order, or
  /// where that is longer the ranks of all registers, a byte each.
  package static func encoded(_ words: [UInt32]) -> [UInt8] {
    guard words.count * 3 < UserRegister.count else { return [denseForm] + dense(words) }
    var bytes = [listForm]
    bytes.reserveCapacity(1 + words.count * 3)
    for word in words { for shift: UInt32 in [0, 8, 16] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) } }
    return bytes
  }

  /// - Throws: `DamagedBytes` for bytes that `encoded(_:)` cannot have written.
  package static func decode(_ bytes: [UInt8]) throws(DamagedBytes) -> [UInt32] {
    let words: [UInt32]
    switch bytes.first {
    case denseForm where bytes.count == 1 + UserRegister.count:
      words = (0..<UserRegister.count).map { UInt32($0) << UserRegister.rankBits | UInt32(bytes[$0 + 1]) }
        .filter { $0 & UserRegister.rankMask > 0 }
    case listForm where bytes.count % 3 == 1:
      words = stride(from: 1, to: bytes.count, by: 3).map { start in
        UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2]) << 16
      }
    default: throw DamagedBytes(offset: 0)
    }
    for (index, word) in words.enumerated() {
      let rank = word & UserRegister.rankMask
      guard rank > 0, rank <= UserRegister.rankMax, word >> UserRegister.rankBits < UserRegister.count else {
        throw DamagedBytes(offset: 1 + index)
      }
    }
    return words
  }
}

/// Where time is cut for sketches of users: slices that come and go whole.
package enum UserSlices {
  package static let widthMs: Int64 = 300_000
  /// For how long users count. A slice counts while any of it is within, so for an hour and up to a slice more.
  package static let spanMs: Int64 = 3_600_000

  /// The start of the oldest slice that counts.
  package static func oldestStartMs(nowMs: Int64) -> Int64 { floor(nowMs - spanMs, to: widthMs) }
}
