/* uri_octet.c: the table of uri_octet.h. A test builds it anew from the grammar and compares. */
#include "http/uri_octet.h"

/* One row for every 16 octets: 1 PATH, 2 QUERY, 4 NAME, 8 SAFE. From 80 on there is nothing. */
const uint8_t http_uri_octets[256] = {
    // clang-format off
    /* 00 */  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
    /* 10 */  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
    /* 20 */  0, 15,  0,  0, 15,  0,  7,  7, 15, 15, 15, 15, 15, 15, 15, 10,
    /* 30 */ 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 11,  7,  0, 15,  0,  2,
    /* 40 */ 11, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    /* 50 */ 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  0,  0,  0,  0, 15,
    /* 60 */  0, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    /* 70 */ 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  0,  0,  0, 15,  0,
    // clang-format on
};
