/* stats_names.c: the one table of what counters are called: JSON, Prometheus and docs/status.md
 * follow it. */
#include "core/stats_read.h"

#include "core/check.h"
#include "core/file_job.h"

#include <assert.h>

#define VALUES(...)                                                                                \
    .values = (const char *const[]){ __VA_ARGS__ },                                                \
    .count = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)
#define ONE .count = 1

static_assert(FILE_JOB_OPEN == 0 && FILE_JOB_READ == 1 && FILE_JOB_STAT == 2 &&
                  FILE_JOB_LIST == 3 && FILE_JOB_ROOT == 4,
              "STATS_JOB_*");

static const struct stats_family families[] = {
    { "connections", "Open connections by state", "state", .first = STATS_READING,
      VALUES("reading", "writing", "idle", "handshaking", "closing"), .gauge = true },
    { "file_cache_entries", "Files, and names that are missing, in the file caches",
      .first = STATS_CACHE_FILES, ONE, .gauge = true },
    { "file_cache_memory_bytes", "Memory for them: contents, header fields and bookkeeping",
      .first = STATS_CACHE_MEMORY, ONE, .gauge = true },
    { "file_cache_watches", "Folders that the kernel tells changes of (cache_valid = notify)",
      .first = STATS_CACHE_WATCHES, ONE, .gauge = true },
    { "connections_accepted_total", "Connections accepted", .first = STATS_ACCEPTED, ONE },
    { "connections_closed_total", "Connections closed", .first = STATS_CLOSED, ONE },
    { "connections_moved_total", "Connections taken over from a worker that retires",
      .first = STATS_MOVED, ONE },
    { "requests_total", "Requests by method", "method", .first = STATS_GET,
      VALUES("GET", "HEAD", "OPTIONS", "other") },
    { "responses_total", "Answers by class of their status; none: the client was gone before",
      "class", .first = STATS_UNANSWERED, VALUES("none", "2xx", "3xx", "4xx", "5xx") },
    { "received_bytes_total", "Bytes received from clients, with those of TLS",
      .first = STATS_BYTES_IN, ONE },
    { "sent_bytes_total", "Bytes sent to clients, with those of TLS that the server encrypts",
      .first = STATS_BYTES_OUT, ONE },
    { "file_cache_total", "Looks into the file cache, and looks at files that it holds", "result",
      .first = STATS_CACHE_HIT, VALUES("hit", "shared", "miss", "revalidated") },
    { "file_cache_notices_total",
      "Changes that the kernel told, times that some were lost, and folders that it does not watch",
      "kind", .first = STATS_NOTICE_CHANGE, VALUES("change", "overflow", "unwatched") },
    { "file_jobs_total", "File jobs by kind", "kind", .first = STATS_JOB_OPEN,
      VALUES("open", "read", "stat", "list", "root") },
    { "file_jobs_seconds_total", "Time that connections have waited for file jobs", "kind",
      .first = STATS_JOB_NS_OPEN, VALUES("open", "read", "stat", "list", "root"), .ns = true },
    { "tls_handshakes_total", "TLS handshakes completed", "kind", .first = STATS_TLS_FULL,
      VALUES("full", "resumed") },
    { "tls_handshake_failures_total", "TLS handshakes that failed, by reason", "reason",
      .first = STATS_TLS_FAILED_PROTOCOL,
      VALUES("protocol", "closed", "timeout", "plain_http", "client_certificate") },
    { "deadlines_total", "Deadlines that struck, by kind", "kind",
      .first = STATS_DEADLINE_HANDSHAKE,
      VALUES("tls_handshake", "header", "body", "keepalive", "send", "linger") },
    { "refusals_total", "Requests refused, by reason", "reason", .first = STATS_REFUSED_BAD_REQUEST,
      VALUES("bad_request", "timeout", "too_large", "method", "misdirected", "http_version",
             "unavailable", "address", "credentials", "signature", "referer", "too_many") },
    { "limited_total", "What limits by client and server have refused, or had wait", "limit",
      .first = STATS_LIMIT_CLIENT_REQUESTS,
      VALUES("client_requests", "server_requests", "delayed", "rate", "connections") },
    { "proxy_headers_refused_total", "Connections closed for their PROXY header, by reason",
      "reason", .first = STATS_PROXY_UNTRUSTED,
      VALUES("untrusted", "missing", "wrong", "too_long", "cut", "late") },
    { "log_lines_dropped_total", "Lines of access logs that could not be written",
      .first = STATS_LOG_DROPPED, ONE },
    { "loop_turns_total", "Turns of event loops", .first = STATS_TURNS, ONE },
    { "loop_events_total", "Events that their waits have brought", .first = STATS_EVENTS, ONE },
    { "syscalls_total", "System calls that the engine made, by kind", "call",
      .first = STATS_CALL_ACCEPT,
      VALUES("accept", "recv", "send", "sendfile", "splice", "wait", "shutdown", "close") },
};

const struct stats_family *stats_family_at(size_t index)
{
    return index < ARRAY_LEN(families) ? &families[index] : NULL;
}
