/* config_text.c: one short function for each kind of text. */
#include "config/config_text.h"
#include "core/check.h"
#include "config/config_value.h"

#include <arpa/inet.h>
#include <string.h>

/* Unlike those of ctype.h, without regard to the locale. */
static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if (is_control(*text))
            return true;
    }
    return false;
}

bool config_is_token(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_alnum(text.ptr[i]) &&
            (text.ptr[i] == '\0' || strchr("!#$%&'*+-.^_`|~", text.ptr[i]) == NULL))
            return false;
    }
    return text.len > 0;
}

const char *config_text_word(const char *text)
{
    if (text[0] == '\0')
        return "is empty";
    if (has_control(text) || strchr(text, ' ') != NULL)
        return "is not one word";
    return strlen(text) > 64 ? "is longer than 64 characters" : NULL;
}

const char *config_text_path_of_file(const char *text)
{
    static const char *const words[] = { "none", "off",  "no",   "false",    "on",
                                         "yes",  "true", "null", "disabled", "default" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(text, words[i]) == 0)
            return "would be a file of that name, for which one writes ./ before it";
    }
    return NULL;
}

const char *config_text_control(const char *text)
{
    enum { PATH_MAX_OCTETS = 107 }; /* unix(7), sun_path */

    if (strcmp(text, "auto") == 0 || strcmp(text, "off") == 0)
        return NULL;
    if (text[0] != '/')
        return "is no absolute path";
    if (has_control(text))
        return "holds a control character";
    return strlen(text) > PATH_MAX_OCTETS ? "is longer than 107 octets" : NULL;
}

const char *config_text_media_type(const char *text)
{
    size_t len = strcspn(text, ";");
    const char *slash = memchr(text, '/', len);
    struct span type, subtype;

    if (slash == NULL)
        return "is no media type: '/' is missing";
    type = span_make(text, (size_t)(slash - text));
    subtype = span_trim(span_make(slash + 1, len - type.len - 1));
    if (!config_is_token(type) || !config_is_token(subtype) || has_control(text))
        return "is no media type";
    return strlen(text) > CONFIG_FIELD_VALUE_MAX ? "is too long for a header field" : NULL;
}

const char *config_text_media_range(const char *text)
{
    const char *slash = strchr(text, '/');

    if (slash == NULL)
        return "is no media type: '/' is missing";
    if (!config_is_token(span_make(text, (size_t)(slash - text))) ||
        !config_is_token(span_str(slash + 1)))
        return "is no media type without parameters";
    /* A star is a token character. */
    if (text[0] == '*' && strcmp(text, "*/*") != 0)
        return "is no media type: only \"*/*\" begins with '*'";
    return strlen(text) > CONFIG_FIELD_VALUE_MAX ? "is longer than any media type" : NULL;
}

const char *config_text_charset(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (!is_alnum(*at) && *at != '-' && *at != '_')
            return "is no name of a charset";
    }
    if (strlen(text) > 40)
        return "is longer than 40 characters";
    return text[0] != '\0' ? NULL : "is empty";
}

/* Labels of 1 to 63 characters with dots between them, 253 in all (RFC 1035 section 2.3.4). */
static bool is_host_name(const char *text)
{
    size_t label = 0;

    if (strlen(text) > 253)
        return false;
    for (; *text != '\0'; text++) {
        if (*text == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!(is_alnum(*text) || *text == '-' || *text == '_') || ++label > 63) {
            return false;
        }
    }
    return label > 0;
}

static bool is_bracketed_ipv6(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr octets;
    size_t len = strlen(text);

    if (len < 2 || text[0] != '[' || text[len - 1] != ']' || len - 2 >= sizeof(address))
        return false;
    memcpy(address, text + 1, len - 2);
    address[len - 2] = '\0';
    return inet_pton(AF_INET6, address, &octets) == 1;
}

const char *config_text_host(const char *text)
{
    if (is_bracketed_ipv6(text))
        return NULL;
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at >= 0x80)
            return "is no host name in ASCII; names in other scripts are written as xn--...";
    }
    if (strncmp(text, "*.", 2) == 0)
        text += 2;
    return is_host_name(text) ? NULL : "is no host name";
}

const char *config_text_file_name(const char *text)
{
    if (text[0] == '\0')
        return "is empty";
    if (strchr(text, '/') != NULL || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
        has_control(text))
        return "is no name of a file in the directory itself";
    return NULL;
}

/* Is there a segment that a look-up never has: empty (but for the last), "." or ".."? */
static bool has_odd_segment(const char *path)
{
    while (*path == '/') {
        size_t len = strcspn(++path, "/");

        if ((len == 0 && *path == '/') || (len == 1 && path[0] == '.') ||
            (len == 2 && path[0] == '.' && path[1] == '.'))
            return true;
        path += len;
    }
    return false;
}

const char *config_text_path(const char *text)
{
    if (text[0] != '/')
        return "does not begin with '/'";
    if (has_control(text))
        return "holds a control character";
    if (has_odd_segment(text))
        return "holds a segment that is empty, \".\" or \"..\"";
    return NULL;
}

const char *config_text_sample(const char *text)
{
    uint64_t below;

    return config_sample_parse(text, &below) ? NULL : "is no such share";
}

const char *config_text_statuses(const char *text)
{
    bool ok = strlen(text) == 3 && text[0] >= '1' && text[0] <= '5' &&
              ((text[1] == 'x' && text[2] == 'x') || (is_digit(text[1]) && is_digit(text[2])));

    return ok ? NULL : "is neither";
}

const char *config_text_prefix(const char *text)
{
    const char *what = config_text_path(text);

    if (what == NULL && text[strlen(text) - 1] != '/')
        what = "does not end with '/'";
    return what;
}

const char *config_text_name_pattern(const char *text)
{
    return strchr(text, '/') != NULL ? "holds a '/', which no name has" : NULL;
}

const char *config_text_archive(const char *text)
{
    return strcmp(text, "zip") == 0 || strcmp(text, "tar") == 0 ? NULL : "is no kind of archive";
}

const char *config_text_try(const char *text)
{
    static const char variable[] = "$uri";
    const char *path = text;

    if (text[0] == '=')
        return "is no path; when no entry leads to a file, the answer is 404 by itself";
    if (strncmp(text, variable, strlen(variable)) == 0)
        path += strlen(variable);
    if (has_control(path))
        return "holds a control character";
    /* What $uri stands for begins with '/', and may end with one. */
    if (has_odd_segment(path) || strncmp(path, "..", 2) == 0)
        return "holds a segment that is empty, \".\" or \"..\"";
    if (path == text)
        return config_text_path(text);
    return NULL;
}

const char *config_text_redirect(const char *text)
{
    return strlen(text) > CONFIG_FIELD_VALUE_MAX ? "is too long for a header field" : NULL;
}

const char *config_text_field_value(const char *text)
{
    size_t len = span_trim(span_str(text)).len;

    if (len == 0)
        return "is empty";
    if (len > CONFIG_FIELD_VALUE_MAX)
        return "is too long for a header field";
    for (const char *at = text; *at != '\0'; at++) {
        if (is_control(*at) && *at != '\t')
            return "holds a control character";
    }
    return NULL;
}

const char *config_text_field_name(struct span name)
{
    static const char *const managed[] = {
        "Accept-Ranges",  "Allow",
        "Connection",     "Content-Encoding",
        "Content-Length", "Content-Range",
        "Content-Type",   "Date",
        "ETag",           "Keep-Alive",
        "Last-Modified",  "Server",
        "Trailer",        "Transfer-Encoding",
        "Upgrade",        "Vary",
    };

    if (!config_is_token(name))
        return "has no header field's name before the ':'";
    for (size_t i = 0; i < ARRAY_LEN(managed); i++) {
        if (span_caseeq(name, span_str(managed[i])))
            return "sets a field that the server makes itself";
    }
    return NULL;
}
