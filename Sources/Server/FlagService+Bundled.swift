// SPDX-License-Identifier: Apache-2.0

internal import Flags
internal import JSON

// The flag that a new store begins with.

extension FlagService {
  /// `ENABLE_PROFILE_CACHE`: off, with the plan 10, 50, 100 percent, one hour each, guarded by the bundled alerts.
  static let profileFlag = #"""
    {"key":"ENABLE_PROFILE_CACHE","type":"boolean","description":"Serve profiles from the cache (L1 in process, L2 Redis).",\#
    "enabled":true,"variants":{"on":true,"off":false},"defaultVariant":"off","rules":[],\#
    "rollout":{"variant":"on","percent":0},"bucketing":"murmur3-v2","caches":["profile"],\#
    "plan":{"steps":[{"percent":10,"bake":"1h"},{"percent":50,"bake":"1h"},{"percent":100,"bake":"1h"}],\#
    "guard":{"alerts":["{cache=\"profile\",severity=~\"warning|critical\"}"]}}}
    """#

  func createProfileFlag(nowMs: Int64) throws {
    let document = try JSONValue(parsing: FlagService.profileFlag)
    _ = try change(
      .putFlag("ENABLE_PROFILE_CACHE", document, .any), in: FlagService.defaultEnvironment, reason: "bundled with Rampart",
      nowMs: nowMs, actor: Actor.rampart)
  }
}
