/* config_choices.c: see config_choices.h. */
#include "config/config_choices.h"

#include "config/config.h"

#include <assert.h>
#include <stddef.h>

const char *const config_log_levels[] = { "error", "warn", "info", "debug", NULL };
const char *const config_file_ios[] = { "auto", "sendfile", "read", "splice", NULL };
const char *const config_symlink_rules[] = { "inside", "deny", "owner", "any", NULL };
const char *const config_accept_modes[] = { "handoff", "reuseport", "shared", NULL };
const char *const config_demultiplexers[] = { "epoll", "poll", "select", "sigio",
                                              "aio",   "busy", NULL };
const char *const config_processors[] = { "io_uring", "epoll", NULL };
const char *const config_file_jobs[] = { "auto",      "inline",    "workers",  "processor",
                                         "posix-aio", "linux-aio", "io_uring", NULL };
const char *const config_stop_signals[] = { "stop", "drain", NULL };
const char *const config_pool_works[] = { "request", "file", NULL };
const char *const config_offs[] = { "off", NULL };
const char *const config_satisfactions[] = { "all", "any", NULL };
const char *const config_security_presets[] = { "off", "basic", "strict", NULL };
const char *const config_etag_kinds[] = { "off", "inode", "portable", "content", NULL };
const char *const config_if_modified_sinces[] = { "exact", "before", NULL };
const char *const config_verifies[] = { "require", "optional", "off", NULL };
const char *const config_field_answers[] = { "usual", "success", "errors", "all", NULL };
const char *const config_real_ip_headers[] = { "X-Forwarded-For", "Forwarded", "X-Real-IP", NULL };

static_assert(LOG_ERROR == 0 && LOG_WARN == 1 && LOG_INFO == 2 && LOG_DEBUG == 3, "log_levels");
static_assert(FILE_IO_AUTO == 0 && FILE_IO_SENDFILE == 1 && FILE_IO_READ == 2 &&
                  FILE_IO_SPLICE == 3,
              "file_ios");
static_assert(FILE_SYMLINKS_INSIDE == 0 && FILE_SYMLINKS_DENY == 1 && FILE_SYMLINKS_OWNER == 2 &&
                  FILE_SYMLINKS_ANY == 3,
              "symlink_rules");
static_assert(ACCEPT_HANDOFF == 0 && ACCEPT_REUSEPORT == 1 && ACCEPT_SHARED == 2, "accept_modes");
static_assert(DEMULTIPLEXER_EPOLL == 0 && DEMULTIPLEXER_POLL == 1 && DEMULTIPLEXER_SELECT == 2 &&
                  DEMULTIPLEXER_SIGIO == 3 && DEMULTIPLEXER_AIO == 4 && DEMULTIPLEXER_BUSY == 5,
              "demultiplexers");
static_assert(PROCESSOR_IO_URING == 0 && PROCESSOR_EPOLL == 1, "processors");
static_assert(FILE_JOBS_AUTO == 0 && FILE_JOBS_INLINE == 1 && FILE_JOBS_WORKERS == 2 &&
                  FILE_JOBS_PROCESSOR == 3 && FILE_JOBS_POSIX_AIO == 4 &&
                  FILE_JOBS_LINUX_AIO == 5 && FILE_JOBS_IO_URING == 6,
              "file_jobs");
static_assert(STOP_SIGNAL_STOP == 0 && STOP_SIGNAL_DRAIN == 1, "stop_signals");
static_assert(POOL_WORK_REQUEST == 0 && POOL_WORK_FILE == 1, "pool_works");
static_assert(SATISFY_ALL == 0 && SATISFY_ANY == 1, "satisfactions");
static_assert(TLS_VERIFY_REQUIRE == 0 && TLS_VERIFY_OPTIONAL == 1 && TLS_VERIFY_OFF == 2,
              "verifies");
static_assert(REAL_IP_X_FORWARDED_FOR == 0 && REAL_IP_FORWARDED == 1 && REAL_IP_X_REAL_IP == 2,
              "real_ip_headers");
static_assert(SECURITY_HEADERS_OFF == 0 && SECURITY_HEADERS_BASIC == 1 &&
                  SECURITY_HEADERS_STRICT == 2,
              "security_presets");
static_assert(FIELD_ANSWERS_USUAL == 0 && FIELD_ANSWERS_SUCCESS == 1 && FIELD_ANSWERS_ERRORS == 2 &&
                  FIELD_ANSWERS_ALL == 3,
              "field_answers");
static_assert(ETAG_OFF == 0 && ETAG_INODE == 1 && ETAG_PORTABLE == 2 && ETAG_CONTENT == 3,
              "etag_kinds");
static_assert(IF_MODIFIED_SINCE_EXACT == 0 && IF_MODIFIED_SINCE_BEFORE == 1, "if_modified_sinces");
