/* config_text_browser.c: what a text has to look like that is meant for browsers: origins,
 * Strict-Transport-Security, names of fields. See config_text.h. */
#include "config/config_text.h"
#include "config/config_value.h"

#include <stdio.h>
#include <string.h>

enum { YEAR_S = 31536000 };

/* Takes a directive and its ';' off the front. False: there is none left. */
static bool take_directive(struct span *text, struct span *ret_directive)
{
    const char *end;

    if (text->len == 0)
        return false;
    end = memchr(text->ptr, ';', text->len);
    *ret_directive =
        span_trim(span_make(text->ptr, end != NULL ? (size_t)(end - text->ptr) : text->len));
    *text = end != NULL ? span_make(end + 1, (size_t)(text->ptr + text->len - end - 1))
                        : span_make(text->ptr, 0);
    return true;
}

/* "max-age=N". False: it is none. */
static bool max_age_parse(struct span directive, uint64_t *ret_s)
{
    static const char name[] = "max-age=";
    const size_t len = sizeof(name) - 1;
    char digits[24];

    if (directive.len <= len || directive.len - len >= sizeof(digits) ||
        !span_caseeq(span_make(directive.ptr, len), SPAN_LIT("max-age=")))
        return false;
    snprintf(digits, sizeof(digits), "%.*s", (int)(directive.len - len), directive.ptr + len);
    return config_count_parse(digits, ret_s) == 0;
}

const char *config_text_hsts(const char *text)
{
    struct span rest = span_str(text), directive;
    bool has_age = false, has_subdomains = false, has_preload = false;
    uint64_t age_s = 0;

    if (strlen(text) > 100)
        return "is longer than 100 characters";
    while (take_directive(&rest, &directive)) {
        bool *has = span_caseeq(directive, SPAN_LIT("includeSubDomains")) ? &has_subdomains
                    : span_caseeq(directive, SPAN_LIT("preload"))         ? &has_preload
                    : max_age_parse(directive, &age_s)                    ? &has_age
                                                                          : NULL;
        if (has == NULL)
            return "has something that is no directive";
        if (*has)
            return "has a directive twice";
        *has = true;
    }
    if (!has_age)
        return "has no max-age=seconds";
    if (has_preload && (!has_subdomains || age_s < YEAR_S))
        return "asks for what browsers do with includeSubDomains and a max-age of 31536000 alone: "
               "to be preloaded";
    return NULL;
}

/* Digits of a port, and not those that go without saying with the scheme. NULL, or what is wrong.
 */
static const char *port_check(const char *port, bool is_https)
{
    uint64_t number = 0;

    if (port[0] == '0' || config_count_parse(port, &number) < 0 || number == 0 ||
        number > UINT16_MAX)
        return "has no port behind its ':'";
    if (number == (is_https ? 443 : 80))
        return "names the port that its scheme has anyway, which browsers leave out";
    return NULL;
}

const char *config_text_origin(const char *text)
{
    bool is_https = strncmp(text, "https://", 8) == 0;
    const char *at = text + (is_https ? 8 : 7), *port, *what;
    char host[256];
    size_t len;

    if (strcmp(text, "*") == 0)
        return NULL;
    if (strcmp(text, "null") == 0)
        return "is what any sandboxed page says that it is, whoever has made it";
    if (!is_https && strncmp(text, "http://", 7) != 0)
        return "begins neither with https:// nor with http://";
    if (strchr(at, '/') != NULL)
        return "has a '/' behind the host: an origin has no path";
    for (const char *c = text; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            return "has capitals, which browsers do not send in an origin";
    }
    port = strrchr(at, ':');
    if (port != NULL && at[0] == '[' && at[strlen(at) - 1] == ']')
        port = NULL; /* a colon of the address */
    len = port != NULL ? (size_t)(port - at) : strlen(at);
    if (len >= sizeof(host))
        return "is too long for a host";
    snprintf(host, sizeof(host), "%.*s", (int)len, at);
    what = config_text_host(host);
    return what == NULL && port != NULL ? port_check(port + 1, is_https) : what;
}

const char *config_text_link(const char *text)
{
    const char *value = strchr(text, ':'), *end;

    if (value == NULL || !span_caseeq(span_make(text, (size_t)(value - text)), SPAN_LIT("Link")))
        return "is no Link field";
    value += 1 + strspn(value + 1, " \t");
    if (config_text_field_value(value) != NULL)
        return config_text_field_value(value);
    end = strchr(value, '>');
    if (value[0] != '<' || end == NULL || end == value + 1)
        return "has no <target> behind \"Link:\"";
    return strstr(end, "rel=") != NULL ? NULL : "has no rel=... behind its target";
}

const char *config_text_pattern(const char *text)
{
    return text[0] != '\0' ? NULL : "is empty";
}

const char *config_text_token(const char *text)
{
    if (strlen(text) > 100)
        return "is longer than 100 characters";
    return config_is_token(span_str(text)) ? NULL : "is no name of a header field";
}
