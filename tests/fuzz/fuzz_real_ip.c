/* fuzz_real_ip.c: arbitrary octets as the value of the fields in which proxies name their clients.
 * What a client has sent in front of what the nearest proxy has appended changes nothing about whom
 * that proxy names. The first octet of the input chooses field and walk; the rest is split in two
 * at its first '|': the client's part, and the proxies'. */
#include "core/arena.h"
#include "core/check.h"
#include "http/real_ip.h"
#include "http/request.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 2000 };

static struct real_ip real_ip;
static struct arena *arena; /* of its addresses, for ever */

static struct address_set trusted(void)
{
    char ipv4[] = "10.0.0.0/8", ipv6[] = "2001:db8::/32";
    char *texts[] = { ipv4, ipv6 };
    struct address_set set;

    arena = arena_create();
    CHECK(arena != NULL && address_set_make(arena, texts, 2, &set) == 0);
    return set;
}

static struct peer client_of(const char *name, struct span before, struct span value)
{
    static const struct http_limits limits = {
        .request_line_max = 1000, .field_max = 8000, .head_max = 8000, .fields_max = 100
    };
    char head[3 * INPUT_MAX];
    struct http_request request;
    struct peer client = { .family = PEER_UNIX };
    int len =
        snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\n%s: %.*s%s%.*s\r\n\r\n", name,
                 (int)before.len, before.ptr, before.len > 0 ? "," : "", (int)value.len, value.ptr);

    CHECK(http_request_parse(head, (size_t)len, &limits, &request) == 0);
    http_real_ip(&request, &real_ip, &client);
    return client;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "X-Forwarded-For", "Forwarded", "X-Real-IP" };
    char value[INPUT_MAX];

    if (size < 1 || size > INPUT_MAX)
        return 0;
    if (arena == NULL)
        real_ip.from = trusted();
    real_ip.header = (enum real_ip_header)(data[0] % 3);
    real_ip.recursive = data[0] & 4;
    for (size_t i = 1; i < size; i++) /* what the guard does not let pass is a letter */
        value[i - 1] = data[i] < 0x20 || data[i] >= 0x7f ? 'x' : (char)data[i];
    struct span all = span_make(value, size - 1), before = { value, 0 };
    const char *split = memchr(value, '|', all.len);
    const char *name = names[real_ip.header];
    if (split != NULL) {
        before = span_make(value, (size_t)(split - value));
        all = span_make(split + 1, all.len - before.len - 1);
    }
    struct peer alone = client_of(name, span_make(value, 0), all);
    struct peer behind = client_of(name, before, all);
    if (alone.family != PEER_UNIX && !address_set_has(&real_ip.from, &alone))
        CHECK(memcmp(&alone, &behind, sizeof(alone)) == 0);
    if (alone.family != PEER_UNIX)
        CHECK(behind.family != PEER_UNIX);
    if (!real_ip.recursive && alone.family != PEER_UNIX)
        CHECK(memcmp(&alone, &behind, sizeof(alone)) == 0);
    return 0;
}
