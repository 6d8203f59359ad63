/* host_name.c: see host_name.h. */
#include "config/host_name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool host_name_is_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    static const char others[] = "0123456789.";
    bool has_letter = strpbrk(name, letters) != NULL;

    for (; *name != '\0'; name++) {
        if (strchr(letters, *name) == NULL && strchr(others, *name) == NULL)
            return false;
    }
    return has_letter;
}

/* Does this machine have the address? By binding to it, at a port that the system chooses. */
static bool is_here(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno != EAFNOSUPPORT;
    bool here = bind(fd, info->ai_addr, info->ai_addrlen) == 0 || errno != EADDRNOTAVAIL;
    close(fd);
    return here;
}

/* Writes the address as text. False: it is not one that a name can stand for. */
static bool make_address(const struct addrinfo *info, struct host_address *ret_address)
{
    const void *octets;

    ret_address->ipv6 = info->ai_family == AF_INET6;
    if (info->ai_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)(const void *)info->ai_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&ipv6->sin6_addr))
            return false;
        octets = &ipv6->sin6_addr;
    } else if (info->ai_family == AF_INET) {
        octets = &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr;
    } else {
        return false;
    }
    return inet_ntop(info->ai_family, octets, ret_address->text, sizeof(ret_address->text)) != NULL;
}

static bool has(const struct host_addresses *addresses, const struct host_address *address)
{
    for (size_t i = 0; i < addresses->count; i++) {
        if (strcmp(addresses->at[i].text, address->text) == 0)
            return true;
    }
    return false;
}

/* Gathers the addresses; `all`: also those that this machine does not have. 0 or -E2BIG. */
static int gather(const struct addrinfo *found, bool all, struct host_addresses *addresses)
{
    addresses->count = 0;
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
        struct host_address address;

        if (!make_address(info, &address) || has(addresses, &address) || (!all && !is_here(info)))
            continue;
        if (addresses->count == HOST_ADDRESSES_MAX)
            return -E2BIG;
        addresses->at[addresses->count++] = address;
    }
    return 0;
}

static int refuse(int error, const char *what, const char **ret_what)
{
    *ret_what = what;
    return error;
}

/* What getaddrinfo(3) has returned, and errno for EAI_SYSTEM. */
static int explain(int code, int error, const char **ret_what)
{
    switch (code) {
    case EAI_MEMORY:
        return refuse(-ENOMEM, "out of memory", ret_what);
    case EAI_AGAIN:
        return refuse(-ENOENT, "no name server answers (is the network up yet?)", ret_what);
    case EAI_SYSTEM:
        return refuse(error == ENOMEM ? -ENOMEM : -ENOENT, "the resolver fails", ret_what);
    default:
        return refuse(-ENOENT, "no such host is known", ret_what);
    }
}

int host_name_find(const char *name, struct host_addresses *ret_addresses, const char **ret_what)
{
    bool any = strcmp(name, HOST_NAME_ANY) == 0;
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = any ? AI_PASSIVE : 0 };
    struct addrinfo *found = NULL;

    int code = getaddrinfo(any ? NULL : name, any ? "0" : NULL, &hints, &found);
    if (code != 0)
        return explain(code, errno, ret_what);
    int error = gather(found, false, ret_addresses);
    if (error == 0 && ret_addresses->count == 0)
        error = gather(found, true, ret_addresses);
    freeaddrinfo(found);
    if (error < 0)
        return refuse(error, "it has more addresses than can be listened on", ret_what);
    if (ret_addresses->count == 0)
        return refuse(-ENOENT, "it has no address that can be listened on", ret_what);
    return 0;
}
