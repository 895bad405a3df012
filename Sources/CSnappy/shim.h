// SPDX-License-Identifier: Apache-2.0

// Nothing is bridged: the C header of the system's library, under a name of our own.
// https://github.com/google/snappy/blob/main/snappy-c.h

#ifndef RAMPART_CSNAPPY_SHIM_H
#define RAMPART_CSNAPPY_SHIM_H

#include <snappy-c.h>

#endif
