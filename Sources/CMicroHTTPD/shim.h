// SPDX-License-Identifier: Apache-2.0

// Bridges two gaps: MHD_start_daemon and others are variadic, and Swift does not import variadic C functions; poll.h,
// sys/eventfd.h and accept4-style constants are taken from here so that one module brings what the server needs.
// https://www.gnu.org/software/libmicrohttpd/manual/libmicrohttpd.html

#ifndef RAMPART_CMICROHTTPD_SHIM_H
#define RAMPART_CMICROHTTPD_SHIM_H

#include <microhttpd.h>

// MHD_set_response_options is variadic as well. The body ends with the connection.
static inline enum MHD_Result cmhd_forbid_chunks(struct MHD_Response *response) {
  return MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
}

// MHD_start_daemon with its options as an array.
static inline struct MHD_Daemon *cmhd_start_daemon(
    unsigned int flags, MHD_AccessHandlerCallback handler, void *context, const struct MHD_OptionItem *options) {
  return MHD_start_daemon(
      flags, 0, NULL, NULL, handler, context, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

// Option values are intptr_t; these three are callbacks, and Swift does not turn a C function into an integer.
static inline struct MHD_OptionItem cmhd_notify_completed(MHD_RequestCompletedCallback callback, void *context) {
  struct MHD_OptionItem item = {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)callback, context};
  return item;
}

static inline struct MHD_OptionItem cmhd_notify_connection(MHD_NotifyConnectionCallback callback, void *context) {
  struct MHD_OptionItem item = {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)callback, context};
  return item;
}

static inline size_t cmhd_keep_escapes_callback(void *context, struct MHD_Connection *connection, char *text) {
  (void)context;
  (void)connection;
  return strlen(text);
}

// Paths and arguments stay percent-encoded; decoding in place would lose %00 and the difference of %2F and "/".
static inline struct MHD_OptionItem cmhd_keep_escapes(void) {
  struct MHD_OptionItem item = {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)&cmhd_keep_escapes_callback, NULL};
  return item;
}

// Function results are unions in C; these read the member that belongs to the kind asked for.
static inline int cmhd_connection_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

static inline const struct sockaddr *cmhd_connection_address(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info ? info->client_addr : NULL;
}

static inline void *cmhd_connection_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

static inline size_t cmhd_request_header_size(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info ? info->header_size : 0;
}

#endif
