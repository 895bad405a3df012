// SPDX-License-Identifier: Apache-2.0
//
// The page, embedded. SwiftPM's own embedding of resources took 83 s for 0.27 MB; #embed in C takes half a second for
// ten times that.

#ifndef RAMPART_ASSETS_H
#define RAMPART_ASSETS_H

#include <stddef.h>

struct rampart_asset {
  // As it is served, such as "/assets/style.css".
  const char *path;
  const char *content_type;
  const unsigned char *bytes;
  size_t size;
};

size_t rampart_asset_count(void);

// What it points to is valid for as long as the process lives. The index is below the count.
struct rampart_asset rampart_asset_at(size_t index);

// The bundled rule files, ascending by path, such as "alerts/profile.yml"; none of them is served.
size_t rampart_rule_file_count(void);
struct rampart_asset rampart_rule_file_at(size_t index);

#endif
