// SPDX-License-Identifier: Apache-2.0

#include "cre2.h"

#include <re2/re2.h>
#include <string.h>

#include <string>
#include <vector>

using re2::RE2;
using re2::StringPiece;

// Of the two enumerations the ends and one between suffice: the order is RE2's own since 2010.
static_assert(static_cast<int>(RE2::NoError) == CRE2_OK, "re2.h has other error codes");
static_assert(static_cast<int>(RE2::ErrorMissingParen) == CRE2_MISSING_PAREN, "re2.h has other error codes");
static_assert(static_cast<int>(RE2::ErrorUnexpectedParen) == CRE2_UNEXPECTED_PAREN, "re2.h has other error codes");
static_assert(static_cast<int>(RE2::ErrorPatternTooLarge) == CRE2_PATTERN_TOO_LARGE, "re2.h has other error codes");

struct cre2_expression {
  RE2 re2;
};

static RE2::Options options(int dot_matches_line_feed, int64_t memory_bytes_max) {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingUTF8);
  options.set_log_errors(false);
  options.set_dot_nl(dot_matches_line_feed != 0);
  options.set_max_mem(memory_bytes_max);
  return options;
}

cre2_expression *cre2_compile(const char *pattern, size_t size, int dot_matches_line_feed, int64_t memory_bytes_max) {
  try {
    return new cre2_expression{RE2(StringPiece(pattern, size), options(dot_matches_line_feed, memory_bytes_max))};
  } catch (...) {
    return nullptr;
  }
}

void cre2_free(cre2_expression *expression) { delete expression; }

enum cre2_error cre2_error_code(const cre2_expression *expression) {
  return static_cast<enum cre2_error>(expression->re2.error_code());
}

const char *cre2_error_argument(const cre2_expression *expression, size_t *size) {
  const std::string &argument = expression->re2.error_arg();
  *size = argument.size();
  return argument.data();
}

size_t cre2_group_count(const cre2_expression *expression) {
  int count = expression->re2.NumberOfCapturingGroups();
  return count < 0 ? 0 : static_cast<size_t>(count);
}

ptrdiff_t cre2_group_index(const cre2_expression *expression, const char *name, size_t size) {
  try {
    const auto &groups = expression->re2.NamedCapturingGroups();
    auto found = groups.find(std::string(name, size));
    return found == groups.end() ? -1 : found->second;
  } catch (...) {
    return -1;
  }
}

size_t cre2_program_size(const cre2_expression *expression) {
  int size = expression->re2.ProgramSize();
  return size < 0 ? 0 : static_cast<size_t>(size);
}

enum cre2_match cre2_match(
    const cre2_expression *expression, const char *text, size_t size, size_t start, int is_full, struct cre2_range *groups,
    size_t count) {
  try {
    // From a null pointer RE2 could not tell an empty group from one that took no part.
    StringPiece whole(text == nullptr ? "" : text, size);
    RE2::Anchor anchor = is_full ? RE2::ANCHOR_BOTH : RE2::UNANCHORED;
    std::vector<StringPiece> found(count);
    if (!expression->re2.Match(whole, start, size, anchor, found.data(), static_cast<int>(count))) return CRE2_NO_MATCH;
    for (size_t index = 0; index < count; index++) {
      const StringPiece &group = found[index];
      ptrdiff_t start = group.data() == nullptr ? -1 : group.data() - whole.data();
      groups[index] = {start, start < 0 ? -1 : start + static_cast<ptrdiff_t>(group.size())};
    }
    return CRE2_MATCH;
  } catch (...) {
    return CRE2_NO_MEMORY;
  }
}

int cre2_contains(const void *text, size_t text_size, const void *part, size_t part_size) {
  return memmem(text, text_size, part, part_size) != nullptr;
}
