// SPDX-License-Identifier: Apache-2.0

internal import Glibc

// How many files and sockets this process may have open. Shells and service managers start programs with a soft limit of
// 1,024, for the sake of those that still use select(); the hard limit is far above it.

/// The limit on open descriptors.
package enum DescriptorLimit {
  /// Raises the soft limit, as far as the hard one allows; never lowers it.
  ///
  /// - Returns: the limit in force afterwards.
  package static func raise(to wanted: Int) -> Int {
    let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    var limit = rlimit()
    guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
    let soft = Int(clamping: limit.rlim_cur)
    guard soft < wanted else { return soft }
    let raised = min(rlim_t(wanted), limit.rlim_max)
    limit.rlim_cur = raised
    return unsafe setrlimit(resource, &limit) == 0 ? Int(clamping: raised) : soft
  }
}
