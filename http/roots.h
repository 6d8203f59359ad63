/* roots.h: the document roots as one thread sees them. A site is deployed by switching a link, or
 * by putting another folder in a folder's place: so each configured path is looked up again, at
 * most `cache_valid` later, by a job like any other; or as soon as a link or a folder on the way to
 * it is told to have changed (file_notice.h).
 *
 * A look that finds another directory than the one before makes a new http_root with an id of its
 * own, by which the file cache keeps what it knows: nothing of the old one is found under the new
 * one. A request keeps a reference to the root that it began with until it is answered, so that all
 * that it finds comes from one. Roots that nobody has asked for in `cache_valid`, or a second, are
 * let go by http_roots_sweep(): a file system is not kept busy for nothing. The same directory,
 * when it is asked for again, has its id again: what the file cache keeps is looked at, not opened
 * anew. */
#ifndef HTTP_ROOTS_H
#define HTTP_ROOTS_H

#include "config/config.h"
#include "core/file_job.h"
#include "core/file_notice.h"
#include "core/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_roots;
struct shared_files;

/* A directory that a configured path led to. */
struct http_root {
    unsigned magic;
    int fd;                  /* O_PATH */
    uint64_t id;             /* of no other directory of this thread, ever, or of any thread that
                                shares what it knows; above 0 */
    struct root *configured; /* whose path it was */
    /* private to roots.c */
    struct http_roots *roots;
    unsigned refs;
    bool borrowed; /* fd is the one of the start, the configuration's */
    struct file_root_id which;
    uint64_t fresh_until_ms;
    uint64_t look_ms; /* from then on one request looks, while the others believe what is known */
    struct file_notice_way way; /* what tells that its path leads elsewhere */
    uint64_t asked_ms;          /* when the newest look was asked for that has told of it */
    uint64_t doubted_ms;        /* when somebody doubted it last, */
    unsigned doubts;            /* and how many then */
    uint64_t used_ms;           /* when it was asked for last */
    uint64_t
        check_ms; /* when the sweep looks at it: the order of http_roots.held, but for a little */
    struct list held; /* in http_roots.held, while it may be let go */
};

/* How long what was looked at is believed where time alone tells, in milliseconds: `cache_valid`;
 * with `notify` a second. */
uint32_t http_roots_valid_ms(const struct config *config);

/* May its files be another machine's, or a process's (core/file_system.h)? */
static inline bool http_root_is_remote(const struct http_root *root)
{
    return root->configured->remote || root->configured->remote_below;
}

/* 0 or -ENOMEM. `config` is borrowed, and `shared`, by which threads name directories alike, or
 * NULL. The caller owns the roots. */
int http_roots_create(const struct config *config, struct shared_files *shared,
                      struct http_roots **ret_roots);

/* Users' references must have come back (checked). NULL is allowed. */
void http_roots_destroy(struct http_roots *roots);

/* The directory of a configured root when the last look is still believed, with a reference for the
 * caller; else NULL: ask. Shortly before it is not believed any more one caller is told to ask, so
 * that thousands need not, and wait, when that time has come. */
struct http_root *http_roots_find(struct http_roots *roots, struct root *configured,
                                  uint64_t now_ms);

/* A name is missing beneath `root`, which a request believed. Another directory may be in its place
 * by now, and this one be removed: true if the caller is to ask before it says that nothing is
 * there. So it is for a few callers a millisecond, and for none once a look of the same millisecond
 * has told. */
bool http_root_doubt(struct http_root *root, uint64_t now_ms);

/* Makes `job` one that looks the root up. */
void http_roots_ask(struct http_roots *roots, struct root *configured, uint64_t now_ms,
                    struct file_job *job);

/* Takes the results of a finished job of http_roots_ask(). The directory that is to be used, with a
 * reference for the caller: the one found; or what another look found that has ended already, where
 * that was asked for later, or was still believed when this one was asked for, which had begun
 * before it ended; or the one before, where the path cannot be looked up by this user
 * (said once in the error log). NULL: there is none, and *ret_error is the errno of it, ENOENT
 * where nothing is there now; that is not remembered, since deploys leave gaps. */
struct http_root *http_roots_store(struct http_roots *roots, struct file_job *job, int *ret_error);

/* A user less; the last one closes. */
void http_root_unref(struct http_root *root);

/* Lets go, of at most `count`, of roots that nobody has asked for in `cache_valid`, or in a second.
 * When there will be more to do, on the scale of now_ms; UINT64_MAX: not before another look. */
uint64_t http_roots_sweep(struct http_roots *roots, size_t count, uint64_t now_ms);

/* Descriptors have run out: lets go of up to `count` roots that no request is using. Returns how
 * many. */
size_t http_roots_reclaim(struct http_roots *roots, size_t count);

#endif
