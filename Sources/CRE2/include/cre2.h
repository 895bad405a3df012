// SPDX-License-Identifier: Apache-2.0

// Bridges one gap: RE2 is a C++ library, and Swift here imports C alone. Each function below is one use of class RE2;
// no exception leaves them. https://github.com/google/re2/blob/main/re2/re2.h

#ifndef RAMPART_CRE2_H
#define RAMPART_CRE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_expression cre2_expression;

// RE2::ErrorCode by other names; the values are the same, which cre2.cc checks.
enum cre2_error {
  CRE2_NO_ERROR = 0,
  CRE2_INTERNAL,
  CRE2_BAD_ESCAPE,
  CRE2_BAD_CHARACTER_CLASS,
  CRE2_BAD_CHARACTER_RANGE,
  CRE2_MISSING_BRACKET,
  CRE2_MISSING_PARENTHESIS,
  CRE2_UNEXPECTED_PARENTHESIS,
  CRE2_TRAILING_BACKSLASH,
  CRE2_REPEAT_ARGUMENT,
  CRE2_REPEAT_SIZE,
  CRE2_REPEAT_OPERATOR,
  CRE2_BAD_PERL_OPERATOR,
  CRE2_BAD_UTF8,
  CRE2_BAD_NAMED_CAPTURE,
  CRE2_PATTERN_TOO_LARGE,
};

// Compiles `pattern`, in which `.` matches a line feed. Null without memory. Everything else that is wrong with it is
// in the result, which is to be freed in any case.
cre2_expression *cre2_compile(const char *pattern, size_t pattern_count, int64_t memory_bytes_max);

// Frees the expression.
void cre2_free(cre2_expression *expression);

enum cre2_error cre2_error_code(const cre2_expression *expression);

// The offending part of the pattern. Valid until the expression is freed.
const char *cre2_error_argument(const cre2_expression *expression, size_t *count);

int cre2_group_count(const cre2_expression *expression);

// Null for a group without a name; groups count from 1. Valid until the expression is freed.
const char *cre2_group_name(const cre2_expression *expression, int group);

// 1 for a match, 0 for none, -1 without memory. `offsets` receives start and end of the whole match and of each of the
// `group_count` groups, -1 for a group that took no part; null where `group_count` is -1 and only the answer counts.
int cre2_match(
    const cre2_expression *expression, const char *text, size_t text_count, bool is_anchored, ptrdiff_t *offsets,
    int group_count);

#ifdef __cplusplus
}
#endif

#endif
