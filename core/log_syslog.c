/* log_syslog.c: see log_syslog.h. */
#include "core/log_syslog.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/decimal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { DEFAULT_PORT = 514, BATCH = 64 };
static const char scheme[] = "syslog:";

/* RFC 3164 section 4.1.1, by nginx's names. */
static const char *const facilities[] = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "clock",  "authpriv", "ftp",    "ntp",    "audit",  "alert",  "cron",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7",
};
static const char *const severities[] = { "emerg", "alert",  "crit", "error",
                                          "warn",  "notice", "info", "debug" };

bool log_syslog_is(const char *text)
{
    return strncmp(text, scheme, sizeof scheme - 1) == 0;
}

static int find_word(const char *const *words, size_t count, struct span word)
{
    for (size_t i = 0; i < count; i++) {
        if (span_caseeq(span_str(words[i]), word))
            return (int)i;
    }
    return -1;
}

/* What stands behind "name=" in `item`; false: it begins otherwise. */
static bool take_value(struct span item, const char *name, struct span *ret_value)
{
    size_t len = strlen(name);

    if (item.len < len || memcmp(item.ptr, name, len) != 0)
        return false;
    *ret_value = span_make(item.ptr + len, item.len - len);
    return true;
}

static const char *parse_unix(struct span path, struct log_syslog *syslog)
{
    struct sockaddr_un *at = (struct sockaddr_un *)(void *)&syslog->address;

    if (path.len == 0 || path.ptr[0] != '/')
        return "names a unix socket without an absolute path";
    if (path.len >= sizeof at->sun_path)
        return "names a unix socket with a path of more than 107 octets";
    *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(at->sun_path, path.ptr, path.len);
    syslog->address_len = sizeof *at;
    syslog->host[0] = '\0';
    return NULL;
}

static const char *parse_port(struct span text, uint16_t *ret_port)
{
    if (decimal_parse_port(text, ret_port) && *ret_port != 0)
        return NULL;
    return "has a port that is no number from 1 to 65535";
}

/* HOST, HOST:PORT, [IPv6] or [IPv6]:PORT. */
static const char *parse_host(struct span value, struct log_syslog *syslog)
{
    bool brackets = value.len > 0 && value.ptr[0] == '[';
    const char *begin = value.ptr + brackets, *end = value.ptr + value.len;
    const char *stop = memchr(begin, brackets ? ']' : ':', (size_t)(end - begin));

    if (brackets && stop == NULL)
        return "has a '[' without its ']'";
    struct span host = span_make(begin, (size_t)((stop != NULL ? stop : end) - begin));
    const char *rest = stop != NULL ? stop + brackets : end;
    if (host.len == 0 || host.len > LOG_SYSLOG_HOST_MAX)
        return "names no server";
    memcpy(syslog->host, host.ptr, host.len);
    syslog->host[host.len] = '\0';
    syslog->address_len = 0;
    syslog->port = DEFAULT_PORT;
    bool numeric = log_syslog_aim(syslog, syslog->host);
    if (brackets && (!numeric || syslog->address.ss_family != AF_INET6))
        return "has something else than an IPv6 address between brackets";
    if (rest < end && *rest != ':')
        return "has something else than a port behind its address";
    if (rest == end)
        return NULL;
    const char *what = parse_port(span_make(rest + 1, (size_t)(end - rest - 1)), &syslog->port);
    (void)log_syslog_aim(syslog, syslog->host); /* with this port */
    return what;
}

static const char *parse_tag(struct span tag, struct log_syslog *syslog)
{
    if (tag.len == 0 || tag.len > LOG_SYSLOG_TAG_MAX)
        return "has a tag that is empty or longer than 32 octets";
    for (size_t i = 0; i < tag.len; i++) {
        char octet = tag.ptr[i];
        bool ok = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                  (octet >= '0' && octet <= '9') || octet == '_';
        if (!ok)
            return "has a tag of something else than letters, digits and '_'";
    }
    memcpy(syslog->tag, tag.ptr, tag.len);
    syslog->tag[tag.len] = '\0';
    return NULL;
}

static const char *parse_item(struct span item, struct log_syslog *syslog)
{
    struct span value;

    if (span_eq(item, SPAN_LIT("nohostname"))) {
        syslog->hostname = false;
        return NULL;
    }
    if (take_value(item, "server=unix:", &value))
        return parse_unix(value, syslog);
    if (take_value(item, "server=", &value))
        return parse_host(value, syslog);
    if (take_value(item, "tag=", &value))
        return parse_tag(value, syslog);
    if (take_value(item, "facility=", &value)) {
        int facility = find_word(facilities, ARRAY_LEN(facilities), value);
        syslog->facility = (uint8_t)facility;
        return facility < 0 ? "has a facility that is not known (kern, user, mail, daemon, auth, "
                              "authpriv, ..., local0 to local7)"
                            : NULL;
    }
    if (take_value(item, "severity=", &value)) {
        int severity = find_word(severities, ARRAY_LEN(severities), value);
        syslog->severity = (uint8_t)severity;
        return severity < 0 ? "has a severity that is not known (emerg, alert, crit, error, warn, "
                              "notice, info, debug)"
                            : NULL;
    }
    return "has a parameter that is not known";
}

const char *log_syslog_parse(const char *text, struct log_syslog *ret_syslog)
{
    struct log_syslog syslog = {
        .facility = 23, .severity = LOG_SYSLOG_INFO, .hostname = true, .tag = "gearshift"
    };
    const char *what = parse_unix(SPAN_LIT("/dev/log"), &syslog);

    CHECK(log_syslog_is(text));
    text += sizeof scheme - 1;
    while (what == NULL && *text != '\0') {
        size_t len = strcspn(text, ",");
        what = parse_item(span_make(text, len), &syslog);
        text += len;
        if (*text == ',' && *++text == '\0')
            what = "ends with a ','";
    }
    if (what == NULL && ret_syslog != NULL)
        *ret_syslog = syslog;
    return what;
}

bool log_syslog_aim(struct log_syslog *syslog, const char *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&syslog->address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&syslog->address;

    syslog->address = (struct sockaddr_storage){ 0 };
    if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(syslog->port);
        syslog->address_len = sizeof *in;
        return true;
    }
    if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(syslog->port);
        syslog->address_len = sizeof *in6;
        return true;
    }
    syslog->address_len = 0;
    return false;
}

/* Gone and come again, it listens on another socket of the same name. 0 or -errno. */
static int reach(const struct log_syslog *syslog, int fd)
{
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&syslog->address;

    return connect(fd, address, syslog->address_len) == 0 ? 0 : -errno;
}

int log_syslog_open(const struct log_syslog *syslog)
{
    CHECK(syslog->address_len > 0);
    int fd = socket(syslog->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    (void)reach(syslog, fd); /* what is sent tells whether it was */
    return fd;
}

int32_t log_syslog_offset(int64_t wall_s)
{
    time_t at = (time_t)wall_s;
    struct tm local;

    return localtime_r(&at, &local) != NULL ? (int32_t)local.tm_gmtoff : 0;
}

static char *put(char *out, struct span text)
{
    memcpy(out, text.ptr, text.len);
    return out + text.len;
}

/* The name of this machine up to its first dot, as RFC 3164 wants it. */
static char *put_hostname(char *out)
{
    char name[65] = "";

    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
        return put(out, SPAN_LIT("-"));
    for (const char *at = name; *at != '\0' && *at != '.'; at++)
        *out++ = (char)(*at > ' ' && *at < 0x7f ? *at : '?');
    return out;
}

size_t log_syslog_prefix(const struct log_syslog *syslog, unsigned severity, int64_t wall_s,
                         int32_t offset_s, char *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char utc[CLOCK_UTC_LEN + 1]; /* of a second that is as late in UTC as the line's is here */
    struct decimal room;
    char *at = out;

    clock_format_utc(wall_s + offset_s, utc);
    *at++ = '<';
    at = put(at, decimal_text(syslog->facility * 8u + severity, &room));
    *at++ = '>';
    unsigned month = (unsigned)(utc[5] - '0') * 10 + (unsigned)(utc[6] - '0');
    CHECK(month >= 1 && month <= 12);
    at = put(at, span_make(months + (size_t)3 * (month - 1), 3));
    *at++ = ' ';
    *at++ = utc[8] == '0' ? ' ' : utc[8];
    *at++ = utc[9];
    *at++ = ' ';
    at = put(at, span_make(utc + 11, 8));
    *at++ = ' ';
    if (syslog->hostname) {
        at = put_hostname(at);
        *at++ = ' ';
    }
    at = put(at, span_str(syslog->tag));
    at = put(at, SPAN_LIT(": "));
    CHECK(at - out <= LOG_SYSLOG_PREFIX_MAX);
    return (size_t)(at - out);
}

/* Is it the daemon that is not there, or not any more? */
static bool is_gone(int error)
{
    return error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET || error == EPIPE ||
           error == EDESTADDRREQ;
}

/* Lays out the next lines as datagrams; returns their number. */
static unsigned lay_out(struct span left, struct mmsghdr *messages, struct iovec *parts)
{
    unsigned count = 0;

    while (left.len > 0 && count < BATCH) {
        const char *end = memchr(left.ptr, '\n', left.len);
        size_t len = end != NULL ? (size_t)(end - left.ptr) : left.len;
        parts[count] =
            (struct iovec){ (void *)(uintptr_t)left.ptr,
                            len < LOG_SYSLOG_DATAGRAM_MAX ? len : LOG_SYSLOG_DATAGRAM_MAX };
        messages[count] =
            (struct mmsghdr){ .msg_hdr = { .msg_iov = &parts[count], .msg_iovlen = 1 } };
        count++;
        len += end != NULL;
        left = span_make(left.ptr + len, left.len - len);
    }
    return count;
}

/* Octets of `count` lines at the front of `left`. */
static size_t lines_len(struct span left, unsigned count)
{
    const char *at = left.ptr, *end = left.ptr + left.len;

    while (count-- > 0) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        at = lf != NULL ? lf + 1 : end;
    }
    return (size_t)(at - left.ptr);
}

int log_syslog_send(const struct log_syslog *syslog, int fd, const char *data, size_t len,
                    size_t *ret_done)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    bool tried = false;

    *ret_done = 0;
    while (*ret_done < len) {
        struct span left = span_make(data + *ret_done, len - *ret_done);
        unsigned count = lay_out(left, messages, parts);
        int sent = sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
        int error = sent < 0 ? errno : 0;
        if (sent > 0) {
            *ret_done += lines_len(left, (unsigned)sent);
            tried = false;
            continue;
        }
        if (error == EINTR)
            continue;
        if (!is_gone(error) || tried)
            return -error;
        /* Of UDP, this tells of an earlier datagram, and the error is over once it is told. */
        tried = true;
        error = -reach(syslog, fd);
        if (error != 0)
            return -error;
    }
    return 0;
}
