/* test_file_cache_threads.c: threads ask for files that change all the time, each by a cache of its
 * own over what they know together. Nobody is told of an older version than his thread had told
 * somebody before he asked, nor of octets that are not the file's. */
#include "tests/unit/file_cache_fixture.h"

#include "http/shared_files.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    THREADS = 4,
    NAMES = 12,
    STEPS = 60000,
    UNDER_WAY = 8, /* looks of a thread that have begun and not ended */
    CHANGES = 4,   /* steps from one change of a file to the next */
};

static _Atomic uint64_t versions[NAMES];
static _Atomic uint64_t clock_ms;
static struct shared_files *shared;

struct look {
    bool begun, looked;
    unsigned name;
    uint64_t least;   /* the version that had been told when it was asked for */
    uint64_t version; /* that it sees */
    char path[16];
    struct file_job job;
};

struct thread {
    pthread_t id;
    unsigned seed;
    struct file_cache *cache;
    uint64_t told[NAMES];
    struct look looks[UNDER_WAY];
    const char *fault;
    unsigned hits, asked;
};

static unsigned draw(struct thread *t, unsigned below)
{
    return (unsigned)rand_r(&t->seed) % below;
}

/* Every version tells which it is: most are small, some are kept open, and some are missing. */
static void see(struct look *look)
{
    struct file_job *job = &look->job;
    struct file_meta meta = { .ino = look->name + 1, .mtime_s = (int64_t)look->version };

    job->res = look->version % 7 == 6 ? -ENOENT : 0;
    if (job->res < 0)
        return;
    meta.kind = FILE_REGULAR;
    meta.size = look->version % 5 == 4 ? 1000 : 16;
    job->meta = meta;
    job->unchanged = job->has_known && file_meta_same(&job->known, &meta);
    if (job->unchanged)
        return;
    job->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (meta.size > 16)
        return;
    job->content = malloc(17);
    if (job->content != NULL)
        snprintf(job->content, 17, "%04u:%011u", look->name, (unsigned)look->version);
}

/* An answer: is it the file's, and new enough? */
static void judge(struct thread *t, unsigned name, uint64_t least, struct file_entry *entry)
{
    char text[17];

    if (entry->error == 0) {
        uint64_t version = (uint64_t)entry->meta.mtime_s;

        snprintf(text, sizeof(text), "%04u:%011u", name, (unsigned)version);
        if (entry->meta.ino != name + 1 ||
            (entry->content != NULL ? memcmp(entry->content, text, 16) != 0 : entry->fd < 0))
            t->fault = "the answer is not the file's";
        if (version < least)
            t->fault = "the answer is older than one before it";
        if (t->told[name] < version)
            t->told[name] = version;
    }
    file_entry_unref(entry);
}

static void end_look(struct thread *t, struct look *look)
{
    look->begun = false;
    if (!look->looked) {
        look->version = atomic_load(&versions[look->name]);
        see(look);
    }
    if (file_cache_has_lost(t->cache, &look->job))
        return;
    judge(t, look->name, look->least,
          file_cache_store(t->cache, &look->job, atomic_load(&clock_ms)));
}

static void ask_for(struct thread *t, struct look *look, unsigned name)
{
    uint64_t now_ms = atomic_load(&clock_ms);
    struct file_entry *entry;

    snprintf(look->path, sizeof(look->path), "f%u", name);
    entry = find(t->cache, look->path, now_ms);
    t->hits += entry != NULL;
    t->asked++;
    if (entry != NULL) {
        judge(t, name, t->told[name], entry);
        return;
    }
    look->begun = true;
    look->looked = false;
    look->name = name;
    look->least = t->told[name];
    look->job = ask(t->cache, look->path, now_ms);
}

static void *run(void *context)
{
    struct thread *t = context;

    for (unsigned step = 0; step < STEPS && t->fault == NULL; step++) {
        struct look *look = &t->looks[draw(t, UNDER_WAY)];

        if (draw(t, CHANGES) == 0)
            atomic_fetch_add(&versions[draw(t, NAMES)], 1);
        if (draw(t, 100) == 0)
            atomic_fetch_add(&clock_ms, VALID_MS / 20);
        if (draw(t, 200) == 0)
            file_cache_sweep(t->cache, 10, atomic_load(&clock_ms));
        if (!look->begun) {
            ask_for(t, look, draw(t, NAMES));
        } else if (!look->looked && draw(t, 2) == 0) {
            look->looked = true;
            look->version = atomic_load(&versions[look->name]);
            see(look);
        } else {
            end_look(t, look);
        }
    }
    for (unsigned i = 0; i < UNDER_WAY; i++) {
        if (t->looks[i].begun && t->fault == NULL)
            end_look(t, &t->looks[i]);
    }
    return NULL;
}

static void run_threads(uint64_t bytes_max, uint32_t files_max)
{
    static struct thread threads[THREADS];
    const struct shared_files_options options = {
        .threads = THREADS,
        .names_max = 8,
        .bytes_max = bytes_max,
        .content_max = 16,
        .valid_ms = VALID_MS,
        .inactive_ms = 2 * VALID_MS,
    };
    unsigned hits = 0;

    memset(threads, 0, sizeof(threads));
    assert_int_equal(shared_files_create(&options, &shared), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i].seed = i + 1;
        threads[i].cache = make_cache(files_max, bytes_max / 2 / THREADS);
        file_cache_set_shared(threads[i].cache, shared);
        assert_int_equal(pthread_create(&threads[i].id, NULL, run, &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i].id, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        if (threads[i].fault != NULL)
            fail_msg("thread %u: %s", i, threads[i].fault);
        hits += threads[i].hits;
        file_cache_destroy(threads[i].cache);
    }
    assert_true(hits > THREADS * STEPS / 100);
    assert_int_equal(shared_files_bytes(shared) % 16, 0);
    shared_files_destroy(shared);
}

static void test_room_for_all(void **state)
{
    (void)state;
    run_threads((uint64_t)256 * NAMES, NAMES);
}

/* Both levels have room for some: what is known is dropped all the time. */
static void test_little_room(void **state)
{
    (void)state;
    run_threads(256, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_room_for_all),
        TEST(test_little_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
