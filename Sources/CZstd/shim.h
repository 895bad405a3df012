// SPDX-License-Identifier: Apache-2.0

// Nothing is bridged: the header of the system's library, under a name of our own.
// https://facebook.github.io/zstd/zstd_manual.html

#ifndef RAMPART_CZSTD_SHIM_H
#define RAMPART_CZSTD_SHIM_H

#include <zstd.h>

#endif
