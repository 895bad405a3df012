// SPDX-License-Identifier: Apache-2.0

package import JSON

// What one answer to an evaluation says about all users. A service would ask for each user; a simulation of thousands
// asks for one and works the others out by the documented bucketing, which comes to the same for a flag without rules.

extension RolloutFlagView {
  /// Reads an answer of `GET /api/v1/evaluate/KEY` or of OFREP's single evaluation.
  ///
  /// `SPLIT` with the metadata `rolloutPercent` is that percentage; any other answer is the same for everyone: on where
  /// the value is true, else off, failures included.
  package init(answer: JSONValue, salt: String) {
    let splitPercent = answer["reason"]?.string == "SPLIT" ? answer["metadata"]?["rolloutPercent"]?.double : nil
    let isOn = answer["value"]?.bool ?? false
    self.init(percent: min(max(splitPercent ?? (isOn ? 100 : 0), 0), 100), salt: salt)
  }
}
