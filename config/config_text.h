/* config_text.h: what a text in server.conf has to look like: host names, media types, header
 * fields, paths. Pure. Each function returns NULL, or what is wrong as the end of a sentence that
 * begins with the text: "is no host name". */
#ifndef CONFIG_CONFIG_TEXT_H
#define CONFIG_CONFIG_TEXT_H

#include "core/span.h"

#include <stdbool.h>

/* Octets of a field value that comes from the configuration. */
#define CONFIG_FIELD_VALUE_MAX 2000

/* Token characters only, at least one (RFC 9110 section 5.6.2). */
bool config_is_token(struct span text);

/* "auto", "off", or an absolute path that fits into the address of a unix socket. */
const char *config_text_control(const char *text);

/* One word without blanks. */
const char *config_text_word(const char *text);

/* The path of a file, and not one of the words by which people say that there is none: that would
 * make a file of that name. */
const char *config_text_path_of_file(const char *text);

/* type/subtype, and parameters if any (RFC 9110 section 8.3.1), of CONFIG_FIELD_VALUE_MAX octets at
 * most: with more, the fields of an answer would not fit where they are put together. */
const char *config_text_media_type(const char *text);

/* type/subtype without parameters, "type/" and a star for all of that kind, or star slash star for
 * all; of CONFIG_FIELD_VALUE_MAX octets at most. */
const char *config_text_media_range(const char *text);

/* A charset's name (RFC 2978 section 2.3), such as it needs no quotes in Content-Type. */
const char *config_text_charset(const char *text);

/* A value of Strict-Transport-Security (RFC 6797 section 6.1). */
const char *config_text_hsts(const char *text);

/* "*", or an origin as a browser writes it (RFC 6454 section 6.2), in lower case and without the
 * port that its scheme has anyway; "https://" and "*." before a name stand for all below it. */
const char *config_text_origin(const char *text);

/* "Link: <target>", with parameters of which one is rel (RFC 8288 section 3). */
const char *config_text_link(const char *text);

/* A text that is not empty: a pattern, which is compiled later. */
const char *config_text_pattern(const char *text);

/* The name of a header field, of 100 octets at most. */
const char *config_text_token(const char *text);

/* A host name of letters, digits, '-', '_' and '.', perhaps behind "*."; or an IP address, IPv6 in
 * brackets. */
const char *config_text_host(const char *text);

/* The name of a file in a directory. */
const char *config_text_file_name(const char *text);

/* A pattern of fnmatch(3) for the name of a file in a directory. */
const char *config_text_name_pattern(const char *text);

/* "zip" or "tar". */
const char *config_text_archive(const char *text);

/* "$uri", "$uri" with something behind it, or an absolute path. */
const char *config_text_try(const char *text);

/* An absolute path as it is looked up: begins with '/', no empty and no dot segments. */
const char *config_text_path(const char *text);

/* A share above 0 and at most 1: "0.01" or "1/100". */
const char *config_text_sample(const char *text);

/* A status or a class of them: "404", "4xx"; from 1xx to 5xx. */
const char *config_text_statuses(const char *text);

/* An absolute path as it is looked up, that also ends with '/'. */
const char *config_text_prefix(const char *text);

/* An absolute path or an absolute http URL, fit for a Location field: of CONFIG_FIELD_VALUE_MAX
 * octets at most. */
const char *config_text_redirect(const char *text);

/* A field value (RFC 9110 section 5.5) that is not empty, of CONFIG_FIELD_VALUE_MAX octets at most.
 */
const char *config_text_field_value(const char *text);

/* The name of a header field that may be configured: a token, and none that the server makes. */
const char *config_text_field_name(struct span name);

#endif
