// SPDX-License-Identifier: Apache-2.0

// The caches of the five systems, by the names under which they appear in metrics.

/// A cache of one of the simulated services.
package enum SimulatedCache: Int, CaseIterable, Sendable {
  case profile
  case matchResults, orgProfile, programs, aiExplanation
  case userOrgs, orgMember, orgSlug, orgSubscription, sessionData
  case webUser, subscription, dashboard, blog
  case user, session, oauth, profileUser
  /// What a line of `connect` without a key is counted under.
  case connectUnnamed

  /// The label `cache`.
  package var name: String {
    switch self {
    case .profile: "profile"
    case .matchResults: "match_results"
    case .orgProfile: "org_profile"
    case .programs: "programs"
    case .aiExplanation: "ai_explanation"
    case .userOrgs: "user_orgs"
    case .orgMember: "org_member"
    case .orgSlug: "org_slug"
    case .orgSubscription: "org_subscription"
    case .sessionData: "session_data"
    case .webUser: "web_user"
    case .subscription: "subscription"
    case .dashboard: "dashboard"
    case .blog: "blog"
    case .user: "user"
    case .session: "session"
    case .oauth: "oauth"
    case .profileUser: "profile_user"
    case .connectUnnamed: "default"
    }
  }

  /// The label `service`.
  package var system: TrafficSystem {
    switch self {
    case .profile: .profile
    case .matchResults, .orgProfile, .programs, .aiExplanation, .connectUnnamed: .connect
    case .userOrgs, .orgMember, .orgSlug, .orgSubscription, .sessionData: .organization
    case .webUser, .subscription, .dashboard, .blog: .web
    case .user, .session, .oauth, .profileUser: .auth
    }
  }
}

/// One of the five services; its name is the label `service`.
package enum TrafficSystem: String, CaseIterable, Sendable {
  case profile, connect, organization, web, auth

  /// Its part of all requests; the parts of the systems that take part are put in proportion.
  var weight: Int {
    switch self {
    case .profile: 60
    case .connect, .organization, .web, .auth: 10
    }
  }
}
