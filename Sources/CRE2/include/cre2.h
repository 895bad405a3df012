// SPDX-License-Identifier: Apache-2.0
//
// RE2 for C. Swift reads no C++ header without giving up its own ABI checks, and RE2 comes with no C interface.
// Documentation: https://github.com/google/re2/blob/main/re2/re2.h
//
// Texts are a pointer and a length, not terminated by NUL; the pointer may be null when the length is 0.
// No exception leaves these functions: RE2 throws none, and std::bad_alloc becomes CRE2_NO_MEMORY or a null pointer.

#ifndef RAMPART_CRE2_H
#define RAMPART_CRE2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_expression cre2_expression;

// RE2::ErrorCode, in its order; cre2.cc holds the two against each other.
enum cre2_error {
  CRE2_OK,
  CRE2_INTERNAL,
  CRE2_BAD_ESCAPE,
  CRE2_BAD_CHAR_CLASS,
  CRE2_BAD_CHAR_RANGE,
  CRE2_MISSING_BRACKET,
  CRE2_MISSING_PAREN,
  CRE2_UNEXPECTED_PAREN,
  CRE2_TRAILING_BACKSLASH,
  CRE2_REPEAT_ARGUMENT,
  CRE2_REPEAT_SIZE,
  CRE2_REPEAT_OP,
  CRE2_BAD_PERL_OP,
  CRE2_BAD_UTF8,
  CRE2_BAD_NAMED_CAPTURE,
  CRE2_PATTERN_TOO_LARGE,
};

enum cre2_match { CRE2_NO_MATCH, CRE2_MATCH, CRE2_NO_MEMORY };

// Where a group matched, in bytes from the text's start; both -1 where it took no part.
struct cre2_range {
  ptrdiff_t start;
  ptrdiff_t end;
};

// The caller frees the result with cre2_free, also when cre2_error_code says that the pattern is refused. Null without
// memory. Pattern and text are UTF-8, a dot matches a line feed (or not, with dot_matches_line_feed 0), nothing is logged.
cre2_expression *cre2_compile(const char *pattern, size_t size, int dot_matches_line_feed, int64_t memory_bytes_max);

// Frees the expression, which may be null.
void cre2_free(cre2_expression *expression);

enum cre2_error cre2_error_code(const cre2_expression *expression);

// The part of the pattern that is refused, not terminated by NUL. Valid until cre2_free.
const char *cre2_error_argument(const cre2_expression *expression, size_t *size);

// Groups with parentheses and a number; the whole match is not counted.
size_t cre2_group_count(const cre2_expression *expression);

// The number of the group with that name, -1 for none.
ptrdiff_t cre2_group_index(const cre2_expression *expression, const char *name, size_t size);

// How many instructions the pattern became, which searching may have to look at for each byte.
size_t cre2_program_size(const cre2_expression *expression);

// Whether the text matches from `start` on, as a whole or (is_full 0) somewhere; what lies before `start` is seen by
// `^` and `\b`. The first `count` groups are written to `groups`,
// beginning with the whole match; 0 is the fastest. Safe from several threads at once.
enum cre2_match cre2_match(
    const cre2_expression *expression, const char *text, size_t size, size_t start, int is_full, struct cre2_range *groups,
    size_t count);

// Whether `part` occurs in the text; neither is empty. This is memmem, linear in glibc; Swift's Glibc leaves it out as
// GNU's own.
int cre2_contains(const void *text, size_t text_size, const void *part, size_t part_size);

#ifdef __cplusplus
}
#endif

#endif
