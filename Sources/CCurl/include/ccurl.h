// SPDX-License-Identifier: Apache-2.0

// libcurl, loaded when the first request is made: it brings some twenty libraries with it, 3 MB that a server without
// receivers would carry along for nothing. Beside that it bridges two gaps: curl_easy_setopt and curl_easy_getinfo are
// variadic, which Swift does not import, so each function below is curl's own with the type of one kind of option; and
// struct curl_sockaddr ends in a struct of unknown length.
// https://curl.se/libcurl/c/curl_easy_setopt.html

#ifndef RAMPART_CCURL_H
#define RAMPART_CCURL_H

#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>

typedef size_t (*ccurl_receive_callback)(char *bytes, size_t size, size_t count, void *context);

// Loads the library and initialises it, once for all threads. NULL, or why that is not possible.
const char *ccurl_load(void);

// Each as curl's function of that name; only after ccurl_load has returned NULL.
CURL *ccurl_easy_init(void);
void ccurl_easy_cleanup(CURL *handle);
void ccurl_easy_reset(CURL *handle);
CURLcode ccurl_easy_perform(CURL *handle);
const char *ccurl_easy_strerror(CURLcode code);
struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text);
void ccurl_slist_free_all(struct curl_slist *list);
CURLcode ccurl_easy_setopt_long(CURL *handle, CURLoption option, long value);
CURLcode ccurl_easy_setopt_offset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode ccurl_easy_setopt_string(CURL *handle, CURLoption option, const char *value);
CURLcode ccurl_easy_setopt_pointer(CURL *handle, CURLoption option, void *value);
CURLcode ccurl_easy_setopt_list(CURL *handle, CURLoption option, struct curl_slist *value);
CURLcode ccurl_easy_setopt_receive(CURL *handle, CURLoption option, ccurl_receive_callback value);
CURLcode ccurl_easy_setopt_opensocket(CURL *handle, CURLoption option, curl_opensocket_callback value);
CURLcode ccurl_easy_getinfo_long(CURL *handle, CURLINFO info, long *value);

// What curl_opensocket_callback is given ends in a sockaddr of any length, which Swift cannot see into. Writes the IP
// address and returns its length in bytes: 4, 16, or 0 for another family.
int ccurl_address_bytes(const struct curl_sockaddr *address, unsigned char bytes[16]);

// As curl opens a socket where it is not asked to leave that to others.
curl_socket_t ccurl_open_socket(const struct curl_sockaddr *address);

#endif
