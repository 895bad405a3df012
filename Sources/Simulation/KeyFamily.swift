// SPDX-License-Identifier: Apache-2.0

// The keys of the four services that cache by key, with their times to live, as tables. How often each family is
// asked and changed is a guess at ordinary use; names and times to live are the services' own.

/// Keys of one shape that share a time to live.
struct KeyFamily: Sendable {
  let cache: SimulatedCache
  let template: KeyTemplate
  let keysCount: Int
  let ttlSeconds: Int64
  /// How long an expired entry is still served while it is fetched anew.
  var staleSeconds: Int64 = 0
  /// Its part of the service's requests.
  let weight: Int
  /// Of a million requests, how many change the object and delete its key.
  var updatesPerMillion = 8_000
  /// Of a million requests, how many drop the whole family by its pattern; 0 never.
  var sweepsPerMillion = 0
  var sweepPattern = ""
  /// Whether a key's number is a user's.
  var isByUser = false
}

extension KeyFamily {
  static func families(of system: TrafficSystem, usersCount: Int) -> [KeyFamily] {
    switch system {
    case .profile: []
    case .connect: connect
    case .organization: organization(usersCount: usersCount)
    case .web: web(usersCount: usersCount)
    case .auth: auth(usersCount: usersCount)
    }
  }

  private static let connect = [
    KeyFamily(
      cache: .matchResults, template: KeyTemplate(prefix: "match:org:", suffix: ":results"), keysCount: 400,
      ttlSeconds: 86_400, weight: 50, sweepsPerMillion: 150, sweepPattern: "match:org:*:results"),
    KeyFamily(
      cache: .orgProfile, template: KeyTemplate(prefix: "org:profile:"), keysCount: 400, ttlSeconds: 3_600, weight: 28),
    KeyFamily(
      cache: .programs, template: KeyTemplate(prefix: "programs:active:list", isNumbered: false), keysCount: 1,
      ttlSeconds: 21_600, weight: 12, updatesPerMillion: 1_000),
    KeyFamily(
      cache: .aiExplanation, template: KeyTemplate(prefix: "ai:explanation:"), keysCount: 4_000, ttlSeconds: 86_400,
      weight: 10, updatesPerMillion: 500),
  ]

  private static func organization(usersCount: Int) -> [KeyFamily] {
    [
      KeyFamily(
        cache: .userOrgs, template: KeyTemplate(prefix: "user:", suffix: ":orgs"), keysCount: usersCount,
        ttlSeconds: 600, weight: 25, isByUser: true),
      KeyFamily(
        cache: .orgMember, template: KeyTemplate(prefix: "org:acme-", middle: ":member:", firstCount: 50),
        keysCount: usersCount, ttlSeconds: 300, weight: 30, isByUser: true),
      KeyFamily(
        cache: .orgSlug, template: KeyTemplate(prefix: "org:slug:acme-"), keysCount: 50, ttlSeconds: 1_800, weight: 15),
      KeyFamily(
        cache: .sessionData, template: KeyTemplate(prefix: "session:data:"), keysCount: usersCount, ttlSeconds: 900,
        weight: 22, isByUser: true),
      KeyFamily(
        cache: .orgSubscription, template: KeyTemplate(prefix: "org:acme-", suffix: ":subscription"), keysCount: 50,
        ttlSeconds: 3_600, weight: 8, updatesPerMillion: 1_000),
    ]
  }

  private static func web(usersCount: Int) -> [KeyFamily] {
    [
      KeyFamily(
        cache: .webUser, template: KeyTemplate(prefix: "user:"), keysCount: usersCount, ttlSeconds: 300, weight: 35,
        isByUser: true),
      KeyFamily(
        cache: .subscription, template: KeyTemplate(prefix: "sub:"), keysCount: usersCount, ttlSeconds: 60, weight: 20,
        isByUser: true),
      KeyFamily(
        cache: .dashboard, template: KeyTemplate(prefix: "dash:"), keysCount: usersCount, ttlSeconds: 30,
        staleSeconds: 60, weight: 25, isByUser: true),
      KeyFamily(
        cache: .blog, template: KeyTemplate(prefix: "blog:post-"), keysCount: 120, ttlSeconds: 3_600, weight: 20,
        updatesPerMillion: 300),
    ]
  }

  private static func auth(usersCount: Int) -> [KeyFamily] {
    [
      KeyFamily(
        cache: .user, template: KeyTemplate(prefix: "user:id:"), keysCount: usersCount, ttlSeconds: 900, weight: 25,
        isByUser: true),
      KeyFamily(
        cache: .user, template: KeyTemplate(prefix: "user:email:user", suffix: "@example.com"), keysCount: usersCount,
        ttlSeconds: 900, weight: 8, isByUser: true),
      KeyFamily(
        cache: .session, template: KeyTemplate(prefix: "session:token:"), keysCount: usersCount, ttlSeconds: 300,
        weight: 40, isByUser: true),
      KeyFamily(
        cache: .session, template: KeyTemplate(prefix: "session:user:"), keysCount: usersCount, ttlSeconds: 300,
        weight: 10, sweepsPerMillion: 100, sweepPattern: "session:user:*", isByUser: true),
      KeyFamily(
        cache: .oauth, template: KeyTemplate(prefix: "oauth:", suffix: ":google"), keysCount: usersCount,
        ttlSeconds: 1_800, weight: 7, isByUser: true),
      KeyFamily(
        cache: .profileUser, template: KeyTemplate(prefix: "profile:user:"), keysCount: usersCount, ttlSeconds: 900,
        weight: 10, isByUser: true),
    ]
  }
}
