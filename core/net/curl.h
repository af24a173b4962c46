/* SPDX-License-Identifier: MIT */
/* The only place that includes libcurl; only net/ includes this. */
#ifndef NET_CURL_H
#define NET_CURL_H
#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075500
#error "libcurl 7.85 or newer is needed (CURLOPT_PROTOCOLS_STR)"
#endif
#endif
