// SPDX-License-Identifier: Apache-2.0

// Bridges one gap: inflateInit2 and deflateInit2 are macros with a cast, which Swift does not import.
// https://zlib.net/manual.html

#ifndef RAMPART_CZLIB_SHIM_H
#define RAMPART_CZLIB_SHIM_H

#include <zlib.h>

static inline int czlib_inflate_init(z_stream *stream, int window_bits) {
  return inflateInit2(stream, window_bits);
}

static inline int czlib_deflate_init(z_stream *stream, int level, int window_bits) {
  return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}

#endif
