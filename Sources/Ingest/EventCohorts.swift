// SPDX-License-Identifier: Apache-2.0

// Which cohort an event's user is in. What a cache's name means in the picture is looked up once a body, and events come
// mostly in order, so that an event costs a comparison of times and the hash of its user.

import Assignment

/// The cohorts of the caches of one body, by the numbers of their labels.
struct EventCohorts {
  private struct Place {
    static let unknown = Place(timeline: -2)
    static let ungoverned = Place(timeline: -1)

    var timeline: Int32
    /// What was asked for last, and the times it holds for; nil where nothing decides. A copy, since the array that it
    /// comes from would be counted by each event that looks into it.
    var segment: CohortTimeline.Segment?
    var startMs: Int64 = .max
    var endMs: Int64 = .min
  }

  private var picture = CohortPicture.empty
  private var places: [Place] = []
  /// Whether any cache is governed at all.
  private(set) var governsAny = false

  /// - Parameter picture: for the body to come.
  mutating func begin(_ picture: CohortPicture) {
    self.picture = picture
    governsAny = !picture.isEmpty
    places.removeAll(keepingCapacity: true)
  }

  /// What decides at a time; nil where nothing does.
  ///
  /// - Parameter cache: its label's number; `labels` have its name.
  mutating func segment(of cache: Int, _ labels: LabelInterner, atMs timeMs: Int64) -> CohortTimeline.Segment? {
    while places.count <= cache { places.append(.unknown) }
    if places[cache].timeline < 0 {
      guard places[cache].timeline == Place.unknown.timeline else { return nil }
      places[cache] = place(of: cache, labels)
      guard places[cache].timeline >= 0 else { return nil }
    }
    if timeMs < places[cache].startMs || timeMs >= places[cache].endMs {
      places[cache] = sought(timeMs, places[cache].timeline)
    }
    return places[cache].segment
  }

  @inline(never)
  private func place(of cache: Int, _ labels: LabelInterner) -> Place {
    let timeline = picture.index(ofCache: labels.bytes.span.extracting(labels.range(of: cache)))
    return timeline.map { Place(timeline: Int32($0)) } ?? .ungoverned
  }

  @inline(never)
  private func sought(_ timeMs: Int64, _ timeline: Int32) -> Place {
    let segments = picture.timelines[Int(timeline)].segments
    let endMs = { (next: Int) in next < segments.count ? segments[next].startMs : .max }
    guard let index = picture.timelines[Int(timeline)].index(atMs: timeMs) else {
      return Place(timeline: timeline, segment: nil, startMs: .min, endMs: endMs(0))
    }
    let segment = segments[index]
    return Place(
      timeline: timeline, segment: segment.treatedBuckets == nil ? nil : segment, startMs: segment.startMs,
      endMs: endMs(index + 1))
  }
}
