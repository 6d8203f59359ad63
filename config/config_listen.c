/* config_listen.c: see config_listen.h. */
#include "config/config_listen.h"
#include "core/inherited.h"
#include "core/check.h"
#include "config/config_store.h"
#include "config/config_text.h"
#include "config/config_value.h"
#include "config/host_name.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

enum { BACKLOG_DEFAULT = 511, BACKLOG_MAX = 65535, CONGESTION_NAME_MAX = 15 /* TCP_CA_NAME_MAX */ };

#define FAIL(...) config_fail_item(build, item, config_key_find("listen"), __VA_ARGS__)

/* What is being read of one element. */
struct listen_text {
    struct listen_config listen;
    char *port;          /* as text, or NULL */
    const char *name;    /* of a host: each of its addresses is meant; NULL: `listen` has one */
    bool has_parameters; /* anything behind the address but `tls` and `proxy_protocol` */
};

static int port_parse(const struct config_build *build, const struct config_item *item,
                      struct listen_text *ret_text)
{
    uint64_t port = 0;

    if (ret_text->port == NULL)
        return FAIL("\"%.200s\" has no port", item->text);
    if (config_count_parse(ret_text->port, &port) < 0 || port > UINT16_MAX)
        return FAIL("\"%.100s\" is no port from 0 to 65535", ret_text->port);
    ret_text->listen.port = (uint16_t)port;
    return 0;
}

static int unix_parse(const struct config_build *build, const struct config_item *item,
                      const char *path, struct listen_text *ret_text)
{
    struct listen_config *listen = &ret_text->listen;

    listen->kind = LISTEN_UNIX;
    if (path[0] == '\0')
        return FAIL("\"%.200s\" has no path behind unix:", item->text);
    listen->host = config_path(build, item->place, path);
    if (listen->host == NULL)
        return -ENOMEM;
    if (strlen(listen->host) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return FAIL("\"%.200s\" is longer than %zu characters, the most for a unix socket",
                    listen->host, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
    if (strpbrk(listen->host, " \t") != NULL) /* of the folder; parameters would begin there */
        return FAIL("\"%.200s\" holds a blank", listen->host);
    listen->text = arena_printf(build->arena, "unix:%s", listen->host);
    return listen->text == NULL ? -ENOMEM : 0;
}

/* Gives `listen`, whose kind and port are known, the numeric `host`. 0 or -ENOMEM. */
static int address_set(const struct config_build *build, const char *host,
                       struct listen_config *listen)
{
    listen->host = arena_strdup(build->arena, host);
    listen->text = arena_printf(build->arena, listen->kind == LISTEN_IPV6 ? "[%s]:%u" : "%s:%u",
                                host, (unsigned)listen->port);
    return listen->host == NULL || listen->text == NULL ? -ENOMEM : 0;
}

static int inherited_parse(const struct config_build *build, const struct config_item *item,
                           const char *name, struct listen_text *ret_text)
{
    struct listen_config *listen = &ret_text->listen;

    if (name[0] == '\0' || strchr(name, ':') != NULL)
        return FAIL("\"%.200s\" has no name behind systemd:, as FileDescriptorName= gives it",
                    item->text);
    listen->kind = LISTEN_UNIX;
    listen->inherited = arena_strdup(build->arena, name);
    listen->host = arena_strdup(build->arena, "");
    listen->text = arena_printf(build->arena, "systemd:%s", name);
    return listen->inherited == NULL || listen->host == NULL || listen->text == NULL ? -ENOMEM : 0;
}

/* `address` may be changed. */
static int address_parse(const struct config_build *build, const struct config_item *item,
                         char *address, struct listen_text *ret_text)
{
    struct listen_config *listen = &ret_text->listen;
    bool bracket = address[0] == '[';
    char *end = bracket ? strchr(address, ']') : strrchr(address, ':');
    char canonical[INET6_ADDRSTRLEN];
    unsigned char octets[sizeof(struct in6_addr)];
    int family = bracket ? AF_INET6 : AF_INET;
    int res;

    if (strncmp(address, "unix:", 5) == 0)
        return unix_parse(build, item, address + 5, ret_text);
    if (strncmp(address, "systemd:", 8) == 0)
        return inherited_parse(build, item, address + 8, ret_text);
    if (bracket && (end == NULL || end[1] != ':'))
        return FAIL("\"%.200s\" has no port behind ]", item->text);
    listen->kind = bracket ? LISTEN_IPV6 : LISTEN_IPV4;
    listen->ipv6_only = bracket;
    if (end != NULL) {
        *end = '\0';
        ret_text->port = end + (bracket ? 2 : 1);
    } else if (strspn(address, "0123456789") == strlen(address)) { /* 8080: as :8080 */
        ret_text->port = address;
        address += strlen(address);
    }
    res = port_parse(build, item, ret_text);
    if (res < 0)
        return res;
    if (inet_pton(family, address + bracket, octets) == 1) {
        inet_ntop(family, octets, canonical, sizeof(canonical));
        return address_set(build, canonical, listen);
    }
    if (bracket)
        return FAIL("\"%.100s\" is no IPv6 address", address + 1);
    if (address[0] == '\0')
        address = HOST_NAME_ANY;
    if (!host_name_is_valid(address) && strcmp(address, HOST_NAME_ANY) != 0)
        return FAIL("\"%.100s\" is neither an IPv4 address nor the name of a host", address);
    ret_text->name = arena_strdup(build->arena, address);
    listen->text = arena_printf(build->arena, "%s:%u", address, (unsigned)listen->port);
    return ret_text->name == NULL || listen->text == NULL ? -ENOMEM : 0;
}

static int parameter_parse(const struct config_build *build, const struct config_item *item,
                           const char *parameter, struct listen_text *ret_text)
{
    struct listen_config *listen = &ret_text->listen;
    const char *equals = strchr(parameter, '=');
    size_t len = equals != NULL ? (size_t)(equals - parameter) : strlen(parameter);
    const char *value = equals != NULL ? equals + 1 : "";
    struct span name = span_make(parameter, len);
    uint64_t backlog = 0;

    if (equals == NULL && span_eq(name, SPAN_LIT("tls"))) {
        listen->tls = true;
        return 0;
    }
    if (equals == NULL && span_eq(name, SPAN_LIT("proxy_protocol"))) {
        listen->proxy_protocol = true;
        return 0;
    }
    ret_text->has_parameters = true;
    if (span_eq(name, SPAN_LIT("backlog"))) {
        if (config_count_parse(value, &backlog) < 0 || backlog < 1 || backlog > BACKLOG_MAX)
            return FAIL("backlog \"%.100s\" is no number from 1 to %d", value, BACKLOG_MAX);
        listen->backlog = (int)backlog;
        return 0;
    }
    if (equals == NULL && span_eq(name, SPAN_LIT("deferred")) && listen->kind != LISTEN_UNIX) {
        listen->deferred = true;
        return 0;
    }
    if (span_eq(name, SPAN_LIT("congestion")) && listen->kind != LISTEN_UNIX) {
        if (!config_is_token(span_str(value)) || strlen(value) > CONGESTION_NAME_MAX)
            return FAIL("congestion \"%.100s\" is no name of a congestion control", value);
        listen->congestion = arena_strdup(build->arena, value);
        return listen->congestion == NULL ? -ENOMEM : 0;
    }
    if (span_eq(name, SPAN_LIT("ipv6only")) && listen->kind == LISTEN_IPV6) {
        if (config_bool_parse(value, &listen->ipv6_only) < 0)
            return FAIL("ipv6only \"%.100s\" is neither on nor off", value);
        return 0;
    }
    return FAIL("\"%.100s\" is no parameter of \"%.100s\"", parameter, listen->text);
}

static int listen_parse(const struct config_build *build, const struct config_item *item,
                        struct listen_text *ret_text)
{
    char *text = arena_strdup(build->scratch, item->text);
    char *rest = NULL;
    char *word;
    int res;

    if (text == NULL)
        return -ENOMEM;
    *ret_text = (struct listen_text){ .listen.backlog = BACKLOG_DEFAULT };
    word = strtok_r(text, " \t", &rest);
    if (word == NULL)
        return FAIL("\"%.100s\" is empty", item->text);
    res = address_parse(build, item, word, ret_text);
    while (res == 0 && (word = strtok_r(NULL, " \t", &rest)) != NULL)
        res = parameter_parse(build, item, word, ret_text);
    return res;
}

static bool same_parameters(const struct listen_config *a, const struct listen_config *b)
{
    if ((a->congestion == NULL) != (b->congestion == NULL))
        return false;
    return a->backlog == b->backlog && a->deferred == b->deferred && a->ipv6_only == b->ipv6_only &&
           (a->congestion == NULL || strcmp(a->congestion, b->congestion) == 0);
}

/* What an address is known by. With port 0, those that differ in how connections begin get ports of
 * their own. NULL: no memory. */
static const char *address_name(const struct config_build *build,
                                const struct listen_config *listen)
{
    bool chosen = listen->kind != LISTEN_UNIX && listen->port == 0;

    if (listen->inherited != NULL)
        return arena_printf(build->scratch, "%s %s %u", listen->text, listen->host,
                            (unsigned)listen->port);

    if (!chosen || (!listen->tls && !listen->proxy_protocol))
        return listen->text;
    return arena_printf(build->scratch, "%s%s%s", listen->text, listen->tls ? " tls" : "",
                        listen->proxy_protocol ? " proxy_protocol" : "");
}

/* What connections come in at an address. */
struct reach {
    bool ipv4, ipv6;         /* for addresses of this family */
    bool ipv4_any, ipv6_any; /* for all of them */
    struct in_addr ipv4_address;
    struct in6_addr ipv6_address;
};

static struct reach reach_of(const struct listen_config *listen)
{
    struct reach reach = { .ipv4 = false };

    if (listen->kind == LISTEN_IPV4) {
        MUST(inet_pton(AF_INET, listen->host, &reach.ipv4_address) == 1);
        reach.ipv4 = true;
        reach.ipv4_any = reach.ipv4_address.s_addr == htonl(INADDR_ANY);
    } else if (listen->kind == LISTEN_IPV6) {
        MUST(inet_pton(AF_INET6, listen->host, &reach.ipv6_address) == 1);
        bool mapped = IN6_IS_ADDR_V4MAPPED(&reach.ipv6_address);
        reach.ipv6_any = IN6_IS_ADDR_UNSPECIFIED(&reach.ipv6_address);
        reach.ipv6 = !mapped;
        reach.ipv4_any = reach.ipv6_any && !listen->ipv6_only;
        reach.ipv4 = reach.ipv4_any || (mapped && !listen->ipv6_only);
        if (mapped)
            memcpy(&reach.ipv4_address, &reach.ipv6_address.s6_addr[12], sizeof(struct in_addr));
    }
    return reach;
}

/* Would the kernel refuse to listen on both? */
static bool overlap(const struct listen_config *one, const struct listen_config *other)
{
    if (one->port != other->port || one->port == 0)
        return false;
    struct reach a = reach_of(one), b = reach_of(other);
    bool ipv4 = a.ipv4 && b.ipv4 &&
                (a.ipv4_any || b.ipv4_any || a.ipv4_address.s_addr == b.ipv4_address.s_addr);
    bool ipv6 = a.ipv6 && b.ipv6 &&
                (a.ipv6_any || b.ipv6_any || IN6_ARE_ADDR_EQUAL(&a.ipv6_address, &b.ipv6_address));

    return ipv4 || ipv6;
}

/* May it overlap with an address of another text: is it for all of a family, or for both families?
 */
static bool is_wide(const struct listen_config *listen)
{
    struct reach reach = reach_of(listen);

    return reach.ipv4_any || reach.ipv6_any || (listen->kind == LISTEN_IPV6 && !reach.ipv6);
}

/* The kernel would blame another process (EADDRINUSE). */
static int check_overlap(const struct config_build *build, const struct config_item *item,
                         const struct listen_config *listen, const struct config *config)
{
    const struct config_shared *shared = build->shared;
    bool wide = is_wide(listen); /* else only those that are need to be looked at */

    for (size_t i = 0; i < (wide ? config->listens_count : shared->wide_count); i++) {
        const struct listen_config *earlier = wide ? &config->listens[i] : shared->wide[i];
        bool both = listen->kind == LISTEN_IPV6 || earlier->kind == LISTEN_IPV6;
        bool ipv6 = listen->kind == LISTEN_IPV6 && earlier->kind == LISTEN_IPV6;

        if (overlap(listen, earlier))
            return config_fail(build, item->place, "listen",
                               "\"%.100s\" and \"%.100s\" (%.200s) overlap: connections to one "
                               "address would come in at both: take one of them out%s",
                               listen->text, earlier->text, earlier->place,
                               both && !ipv6 ? ", or set ipv6only=on" : "");
    }
    return 0;
}

/* The address in the configuration that `text` means, added if it is new. */
static int listen_find(const struct config_build *build, const struct config_item *item,
                       const struct listen_text *text, struct config *config,
                       struct listen_config **ret_listen)
{
    struct name_table *known = &build->shared->listens;
    const char *name = address_name(build, &text->listen);
    struct listen_config *listen = &config->listens[config->listens_count];
    const struct name_slot *slot;

    if (name == NULL)
        return -ENOMEM;
    slot = name_table_find(known, name_hash(span_str(name)), span_str(name));
    if (slot != NULL) {
        listen = &config->listens[slot->index];
        /* Never by inheritance: who serves in the clear has to see it where it stands. */
        bool tls = listen->tls != text->listen.tls;
        if (tls || listen->proxy_protocol != text->listen.proxy_protocol)
            return FAIL("\"%.200s\" has %s behind it in one place and not in another; what an "
                        "address begins with is the same for all of its servers",
                        listen->text, tls ? "tls" : "proxy_protocol");
        if (text->has_parameters && !same_parameters(listen, &text->listen))
            return FAIL("\"%.200s\" has other parameters than where it is named first; parameters "
                        "need to stand there only",
                        item->text);
        *ret_listen = listen;
        return 0;
    }
    int res = check_overlap(build, item, &text->listen, config);
    if (res < 0)
        return res;
    *listen = text->listen;
    listen->place = item->place.line > 0
                        ? arena_printf(build->arena, "%s:%d", item->place.file, item->place.line)
                        : arena_strdup(build->arena, item->place.file);
    if (listen->place == NULL)
        return -ENOMEM;
    if (is_wide(listen))
        build->shared->wide[build->shared->wide_count++] = listen;
    name_table_add(known, span_str(name), config->listens_count++);
    *ret_listen = listen;
    return 0;
}

/* Adds `server`, the default host at the front. The array doubles whenever its length is a power of
 * two. */
static int server_add(const struct config_build *build, struct listen_config *listen,
                      struct server *server)
{
    size_t count = listen->servers_count;

    if ((count & (count - 1)) == 0) {
        struct server **grown =
            arena_array(build->arena, count == 0 ? 1 : 2 * count, sizeof(grown[0]));

        if (grown == NULL)
            return -ENOMEM;
        if (count > 0)
            memcpy(grown, listen->servers, count * sizeof(grown[0]));
        listen->servers = grown;
    }
    if (server->is_default)
        memmove(listen->servers + 1, listen->servers, count * sizeof(listen->servers[0]));
    listen->servers[server->is_default ? 0 : count] = server;
    listen->servers_count++;
    return 0;
}

/* Has `server` listen at one address. */
static int address_add(const struct config_build *build, const struct config_item *item,
                       const struct listen_text *text, struct config *config, struct server *server)
{
    struct listen_config *listen = NULL;
    int res = listen_find(build, item, text, config, &listen);

    if (res < 0)
        return res;
    if (listen->servers_count > 0 &&
        listen->servers[server->is_default ? 0 : listen->servers_count - 1] == server) {
        if (text->name != NULL || listen->name != NULL)
            return FAIL("\"%.200s\" stands twice in one server: it is an address of %.100s",
                        listen->text, text->name != NULL ? text->name : listen->name);
        return FAIL("\"%.200s\" stands twice in one server", listen->text);
    }
    return server_add(build, listen, server);
}

/* Has `server` listen at every address of a host. */
static int name_add(const struct config_build *build, const struct config_item *item,
                    const struct listen_text *text, struct config *config, struct server *server)
{
    struct host_addresses addresses = { .count = 0 };
    const char *what = "names are not looked up";
    int res = -ENOENT;

    if (build->files->resolve != NULL)
        res = build->files->resolve(text->name, &addresses, &what);
    if (res == -ENOMEM)
        return res;
    if (res < 0)
        return config_fail(build, item->place, "listen", "\"%.200s\" has no addresses: %s",
                           text->name, what);
    for (size_t i = 0; res == 0 && i < addresses.count; i++) {
        const struct host_address *address = &addresses.at[i];
        struct listen_text one = *text;

        one.listen.kind = address->ipv6 ? LISTEN_IPV6 : LISTEN_IPV4;
        one.listen.ipv6_only = address->ipv6;
        one.listen.name = text->name;
        res = address_set(build, address->text, &one.listen);
        if (res == 0)
            res = address_add(build, item, &one, config, server);
    }
    return res;
}

/* Has `server` listen on every socket that was passed under a name; -T knows of none. */
static int inherited_add(const struct config_build *build, const struct config_item *item,
                         const struct listen_text *text, struct config *config,
                         struct server *server)
{
    const struct inherited *passed;
    size_t count = 0;
    int res = 0;

    for (size_t i = 0; res == 0 && (passed = inherited_at(i)) != NULL; i++) {
        struct listen_text one = *text;

        if (passed->kind == INHERITED_OTHER || strcmp(passed->name, text->listen.inherited) != 0 ||
            count == HOST_ADDRESSES_MAX)
            continue;
        one.listen.kind = passed->kind == INHERITED_IPV4   ? LISTEN_IPV4
                          : passed->kind == INHERITED_IPV6 ? LISTEN_IPV6
                                                           : LISTEN_UNIX;
        one.listen.host = arena_strdup(build->arena, passed->address);
        one.listen.port = passed->port;
        one.listen.ipv6_only = passed->ipv6_only;
        res = one.listen.host == NULL ? -ENOMEM : address_add(build, item, &one, config, server);
        count++;
    }
    return count > 0 ? res : address_add(build, item, text, config, server);
}

/* May the address that `text` begins with be the name of a host, or all addresses? */
static bool may_be_name(const char *text)
{
    size_t len = strcspn(text, " \t");

    if (text[0] == '[' || strncmp(text, "unix:", 5) == 0)
        return false;
    if (text[0] == ':' || text[0] == '*' || memchr(text, ':', len) == NULL)
        return true;
    for (size_t i = len; i > 0; i--) {
        if (isalpha((unsigned char)text[i - 1]))
            return true;
    }
    return false;
}

size_t config_listen_max(const struct config_entry *entry)
{
    size_t max = 0;

    for (size_t i = 0; i < entry->count; i++)
        max += may_be_name(entry->items[i].text) ? HOST_ADDRESSES_MAX : 1;
    return max;
}

int config_listen_add(const struct config_build *build, const struct config_entry *entry,
                      struct config *config, struct server *server)
{
    if (entry->count == 0)
        return config_fail_advise(build, entry->place, "listen",
                                  "name at least one address, or leave listen out",
                                  "the list is empty");
    for (size_t i = 0; i < entry->count; i++) {
        const struct config_item *item = &entry->items[i];
        struct listen_text text;
        int res = listen_parse(build, item, &text);

        if (res == 0)
            res = text.name != NULL ? name_add(build, item, &text, config, server)
                  : text.listen.inherited != NULL
                      ? inherited_add(build, item, &text, config, server)
                      : address_add(build, item, &text, config, server);
        if (res < 0)
            return res;
    }
    return 0;
}
