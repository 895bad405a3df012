// SPDX-License-Identifier: Apache-2.0

#include "assets.h"

// A file of web/ that is not listed here is not served; TidyTests compares the two.

static const unsigned char index_html[] = {
#embed "../../web/index.html"
};

static const unsigned char style_css[] = {
#embed "../../web/style.css"
};

static const unsigned char icon_svg[] = {
#embed "../../web/icon.svg"
};

static const unsigned char theme_js[] = {
#embed "../../web/theme.js"
};

static const unsigned char main_js[] = {
#embed "../../web/main.js"
};

static const unsigned char api_js[] = {
#embed "../../web/api.js"
};

static const unsigned char stream_js[] = {
#embed "../../web/stream.js"
};

static const unsigned char connection_js[] = {
#embed "../../web/connection.js"
};

static const unsigned char dom_js[] = {
#embed "../../web/dom.js"
};

static const unsigned char format_js[] = {
#embed "../../web/format.js"
};

static const unsigned char words_js[] = {
#embed "../../web/words.js"
};

static const unsigned char ramp_js[] = {
#embed "../../web/ramp.js"
};

static const unsigned char verify_js[] = {
#embed "../../web/verify.js"
};

static const unsigned char guard_js[] = {
#embed "../../web/guard.js"
};

static const unsigned char dialog_js[] = {
#embed "../../web/dialog.js"
};

static const unsigned char alerts_js[] = {
#embed "../../web/alerts.js"
};

static const unsigned char silences_js[] = {
#embed "../../web/silences.js"
};

static const unsigned char rules_js[] = {
#embed "../../web/rules.js"
};

static const unsigned char receivers_js[] = {
#embed "../../web/receivers.js"
};

static const unsigned char overview_js[] = {
#embed "../../web/overview.js"
};

static const unsigned char caches_js[] = {
#embed "../../web/caches.js"
};

static const unsigned char ratios_js[] = {
#embed "../../web/ratios.js"
};

static const unsigned char history_js[] = {
#embed "../../web/history.js"
};
static const unsigned char instrumentation_js[] = {
#embed "../../web/instrumentation.js"
};

static const unsigned char series_js[] = {
#embed "../../web/series.js"
};

static const unsigned char charts_js[] = {
#embed "../../web/charts.js"
};

static const unsigned char themes_js[] = {
#embed "../../web/themes.js"
};

// Debian's libjs-dygraphs.
static const unsigned char dygraph_js[] = {
#embed "/usr/share/javascript/dygraphs/dygraph.min.js"
};

static const unsigned char dygraph_css[] = {
#embed "/usr/share/javascript/dygraphs/dygraph.min.css"
};

// The bundled rules.
static const unsigned char auth_yml[] = {
#embed "../../alerts/auth.yml"
};

static const unsigned char connect_yml[] = {
#embed "../../alerts/connect.yml"
};

static const unsigned char organization_yml[] = {
#embed "../../alerts/organization.yml"
};

static const unsigned char profile_yml[] = {
#embed "../../alerts/profile.yml"
};

static const unsigned char rampart_yml[] = {
#embed "../../alerts/rampart.yml"
};

static const unsigned char redis_yml[] = {
#embed "../../alerts/redis.yml"
};

static const unsigned char web_yml[] = {
#embed "../../alerts/web.yml"
};

static const char html[] = "text/html; charset=utf-8";
static const char css[] = "text/css; charset=utf-8";
static const char javascript[] = "text/javascript; charset=utf-8";
static const char svg[] = "image/svg+xml";
static const char yaml[] = "application/yaml";

static const struct rampart_asset assets[] = {
  {"/", html, index_html, sizeof index_html},
  {"/assets/style.css", css, style_css, sizeof style_css},
  {"/assets/icon.svg", svg, icon_svg, sizeof icon_svg},
  {"/assets/theme.js", javascript, theme_js, sizeof theme_js},
  {"/assets/main.js", javascript, main_js, sizeof main_js},
  {"/assets/api.js", javascript, api_js, sizeof api_js},
  {"/assets/stream.js", javascript, stream_js, sizeof stream_js},
  {"/assets/connection.js", javascript, connection_js, sizeof connection_js},
  {"/assets/dom.js", javascript, dom_js, sizeof dom_js},
  {"/assets/format.js", javascript, format_js, sizeof format_js},
  {"/assets/words.js", javascript, words_js, sizeof words_js},
  {"/assets/ramp.js", javascript, ramp_js, sizeof ramp_js},
  {"/assets/verify.js", javascript, verify_js, sizeof verify_js},
  {"/assets/guard.js", javascript, guard_js, sizeof guard_js},
  {"/assets/dialog.js", javascript, dialog_js, sizeof dialog_js},
  {"/assets/alerts.js", javascript, alerts_js, sizeof alerts_js},
  {"/assets/silences.js", javascript, silences_js, sizeof silences_js},
  {"/assets/rules.js", javascript, rules_js, sizeof rules_js},
  {"/assets/receivers.js", javascript, receivers_js, sizeof receivers_js},
  {"/assets/overview.js", javascript, overview_js, sizeof overview_js},
  {"/assets/caches.js", javascript, caches_js, sizeof caches_js},
  {"/assets/ratios.js", javascript, ratios_js, sizeof ratios_js},
  {"/assets/history.js", javascript, history_js, sizeof history_js},
  {"/assets/instrumentation.js", javascript, instrumentation_js, sizeof instrumentation_js},
  {"/assets/series.js", javascript, series_js, sizeof series_js},
  {"/assets/charts.js", javascript, charts_js, sizeof charts_js},
  {"/assets/themes.js", javascript, themes_js, sizeof themes_js},
  {"/assets/dygraph.js", javascript, dygraph_js, sizeof dygraph_js},
  {"/assets/dygraph.css", css, dygraph_css, sizeof dygraph_css},
};

size_t rampart_asset_count(void) { return sizeof assets / sizeof assets[0]; }

struct rampart_asset rampart_asset_at(size_t index) { return assets[index]; }

static const struct rampart_asset rules[] = {
  {"alerts/auth.yml", yaml, auth_yml, sizeof auth_yml},
  {"alerts/connect.yml", yaml, connect_yml, sizeof connect_yml},
  {"alerts/organization.yml", yaml, organization_yml, sizeof organization_yml},
  {"alerts/profile.yml", yaml, profile_yml, sizeof profile_yml},
  {"alerts/rampart.yml", yaml, rampart_yml, sizeof rampart_yml},
  {"alerts/redis.yml", yaml, redis_yml, sizeof redis_yml},
  {"alerts/web.yml", yaml, web_yml, sizeof web_yml},
};

size_t rampart_rule_file_count(void) { return sizeof rules / sizeof rules[0]; }

struct rampart_asset rampart_rule_file_at(size_t index) { return rules[index]; }
