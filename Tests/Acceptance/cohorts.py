# SPDX-License-Identifier: Apache-2.0
"""The documented bucketing, written a second time: murmur3 x86 32 over salt and user, scaled to 10,000."""

MASK = 0xFFFFFFFF


def murmur3(data):
    def scrambled(block):
        block = block * 0xCC9E2D51 & MASK
        return (block << 15 | block >> 17) * 0x1B873593 & MASK

    value = 0
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        value ^= scrambled(int.from_bytes(data[start:start + 4], "little"))
        value = ((value << 13 | value >> 19) & MASK) * 5 + 0xE6546B64 & MASK
    if whole < len(data):
        value ^= scrambled(int.from_bytes(data[whole:], "little"))
    value ^= len(data)
    value = (value ^ value >> 16) * 0x85EBCA6B & MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & MASK
    return value ^ value >> 16


def bucket(user, salt):
    return murmur3(f"{salt}{user}".encode()) * 10_000 >> 32


def is_treated(user, percent, salt):
    return bucket(user, salt) < round(percent * 100)
