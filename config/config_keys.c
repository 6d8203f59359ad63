/* config_keys.c: the table of keys; that of blocks: config_blocks.c. What is derived from them:
 * config_key_find.c. */
#include "config/config_keys.h"
#include "config/node.h"
#include "core/address_set.h"
#include "core/check.h"
#include "config/config_choices.h"
#include "config/config.h"
#include "config/config_admission.h"
#include "config/config_links.h"
#include "config/config_limits.h"
#include "config/config_rewrite.h"
#include "config/config_text.h"
#include "config/dictionary_rule.h"
#include "config/map_values.h"

#include <assert.h>

#define TOP      (1u << CONFIG_TOP)
#define SERVER   (1u << CONFIG_SERVER)
#define LOCATION (1u << CONFIG_LOCATION)
#define REDIRECT (1u << CONFIG_REDIRECT)
#define CACHE    (1u << CONFIG_CACHE)
#define MAP      (1u << CONFIG_MAP)
#define PASSWORD (1u << CONFIG_AUTH)
#define FIELD    (1u << CONFIG_FIELDS)
#define PATHS    (SERVER | LOCATION) /* in a server block, they hold for its "/" */

#define ADDRESSES                                                                                  \
    "an address (192.0.2.1, 2001:db8::1), a network (10.0.0.0/8, 2001:db8::/32) or unix: for all " \
    "who come by a unix socket"

#define CLIENTS                                                                                    \
    "an address (192.0.2.1, 2001:db8::1), a network (10.0.0.0/8, 2001:db8::/32), unix:, all, or "  \
    "file:PATH for a file with one of them a line"
#define RATES                                                                                      \
    "a number a second, minute or hour, as in 10/s, 600/m or 5000/h, and behind it burst=N and "   \
    "delay=N if wanted, or \"\" for any number"

#define NOWHERE      .offset = CONFIG_NO_OFFSET
#define IN(member)   .offset = offsetof(struct config, member)
#define LOC(member)  .offset = offsetof(struct location, member)
#define AUTH(member) .offset = offsetof(struct client_auth, member)
#define MAPS(member) .offset = offsetof(struct config_map, member)

#define KIB 1024ull
#define MIB (1024ull * KIB)
#define GIB (1024ull * MIB)
#define TIB (1024ull * GIB)

#define SECOND 1000ull
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

#define ENGINE "Engine and process"
#define LOGS   "Logs"
#define LIMITS "Limits"
#define TIMES  "Deadlines"
#define FILES  "Files and their cache"
#define TYPES  "Media types"
#define SECURE "TLS"
#define CLIENT "Who the client is"
#define SITES  "Servers"
#define WHERE  "What is served: server and location"
#define ADMIT  "Who may: server and location"
#define BROWSE "What browsers are told"
#define MOVED  "Redirects"
#define CACHED "Cache rules"
#define MAPPED "Maps"
#define FIELDS "Header fields by path"

static const struct config_key keys[] = {
    { "include", ENGINE, TOP | PATHS, CONFIG_INCLUDE, NOWHERE,
      .allowed = "include(\"file\"), or include(\"folder/*.conf\") for all that match",
      .help = "reads another file, or all that match, in this place" },
    { "engine", ENGINE, TOP, CONFIG_TEXT, "reactor", IN(engine), .check = config_text_word,
      .allowed = "the name of an engine, see gearshift -V", .help = "the I/O model that serves" },
    { "engine_fallback", ENGINE, TOP, CONFIG_BOOL, "off", IN(engine_fallback),
      .help = "take another engine when this one cannot run here" },
    { "processes", ENGINE, TOP, CONFIG_COUNT, "1", 0, 1024, IN(processes),
      .help = "worker processes that a supervisor keeps running; 0: the process itself serves, as "
              "it does by default for a folder" },
    { "threads", ENGINE, TOP, CONFIG_COUNT, "0", 0, 1024, IN(threads),
      .help = "event loops, each a thread, of the engines that have several; 0: one a CPU; unset, "
              "with several processes, 1" },
    { "pin", ENGINE, TOP, CONFIG_BOOL, "off", IN(pin),
      .help = "bind each of the threads to a CPU" },
    { "accept", ENGINE, TOP, CONFIG_CHOICE, "reuseport", .choices = config_accept_modes,
      IN(accept_mode), .help = "how new connections reach the threads" },
    { "demultiplexer", ENGINE, TOP, CONFIG_CHOICE, "epoll", .choices = config_demultiplexers,
      IN(demultiplexer), .help = "what tells an event loop that a socket is ready" },
    { "processor", ENGINE, TOP, CONFIG_CHOICE, "io_uring", .choices = config_processors,
      IN(processor), .help = "who carries out the operations of engine proactor" },
    { "coalesce_us", ENGINE, TOP, CONFIG_COUNT, "50", 0, 1000, IN(coalesce_us),
      .help =
          "microseconds that a busy loop of engine proactor may wait for several completions at "
          "once; 0: never" },
    { "file_jobs", ENGINE, TOP, CONFIG_CHOICE, "auto", .choices = config_file_jobs, IN(file_jobs),
      .help = "who executes what may wait for a disk" },
    { "workers", ENGINE, TOP, CONFIG_COUNT, "0", 0, 1024, IN(workers),
      .help = "threads of the engines with a pool; 0: reactor-pool 4, thread-pool 64" },
    { "worker_queue", ENGINE, TOP, CONFIG_COUNT, "1024", 1, 1048576, IN(worker_queue),
      .help = "jobs, or connections, that wait for a thread of a pool, at most" },
    { "pool_work", ENGINE, TOP, CONFIG_CHOICE, "request", .choices = config_pool_works,
      IN(pool_work),
      .help = "what the workers of reactor-pool do: whole requests, or what may block" },
    { "file_workers", ENGINE, TOP, CONFIG_COUNT, "2", 0, 64, IN(file_workers),
      .help = "helpers of each event loop for what may block; 0: none" },
    { "remote_workers", ENGINE, TOP, CONFIG_COUNT, "16", 1, 1024, IN(remote_workers),
      .help = "helpers of each event loop for files on NFS, FUSE and the like" },
    { "stop_signal", ENGINE, TOP, CONFIG_CHOICE, "stop", .choices = config_stop_signals,
      IN(stop_signal),
      .help = "what SIGTERM does: everything is closed at once, or answers are finished" },
    { "user", ENGINE, TOP, CONFIG_TEXT, "nobody", IN(user), .special = "",
      .check = config_text_word,
      .allowed = "user or user:group, names or numbers, or \"\" to change nothing",
      .help = "who to become when started as root" },
    { "allow_root", ENGINE, TOP, CONFIG_BOOL, "off", IN(allow_root),
      .help = "serve as root all the same" },
    { "pid_file", ENGINE, TOP, CONFIG_PATH, "", IN(pid_file), .special = "",
      .check = config_text_path_of_file, .allowed = "a path, or \"\" for none",
      .help = "where the process id is written" },
    { "control", ENGINE, TOP, CONFIG_TEXT, "auto", IN(control), .check = config_text_control,
      .allowed = "an absolute path, auto or off",
      .help = "unix socket that takes the orders of gearshift reload, status and the like" },

    { "error_log", LOGS, TOP, CONFIG_PATH, "stderr", IN(error_log), .special = "stderr",
      .streams = true, .check = config_text_path_of_file,
      .allowed = "stderr, stdout, syslog:... or a path",
      .help = "where the server's own messages go" },
    { "log_level", LOGS, TOP, CONFIG_CHOICE, "info", .choices = config_log_levels, IN(log_level),
      .help = "the least severe message that is logged" },
    { "access_log", LOGS, TOP | SERVER, CONFIG_PATH, "off", IN(access_log), .special = "off",
      .streams = true, .check = config_text_path_of_file,
      .allowed = "off, stdout, stderr, syslog:... or a path", .help = "one line a request" },
    { "access_log_format", LOGS, TOP | SERVER, CONFIG_TEXT, "combined", IN(access_log_format),
      .allowed = "combined, json, or a text with variables such as \"$remote_addr $status\"",
      .help = "form of a line of the access log" },
    { "access_log_sample", LOGS, TOP | SERVER, CONFIG_TEXT, "1", IN(access_log_sample),
      .check = config_text_sample, .allowed = "a share above 0, at most 1: 0.01 or 1/100",
      .help = "share of the answers below 400 that are logged" },
    { "access_log_status", LOGS, TOP | SERVER, CONFIG_TEXTS, "", IN(access_log_statuses),
      .count_offset = offsetof(struct config, access_log_statuses_count),
      .check = config_text_statuses, .allowed = "a class or a status, as in 4xx or 503",
      .help = "answers that are logged, by status; none named: all" },
    { "access_log_skip", LOGS, TOP | SERVER, CONFIG_TEXTS, "", IN(access_log_skip),
      .count_offset = offsetof(struct config, access_log_skip_count), .check = config_text_pattern,
      .max = CONFIG_SKIPS_MAX,
      .allowed = "a path such as \"/healthz\", or a pattern such as \"*.png\", \"= /favicon.ico\"",
      .help = "paths that are not logged, with all that lies below them; or patterns" },
    { "access_log_buffer", LOGS, TOP, CONFIG_SIZE32, "64k", KIB, 16 * MIB, IN(access_log_buffer),
      .help = "what gathers, for a second at most, before it is written" },
    { "request_id", LOGS, TOP, CONFIG_BOOL, "off", IN(request_id),
      .help = "tell each answer's id in X-Request-Id" },
    { "server_header", LOGS, TOP, CONFIG_BOOL, "on", IN(server_header),
      .help = "tell in a field Server what answers; never the version" },
    { "node", LOGS, TOP, CONFIG_TEXT, "", IN(node), .special = "", .check = config_node_check,
      .allowed = "a name of up to 64 printable characters, or \"\" for that of the machine",
      .help = "name of this server among those that serve the same" },

    { "connections_max", LIMITS, TOP, CONFIG_COUNT, "10240", 1, 4194304, IN(connections_max),
      .help = "connections at a time" },
    { "request_line_max", LIMITS, TOP, CONFIG_SIZE32, "8k", 128, MIB, IN(limits.request_line_max),
      .help = "longest request line; longer: 414" },
    { "header_field_max", LIMITS, TOP, CONFIG_SIZE32, "8k", 128, MIB, IN(limits.field_max),
      .help = "longest header field line; longer: 431" },
    { "header_max", LIMITS, TOP, CONFIG_SIZE32, "32k", 128, 16 * MIB, IN(limits.head_max),
      .help = "all header fields of a request together; more: 431" },
    { "header_count_max", LIMITS, TOP, CONFIG_COUNT, "100", 1, 10000, IN(limits.fields_max),
      .help = "number of header fields in a request; more: 431" },
    { "body_max", LIMITS, TOP, CONFIG_SIZE64, "1m", 0, TIB, IN(limits.body_max),
      .help = "request body that is read and discarded; larger: 413" },
    { "chunk_overhead_max", LIMITS, TOP, CONFIG_SIZE32, "16k", 64, 16 * MIB,
      IN(limits.chunk_overhead_max),
      .help = "chunk sizes, extensions and trailers of one request body; more: 413" },
    { "ranges_max", LIMITS, TOP, CONFIG_COUNT, "200", 0, CONFIG_RANGES_MAX, IN(limits.ranges_max),
      .help = "byte ranges in one answer; with more, the Range field is ignored" },
    { "regex_steps_max", LIMITS, TOP, CONFIG_COUNT, "100000", 1000, 100000000,
      IN(limits.regex_steps_max),
      .help = "steps that a regular expression may take over one path; more: 500" },
    { "headers_file_max", LIMITS, TOP, CONFIG_SIZE32, "256k", 1, 16 * MIB, IN(headers_file_max),
      .help = "the longest _headers that is read" },
    { "headers_rules_max", LIMITS, TOP, CONFIG_COUNT, "1000", 1, 100000, IN(headers_rules_max),
      .help = "paths that are taken from one _headers" },
    { "keepalive_requests", LIMITS, TOP, CONFIG_COUNT, "0", 0, UINT32_MAX,
      IN(limits.keepalive_requests),
      .help = "requests on one connection before it is closed; 0: no limit" },
    { "autoindex_max", LIMITS, TOP, CONFIG_COUNT, "200000", 1, 100000000, IN(limits.autoindex_max),
      .help = "names in a listing; more: 503" },
    { "limit_connections", LIMITS, TOP, CONFIG_COUNT, "0", 0, 1000000, IN(limit_connections),
      .help = "connections of one client at a time; more are closed; 0: no limit" },
    { "limit_clients", LIMITS, TOP, CONFIG_COUNT, "65536", 1024, 16777216, IN(limit_clients),
      .help = "clients that limits by client tell apart at a time" },
    { "limit_exempt", LIMITS, TOP, CONFIG_TEXTS, "", IN(limit_exempt_texts),
      .count_offset = offsetof(struct config, limit_exempt_count), .check = address_range_check,
      .allowed = ADDRESSES, .help = "clients whom no limit by client holds for" },
    { "client_prefix_ipv4", LIMITS, TOP, CONFIG_COUNT, "32", 8, 32, IN(client_prefix.ipv4),
      .help = "bits of an IPv4 address by which limits tell clients apart" },
    { "client_prefix_ipv6", LIMITS, TOP, CONFIG_COUNT, "64", 16, 128, IN(client_prefix.ipv6),
      .help = "bits of an IPv6 address by which limits tell clients apart" },
    { "autoindex_readme_max", LIMITS, TOP, CONFIG_SIZE32, "32k", 0, MIB,
      IN(limits.autoindex_readme_max),
      .help = "a README up to this size is shown below its listing; 0: none is" },
    { "listing_memory", LIMITS, TOP, CONFIG_SIZE64, "64m", MIB, TIB, IN(limits.listing_memory),
      .help = "octets that unfinished listings of a thread keep; more: 503" },
    { "archive_entries_max", LIMITS, TOP, CONFIG_COUNT, "20000", 1, 10000000,
      IN(limits.archive_entries_max),
      .help = "files and folders in an archive of a folder; more: 503" },
    { "archive_bytes_max", LIMITS, TOP, CONFIG_SIZE64, "16g", 1, TIB, IN(limits.archive_bytes_max),
      .help = "octets of all files in it; more: 503" },

    { "header_timeout", TIMES, TOP, CONFIG_DURATION, "10s", 10, DAY, IN(deadlines.header_ms),
      .help = "from the first octet of a request to the end of its header" },
    { "body_timeout", TIMES, TOP, CONFIG_DURATION, "30s", 10, DAY, IN(deadlines.body_ms),
      .help = "from the end of the header to the end of the body" },
    { "keepalive_timeout", TIMES, TOP, CONFIG_DURATION, "75s", 10, DAY, IN(deadlines.keepalive_ms),
      .help = "idle between two requests" },
    { "send_timeout", TIMES, TOP, CONFIG_DURATION, "1m", 10, DAY, IN(deadlines.send_ms),
      .help = "window in which send_rate_min must be met" },
    { "send_rate_min", TIMES, TOP, CONFIG_SIZE32, "100", 0, GIB, IN(deadlines.send_rate_min),
      .help = "octets a second that a client must take, averaged over send_timeout" },
    { "linger_timeout", TIMES, TOP, CONFIG_DURATION, "5s", 0, HOUR, IN(deadlines.linger_ms),
      .help = "reading on after the last answer, so that it reaches the client" },
    { "start_timeout", TIMES, TOP, CONFIG_DURATION, "30s", 100, DAY, IN(deadlines.start_ms),
      .help = "how long a new worker may take to be ready" },
    { "watchdog", TIMES, TOP, CONFIG_DURATION, "30s", 0, DAY, IN(deadlines.watchdog_ms),
      .help = "a worker whose event loop makes no turn for so long is replaced; 0: never" },
    { "drain_timeout", TIMES, TOP, CONFIG_DURATION, "30s", 0, DAY, IN(deadlines.drain_ms),
      .help = "how long answers in progress may take after SIGQUIT" },
    { "drain_delay", TIMES, TOP, CONFIG_DURATION, "0", 0, HOUR, IN(deadlines.drain_delay_ms),
      .help = "how long listeners stay open after SIGQUIT, while `health` says 503" },

    { "file_io", FILES, TOP, CONFIG_CHOICE, "auto", .choices = config_file_ios, IN(file_io),
      .help = "how a file that is not in memory reaches the socket" },
    { "send_turn", FILES, TOP, CONFIG_SIZE32, "1m", 4 * KIB, GIB, IN(send_turn),
      .help = "octets that a connection sends before the others get their turn" },
    { "small_file_max", FILES, TOP, CONFIG_SIZE32, "16k", 0, 16 * MIB, IN(limits.small_file_max),
      .help = "files up to this size are kept in memory" },
    { "cache_files", FILES, TOP, CONFIG_COUNT, "4096", 0, 4194304, IN(cache_files_max),
      .help = "files kept open, and names known to be missing; 0: nothing is kept" },
    { "cache_bytes", FILES, TOP, CONFIG_SIZE64, "64m", 0, TIB, IN(cache_bytes_max),
      .help = "contents of small files kept in memory, together" },
    { "cache_shared", FILES, TOP, CONFIG_BOOL, "on", IN(cache_shared),
      .help = "the threads of a process have contents of small files together" },
    { "cache_valid", FILES, TOP, CONFIG_DURATION, "1s", 0, DAY, IN(cache_valid_ms),
      .instead = "notify",
      .help = "how long a file is believed unchanged before it is looked at again" },
    { "cache_watches", FILES, TOP, CONFIG_COUNT, "8192", 1, 4194304, IN(cache_watches_max),
      .help = "folders that cache_valid = notify has the kernel watch, in each process" },
    { "cache_inactive", FILES, TOP, CONFIG_DURATION, "1m", 1000, DAY, IN(cache_inactive_ms),
      .help = "a file that nobody has asked for in this time is closed" },
    { "compress_cache", FILES, TOP, CONFIG_SIZE64, "64m", 64 * KIB, TIB, IN(compress_bytes_max),
      .help = "what `compress` has made, in memory, together" },
    { "compress_min", FILES, TOP, CONFIG_SIZE32, "1k", 1, GIB, IN(limits.compress_min),
      .help = "shorter files are sent as they are" },
    { "compress_max", FILES, TOP, CONFIG_SIZE32, "8m", 1, GIB, IN(limits.compress_max),
      .help = "longer files are sent as they are" },
    { "decompress_max", FILES, TOP, CONFIG_SIZE32, "8m", 0, GIB, IN(limits.decompress_max),
      .help = "what a sidecar without its file may hold, to be decompressed; 0: none is" },
    { "etag_content_max", FILES, TOP, CONFIG_SIZE64, "16m", 0, TIB, IN(limits.etag_content_max),
      .help = "longer files are tagged by size and time where `etag = content`" },

    { "mime_types", TYPES, TOP, CONFIG_PATH, "/etc/mime.types", IN(mime_types), .special = "",
      .check = config_text_path_of_file, .allowed = "a path, or \"\" for the built-in types alone",
      .help = "file that tells the media type of a file name's extension" },
    { "types", TYPES, TOP, CONFIG_TYPES, "", NOWHERE, .allowed = "\"extension=type/subtype\"",
      .help = "media types above all others" },
    { "default_type", TYPES, TOP, CONFIG_TEXT, "application/octet-stream", IN(default_type),
      .check = config_text_media_type, .allowed = "type/subtype",
      .help = "media type of a file whose extension is not known" },

    { "certificate", SECURE, SERVER, CONFIG_PATHS, "", NOWHERE,
      .allowed = "the path of a PEM file: a certificate, then the others of its chain",
      .help = "what the server proves its name with at its addresses with TLS" },
    { "key", SECURE, SERVER, CONFIG_PATHS, "", NOWHERE,
      .allowed = "the path of a PEM file: a private key without a passphrase",
      .help = "the private key of each certificate, in their order" },
    { "ocsp", SECURE, SERVER, CONFIG_PATHS, "", NOWHERE, .special = "",
      .allowed = "the path of an OCSP response (DER), or \"\" for none",
      .help = "what an authority says of each certificate, in their order: sent along with it" },
    { "tls_certificates", SECURE, TOP, CONFIG_PATH, "", IN(tls.certificates), .special = "",
      .allowed = "the path of a directory, or \"\" for none",
      .help = "certificates for servers that name none, chosen by the names in them" },
    { "tls_client_ca", SECURE, SERVER, CONFIG_PATH, "", AUTH(ca), .special = "",
      .allowed = "the path of a PEM file: certificates of authorities, or \"\" for none",
      .help = "clients prove themselves by a certificate that one of these has signed" },
    { "tls_verify", SECURE, SERVER, CONFIG_CHOICE, "require", .choices = config_verifies,
      AUTH(verify),
      .help = "whether a client must have one: without, its handshake fails; one that does not "
              "verify is refused in any case" },
    { "tls_verify_depth", SECURE, SERVER, CONFIG_COUNT, "1", 0, CONFIG_VERIFY_DEPTH_MAX,
      AUTH(depth), .help = "certificates between a client's and one in tls_client_ca, at most" },
    { "tls_crl", SECURE, SERVER, CONFIG_PATH, "", AUTH(crl), .special = "",
      .allowed = "the path of a PEM file: a revocation list of each authority, or \"\" for none",
      .help = "certificates that were revoked" },
    { "tls_backend", SECURE, TOP, CONFIG_TEXT, "", IN(tls.backend), .special = "",
      .check = config_text_word,
      .allowed = "the name of a TLS library, see gearshift -V, or \"\" for the first one built in",
      .help = "the library that does TLS" },
    { "tls_protocols", SECURE, TOP, CONFIG_PROTOCOLS, "\"1.2\", \"1.3\"", NOWHERE,
      .allowed = "1.2 or 1.3", .help = "versions of TLS that clients may use" },
    { "tls_ciphers", SECURE, TOP, CONFIG_TEXTS, "", IN(tls.ciphers),
      .count_offset = offsetof(struct config, tls.ciphers_count), .check = config_text_word,
      .allowed = "a cipher suite's IANA name, such as TLS_AES_128_GCM_SHA256",
      .help = "cipher suites, best first; none named: what the library takes of ECDHE with AEAD" },
    { "tls_curves", SECURE, TOP, CONFIG_TEXTS, "", IN(tls.curves),
      .count_offset = offsetof(struct config, tls.curves_count), .check = config_text_word,
      .allowed = "a group's IANA name, such as x25519, secp256r1 or secp384r1",
      .help = "groups for the key exchange, best first; none named: what the library takes" },
    { "tls_session_tickets", SECURE, TOP, CONFIG_BOOL, "on", IN(tls.tickets),
      .help = "clients that come back resume their session with a ticket that they keep" },
    { "tls_ticket_key_lifetime", SECURE, TOP, CONFIG_DURATION, "12h", SECOND, 7 * DAY,
      IN(tls.ticket_key_ms), .help = "how long one key encrypts tickets before a new one is made" },
    { "tls_session_cache", SECURE, TOP, CONFIG_COUNT, "10000", 0, 1048576, IN(tls.session_cache),
      .help = "sessions of TLS 1.2 kept for clients without tickets; 0: none" },
    { "tls_handshake_timeout", SECURE, TOP, CONFIG_DURATION, "10s", 10, DAY, IN(tls.handshake_ms),
      .help = "from the accept to the end of the TLS handshake" },
    { "tls_watch", SECURE, TOP, CONFIG_DURATION, "10s", 0, DAY, IN(tls.watch_ms),
      .help = "how often the files of certificates are looked at; changed ones are taken without a "
              "restart; 0: never" },
    { "ktls", SECURE, TOP, CONFIG_BOOL, "on", IN(tls.ktls),
      .help = "let the kernel encrypt what is sent, where it can" },

    { "trusted", CLIENT, TOP, CONFIG_TEXTS, "", IN(trusted_texts),
      .count_offset = offsetof(struct config, trusted_count), .check = address_range_check,
      .allowed = ADDRESSES,
      .help = "proxies that may send a PROXY header, at addresses with proxy_protocol" },
    { "real_ip_from", CLIENT, TOP, CONFIG_TEXTS, "", IN(real_ip.from_texts),
      .count_offset = offsetof(struct config, real_ip.from_count), .check = address_range_check,
      .allowed = ADDRESSES,
      .help = "proxies that are believed when a request's fields say who the client is" },
    { "real_ip_header", CLIENT, TOP, CONFIG_CHOICE, "X-Forwarded-For",
      .choices = config_real_ip_headers, IN(real_ip.header),
      .help = "the field in which they say so" },
    { "real_ip_recursive", CLIENT, TOP, CONFIG_BOOL, "off", IN(real_ip.recursive),
      .help =
          "of several addresses in it take the last that is not in real_ip_from, not the last" },

    { "listen", SITES, SERVER, CONFIG_LISTEN, "\"127.0.0.1:8080\"", NOWHERE,
      .allowed = "a.b.c.d:port, [IPv6]:port, host:port, :port for all addresses, unix:/path or "
                 "systemd:name, then any of tls, "
                 "proxy_protocol, deferred, backlog=1..65535, congestion=name and ipv6only=on|off",
      .help = "addresses to listen on" },
    { "alias_hosts", SITES, SERVER, CONFIG_TEXTS, "", NOWHERE, .check = config_text_host,
      .allowed = "a host name, or *.name for those below it",
      .help = "further host names that the server answers to" },

    { "status_page", SITES, SERVER, CONFIG_TEXT, "", NOWHERE, .special = "",
      .check = config_text_path, .allowed = "a path that begins with '/', or \"\" for none",
      .help = "where the server tells what it does: HTML, JSON or Prometheus's text" },
    { "status_allow", SITES, SERVER, CONFIG_TEXTS, "", NOWHERE, .check = address_range_check,
      .allowed = "an address (192.0.2.1, 2001:db8::1), a network (10.0.0.0/8) or unix:",
      .help = "who may see status_page, besides this machine" },
    { "health", SITES, SERVER, CONFIG_TEXT, "", NOWHERE, .special = "", .check = config_text_path,
      .allowed = "a path that begins with '/', or \"\" for none",
      .help = "a path answered with 200, and with 503 once the server drains" },

    { "root", WHERE, PATHS, CONFIG_PATH, NULL, NOWHERE, .allowed = "the path of a directory",
      .help = "the directory served; the whole path is looked up below it" },
    { "alias", WHERE, LOCATION, CONFIG_PATH, NULL, NOWHERE,
      .allowed = "the path of a directory, or of a file where the location is for one path",
      .help = "likewise, but the location's prefix is taken off the path first" },
    { "index", WHERE, PATHS, CONFIG_TEXTS, "\"index.html\"", LOC(index),
      .count_offset = offsetof(struct location, index_count), .check = config_text_file_name,
      .max = CONFIG_TRIES_MAX, .allowed = "a file name without '/'",
      .help = "files tried, in this order, when a directory is asked for" },
    { "autoindex", WHERE, PATHS, CONFIG_BOOL, "off", LOC(autoindex),
      .help = "list a directory that has no index file" },
    { "autoindex_exclude", WHERE, PATHS, CONFIG_TEXTS, "", LOC(autoindex_exclude),
      .count_offset = offsetof(struct location, autoindex_exclude_count),
      .check = config_text_name_pattern, .max = CONFIG_EXCLUDES_MAX,
      .allowed = "a pattern of names, such as \"*.tmp\"",
      .help = "names that are left out of listings" },
    { "autoindex_template", WHERE, PATHS, CONFIG_PATH, "", LOC(autoindex_template), .special = "",
      .check = config_text_path_of_file,
      .allowed = "the path of an HTML file with placeholders, or \"\" for the page built in",
      .help = "the page that listings are made of" },
    { "archive", WHERE, PATHS, CONFIG_TEXTS, "", LOC(archive_texts),
      .count_offset = offsetof(struct location, archive_count), .check = config_text_archive,
      .max = 2, .allowed = "zip or tar", .help = "a listed folder can be had as one file" },
    { "try", WHERE, PATHS, CONFIG_TEXTS, "", LOC(try_uris),
      .count_offset = offsetof(struct location, try_count), .check = config_text_try,
      .max = CONFIG_TRIES_MAX,
      .allowed =
          "\"$uri\", \"$uri\" with something behind it, or a path that begins with '/', with "
          "variables",
      .help = "paths tried, in this order, instead of the one asked for" },
    { "clean_urls", WHERE, PATHS, CONFIG_BOOL, "off", LOC(clean_urls),
      .help = "pages have addresses without .html; who asks with it is redirected" },
    { "error_pages", WHERE, PATHS, CONFIG_ERROR_PAGES, "", NOWHERE,
      .allowed = "\"status=/path\" with a status from 400 to 599",
      .help = "bodies of error answers" },
    { "headers", WHERE, PATHS, CONFIG_HEADERS, "\"X-Content-Type-Options: nosniff\"", NOWHERE,
      .allowed = "\"Name: value\", or \"Name:\" to remove one that is inherited",
      .help = "header fields added to answers; variables such as $host may stand in the values" },
    { "headers_file", WHERE, PATHS, CONFIG_BOOL, "off", LOC(headers_file),
      .help = "take header fields from a file _headers in the root, as static hosts do" },
    { "precompressed", WHERE, PATHS, CONFIG_CODINGS, "", NOWHERE, .allowed = "zstd, br or gzip",
      .help = "look for .zst, .br and .gz beside a file and send them to clients that can" },
    { "compress", WHERE, PATHS, CONFIG_CODINGS, "", NOWHERE, .allowed = "zstd, br or gzip",
      .help = "compress files for clients that can read it; each once, for all of them" },
    { "compress_types", WHERE, PATHS, CONFIG_TEXTS, "", LOC(compress_types),
      .count_offset = offsetof(struct location, compress_types_count),
      .check = config_text_media_range, .max = CONFIG_MEDIA_RANGES_MAX,
      .allowed = "a media type, such as text/html, or all of a kind, such as text/*",
      .help = "what compress holds for; none named: text, and what compresses as well" },
    { "return", WHERE, PATHS, CONFIG_TEXT, "", NOWHERE, .special = "",
      .allowed =
          "a status, then perhaps a text or, with 301, 302, 303, 307 and 308, a URL: \"404\", "
          "\"200 ok\", \"301 https://$host$request_uri\"; or \"\" for none",
      .help = "answers at once, whatever is there; 444 closes without an answer" },
    { "return_type", WHERE, PATHS, CONFIG_TEXT, "text/plain", LOC(return_type),
      .check = config_text_media_type, .allowed = "type/subtype",
      .help = "media type of the text that `return` answers with" },
    { "internal", WHERE, PATHS, CONFIG_BOOL, "off", LOC(internal),
      .help = "answer 404 to who asks for it; error_pages and rewrite lead here" },
    { "rewrite", WHERE, LOCATION, CONFIG_TEXT, "", NOWHERE, .special = "",
      .allowed = "a path that begins with '/', with variables, or \"\" for none",
      .help = "answers as if that path had been asked for" },
    { "maintenance", WHERE, PATHS, CONFIG_TEXT, "", LOC(maintenance.file), .special = "",
      .check = config_text_maintenance,
      .allowed = "the name of a file below the root, or \"\" for none",
      .help = "while this file is there, everything is answered with it and 503" },
    { "maintenance_allow", WHERE, PATHS, CONFIG_TEXTS, "", LOC(maintenance.allow_texts),
      .count_offset = offsetof(struct location, maintenance.allow_count),
      .check = address_range_check,
      .allowed = "an address (192.0.2.1, 2001:db8::1), a network (10.0.0.0/8) or unix:",
      .help = "who is served all the same" },
    { "maintenance_retry_after", WHERE, PATHS, CONFIG_DURATION, "5m", 0, DAY,
      LOC(maintenance.retry_after_ms), .special = "0",
      .help = "when to come back, in Retry-After; 0: it is not said" },
    { "deltas", WHERE, PATHS, CONFIG_CODINGS, "", NOWHERE, .allowed = "dcz or dcb",
      .help = "look beside a file for what `gearshift dictionary` has made of it, and send it to "
              "clients that have the dictionary" },
    { "symlinks", WHERE, PATHS, CONFIG_CHOICE, "inside", .choices = config_symlink_rules,
      LOC(symlinks), .help = "follow symbolic links that stay beneath the root, or none" },
    { "dotfiles", WHERE, PATHS, CONFIG_BOOL, "off", LOC(dotfiles),
      .help = "serve names that begin with a dot (/.well-known/ is served in any case)" },
    { "types", WHERE, PATHS, CONFIG_TYPES, "", NOWHERE,
      .allowed = "\"extension=type/subtype\", or \"*=type/subtype\" for all other files",
      .help = "media types of the files here, above those of the top level" },
    { "default_type", WHERE, PATHS, CONFIG_TEXT, "", LOC(default_type), .special = "",
      .check = config_text_media_type, .allowed = "type/subtype, or \"\" for that of the top level",
      .help = "media type of the files here whose extension is not known" },
    { "charset", WHERE, PATHS, CONFIG_TEXT, "utf-8", LOC(charset), .special = "",
      .check = config_text_charset,
      .allowed = "a name of letters, digits, '-' and '_', or \"\" for none",
      .help = "charset parameter of text types" },
    { "limit_requests", WHERE, PATHS, CONFIG_TEXT, "", LOC(limits.requests_text), .special = "",
      .check = config_text_rate, .allowed = RATES, .help = "requests of one client; more: 429" },
    { "limit_requests_server", WHERE, PATHS, CONFIG_TEXT, "", LOC(limits.requests_server_text),
      .special = "", .check = config_text_rate, .allowed = RATES,
      .help = "requests of all clients together; more: 503" },
    { "limit_rate", WHERE, PATHS, CONFIG_SIZE64, "0", 0, TIB, LOC(limits.rate),
      .help = "bytes a second of one answer; 0: as fast as it goes" },
    { "limit_rate_after", WHERE, PATHS, CONFIG_SIZE64, "0", 0, TIB, LOC(limits.rate_after),
      .help = "bytes of an answer for which limit_rate does not hold yet" },
    { "limit_rate_client", WHERE, PATHS, CONFIG_SIZE64, "0", 0, TIB, LOC(limits.rate_client),
      .help = "bytes a second of all answers to a client together; 0: as fast as it goes" },
    { "charset_types", WHERE, PATHS, CONFIG_TEXTS, "", LOC(charset_types),
      .count_offset = offsetof(struct location, charset_types_count),
      .check = config_text_media_range, .max = CONFIG_MEDIA_RANGES_MAX,
      .allowed = "a media type, such as text/html, or all of a kind, such as text/*",
      .help = "types that charset is for; none named: text, and JavaScript" },
    { "last_modified", WHERE, PATHS, CONFIG_BOOL, "on", LOC(last_modified),
      .help = "tell when a file was changed, and answer conditions about that" },
    { "if_modified_since", WHERE, PATHS, CONFIG_CHOICE, "before",
      .choices = config_if_modified_sinces, LOC(if_modified_since),
      .help = "304 for the date of Last-Modified alone, or for a later one, too" },
    { "etag", WHERE, PATHS, CONFIG_CHOICE, "portable", .choices = config_etag_kinds, LOC(etag),
      .help = "what tags are made of: size and time, all that a host knows, or the content" },

    { "security_headers", BROWSE, PATHS, CONFIG_CHOICE, "off", .choices = config_security_presets,
      LOC(security_headers), .help = "fields that make browsers careful, as a set" },
    { "hsts", BROWSE, PATHS, CONFIG_TEXT, "", LOC(hsts), .special = "", .check = config_text_hsts,
      .allowed =
          "max-age=seconds, then perhaps ; includeSubDomains and ; preload; or \"\" for none",
      .help = "Strict-Transport-Security, on answers over TLS alone" },
    { "cors", BROWSE, PATHS, CONFIG_TEXTS, "", LOC(cors),
      .count_offset = offsetof(struct location, cors_count), .check = config_text_origin,
      .max = CONFIG_ORIGINS_MAX,
      .allowed = "\"*\", or an origin such as https://www.example.org or https://*.example.org",
      .help = "sites of other origins whose scripts may read what is here" },
    { "cors_credentials", BROWSE, PATHS, CONFIG_BOOL, "off", LOC(cors_credentials),
      .help = "they may ask with cookies and passwords" },
    { "cors_expose", BROWSE, PATHS, CONFIG_TEXTS,
      "\"Accept-Ranges\", \"Content-Encoding\", \"Content-Range\", \"ETag\"", LOC(cors_expose),
      .count_offset = offsetof(struct location, cors_expose_count), .check = config_text_token,
      .allowed = "the name of a header field, or \"*\" for all",
      .help = "fields of an answer that they may read, besides those that all may" },
    { "cors_headers", BROWSE, PATHS, CONFIG_TEXTS,
      "\"If-Match\", \"If-Modified-Since\", \"If-None-Match\", \"If-Range\", "
      "\"If-Unmodified-Since\", \"Range\"",
      LOC(cors_headers), .count_offset = offsetof(struct location, cors_headers_count),
      .check = config_text_token, .allowed = "the name of a header field, or \"*\" for all",
      .help = "fields of a request that they may set, besides those that all may" },
    { "cors_max_age", BROWSE, PATHS, CONFIG_DURATION, "2h", 0, DAY, LOC(cors_max_age_ms),
      .help = "how long a browser remembers that it may ask" },
    { "early_hints", BROWSE, PATHS, CONFIG_TEXTS, "", LOC(early_hints),
      .count_offset = offsetof(struct location, early_hints_count), .check = config_text_link,
      .max = CONFIG_EARLY_HINTS_MAX, .allowed = "\"Link: </path>; rel=preload; as=style\"",
      .help = "Link fields of HTML pages, told in a 103 before them to browsers that navigate" },
    { "server_timing", BROWSE, PATHS, CONFIG_CHOICE, "off", .choices = config_server_timings,
      LOC(server_timing), .help = "name the node in Server-Timing: never, where asked, or always" },
    { "download", BROWSE, PATHS, CONFIG_TEXTS, "", LOC(download),
      .count_offset = offsetof(struct location, download_count), .check = config_text_pattern,
      .max = CONFIG_PATTERNS_MAX, .allowed = "a pattern such as \"*.pdf\", or \"*\" for all files",
      .help = "files that a browser saves under their name, and does not show" },
    { "use_as_dictionary", BROWSE, PATHS, CONFIG_TEXTS, "", LOC(use_as_dictionary),
      .count_offset = offsetof(struct location, use_as_dictionary_count),
      .check = dictionary_rule_check, .max = CONFIG_DICTIONARIES_MAX,
      .allowed = "a pattern such as \"/app.*.js\", and behind it match=/path for other requests "
                 "than those and dest=script or the like if wanted",
      .help = "files that a browser keeps, so that their next version can be sent as a delta" },

    { "allow", ADMIT, PATHS, CONFIG_TEXTS, "", NOWHERE, .check = config_text_client,
      .allowed = CLIENTS,
      .help = "who may, by address: nobody else, unless `deny` names a larger network" },
    { "deny", ADMIT, PATHS, CONFIG_TEXTS, "", NOWHERE, .check = config_text_client,
      .allowed = CLIENTS,
      .help = "who may not, by address, unless `allow` names a smaller network" },
    { "auth", ADMIT, PATHS, CONFIG_CHOICE, NULL, .choices = config_offs, NOWHERE,
      .help = "no password is asked for, though the server's auth block says so" },
    { "users", ADMIT, PASSWORD, CONFIG_PATH, NULL, NOWHERE,
      .allowed = "the path of a file of names and hashed passwords, as htpasswd(1) makes it",
      .help = "who may, by name and password" },
    { "auth_verifications_max", ADMIT, TOP, CONFIG_COUNT, "4", 1, 1024, IN(auth_verifications_max),
      .help = "passwords that are looked at at a time; more: 503" },
    { "auth_cache", ADMIT, TOP, CONFIG_DURATION, "5m", 0, DAY, IN(auth_cache_ms),
      .help = "how long a password that was right is believed without a look; 0: not at all" },
    { "signed", ADMIT, PATHS, CONFIG_PATHS, "", NOWHERE,
      .allowed = "the path of a file that holds a key of 16 to 1024 bytes",
      .help = "who may, by a link that was signed with one of these keys, and is not over" },
    { "referers", ADMIT, PATHS, CONFIG_TEXTS, "", NOWHERE, .check = config_text_referer,
      .max = CONFIG_REFERERS_MAX,
      .allowed = "none, blocked, server_names, a host name, *.name for those below it, or ~ or ~* "
                 "and a regular expression",
      .help = "pages that may lead here, by the Referer field" },
    { "satisfy", ADMIT, PATHS, CONFIG_CHOICE, "all", .choices = config_satisfactions, LOC(satisfy),
      .help = "whether it takes address, password and signature, or one of them" },

    { "to", MOVED, REDIRECT, CONFIG_TEXT, NULL, NOWHERE, .check = config_text_redirect,
      .allowed = "a path that begins with '/', or a URL that begins with http:// or https://, in "
                 "which variables such as $host, $uri and $query may stand",
      .help = "where to; when the title ends in '/', the rest of the path is appended" },
    { "status", MOVED, REDIRECT, CONFIG_COUNT, "301", 301, 308, NOWHERE,
      .allowed = "301, 302, 303, 307 or 308", .help = "status of the answer" },
    { "redirects_file", MOVED, SERVER, CONFIG_PATH, "off", NOWHERE, .special = "off",
      .allowed = "on for the file _redirects in the root, off, or the path of another",
      .help = "take redirects and rewrites from a file, as static hosts do" },
    { "redirects_file_max", MOVED, TOP, CONFIG_SIZE32, "16m", 1, 64 * MIB, IN(redirects_file_max),
      .help = "the longest _redirects that is read" },
    { "redirects_rules_max", MOVED, TOP, CONFIG_COUNT, "100000", 1, 10000000,
      IN(redirects_rules_max), .help = "rules that are taken from one _redirects" },

    { "control", CACHED, CACHE, CONFIG_TEXT, NULL, NOWHERE, .check = config_text_field_value,
      .allowed = "a Cache-Control value, such as \"public, max-age=3600\"",
      .help = "the Cache-Control field" },
    { "expires", CACHED, CACHE, CONFIG_EXPIRES, NULL, 0, 100 * 365 * DAY / SECOND, NOWHERE,
      .help = "the Expires field, so long after now; and max-age where control is not set" },

    { "map_entries_max", MAPPED, TOP, CONFIG_COUNT, "1000000", 1, 100000000, IN(map_entries_max),
      .help = "entries in one map" },
    { "file", MAPPED, MAP, CONFIG_PATHS, "", NOWHERE,
      .allowed = "the path of a file of lines, a key and a value each",
      .help = "entries from a file, or several" },
    { "ignore_case", MAPPED, MAP, CONFIG_BOOL, "on", MAPS(ignore_case),
      .help = "whether upper and lower case of a key are the same, as in nginx" },
    { "hostnames", MAPPED, MAP, CONFIG_BOOL, "off", MAPS(hostnames),
      .help = "whether keys may be *.example.org, .example.org and www.example.*, as in nginx" },
    { "set", FIELDS, FIELD, CONFIG_TEXTS, "", NOWHERE, .allowed = "\"Name: value\"",
      .help = "fields in the place of those of the same name" },
    { "add", FIELDS, FIELD, CONFIG_TEXTS, "", NOWHERE, .allowed = "\"Name: value\"",
      .help = "fields beside those of the same name" },
    { "append", FIELDS, FIELD, CONFIG_TEXTS, "", NOWHERE, .allowed = "\"Name: value\"",
      .help = "values that go on the last field of the same name, behind a comma" },
    { "remove", FIELDS, FIELD, CONFIG_TEXTS, "", NOWHERE, .allowed = "the name of a header field",
      .help = "fields that are left out" },
    { "answers", FIELDS, FIELD, CONFIG_CHOICE, "usual", .choices = config_field_answers,
      .offset = offsetof(struct header_block, answers), .help = "which answers the block is for" },
};

static_assert(ARRAY_LEN(keys) == CONFIG_KEYS_COUNT, "CONFIG_KEYS_COUNT");

const struct config_key *config_key_at(size_t index)
{
    CHECK(index < CONFIG_KEYS_COUNT);
    return &keys[index];
}

size_t config_key_index(const struct config_key *key)
{
    CHECK(key >= keys && key < keys + CONFIG_KEYS_COUNT);
    return (size_t)(key - keys);
}
