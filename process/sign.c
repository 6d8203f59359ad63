/* sign.c: see sign.h. */
#include "process/sign.h"

#include "config/config_value.h"
#include "core/check.h"
#include "core/safe_open.h"
#include "core/signed_link.h"
#include "core/uri_octet.h"
#include "process/refuse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct asked {
    const char *url, *key, *expires;
};

static int read_arguments(int argc, char **argv, struct asked *asked)
{
    for (int i = 1; i < argc; i++) {
        const char **value = strcmp(argv[i], "--key") == 0       ? &asked->key
                             : strcmp(argv[i], "--expires") == 0 ? &asked->expires
                                                                 : NULL;
        if (value != NULL && i + 1 == argc)
            return refuse(STATUS_USAGE, "%s needs a value", argv[i]);
        if (value != NULL)
            *value = argv[++i];
        else if (argv[i][0] == '-' || asked->url != NULL)
            return refuse(STATUS_USAGE,
                          "'%s' is not understood; usage: gearshift sign URL --key "
                          "FILE [--expires 1h]",
                          argv[i]);
        else
            asked->url = argv[i];
    }
    if (asked->url == NULL || asked->key == NULL)
        return refuse(STATUS_USAGE, "usage: gearshift sign URL --key FILE [--expires 1h]");
    return STATUS_OK;
}

/* The key in the file, in `text`. */
static int read_key(const char *path, char text[SIGNED_KEY_MAX + 3], struct span *ret_key)
{
    const char *what = NULL;
    struct safe_file file;
    size_t len = 0;
    ssize_t count = 1;
    int res = safe_open(SAFE_READ, path, 0, &file, &what);

    if (res < 0)
        return refuse(STATUS_RUNTIME, "%s cannot be opened: %s", path, safe_open_text(res, what));
    while (count > 0 && len < SIGNED_KEY_MAX + 2) {
        count = read(file.fd, text + len, SIGNED_KEY_MAX + 2 - len);
        len += count > 0 ? (size_t)count : 0;
    }
    res = count < 0 ? errno : 0;
    close(file.fd);
    if (count < 0)
        return refuse(STATUS_RUNTIME, "%s cannot be read: %s", path, strerror(res));
    *ret_key = signed_link_key(span_make(text, len));
    if (ret_key->len < SIGNED_KEY_MIN || ret_key->len > SIGNED_KEY_MAX)
        return refuse(STATUS_RUNTIME, "%s does not hold a key of %d to %d bytes", path,
                      SIGNED_KEY_MIN, SIGNED_KEY_MAX);
    return STATUS_OK;
}

/* The path of a URL, or of what begins with '/', up to its query. */
static struct span path_of(const char *url)
{
    const char *authority = strstr(url, "://");
    size_t len = strcspn(url, "?#");

    if (authority == NULL || authority > url + len)
        return span_make(url, len);
    authority += 3;
    const char *slash = strchr(authority, '/');
    if (slash == NULL || slash > url + len)
        return span_make(url + len, 0);
    return span_make(slash, (size_t)(url + len - slash));
}

/* Decodes percent-escapes, in memory of `path`'s length. False: they are malformed. */
static bool decode(struct span path, char *out, struct span *ret_path)
{
    size_t len = 0;

    for (size_t i = 0; i < path.len; i++, len++) {
        out[len] = path.ptr[i];
        if (path.ptr[i] != '%')
            continue;
        int octet = uri_escape_octet(path.ptr + i, path.ptr + path.len);
        if (octet <= 0)
            return false;
        out[len] = (char)octet;
        i += 2;
    }
    *ret_path = span_make(out, len);
    return true;
}

/* Is it as the server has it when it judges: no empty segments, and none of dots? */
static bool is_plain(struct span path)
{
    static const char *const parts[] = { "//", "/./", "/../" };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (memmem(path.ptr, path.len, parts[i], strlen(parts[i])) != NULL)
            return false;
    }
    return path.len > 0 && path.ptr[0] == '/' &&
           (path.len < 2 || memcmp(path.ptr + path.len - 2, "/.", 2) != 0) &&
           (path.len < 3 || memcmp(path.ptr + path.len - 3, "/..", 3) != 0);
}

static int print(const struct asked *asked, struct span key, struct span path)
{
    const char *duration = asked->expires != NULL ? asked->expires : "1h";
    char expires[32], signature[SIGNED_TEXT_LEN];
    uint64_t ms = 0;

    if (config_duration_parse(duration, &ms) < 0 || ms < 1000)
        return refuse(STATUS_USAGE, "'%s' is not a duration, as in 10s, 1m, 2h, 1d or 1y",
                      duration);
    snprintf(expires, sizeof expires, "%" PRId64, (int64_t)time(NULL) + (int64_t)(ms / 1000));
    signed_link_sign(key, span_str(expires), path, signature);
    printf("%s%cexpires=%s&signature=%.*s\n", asked->url,
           strchr(asked->url, '?') != NULL ? '&' : '?', expires, SIGNED_TEXT_LEN, signature);
    return STATUS_OK;
}

int sign(int argc, char **argv)
{
    struct asked asked = { 0 };
    char text[SIGNED_KEY_MAX + 3];
    struct span key, path;
    int status = read_arguments(argc, argv, &asked);
    char *decoded;

    if (status != STATUS_OK)
        return status;
    status = read_key(asked.key, text, &key);
    if (status != STATUS_OK)
        return status;
    decoded = malloc(strlen(asked.url) + 1);
    if (decoded == NULL)
        return refuse(STATUS_RUNTIME, "out of memory");
    if (strchr(asked.url, '#') != NULL || !decode(path_of(asked.url), decoded, &path) ||
        !is_plain(path))
        status = refuse(STATUS_USAGE, "'%s' is no URL with a path that can be signed", asked.url);
    else
        status = print(&asked, key, path);
    explicit_bzero(text, sizeof text);
    free(decoded);
    return status;
}
