/* config.h: the whole configuration in force, as data. Read-only once loaded; all threads share it.
 *
 * Made by config_load.c from defaults, server.conf, the environment and the command
 * line; nobody else writes it, but for what the start finds out: the descriptors in struct root,
 * log_owner, tls.ktls, listen_config.port_bound. Inheritance (server -> location) is resolved at
 * load time: a reader never looks upward. The keys are those of the table in config_keys.c;
 * docs/server.conf.md tells what each means. All of it is owned by the configuration; paths are
 * absolute. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/admission.h"
#include "config/config_answers.h"
#include "config/path_fields.h"
#include "config/tls_settings.h"
#include "core/access_format.h"
#include "core/address_set.h"
#include "core/client_hash.h"
#include "core/file_job.h"
#include "core/log.h"
#include "core/rate_table.h"
#include "core/span.h"
#include "match/pattern_set.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fd_slot;
struct conn_table;
struct template;
struct arena;
struct config_note;
struct config_texts;
struct listing_page;
struct redirect_table;
struct config_map;
struct site_redirects;
struct log_syslog;

struct file_notice;

/* cache_valid_ms of `cache_valid = notify`. */
#define CONFIG_NOTIFY UINT32_MAX

enum { CONFIG_NOTIFY_VALID_MS = 1000 }; /* ... where nothing tells */

enum listen_kind { LISTEN_IPV4, LISTEN_IPV6, LISTEN_UNIX };

/* `listen = {"127.0.0.1:8080 backlog=511 congestion=reno"}`: one address that is listened on, by
 * one or more servers. */
struct listen_config {
    char *text; /* the address as written, without parameters: "127.0.0.1:8080", "[::1]:8080",
                   "unix:/run/g.sock" */
    const char *place;     /* where it was named first: "server.conf:12" */
    const char *name;      /* the host whose address it is, or NULL: it was written so */
    const char *inherited; /* name of a socket that a service manager passes (inherited.h): its
                              address is below, or kind is LISTEN_UNIX and host "", where none of
                              that name was passed; NULL: the server makes it */
    enum listen_kind kind;
    char *host;          /* numeric address, or the path of a unix socket */
    uint16_t port;       /* 0: the system chooses */
    uint16_t port_bound; /* the one that it chose; 0 until then */
    int backlog;
    char *congestion;    /* TCP_CONGESTION, or NULL for the system's */
    bool deferred;       /* a connection is accepted when its first octets are there */
    bool ipv6_only;      /* LISTEN_IPV6: not for IPv4 as well */
    bool tls;            /* connections begin with a TLS handshake */
    bool proxy_protocol; /* ... and before that with a PROXY header, from config.trusted alone */
    struct server **servers; /* those that listen here, in the order of the file, but for one
                                that is_default; the first is the default host; borrowed */
    size_t servers_count;
    const struct server_names *names; /* of all servers together (server_find.h) */
};

/* A document root. main opens it (config_roots_open()) before privileges are dropped, and closes it
 * again where the user who serves can look it up by himself; what it is then is known to each
 * thread (http/roots.h). */
struct root {
    char *path;
    int fd;                   /* O_PATH|O_DIRECTORY; -1: not open */
    _Atomic uint64_t told_ms; /* when the error log was told that it cannot be looked up again, on
                                 the scale of clock.h; 0: that is not so */
    bool remote_below;        /* something of that kind is mounted below it, as of the start */
    atomic_bool remote;       /* where it was last found, another machine or a process answers
                                 (core/file_system.h) */
};

/* Octets of all header fields of one location together, with ": " and CRLF. */
#define CONFIG_FIELDS_SIZE_MAX 4096

struct error_page {
    int status;
    const char *written;            /* "/404.html", with its variables */
    const char *uri;                /* path on the same server; it is constant, but for `varying` */
    const struct template *varying; /* the path, put together for each answer; NULL: it is `uri` */
};

/* Fields that make browsers careful: security_headers.h has them. */
enum security_headers { SECURITY_HEADERS_OFF, SECURITY_HEADERS_BASIC, SECURITY_HEADERS_STRICT };

/* What an entity tag is made of. */
/* Whether answers name the node. */
enum server_timing { SERVER_TIMING_OFF, SERVER_TIMING_ASKED, SERVER_TIMING_ON };

enum etag_kind {
    ETAG_OFF,      /* there is none */
    ETAG_INODE,    /* inode, size, and all times */
    ETAG_PORTABLE, /* size and mtime: the same on each host that has a copy */
    ETAG_CONTENT   /* a hash of the octets, up to limits.etag_content_max; else as PORTABLE */
};

/* Which date in If-Modified-Since makes a 304. */
enum if_modified_since { IF_MODIFIED_SINCE_EXACT, IF_MODIFIED_SINCE_BEFORE };

/* The last two are made with a dictionary, and only files beside what they are made of have them
 * (core/delta.h). */
enum coding {
    CODING_IDENTITY,
    CODING_GZIP,
    CODING_BR,
    CODING_ZSTD,
    CODING_DCB,
    CODING_DCZ,
    CODING_COUNT
};

/* What a client, and all of them together, may have of a part of a server's paths. */
struct location_limits {
    char *requests_text, *requests_server_text; /* as written, or "" */
    const struct rate_limit *requests;          /* of each client; NULL: any number */
    const struct rate_limit *requests_server;   /* of all together; NULL: any number */
    bool requests_any;                          /* one of the two */
    uint64_t rate, rate_after; /* bytes a second of one answer, behind its first `after`; 0: any */
    uint64_t rate_client;      /* ... of all answers to a client together; 0: any */
    uint64_t rate_client_zone; /* as struct rate_limit.zone */
    bool paced;                /* one of the two */
    bool any;                  /* something of all this */
};

/* What holds for a part of a server's paths: a `location`, or, with the prefix "/", what stands in
 * the server block itself. */
struct location {
    unsigned id;        /* unique in the configuration, counted from 0 */
    struct span prefix; /* "/" or "/name/": matches itself, what lies below it, and "/name" (whole
                           segments); of a path alone: that; of a glob or an expression: "/" */
    struct root *root;  /* NULL, in "/" alone: only other locations and redirects of this server
                           lead anywhere, and what else is asked for is not found (404) */
    bool strip_prefix;  /* `alias`: the prefix is not part of the path below the root; `root`: it is
                         */
    char **index;       /* names tried in a directory */
    size_t index_count;
    char **try_uris; /* `try = {"$uri", "$uri.html", "/index.html"}`; count 0: the path itself */
    size_t try_count;
    bool autoindex;
    char **autoindex_exclude; /* patterns of fnmatch(3): names that are not listed */
    size_t autoindex_exclude_count;
    char *autoindex_template; /* path of a template, or "" */
    char **archive_texts;     /* "zip", "tar": a listed directory can be had as such, */
    size_t archive_count;
    unsigned archive;                          /* likewise: bits 1 << enum archive_kind */
    const struct listing_page *autoindex_page; /* made of it; NULL: the one built in */
    bool dotfiles; /* serve names that begin with '.'; /.well-known/ is served in any case */
    enum file_symlinks symlinks;
    unsigned precompressed; /* bit 1 << CODING_GZIP etc.: sidecars to look for */
    unsigned compress;      /* likewise: what files are compressed to; 0: they are not */
    char **compress_types;  /* media types, or all of a kind (config_text_media_range()); count 0:
                               those that http/compress_types.c knows to gain by it */
    size_t compress_types_count;
    struct header_rule *headers; /* merged: the server's, replaced or extended by the location's */
    size_t headers_count;
    const struct cache_rules *cache_own;   /* of its block: they come first; NULL: none */
    const struct cache_rules *cache_outer; /* of its server; NULL: none */
    /* Blocks of header fields, each NULL where there are none. They hold in this order. */
    const struct header_blocks *fields_file, *fields_outer, *fields_own;
    bool has_fields;   /* one of the three */
    bool fields_vary;  /* values of one of these, or of `headers`, have variables */
    bool headers_file; /* fields_file comes from the root's _headers, which is served to nobody */
    struct error_page *error_pages; /* merged like headers; a status stands once */
    size_t error_pages_count;
    /* who may */
    const struct admission *admission; /* NULL: everybody */
    enum satisfy satisfy;              /* how many of address, password and link it takes */
    struct header_rule *types; /* media types by extension ("*": of all others), the location's
                                  first, then the server's; all else is config.types' affair */
    size_t types_count;
    const char *default_type; /* of unknown extensions; "": config.default_type */
    const char *charset;      /* added to text types; "" adds none */
    struct pattern pattern;   /* which paths it is for, as written */
    struct span file;         /* `alias` of a path alone: the file's name in the root; else empty */
    struct location_limits limits;
    /* What browsers are told */
    enum security_headers security_headers; /* its fields are among `headers` already */
    bool policy_is_preset; /* of these Content-Security-Policy is one: the server's own pages have
                              another (security_headers.h) */
    const char *hsts;      /* value of Strict-Transport-Security, over TLS alone; "": none */
    char **cors;           /* "*", or origins (config_text_origin()); count 0: no CORS */
    size_t cors_count;
    bool cors_credentials;
    char **cors_expose, **cors_headers; /* names of fields, or "*" */
    size_t cors_expose_count, cors_headers_count;
    uint32_t cors_max_age_ms;
    char **early_hints; /* "Link: ...": on pages, and in a 103 before them */
    size_t early_hints_count;
    char **download; /* what browsers save and do not show: patterns, as written, */
    size_t download_count;
    const struct pattern *download_patterns; /* and compiled, as of a cache_rule */
    char **charset_types; /* media ranges that `charset` is for; count 0: mime_is_text() */
    size_t charset_types_count;
    /* Validators */
    bool last_modified;
    enum etag_kind etag;
    enum server_timing server_timing;
    enum if_modified_since if_modified_since;

    /* Answers that no file is looked for (config_return.c), and templates of what stands above. */
    const struct config_return *answer; /* `return`; NULL: none. No location inherits it */
    const char *return_type;            /* media type of its text */
    bool redirects_file;                /* _redirects in the root is read, and served to nobody */
    bool internal; /* reached by rewrite and error_pages alone: else there is nothing here */
    const struct template *rewrite; /* the path that is looked for instead; NULL: that asked for. No
                                       location inherits it */
    struct maintenance maintenance;
    bool clean_urls;  /* pages are found without ".html", and those who ask with it led there */
    bool has_varying; /* one of `headers` has a `varying` */
    const struct template **try_templates; /* of try_uris */
    /* Compression dictionaries (RFC 9842) */
    unsigned deltas;          /* bits 1 << CODING_DCB, 1 << CODING_DCZ: deltas to look for */
    char **use_as_dictionary; /* which files clients keep for that (dictionary_rule.h) */
    size_t use_as_dictionary_count;
    const struct glob *dictionary_globs; /* their patterns, compiled */
};

/* A template of listings, as `autoindex_template` names it. */
struct listing_template {
    const char *path;
    struct listing_page *page;
    struct listing_template *next;
};

/* Something that is no reason not to start, as a sentence. */
struct config_warning {
    const char *text;
    struct config_warning *next;
};

/* The name of a server that answers to all names that no other server of the address has. */
#define CONFIG_HOST_DEFAULT "_"

struct server {
    char *name;   /* the section's title, in lower case */
    char **hosts; /* lower case names answered to: the title, then `alias_hosts`; "*.example.org"
                     matches one or more labels. No two servers of one address share a name */
    size_t hosts_count;
    bool is_default;            /* CONFIG_HOST_DEFAULT is one of them */
    struct location *locations; /* those that are no prefix, in the order of the file; then
                                   prefixes, the longest first; the last is "/" */
    size_t locations_count;
    const struct cache_rules *cache;         /* its locations' cache_outer; NULL: none */
    const struct header_blocks *fields;      /* its locations' fields_outer; NULL: none */
    const struct pattern_set *locations_set; /* finds them; NULL: a few prefixes, in turn */
    struct redirect *redirects; /* the longest `from` first; first match wins (http/vhost.h) */
    size_t redirects_count;
    struct redirect *redirects_exact; /* those for one path alone that say so, by path and query */
    size_t redirects_exact_count;
    struct redirect_patterns redirects_patterns;
    bool redirects_any;                           /* some of the three */
    const struct redirect_table *redirects_table; /* what finds `redirects`; NULL: a few, which are
                                                     sooner looked at in turn */
    const struct site_redirects *site_redirects;  /* of a _redirects; NULL: none */
    bool decides;      /* some paths are answered whatever the method is: `redirect` and `return` */
    char *status_page; /* path of what the server tells of itself; NULL: none */
    char *health;      /* path of the answer for balancers; NULL: none */
    struct address_set status_allow; /* who sees status_page, besides this machine */
    char **status_allow_texts;       /* as written */
    size_t status_allow_count;
    size_t access_log; /* index into config.access_logs, or CONFIG_NO_LOG */
    const struct access_rules
        *access;                      /* what is written there; servers that say nothing share it */
    struct certificate *certificates; /* for its addresses with TLS; the client's algorithms decide
                                         which. Count 0 there: only with config.tls.self_signed */
    size_t certificates_count;
    const struct client_auth *client_auth; /* at its addresses with TLS; NULL: nobody is asked */
};

#define CONFIG_NO_LOG SIZE_MAX

struct access_log_config {
    char *path;                      /* or "stdout", "stderr", "syslog:..." */
    const struct log_syslog *syslog; /* what the last of these says; else NULL */
    size_t line_max;                 /* octets of a line, of all servers that write here */
};

/* Patterns in one `access_log_skip`: some are compared with every request's path. */
#define CONFIG_SKIPS_MAX 100

/* An answer is in the sample when 32 random bits are below this. */
#define CONFIG_SAMPLE_ALL (UINT64_C(1) << 32)
#define CONFIG_STATUS_END 640 /* statuses are below */

/* Which answers leave a line in the access log, and what it looks like. */
struct access_rules {
    const struct access_format *format;
    const struct template **others; /* those of the format that it does not know itself */
    bool filters;                   /* one of those that follow leaves anything out */
    char *sample;                   /* as written: "0.01", "1/100" */
    uint64_t sample_below;          /* for answers below 400 */
    char **statuses;                /* as written: "4xx", "503"; count 0: all */
    size_t statuses_count;
    uint64_t status_bits[CONFIG_STATUS_END / 64]; /* by status: it is logged */
    char **skip; /* patterns of paths that are not logged, as written */
    size_t skip_count;
    const struct pattern_set *skip_set; /* of them; NULL: there are none */
};

/* Names in one `index` and paths in one `try`: each may cost an open(2) a request. */
#define CONFIG_TRIES_MAX 1000

/* Origins in one `cors`: each is compared with that of a request. Octets of all names of fields in
 * one `cors_expose` or `cors_headers` together, with ", " between them. */
#define CONFIG_ORIGINS_MAX         100
#define CONFIG_CORS_NAMES_SIZE_MAX 1000

/* Elements of one `download`, and of one `early_hints`; octets of all of the latter, with CRLF. */
#define CONFIG_PATTERNS_MAX         100
#define CONFIG_EARLY_HINTS_MAX      50
#define CONFIG_EARLY_HINTS_SIZE_MAX 2000

/* Elements of one `use_as_dictionary`: each is compared with the name of a file. */
#define CONFIG_DICTIONARIES_MAX 100

/* Patterns in one `autoindex_exclude`: each is compared with every name of a listing. */
#define CONFIG_EXCLUDES_MAX 100

/* Elements of one `compress_types`: each is compared with the type of a file. */
#define CONFIG_MEDIA_RANGES_MAX 200

/* The most that `ranges_max` may be, and that one Range field may ask for: what http/range.c can
 * sort, and what one answer holds. */
#define CONFIG_RANGES_MAX 1000

/* What bounds a request; HTTP.md "Reading a request" number 9. All in octets unless said. */
struct http_limits {
    uint32_t request_line_max;   /* longer: 414 */
    uint32_t field_max;          /* one field line; longer: 431 */
    uint32_t head_max;           /* all field lines together; longer: 431 */
    uint32_t fields_max;         /* their number; more: 431 */
    uint64_t body_max;           /* body read and discarded; longer: 413 */
    uint32_t chunk_overhead_max; /* chunk sizes, extensions and trailers of one body together; more:
                                    413 */
    uint32_t ranges_max;         /* ranges sent in one answer; more: the field is ignored */
    uint32_t regex_steps_max;    /* of a regular expression over one path; more: 500 */
    uint32_t keepalive_requests; /* requests on one connection; 0: no limit */
    uint32_t autoindex_max;      /* names in a listing; more: 503 and a line in the error log */
    uint32_t archive_entries_max;  /* files and folders in an archive; more: 503 */
    uint64_t archive_bytes_max;    /* octets of all of them; likewise */
    uint64_t listing_memory;       /* octets of names that unfinished listings of a thread keep */
    uint32_t autoindex_readme_max; /* a README of up to this size is shown; 0: none */
    uint32_t small_file_max; /* a file up to this size is kept in memory and sent with its header */
    uint32_t compress_min, compress_max; /* files of this size are compressed, where `compress` says
                                            so */
    uint32_t decompress_max;   /* octets that may come of a sidecar; 0: none is decompressed */
    uint64_t etag_content_max; /* longer files are not hashed for ETAG_CONTENT */
};

/* Deadlines, milliseconds. */
struct http_deadlines {
    uint32_t header_ms;      /* first octet of a request (or the accept) to the end of its head */
    uint32_t body_ms;        /* end of the head to the end of the body */
    uint32_t keepalive_ms;   /* idle between requests */
    uint32_t send_ms;        /* window in which send_rate_min must be met */
    uint32_t send_rate_min;  /* octets a second, at least, averaged over the window */
    uint32_t linger_ms;      /* reading on after the last answer, so that it is not lost to a RST */
    uint32_t start_ms;       /* how long a worker may take to be ready */
    uint32_t watchdog_ms;    /* how long its loops may make no turn; 0: for ever */
    uint32_t drain_delay_ms; /* listeners stay open for so long after SIGQUIT */
    uint32_t drain_ms;       /* SIGQUIT: how long answers in progress may take */
};

enum file_io { FILE_IO_AUTO, FILE_IO_SENDFILE, FILE_IO_READ, FILE_IO_SPLICE };

/* How a new connection finds its thread, when there are several. */
enum accept_mode {
    ACCEPT_HANDOFF,   /* one thread accepts and deals connections to the others */
    ACCEPT_REUSEPORT, /* each thread has a listening socket; the kernel distributes */
    ACCEPT_SHARED     /* one listening socket in every thread's demultiplexer */
};

/* What tells an event loop that a socket is ready. */
enum demultiplexer_kind {
    DEMULTIPLEXER_EPOLL,
    DEMULTIPLEXER_POLL,
    DEMULTIPLEXER_SELECT,
    DEMULTIPLEXER_SIGIO, /* O_ASYNC and F_SETSIG: a signal for each change */
    DEMULTIPLEXER_AIO,   /* Linux AIO, IOCB_CMD_POLL */
    DEMULTIPLEXER_BUSY   /* none: each socket is tried in turn */
};

/* Who carries out the operations of engine proactor. */
enum processor_kind { PROCESSOR_IO_URING, PROCESSOR_EPOLL /* emulated on readiness */ };

/* Who executes file jobs, which may block. */
enum file_jobs {
    FILE_JOBS_AUTO,      /* as the engine does it by default */
    FILE_JOBS_INLINE,    /* the thread that needs them */
    FILE_JOBS_WORKERS,   /* other threads */
    FILE_JOBS_PROCESSOR, /* operations of a proactor's processor */
    FILE_JOBS_POSIX_AIO, /* reads by the C library's aio_read(3), the rest by other threads */
    FILE_JOBS_LINUX_AIO, /* reads by io_submit(2) with O_DIRECT, likewise */
    FILE_JOBS_IO_URING,  /* reads by a ring beside the event loop, likewise */
};

/* What SIGTERM does. */
enum stop_signal { STOP_SIGNAL_STOP, STOP_SIGNAL_DRAIN };

/* What is handed to workers. */
enum pool_work { POOL_WORK_REQUEST, POOL_WORK_FILE };

/* The field of a request in which a proxy tells whom it asks for. */
enum real_ip_header { REAL_IP_X_FORWARDED_FOR, REAL_IP_FORWARDED, REAL_IP_X_REAL_IP };

/* Whose word counts about the client of a request, and where it stands. */
struct real_ip {
    char **from_texts; /* as written; made into `from` */
    size_t from_count;
    struct address_set from;
    enum real_ip_header header;
    bool recursive; /* past those in `from`, to the first who is not */
};

struct config {
    /* process */
    char *engine;         /* a name that main looks up among the engines, or "auto" */
    bool engine_fallback; /* another engine when this one cannot run here */
    uint32_t processes;   /* workers that a supervisor forks; 0: this process serves itself */
    uint32_t threads;     /* event loops; 0: one per allowed CPU */
    bool pin;             /* each thread to a CPU of its own */
    enum accept_mode accept_mode;
    enum demultiplexer_kind demultiplexer;
    enum processor_kind processor;
    uint32_t coalesce_us; /* how long a busy loop may wait for several completions; 0: not */
    enum file_jobs file_jobs;
    uint32_t workers;      /* threads of a pool; 0: as many as the engine has by default */
    uint32_t worker_queue; /* jobs, or connections, that wait for one, at most */
    enum stop_signal stop_signal;
    enum pool_work pool_work;
    uint32_t file_workers;   /* helper threads of each event loop; 0: none */
    uint32_t remote_workers; /* likewise, for file systems that another machine or a process
                                answers for */
    char *user;              /* to become when started as root; NULL (`user = ""`): stay */
    bool allow_root;         /* serve as root all the same */
    uid_t log_owner;         /* who serves in the end, and so owns the logs; main finds it out */
    const struct fd_slot *log_slots; /* borrowed: a supervisor opens log files, and leaves them
                                        here: access log i at place i; NULL: it does not */
    char *pid_file;                  /* or NULL */
    char *control;                   /* path of the control socket, "auto" or "off" */
    char *error_log;                 /* path, "stdout", "stderr" or "syslog:..." */
    const struct log_syslog *error_syslog; /* what the last of these says; else NULL */
    enum log_level log_level;
    /* limits */
    uint32_t connections_max;
    struct http_limits limits;
    struct http_deadlines deadlines;
    uint32_t send_turn; /* octets of a file that a connection sends before others get their turn */
    enum file_io file_io;
    /* cache of open files */
    uint32_t cache_files_max;    /* kept open; 0: nothing is kept */
    uint64_t cache_bytes_max;    /* contents of small files kept in memory */
    bool cache_shared;           /* threads have them together */
    uint64_t compress_bytes_max; /* what was compressed, kept in memory */
    uint32_t cache_valid_ms;    /* how long an entry is believed before the file is looked at again;
                                   CONFIG_NOTIFY: until the kernel tells of a change */
    uint32_t cache_watches_max; /* folders watched for that */
    struct file_notice *notice; /* what tells; NULL: time alone does. The process's, whose threads
                                   share it */
    uint32_t cache_inactive_ms; /* an entry that was not asked for in this time is let go */
    struct tls_settings tls;
    /* logs */
    struct access_log_config *access_logs;
    size_t access_logs_count;
    char *access_log; /* "off", "stdout", "stderr", "syslog:..." or a path: of servers that say
                         nothing; resolved in struct server, as are the next four */
    char *access_log_format, *access_log_sample;
    char **access_log_statuses, **access_log_skip;
    size_t access_log_statuses_count, access_log_skip_count;
    uint32_t access_log_buffer;
    _Atomic uint64_t *connections_counted; /* by the process, for its logs */
    bool server_header;                    /* answers have a field Server */
    const char *node;                      /* as configured, or "" (node.h) */
    bool request_id; /* each request gets one, and its answer tells it: X-Request-Id */
    /* types */
    char *mime_types; /* path of a mime.types file; "" : built-in types only */
    struct header_rule
        *types; /* name: extension without dot, value: media type; override the file */
    size_t types_count;
    char *default_type;
    /* what is served */
    struct listen_config *listens;
    size_t listens_count;
    struct server *servers;
    size_t servers_count;
    /* who may */
    uint32_t auth_verifications_max; /* passwords that are looked at at a time */
    bool has_auth;                   /* a location asks for passwords */
    bool has_etag_content;           /* a location tags by content */
    uint32_t auth_cache_ms;          /* how long one that was right is believed; 0: not at all */
    /* who the client is */
    char **trusted_texts; /* as written; made into `trusted` */
    size_t trusted_count;
    struct address_set trusted; /* who may send a PROXY header, where one is expected */
    struct real_ip real_ip;
    /* limits by client */
    uint32_t limit_clients;             /* that are told apart at a time */
    struct client_prefix client_prefix; /* what of an address is the client */
    char **limit_exempt_texts;          /* as written; made into `limit_exempt` */
    size_t limit_exempt_count;
    struct address_set limit_exempt; /* whom no limit by client holds for */
    bool limits_any;                 /* some location has a limit by client */
    struct rate_table *rates;        /* borrowed; NULL: nobody is limited */
    uint32_t limit_connections;      /* of one client; 0: any number */
    struct conn_table *clients;      /* borrowed, where that is set; NULL: nobody is limited */
    struct root *roots;
    size_t roots_count;
    bool roots_guarded;     /* root opened them: whoever looks again keeps to root's rules */
    size_t locations_count; /* of all servers together; every location's id is below it */
    uint32_t headers_file_max, headers_rules_max; /* octets of a _headers, and paths in it */
    struct headers_file *headers_files;           /* that were read */
    struct config_warning *warnings;              /* in their order */
    bool has_regex;                               /* some pattern is a regular expression */
    const struct config_map *maps; /* a map's index is that of its variable (map_values.h) */
    size_t maps_count;
    uint32_t map_entries_max;                         /* of one map */
    uint32_t redirects_file_max, redirects_rules_max; /* octets of a _redirects, and rules */
    uint32_t template_uses;             /* of all templates: bits 1 << enum template_variable */
    struct listing_template *templates; /* of listings, each read once */
    /* private */
    struct arena *arena;       /* owns all of the above, and this struct */
    const char **key_places;   /* see config_place() */
    const char *server_set_by; /* what the environment and the command line have set of the only
                                  server: "GEARSHIFT_ROOT, -o index"; or "" */
    struct config_note *notes; /* see config_notes.h */
    bool *keys_changed;        /* see config_is_changed() */
};

/* Where values come from besides the defaults; all borrowed for the call. */
struct config_source {
    const char *file;   /* -c; NULL: none */
    const char *root;   /* DIR or --root: makes one server, in place of the file's; NULL: none */
    const char *listen; /* --listen or --port, for that server: an address as in `listen`. NULL: as
                           set elsewhere, or the default */
    const char *tls_listen; /* --tls-port: one more address of that server, as in `listen`, with
                               TLS; added to whatever the others are. NULL: none */
    bool tls_self_signed;   /* --tls-self-signed: struct tls_settings */
    const char *engine;     /* -e, or NULL */
    const char *const *settings; /* -o "key=value"; above the four members before, and later ones
                                    win. Keys of a server block apply to the server that `root`
                                    makes, and are refused without it. A value that begins with
                                    '{' is a list as in the file; any other is taken as it is */
    size_t settings_count;
    struct config_texts *texts; /* what files held when they were read first; filled by the load.
                                   NULL: nothing is kept */
    bool use_environment; /* GEARSHIFT_KEY=value for every key that -o reaches; below the command
                             line, above the file. Names that are no key are ignored: container
                             systems set such */
};

/* Reads and checks everything. 0 and a configuration that the caller owns (config_free()), or
 * -errno (-EINVAL: bad input, -ENOENT and others: a file) and one sentence in `why` (file, line,
 * key, what is wrong, what is allowed or what to do). Whether `engine` exists is left to the
 * caller. Keeps nothing between calls, and may run beside others. */
int config_load(const struct config_source *source, char *why, size_t why_size,
                struct config **ret_config);

/* Where the value in force of a key of the top level was set, to begin a sentence with:
 * "server.conf:12", "-o user", "GEARSHIFT_USER", "--engine", "default". Borrowed from `config`. */
const char *config_place(const struct config *config, const char *key);

/* Is a place as config_place() has it, or NULL, the environment's or the command line's? */
bool config_place_is_outside(const char *place);

/* Was the key, of the top level and no list, set to anything but its default? */
bool config_is_changed(const struct config *config, const char *key);

/* Closes what config_roots_open() opened and frees all. NULL is allowed. */
void config_free(struct config *config);

#endif
