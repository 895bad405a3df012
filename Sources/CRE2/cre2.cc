// SPDX-License-Identifier: Apache-2.0

#include "cre2.h"

#include <re2/re2.h>

#include <new>
#include <string>
#include <vector>

struct cre2_expression {
  RE2 re2;
};

static_assert(int(CRE2_INTERNAL) == RE2::ErrorInternal, "RE2's error codes have moved");
static_assert(int(CRE2_PATTERN_TOO_LARGE) == RE2::ErrorPatternTooLarge, "RE2's error codes have moved");

cre2_expression *cre2_compile(const char *pattern, size_t pattern_count, int64_t memory_bytes_max) {
  try {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    options.set_max_mem(memory_bytes_max);
    return new cre2_expression{RE2(re2::StringPiece(pattern, pattern_count), options)};
  } catch (...) {
    return nullptr;
  }
}

void cre2_free(cre2_expression *expression) { delete expression; }

cre2_error cre2_error_code(const cre2_expression *expression) {
  return static_cast<cre2_error>(expression->re2.error_code());
}

const char *cre2_error_argument(const cre2_expression *expression, size_t *count) {
  const std::string &argument = expression->re2.error_arg();
  *count = argument.size();
  return argument.data();
}

int cre2_group_count(const cre2_expression *expression) { return expression->re2.NumberOfCapturingGroups(); }

const char *cre2_group_name(const cre2_expression *expression, int group) {
  const auto &names = expression->re2.CapturingGroupNames();
  const auto found = names.find(group);
  return found == names.end() ? nullptr : found->second.c_str();
}

int cre2_match(
    const cre2_expression *expression, const char *text, size_t text_count, bool is_anchored, ptrdiff_t *offsets,
    int group_count) {
  // Nothing may have no address, but a group without one took no part.
  if (text == nullptr) text = "";
  try {
    const RE2::Anchor anchor = is_anchored ? RE2::ANCHOR_BOTH : RE2::UNANCHORED;
    std::vector<re2::StringPiece> groups(group_count + 1);
    const bool matches = expression->re2.Match(
        re2::StringPiece(text, text_count), 0, text_count, anchor, groups.data(), static_cast<int>(groups.size()));
    if (!matches) return 0;
    for (size_t index = 0; index < groups.size(); index++) {
      const bool took_part = groups[index].data() != nullptr;
      offsets[2 * index] = took_part ? groups[index].data() - text : -1;
      offsets[2 * index + 1] = took_part ? groups[index].data() - text + static_cast<ptrdiff_t>(groups[index].size()) : -1;
    }
    return 1;
  } catch (...) {
    return -1;
  }
}
