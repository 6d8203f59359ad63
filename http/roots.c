/* roots.c: which directory each configured root is now. See roots.h. */
#include "http/roots.h"

#include "core/check.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/safe_open.h"
#include "http/shared_files.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TOLD_MS = 600000, /* a root that comes and goes is complained about so often at most */
    USED_MS =
        1000, /* kept for so long after its last use, or for cache_valid where that is longer */
    EARLY_PART = 8, /* of the time that it is believed: somebody looks so long before the end, */
    EARLY_MS = 250, /* or so long, where that is less */
    DOUBTS_MAX = 16 /* a millisecond: who asks for what is not there cannot have a site do nothing
                       but look its root up */
};

#define HTTP_ROOTS_MAGIC 0x4007700fu
#define HTTP_ROOT_MAGIC  0x40077001u

/* What is known of one configured root. */
struct slot {
    struct http_root *now;      /* a reference, or NULL: not known, or let go */
    uint64_t generation;        /* of the newest question that was answered */
    uint64_t known_at;          /* the newest generation when the last answer came that was taken */
    struct file_notice_way way; /* before the newest question was asked */
    uint64_t way_of;            /* its generation */
    bool doubtful;              /* something newer may have been sent: `now` is not believed */
    int error;                  /* errno of that answer; 0: a directory */
    bool found;                 /* a look has found a directory: the start's may be an old one */
    struct file_root_id last;   /* the directory that was let go last, and its id (0: none was) */
    uint64_t last_id;
};

struct http_roots {
    unsigned magic;
    const struct config *config;
    struct shared_files *shared; /* NULL: no other thread names the same directories */
    uint64_t ids;                /* given out so far, without it */
    uint64_t generation;         /* of the newest job */
    size_t live;                 /* http_root in existence */
    struct list held;            /* those that may be let go, the next one first */
    struct slot slots[];         /* one a configured root */
};

uint32_t http_roots_valid_ms(const struct config *config)
{
    return config->cache_valid_ms == CONFIG_NOTIFY ? CONFIG_NOTIFY_VALID_MS
                                                   : config->cache_valid_ms;
}

int http_roots_create(const struct config *config, struct shared_files *shared,
                      struct http_roots **ret_roots)
{
    struct http_roots *roots =
        calloc(1, sizeof(*roots) + config->roots_count * sizeof(roots->slots[0]));

    if (roots == NULL)
        return -ENOMEM;
    roots->magic = HTTP_ROOTS_MAGIC;
    roots->config = config;
    roots->shared = shared;
    list_init(&roots->held);
    *ret_roots = roots;
    return 0;
}

static inline struct slot *slot_of(struct http_roots *roots, struct root *configured)
{
    size_t i = (size_t)(configured - roots->config->roots);

    CHECK_OBJ(roots, HTTP_ROOTS_MAGIC);
    CHECK(i < roots->config->roots_count);
    return &roots->slots[i];
}

void http_root_unref(struct http_root *root)
{
    CHECK_OBJ(root, HTTP_ROOT_MAGIC);
    CHECK(root->refs > 0);
    if (--root->refs > 0)
        return;
    CHECK(list_empty(&root->held));
    CHECK_OBJ(root->roots, HTTP_ROOTS_MAGIC);
    root->roots->live--;
    root->magic = 0;
    if (!root->borrowed)
        close(root->fd);
    free(root);
}

static struct http_root *ref(struct http_root *root)
{
    CHECK_OBJ(root, HTTP_ROOT_MAGIC);
    root->refs++;
    return root;
}

static void let_go(struct slot *slot)
{
    struct http_root *root = slot->now;

    if (root == NULL)
        return;
    if (!root->borrowed) {
        slot->last = root->which;
        slot->last_id = root->id;
    }
    slot->now = NULL;
    list_remove(&root->held);
    http_root_unref(root);
}

void http_roots_destroy(struct http_roots *roots)
{
    if (roots == NULL)
        return;
    CHECK_OBJ(roots, HTTP_ROOTS_MAGIC);
    for (size_t i = 0; i < roots->config->roots_count; i++)
        let_go(&roots->slots[i]);
    CHECK(roots->live == 0);
    roots->magic = 0;
    free(roots);
}

/* Has something changed on the way to it? */
static inline bool is_told(struct http_root *root)
{
    return root->way.is_set &&
           !file_notice_way_holds(file_notice_counters(root->roots->config->notice), &root->way);
}

/* Its time to be looked up has come: is it for the present caller to do? Not any more where another
 * does, as long as it is believed. */
static bool take_due(struct http_root *root, uint64_t now_ms)
{
    bool first = root->look_ms < root->fresh_until_ms;

    root->look_ms = root->fresh_until_ms;
    return first || now_ms >= root->fresh_until_ms;
}

struct http_root *http_roots_find(struct http_roots *roots, struct root *configured,
                                  uint64_t now_ms)
{
    struct http_root *root = slot_of(roots, configured)->now;

    if (root == NULL || is_told(root))
        return NULL;
    if (now_ms >= root->look_ms && take_due(root, now_ms))
        return NULL;
    root->used_ms = now_ms;
    return ref(root);
}

bool http_root_doubt(struct http_root *root, uint64_t now_ms)
{
    CHECK_OBJ(root, HTTP_ROOT_MAGIC);
    if (root->doubted_ms != now_ms) {
        root->doubted_ms = now_ms;
        root->doubts = 0;
    }
    return now_ms > root->asked_ms && root->doubts++ < DOUBTS_MAX;
}

void http_roots_ask(struct http_roots *roots, struct root *configured, uint64_t now_ms,
                    struct file_job *job)
{
    CHECK_OBJ(roots, HTTP_ROOTS_MAGIC);
    file_job_init_root(job, configured->path, roots->config->roots_guarded);
    job->configured = configured;
    job->remote = configured->remote;
    job->generation = ++roots->generation;
    job->asked_ms = now_ms;
    if (roots->config->notice != NULL) {
        struct slot *slot = slot_of(roots, configured);

        file_notice_way(roots->config->notice, configured->path, &slot->way);
        slot->way_of = job->generation;
    }
}

/* The number of the directory `which`, which the configured root leads to: the one that it had
 * before, where it is known to be the same. */
static uint64_t number_of(struct http_roots *roots, struct root *configured,
                          const struct file_root_id *which)
{
    const struct slot *slot = slot_of(roots, configured);

    if (roots->shared != NULL)
        return shared_files_root_id(roots->shared, (size_t)(slot - roots->slots), which);
    if (slot->now == NULL && slot->last_id != 0 && file_root_same(&slot->last, which))
        return slot->last_id;
    return ++roots->ids;
}

/* A directory with one reference. NULL: memory is short. */
static struct http_root *make(struct http_roots *roots, struct root *configured, int fd,
                              const struct file_root_id *which, bool borrowed)
{
    struct http_root *root = calloc(1, sizeof(*root));

    if (root == NULL)
        return NULL;
    *root = (struct http_root){ .magic = HTTP_ROOT_MAGIC,
                                .fd = fd,
                                .id = number_of(roots, configured, which),
                                .which = *which,
                                .configured = configured,
                                .roots = roots,
                                .refs = 1,
                                .borrowed = borrowed };
    list_init(&root->held);
    roots->live++;
    return root;
}

/* When the root may be let go. Not as soon as it is no longer believed: the next request of a busy
 * site may find that it cannot be looked up. */
static uint64_t let_go_ms(const struct http_root *root)
{
    uint32_t valid_ms = http_roots_valid_ms(root->roots->config);

    return root->used_ms + (valid_ms > USED_MS ? valid_ms : USED_MS);
}

/* Had the look begun before the last answer was taken? Then nobody can tell which of the two was
 * the later one, whichever was asked for first. */
static bool overlaps(const struct slot *slot, const struct file_job *job)
{
    return job->generation <= slot->known_at;
}

/* What the look has found is taken, and differs from what was known. What had begun before is in
 * doubt from now on, and this itself, if it had begun before the last one was taken. */
static void take(struct http_roots *roots, struct slot *slot, const struct file_job *job)
{
    slot->doubtful = overlaps(slot, job);
    slot->known_at = roots->generation;
}

/* How long it is believed, if the way to it is watched or not. */
static uint32_t valid_ms(const struct http_root *root, bool soon)
{
    uint32_t ms = http_roots_valid_ms(root->roots->config);

    if (root->way.is_set)
        return FILE_NOTICE_TRUST_MS;
    return soon && ms > FILE_NOTICE_SOON_MS ? (uint32_t)FILE_NOTICE_SOON_MS : ms;
}

/* Believed for `cache_valid` from the question on, or until something is told, unless in doubt; let
 * go afterwards, unless `kept`. */
static void renew(struct http_root *root, const struct file_job *job, bool kept)
{
    struct http_roots *roots = root->roots;
    const struct slot *slot = slot_of(roots, root->configured);

    root->way = slot->way;
    bool is_own = !kept && slot->way_of == job->generation;
    root->way.is_set = is_own && slot->way.is_set;
    uint32_t ms = valid_ms(root, is_own && slot->way.soon);
    root->fresh_until_ms = slot->doubtful ? 0 : job->asked_ms + ms;
    uint32_t early_ms = ms / EARLY_PART < EARLY_MS ? ms / EARLY_PART : EARLY_MS;
    root->look_ms = slot->doubtful ? 0 : root->fresh_until_ms - early_ms;
    if (root->asked_ms < job->asked_ms)
        root->asked_ms = job->asked_ms;
    if (root->used_ms < job->asked_ms)
        root->used_ms = job->asked_ms;
    root->check_ms = let_go_ms(root);
    list_remove(&root->held);
    if (!kept && !root->borrowed)
        list_push_back(&roots->held, &root->held);
}

/* The look tells nothing else than what was known. */
static void confirm(struct http_roots *roots, struct slot *slot, const struct file_job *job)
{
    if (slot->doubtful && overlaps(slot, job))
        return;
    slot->doubtful = false;
    slot->known_at = roots->generation;
}

/* The job has found a directory. NULL: memory is short, and the job is discarded. */
static struct http_root *found(struct http_roots *roots, struct slot *slot, struct file_job *job)
{
    struct http_root *root = slot->now;

    /* The inode of the one before is held, so that its number is nobody else's. */
    if (root != NULL && !root->borrowed && file_root_same(&root->which, &job->found)) {
        file_job_discard(job);
        confirm(roots, slot, job);
        renew(root, job, false);
        return ref(root);
    }
    root = make(roots, job->configured, job->fd, &job->found, false);
    if (root == NULL) {
        file_job_discard(job);
        return NULL;
    }
    job->fd = -1;
    job->configured->remote = job->found.remote;
    take(roots, slot, job);
    if (job->generation < slot->generation)
        return root; /* for who has asked so early, and nobody else */
    let_go(slot);
    slot->now = root;
    slot->found = true;
    renew(root, job, false);
    return ref(root);
}

/* Is nothing there, or nothing that can be a root, for anybody? */
static bool is_gone(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
}

/* Says once why a root is kept; threads share what was said. */
static void tell(struct root *configured, const struct file_job *job, bool kept)
{
    uint64_t never = 0;

    if (!atomic_compare_exchange_strong(&configured->told_ms, &never, job->asked_ms))
        return;
    log_error("root %s cannot be looked up again: %s; %s", configured->path,
              safe_open_text(job->res, job->what),
              kept ? "what it was before is served until it can" : "its requests are refused");
}

/* The path can be looked up: should that change, it is news again. */
static void forget_told(const struct file_job *job)
{
    _Atomic uint64_t *told_ms = &job->configured->told_ms;
    uint64_t last_ms = atomic_load(told_ms);

    if (last_ms != 0 && job->asked_ms > last_ms + TOLD_MS)
        atomic_store(told_ms, 0);
}

/* The path cannot be looked up now. What it was before stays, if that is held; NULL: it is not. */
static struct http_root *keep(struct http_roots *roots, struct slot *slot, struct file_job *job)
{
    struct root *configured = job->configured;

    if (slot->now == NULL && !slot->found && configured->fd >= 0)
        slot->now = make(roots, configured, configured->fd, &(struct file_root_id){ 0 }, true);
    tell(configured, job, slot->now != NULL);
    if (slot->now == NULL)
        return NULL;
    confirm(roots, slot, job);
    renew(slot->now, job, true);
    return ref(slot->now);
}

/* Is what the look has found of no use beside what is known? That was asked for later; or it is
 * another directory that was still believed when the look was asked for, which had begun before it
 * was known: it is as new as all that was sent before that. */
static bool is_outdone(const struct slot *slot, const struct file_job *job)
{
    struct http_root *now = slot->now;

    if (job->generation < slot->generation)
        return now != NULL || slot->error != 0;
    return now != NULL && overlaps(slot, job) && job->asked_ms < now->fresh_until_ms &&
           !is_told(now) &&
           (job->res == 0 ? now->borrowed || !file_root_same(&now->which, &job->found)
                          : is_gone(-job->res));
}

struct http_root *http_roots_store(struct http_roots *roots, struct file_job *job, int *ret_error)
{
    struct slot *slot = slot_of(roots, job->configured);
    struct http_root *root;

    CHECK_OBJ(job, FILE_JOB_MAGIC);
    CHECK(job->kind == FILE_JOB_ROOT && job->res <= 0 && job->res != -EINPROGRESS);
    CHECK(job->generation > 0 && job->generation <= roots->generation);
    if (is_outdone(slot, job)) {
        file_job_discard(job);
        *ret_error = slot->error;
        return slot->now != NULL ? ref(slot->now) : NULL;
    }
    if (slot->generation < job->generation) {
        slot->generation = job->generation;
        slot->error = -job->res;
    }
    if (job->res == 0) {
        forget_told(job);
        root = found(roots, slot, job);
        if (root == NULL)
            log_fault("no memory for a root; the answer is 503", ENOMEM);
        *ret_error = ENOMEM;
    } else if (is_gone(-job->res)) {
        take(roots, slot, job);
        let_go(slot);
        root = NULL;
        *ret_error = -job->res;
    } else {
        root = keep(roots, slot, job);
        *ret_error = -job->res;
    }
    return root;
}

uint64_t http_roots_sweep(struct http_roots *roots, size_t count, uint64_t now_ms)
{
    CHECK_OBJ(roots, HTTP_ROOTS_MAGIC);
    while (!list_empty(&roots->held)) {
        struct http_root *root = container_of(roots->held.next, struct http_root, held);

        if (count-- == 0 || now_ms < root->check_ms)
            return root->check_ms;
        root->check_ms = let_go_ms(root);
        if (now_ms >= root->check_ms) {
            let_go(slot_of(roots, root->configured));
        } else {
            list_remove(&root->held);
            list_push_back(&roots->held, &root->held);
        }
    }
    return UINT64_MAX;
}

size_t http_roots_reclaim(struct http_roots *roots, size_t count)
{
    struct list *at = roots->held.next;
    size_t closed = 0;

    CHECK_OBJ(roots, HTTP_ROOTS_MAGIC);
    while (closed < count && at != &roots->held) {
        struct http_root *root = container_of(at, struct http_root, held);

        at = at->next;
        if (root->refs > 1)
            continue;
        let_go(slot_of(roots, root->configured));
        closed++;
    }
    return closed;
}
