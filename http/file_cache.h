/* file_cache.h: open files and their metadata, or, when small, their contents without a descriptor;
 * also that a name does not exist. One cache a thread; behind it may be what all threads know
 * (shared_files.h).
 *
 * Bounded in descriptors (negative entries count as one, too, and are at most a quarter of all),
 * and in octets of contents and in how many files these are; what goes first says file_shelf.h. An
 * entry is believed for cache_valid_ms after the look was asked for; then file_cache_find() no
 * longer finds it, its user looks at the file again, by name, and file_cache_store() keeps the old
 * entry when nothing changed.
 *
 * What nobody has used for a minute, and what has no name any more, is let go by
 * file_cache_sweep(), so that a deleted file gives its disk back and a file system can be
 * unmounted. Performs no I/O but close(2), and statx(2) without asking a file server.
 *
 * Looks may end in another order than they were asked for in. So a job carries what it is about
 * (root, rule for links, path) and a generation, and its result is filed by these alone: under its
 * own name, and only where nothing newer is known. Which of two looks that were under way at the
 * same time was the later one cannot be told: where they differ, the one that ended later is
 * believed by nobody but who asked for it. */
#ifndef HTTP_FILE_CACHE_H
#define HTTP_FILE_CACHE_H

#include "core/file_job.h"
#include "core/span.h"
#include "http/file_content.h"
#include "http/file_look.h"
#include "http/file_node.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ready-made fields of the answers for an entry: made by whoever answers, kept here, freed with
 * the entry. */
struct file_fields {
    unsigned location_id; /* for which location, */
    unsigned variant;     /* and which form they were made (response.h) */
    int64_t made_s;       /* and in which second (Expires) */
    uint16_t len;
    uint16_t representation_len; /* the first so many octets are left out of a 206 and a 304, which
                                    have their own */
    bool hinted;                 /* a 103 may go before a 200 with them (early_hints.h) */
    bool ages;                   /* holds something that depends on the second it was made in */
    /* Where fields hang on the path asked for (mix.h) */
    bool hints;         /* a 103 of that mix may go before a 200 with them */
    uint16_t asked_len; /* of that path, which lies behind the text */
    uint64_t mix;       /* number of the mix; 0: none */
    char text[];        /* field lines, each with CRLF, without the empty line */
};

struct file_entry {
    unsigned magic;
    unsigned refs; /* the cache's own and each user's */
    int error; /* 0: there is a file or directory; else the errno that opening it gave (ENOENT ...)
                */
    int fd;    /* -1 when error, or a FILE_OTHER, or it is not needed: all is in `content` */
    struct file_meta meta;
    char *content;              /* meta.size octets, or NULL: send from fd, if it is not empty */
    struct file_fields *fields; /* or NULL */
    char etag[96]; /* HTTP_ETAG_MAX octets, with quotes; etag_len 0: none; set by whoever makes
                      `fields` */
    uint8_t etag_len;
    bool has_last_modified;
    uint8_t sidecars_known;     /* codings (1 << coding) whose sidecar file was looked for, */
    uint8_t sidecars;           /* those of them whose sidecar exists, */
    uint64_t sidecars_until_ms; /* and until when both are believed, */
    uint32_t sidecars_told;     /* while *file_cache_told() is this. Set by http/sidecar.c */
    struct content_hash *content_hash; /* of its octets, or NULL (content_hash.h) */
    uint8_t
        delta; /* whether its head is that of a delta of its name: enum delta_state of delta.c */
    /* Of what was compressed here (compress_cache.h): meta is the file's, but for the size. */
    uint64_t file_size; /* the file's */
    uint64_t fields_of; /* serial of the file's entry for whose name `fields` were made */
    uint16_t recipe;    /* compressor_recipe(); 0: it is a file */
    /* Of a file, set by compress.c */
    bool compress_suits;         /* its media type is one that is compressed, */
    unsigned compress_asked;     /* at the location of this id + 1; 0: nobody has asked */
    uint64_t serial;             /* no other entry of the cache has or had it */
    struct file_content *shared; /* whose octets `content` is, where threads have them together;
                                    else NULL, and they are the entry's */
    struct file_look look;       /* when it was looked at, and until when it is believed */
    struct file_node node;       /* its name, and where it is among others */
    /* private to the cache (file_cache_internal.h) */
    struct file_cache *cache; /* whose it is, in its table or not */
    bool cached;              /* in the table and on a shelf */
    uint32_t counted;         /* octets of memory counted for it in STATS_CACHE_MEMORY */
    char path[];              /* of its name */
};

struct cache_notice;
struct file_cache;
struct shared_files;

enum {
    FILE_CACHE_SMALL_LEAST = 256, /* small files kept: as many as if each had so many octets */
    FILE_CACHE_SMALL_MOST = 1 << 22,
    FILE_CACHE_CLOSING_MAX = 32 /* descriptors that wait to be closed */
};

/* How many small files are kept where their contents have so many octets together. Pure. */
static inline size_t file_cache_small_max(uint64_t bytes_max)
{
    uint64_t count = bytes_max / FILE_CACHE_SMALL_LEAST;

    return count < FILE_CACHE_SMALL_MOST ? (size_t)count : (size_t)FILE_CACHE_SMALL_MOST;
}

/* An entry is believed for valid_ms, and let go after inactive_ms (at least a second) in which
 * nobody has asked for it. 0 or -ENOMEM. files_max 0: every store makes an entry that lives only as
 * long as its users. The caller owns the cache. */
int file_cache_create(uint32_t files_max, uint64_t bytes_max, uint32_t valid_ms,
                      uint32_t inactive_ms, struct file_cache **ret_cache);

/* What tells of changes says when an entry is no longer believed, in place of valid_ms: where all
 * of them would be told, and for FILE_NOTICE_TRUST_MS. Before the first question. Taken. */
void file_cache_set_notice(struct file_cache *cache, struct cache_notice *notice);

/* Other threads of the process ask for the same files: what one has found the others need not ask
 * the kernel for, and contents are there once (shared_files.h). Before the first question;
 * borrowed, and outlives the cache. */
void file_cache_set_shared(struct file_cache *cache, struct shared_files *shared);

/* Users' entries must have come back (checked). NULL is allowed. */
void file_cache_destroy(struct file_cache *cache);

/* The entry of `path` (relative to the root; empty: the root itself) when it is still believed,
 * with a reference for the caller; else NULL. Only what was opened under the same `symlinks` is
 * found: two locations may have one root and not the same rule for links. */
struct file_entry *file_cache_find(struct file_cache *cache, uint64_t root_id,
                                   enum file_symlinks symlinks, struct span path, uint64_t now_ms);

/* Makes `job` one that opens a path beneath the root `root_fd`, for file_cache_store(). `root_id`
 * names it, and no other root ever: entries are found by it. `path` is
 * NUL-terminated, "." for the root itself, and borrowed until then; a regular file of at most
 * `content_max` octets is to be read whole as well. */
void file_cache_ask(struct file_cache *cache, int root_fd, uint64_t root_id,
                    enum file_symlinks symlinks, const char *path, size_t content_max,
                    uint64_t now_ms, struct file_job *job);

/* Has a finished job found unchanged what the cache no longer has? It is to be asked for again. */
bool file_cache_has_lost(const struct file_cache *cache, const struct file_job *job);

/* Closes the descriptors that were needed to read small files; best when what was read has been
 * sent. */
void file_cache_close_some(struct file_cache *cache);

/* Takes the results of a finished job of file_cache_ask() (fd and content: the job no longer has
 * them) and returns the entry of its path, with a reference for the caller. That is what the job
 * found; or what another look found that has ended already, where that was asked for later, or was
 * still believed when this job was asked for, which had begun before it ended. Errors
 * that tell of this moment rather than of the file (EMFILE, ENFILE, ENOMEM, EIO, EINTR, EAGAIN ...)
 * are not kept. NULL when memory is short (the job is discarded). */
struct file_entry *file_cache_store(struct file_cache *cache, struct file_job *job,
                                    uint64_t now_ms);

/* An entry that is in no table, for `content` (malloc(3)ed, meta->size octets, taken), with a
 * reference for the caller; its file is another entry's. NULL: memory is short, and `content`
 * stays the caller's. */
struct file_entry *file_entry_make_content(struct file_cache *cache, const struct file_meta *meta,
                                           char *content);

/* Gives the entry other fields (malloc(3)ed, taken; NULL: none), and frees those that it has. */
void file_entry_set_fields(struct file_entry *entry, struct file_fields *fields);

/* What the entry tells has turned out to be untrue: it is found no more, and what was asked for
 * before it was known is not believed either. Its users still have it. */
void file_entry_forget(struct file_entry *entry);

/* Does the entry tell of a file that can be sent? Pure. */
static inline bool file_entry_is_file(const struct file_entry *entry)
{
    return entry->error == 0 && entry->meta.kind == FILE_REGULAR;
}

/* Would opening a file that gave `error` (0, or an errno) give the same a moment later? Everything
 * but what comes from a lack of something, or from a disturbance. Pure. */
bool file_error_is_lasting(int error);

/* Does the entry tell of this moment rather than of the file: an error that may be gone when it is
 * tried again? Pure. */
bool file_entry_is_passing(const struct file_entry *entry);

/* Is it the entry of this path? The arguments are those of file_cache_find(). Pure. */
bool file_entry_is(const struct file_entry *entry, uint64_t root_id, enum file_symlinks symlinks,
                   struct span path);

/* One more user. */
static inline struct file_entry *file_entry_ref(struct file_entry *entry)
{
    entry->refs++;
    return entry;
}

/* A user less; the last one closes and frees. */
void file_entry_unref(struct file_entry *entry);

/* Descriptors have run out: forgets up to `count` entries that nobody is using and that hold one,
 * those that would go next anyway first. Returns how many descriptors were closed. */
size_t file_cache_reclaim(struct file_cache *cache, size_t count);

/* Looks at up to `count` entries that have not been looked at for a while, and lets go of those
 * that nobody has used for so long, or whose file has been removed; whoever is sending one keeps
 * it until it is sent. When there will be more to do, on the scale of now_ms; UINT64_MAX: not
 * before another store. */
uint64_t file_cache_sweep(struct file_cache *cache, size_t count, uint64_t now_ms);

/* Where a number is that differs once any change has been told, of whatever file; 0 for ever, where
 * time alone tells. Lent for as long as the cache exists. */
const _Atomic uint32_t *file_cache_told(const struct file_cache *cache);

/* Figures for tests: entries kept, octets of contents kept (not those that only users still hold).
 */
size_t file_cache_files(const struct file_cache *cache);
uint64_t file_cache_bytes(const struct file_cache *cache);

/* Octets of memory that an entry takes, without malloc(3)'s own, and without contents that threads
 * share. Pure. */
size_t file_entry_memory(const struct file_entry *entry);

#endif
