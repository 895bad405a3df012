// SPDX-License-Identifier: Apache-2.0

// A flag's definition in one environment. What it answers is Evaluation's; how its percentage moves is Rollout's.

package import Assignment
package import JSON

/// A flag as it is defined. Values decoded from JSON are valid: every variant named exists and has the flag's type.
package struct Flag: Equatable, Sendable {
  package enum ValueType: String, CaseIterable, Sendable {
    case boolean, string, number, object
  }

  package struct Variant: Equatable, Sendable {
    package let name: String
    package let value: JSONValue
  }

  /// The share of targeting keys that gets `variant` where no rule matched.
  package struct Share: Equatable, Sendable {
    package let variant: String
    package let percent: Percentage
  }

  /// `[A-Za-z0-9_.-]{1,128}`.
  package let key: String
  package let type: ValueType
  package let description: String
  package let enabled: Bool
  /// In document order, at least one, names unique.
  package let variants: [Variant]
  package let defaultVariant: String
  /// The first that matches decides.
  package let rules: [TargetingRule]
  /// All must be met before a rule is looked at.
  package let prerequisites: [Prerequisite]
  package private(set) var rollout: Share?
  package let bucketing: Bucketing
  /// Hashed before the targeting key; the flag's key unless said otherwise.
  package let salt: String
  /// The caches whose behaviour the flag governs.
  package let caches: [String]
  /// The ramp that a start without a plan of its own follows.
  package let plan: RolloutPlan?
  /// From 1, one more with every change; 0 while nothing is stored. The store's business, never read from a document.
  package var version: Int64
  /// Epoch milliseconds of the last change; the store's business.
  package var updatedMs: Int64

  package func variant(named name: String) -> Variant? {
    variants.first { $0.name == name }
  }

  /// The variant that a ramp hands out: the rollout's; where there is none, the only one that is not the default.
  package var rampVariant: String? {
    if let rollout { return rollout.variant }
    let others = variants.filter { $0.name != defaultVariant }
    return others.count == 1 ? others.first?.name : nil
  }

  /// The first member, by name, that moves users from variant to variant and differs in `other`; a ramp relies on all
  /// of them staying. Nil where none does.
  package func rampedMember(changedIn other: Flag) -> String? {
    if rollout != other.rollout { return "rollout" }
    if salt != other.salt { return "salt" }
    if bucketing != other.bucketing { return "bucketing" }
    if variants != other.variants || type != other.type { return "variants" }
    if defaultVariant != other.defaultVariant { return "defaultVariant" }
    return caches == other.caches ? nil : "caches"
  }

  /// The same flag at another percentage, for a ramp's shell.
  ///
  /// - Throws: when the flag has no `rollout` and more than one variant could be meant.
  package func settingPercent(_ percent: Percentage) throws(FlagError) -> Flag {
    guard let variant = rampVariant else {
      throw FlagError(field: "rollout.variant", message: "missing: say which variant the percentage hands out")
    }
    var flag = self
    flag.rollout = Share(variant: variant, percent: percent)
    return flag
  }

  /// Whether a key may be a flag's: `[A-Za-z0-9_.-]{1,128}`.
  package static func isKey(_ key: Span<UInt8>) -> Bool {
    guard (1...Bounds.keyBytesMax).contains(key.count) else { return false }
    for index in key.indices {
      switch key[index] {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
        continue
      default: return false
      }
    }
    return true
  }

  /// How large a definition may be. One past each is refused with the bound in the sentence.
  package enum Bounds {
    /// In one environment; whoever stores flags refuses one more.
    package static let flagsMax = 10_000
    package static let keyBytesMax = 128
    package static let nameBytesMax = 128
    package static let descriptionBytesMax = 4096
    package static let variantsMax = 100
    package static let valueBytesMax = 16 << 10
    package static let rulesMax = 100
    package static let conditionsMax = 20
    package static let conditionValuesMax = 1000
    package static let conditionTextBytesMax = 1024
    /// Of one `matches`.
    package static let conditionPatternsMax = 20
    /// Of all rules of a flag or a segment together: each is some kilobytes, and RE2 caches states for it.
    package static let patternsMax = 100
    /// Instructions of a compiled pattern, each of which may be looked at for each byte of a text.
    package static let patternProgramMax = 2_000
    package static let prerequisitesMax = 20
    /// Flags on the longest way from a flag to one without prerequisites.
    package static let prerequisiteDepthMax = 10
    /// Flags that a flag requires, directly or through others.
    package static let prerequisiteFlagsMax = 64
    /// In one environment.
    package static let segmentsMax = 1_000
    /// Of `included` and of `excluded` each.
    package static let segmentKeysMax = 10_000
    package static let segmentKeyBytesMax = 256
    package static let cachesMax = 50
    /// flagd's bound on the sum of weights, 2^31 - 1.
    package static let weightsTotalMax = 2_147_483_647
  }

  init(
    key: String, type: ValueType, description: String, enabled: Bool, variants: [Variant], defaultVariant: String,
    rules: [TargetingRule], prerequisites: [Prerequisite], rollout: Share?, bucketing: Bucketing, salt: String,
    caches: [String], plan: RolloutPlan?, version: Int64, updatedMs: Int64
  ) {
    self.key = key
    self.type = type
    self.description = description
    self.enabled = enabled
    self.variants = variants
    self.defaultVariant = defaultVariant
    self.rules = rules
    self.prerequisites = prerequisites
    self.rollout = rollout
    self.bucketing = bucketing
    self.salt = salt
    self.caches = caches
    self.plan = plan
    self.version = version
    self.updatedMs = updatedMs
  }
}
