// SPDX-License-Identifier: Apache-2.0

internal import CLI

// The executable. Everything is in the modules, where tests reach it.

@main
enum Rampart {
  static func main() {
    CommandLineTool.run()
  }
}
