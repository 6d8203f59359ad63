/* search.h: what the files of the search (static.h) share: static.c, search_path.c, search_check.c,
 * admission.c, sidecar.c, delta.c, compress.c, content_hash.c, directory.c. Nobody else includes
 * it. */
#ifndef HTTP_SEARCH_H
#define HTTP_SEARCH_H

#include "http/static.h"

struct template_url;

/* x->search.step. */
enum http_search_step {
    HTTP_SEARCH_REDIRECT,
    HTTP_SEARCH_ADMIT,
    HTTP_SEARCH_TRY,
    HTTP_SEARCH_DIRECTORY_REDIRECT,
    HTTP_SEARCH_INDEX,
    HTTP_SEARCH_LIST,
    HTTP_SEARCH_DELTA,
    HTTP_SEARCH_SIDECAR_PROBE,
    HTTP_SEARCH_SIDECAR,
    HTTP_SEARCH_COMPRESS,
    HTTP_SEARCH_DECOMPRESS,
    HTTP_SEARCH_NOT_FOUND,
    HTTP_SEARCH_RESPOND,
    HTTP_SEARCH_ERROR,
    HTTP_SEARCH_ERROR_FILE,
    HTTP_SEARCH_RESPOND_ERROR,
    HTTP_SEARCH_REPORT,
    HTTP_SEARCH_LIMIT,
    HTTP_SEARCH_RETURN,
    HTTP_SEARCH_SITE_RULE,
    HTTP_SEARCH_CLEAN_URL,
    HTTP_SEARCH_MAINTENANCE,
};

/* What most servers never come to is not to make the search of all others longer: inlined, it costs
 * each request 1 %. */
#define HTTP_SEARCH_RARE __attribute__((noinline))

/* The status for an errno of opening a file: one switch for the whole server. */
int http_search_status(int error);

/* The entry of `path` beneath the location's root, with a reference; NULL: a job is wanted first,
 * and the step is run again after it. `path` may lie in x->path. */
struct file_entry *http_search_look_up(struct http_exchange *x, struct span path);

/* Wants a look at the file of `entry`. True: it has changed too often to be looked at once more. */
bool http_search_want_check(struct http_exchange *x, const struct file_entry *entry);

/* Is what is to be sent still what was found? What lies in memory is sent as it was found. A longer
 * body is read from the file as it is sent, so what an answer says of it, be it a 304, is said of
 * the file as it is at this moment. False: a look at it is wanted first. */
static inline bool http_search_is_checked(struct http_exchange *x, const struct file_entry *entry)
{
    return x->search.checked || entry->content != NULL || entry->fd < 0 ||
           http_search_want_check(x, entry);
}

/* That look has ended: if the file has changed, the step that found it is gone back to. */
void http_search_check_done(struct http_exchange *x);

/* Puts `entry`, whose reference is taken (NULL: none), in the place of another one, whose reference
 * goes back. */
void http_search_set(struct file_entry **place, struct file_entry *entry);

/* The path beneath the root that `uri` names at the location, without slashes at the ends. False:
 * it names none there. */
bool http_search_map_path(const struct location *location, struct span uri, struct span *ret_name);

/* Is the file of that name beneath the root one that is read by the server, and served to nobody?
 */
bool http_search_is_withheld(const struct location *location, struct span name);

/* Does a segment begin with '.'? /.well-known/ (RFC 8615) is no such. */
bool http_search_is_hidden(struct span uri);

/* x->search.uri becomes what `template`, of `try`, is for this request, in x->try_text. False: it
 * is no path, or longer than one may be. */
bool http_search_expand(struct http_exchange *x, const struct template *template);

/* Likewise, the path of an error page. */
bool http_search_error_page(struct http_exchange *x, const struct error_page *page);

/* Answers with 301 to a path no longer than that of the request, with a '/' behind it where
 * `slash`, and the request's query. DONE, or ROOM. */
enum http_static_result http_search_redirect_path(struct http_exchange *x, struct span path,
                                                  bool slash);

/* Answers with the status and a URL that is complete. DONE, or ROOM: also where it was too long. */
enum http_static_result http_search_redirect_url(struct http_exchange *x, int status,
                                                 const struct template_url *url);

/* Takes the delta of the file from the dictionary that the client has, where it takes one, and
 * there is one. */
enum http_static_result http_delta_choose(struct http_exchange *x) HTTP_SEARCH_RARE;

/* Lets go of a look at the head of a delta. Idempotent. */
void http_delta_drop(struct http_exchange *x) HTTP_SEARCH_RARE;

static inline void http_delta_end(struct http_exchange *x)
{
    if (x->search.delta_probe != NULL)
        http_delta_drop(x);
}

/* Finds out which sidecars exist: Vary is due on every form of a resource that has some, whatever
 * this request accepts. What other requests find out meanwhile is welcome. */
enum http_static_result http_sidecar_probe(struct http_exchange *x);

/* Takes the best sidecar that the client accepts, if one is better than the file itself, or the
 * file itself is not there. */
enum http_static_result http_sidecar_choose(struct http_exchange *x);

/* Where the search goes on once no limit is in the way. */
static inline uint8_t http_search_admitted_step(const struct location *location)
{
    return location->admission != NULL ? HTTP_SEARCH_ADMIT : HTTP_SEARCH_TRY;
}

/* Judges whether the client may have what lies at the location, before anything is looked for. */
enum http_static_result http_admission_judge(struct http_exchange *x) HTTP_SEARCH_RARE;

/* Lets go of a password that is looked at. Idempotent. */
void http_admission_drop(struct http_exchange *x) HTTP_SEARCH_RARE;

static inline void http_admission_end(struct http_exchange *x)
{
    if (x->search.verification != NULL)
        http_admission_drop(x);
}

/* Takes what `compress` has made of the file, in the coding that the client likes best, or has it
 * made. */
enum http_static_result http_compress_choose(struct http_exchange *x) HTTP_SEARCH_RARE;

/* Wants the next slice of s->compression. */
enum http_static_result http_compress_want_slice(struct http_exchange *x) HTTP_SEARCH_RARE;

/* The file itself is not there, and the client takes none of its sidecars: sends what one of them
 * holds, or has it decompressed first. */
enum http_static_result http_decompress_choose(struct http_exchange *x) HTTP_SEARCH_RARE;

/* Is one of the sidecars that were found one that can be decompressed? */
bool http_decompress_can(const struct http_exchange *x) HTTP_SEARCH_RARE;

/* The sidecar's path: s->name and the coding's suffix, in x->path. */
struct span http_sidecar_path(struct http_exchange *x, enum coding coding);

/* Just before s->made is sent, which was made of `file`: the fields that are kept with it are of
 * s->entry's name, or of none. */
void http_compress_fit_fields(struct http_exchange *x,
                              const struct file_entry *file) HTTP_SEARCH_RARE;

/* Lets go of what http_compress_choose() holds. Idempotent. */
void http_compress_drop(struct http_exchange *x) HTTP_SEARCH_RARE;

static inline void http_compress_end(struct http_exchange *x)
{
    if (x->search.made != NULL || x->search.compression != NULL)
        http_compress_drop(x);
}

/* Is the file's hash to be made before it is answered with? False also where it was tried in vain.
 */
bool http_content_hash_is_due(const struct http_exchange *x,
                              const struct file_entry *file) HTTP_SEARCH_RARE;

/* Takes a slice's result, or wants the next. NEXT, or ROOM: earlier answers go first. */
enum http_static_result http_content_hash_step(struct http_exchange *x,
                                               struct file_entry *file) HTTP_SEARCH_RARE;

/* What was made of `file` is tagged by its hash, too. */
void http_content_hash_pass(const struct file_entry *file, struct file_entry *made);

/* Lets go of a hash that is waited for. Idempotent. */
void http_content_hash_drop(struct http_exchange *x) HTTP_SEARCH_RARE;

static inline void http_content_hash_end(struct http_exchange *x)
{
    if (x->search.hashing != NULL)
        http_content_hash_drop(x);
}

/* Counts the request where its location limits requests (limit.h): it is refused, waits, or goes on
 * with TRY; once all before it is sent, where answers are to be paced (pace.h). */
enum http_static_result http_limit_step(struct http_exchange *x) HTTP_SEARCH_RARE;
/* Answers with an archive of the directory that x->search.listing is about, in place of a listing:
 * has it walked, and then sends it. */
enum http_static_result http_archive_begin(struct http_exchange *x) HTTP_SEARCH_RARE;
enum http_static_result http_archive_done(struct http_exchange *x) HTTP_SEARCH_RARE;

/* The listing or archive at hand takes so many octets now: is that, with all others, more than
 * listing_memory? Then the error log is told, now and then. */
bool http_listing_is_too_much(struct http_exchange *x, size_t size) HTTP_SEARCH_RARE;

/* Lists the directory that x->search.uri names. */
enum http_static_result http_directory_list(struct http_exchange *x);

#endif
