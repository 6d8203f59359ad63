/* dictionary.c: see dictionary.h. One file is read, compared and compressed at a time. */
#include "process/dictionary.h"

#include "core/check.h"
#include "core/delta_make.h"
#include "core/digest.h"
#include "process/dictionary_files.h"
#include "process/dictionary_names.h"
#include "process/refuse.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define USAGE "usage: gearshift dictionary [--coding dcz|dcb] OLD NEW"

enum {
    DEPTH_MAX = 64, /* folders beneath each other */
    OLD_MAX = 4     /* former versions of a file that deltas are made from, the newest */
};

static_assert((int)DIGEST_SHA256_SIZE == (int)DELTA_HASH_SIZE, "a dictionary's hash");

struct run {
    const char *old_path, *new_path;
    unsigned formats; /* bits 1 << enum delta_format */
    unsigned written, present, useless, alone, failed;
};

/* A file that was read. */
struct version {
    const char *path; /* to say it */
    struct stat st;
    struct span content; /* owned */
    uint8_t hash[DELTA_HASH_SIZE];
};

static void fail(struct run *run, const char *path, int error)
{
    run->failed++;
    refuse(STATUS_RUNTIME, "%s: %s", path,
           error == -ESTALE  ? "it was written to meanwhile; call it again"
           : error == -EFBIG ? "it has more than 128 MiB, for which clients keep no dictionary"
                             : strerror(-error));
}

/* "dir/name", or "name" where there is no folder. Cut at `size`. */
static void join(char *text, size_t size, const char *folder, const char *name)
{
    snprintf(text, size, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);
}

static void version_free(struct version *version)
{
    free((char *)(uintptr_t)version->content.ptr);
    version->content = span_make(NULL, 0);
}

/* Reads a regular file, whose descriptor is taken. */
static int version_read(int fd, const struct stat *st, const char *path,
                        struct version *ret_version)
{
    int res = !S_ISREG(st->st_mode) ? -EINVAL : st->st_size > DELTA_FILE_MAX ? -EFBIG : 0;

    *ret_version = (struct version){ .path = path, .st = *st };
    if (res == 0)
        res = dictionary_read(fd, (size_t)st->st_size, &ret_version->content);
    close(fd);
    if (res == 0)
        digest_sha256(&ret_version->content, 1, ret_version->hash);
    return res;
}

static int version_open(int folder_fd, const char *name, const char *path,
                        struct version *ret_version)
{
    struct stat st;
    int fd = dictionary_open(folder_fd, name, &st);

    return fd < 0 ? fd : version_read(fd, &st, path, ret_version);
}

/* Does the folder have a delta of this name already, made of a file of this mtime? */
static bool is_made(int folder_fd, const char *name, const struct version *next,
                    enum delta_format format, const uint8_t *hash)
{
    uint8_t head[DELTA_HEAD_MAX];
    struct stat st;
    ssize_t n;
    int fd = dictionary_open(folder_fd, name, &st);

    if (fd < 0)
        return false;
    n = S_ISREG(st.st_mode) ? read(fd, head, sizeof(head)) : -1;
    close(fd);
    return n > 0 && st.st_mtim.tv_sec == next->st.st_mtim.tv_sec &&
           st.st_mtim.tv_nsec == next->st.st_mtim.tv_nsec &&
           delta_head_is(format, hash, head, (size_t)n, (uint64_t)st.st_size);
}

/* Makes one delta, and puts it into the folder if it is worth it: a tenth less than without the
 * dictionary; else one of a file that was there before is removed. 0, or -errno. */
static int make_delta(struct run *run, int folder_fd, const char *name, const struct version *old,
                      const struct version *next, const struct delta_maker *maker)
{
    uint8_t head[DELTA_HEAD_MAX];
    size_t head_len = delta_head_put(maker->format, old->hash, head), len = 0, alone_len = 0;
    char *octets = NULL, *alone = NULL;
    int res = maker->make(old->content, next->content, &octets, &len);

    if (res == 0)
        res = maker->make(span_make("", 0), next->content, &alone, &alone_len);
    free(alone);
    if (res == 0 && head_len + len > alone_len - alone_len / 10) {
        run->useless++;
        res = dictionary_remove(folder_fd, name);
        printf("%s: no %.*s from %s: %zu bytes, and %zu without it\n", next->path,
               (int)delta_format_name(maker->format).len, delta_format_name(maker->format).ptr,
               old->path, head_len + len, alone_len);
    } else if (res == 0) {
        const struct span pieces[] = { span_make((char *)head, head_len), span_make(octets, len) };

        res = dictionary_write(folder_fd, name, &next->st, pieces, ARRAY_LEN(pieces));
        run->written += res == 0;
        if (res == 0)
            printf("%s: %.*s from %s: %zu bytes, and %zu without it\n", next->path,
                   (int)delta_format_name(maker->format).len, delta_format_name(maker->format).ptr,
                   old->path, head_len + len, alone_len);
    }
    free(octets);
    return res;
}

/* All deltas of `next`, in the folder, from `old`. */
static void make_deltas(struct run *run, int folder_fd, const char *new_name,
                        const struct version *old, const struct version *next)
{
    if (memcmp(old->hash, next->hash, sizeof(old->hash)) == 0 || old->content.len == 0 ||
        next->content.len == 0)
        return;
    for (unsigned format = 0; format < DELTA_FORMATS; format++) {
        char name[NAME_MAX + 1], suffix[DELTA_SUFFIX_LEN];
        int res = 0;

        if ((run->formats & 1u << format) == 0)
            continue;
        delta_suffix_put((enum delta_format)format, old->hash, suffix);
        if (snprintf(name, sizeof(name), "%s%.*s", new_name, DELTA_SUFFIX_LEN, suffix) > NAME_MAX)
            res = -ENAMETOOLONG;
        else if (is_made(folder_fd, name, next, (enum delta_format)format, old->hash))
            run->present++;
        else
            res = make_delta(run, folder_fd, name, old, next,
                             delta_maker_find((enum delta_format)format));
        if (res < 0)
            fail(run, next->path, res);
    }
}

/* The former versions of a file, the newest first: indices into the folder's names. */
static size_t find_old(const struct dictionary_folder *folder, const char *new_name,
                       size_t ret_found[OLD_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < folder->count; i++) {
        size_t place = count;

        if (folder->names[i].is_folder || !dictionary_names_match(folder->names[i].name, new_name))
            continue;
        while (place > 0 && folder->names[ret_found[place - 1]].mtime_s < folder->names[i].mtime_s)
            place--;
        if (place == OLD_MAX)
            continue;
        count += count < OLD_MAX;
        for (size_t j = count - 1; j > place; j--)
            ret_found[j] = ret_found[j - 1];
        ret_found[place] = i;
    }
    return count;
}

/* A file of the new folder; `beneath`: both folders' path beneath those that were named. */
static void run_file(struct run *run, const struct dictionary_folder *olds,
                     const struct dictionary_folder *news, const char *name, const char *beneath)
{
    char old_path[PATH_MAX], new_path[PATH_MAX];
    size_t found[OLD_MAX], count = find_old(olds, name, found);
    struct version next = { 0 };
    int res;

    join(new_path, sizeof(new_path), beneath, name);
    if (count == 0) {
        run->alone++;
        return;
    }
    res = version_open(news->fd, name, new_path, &next);
    if (res < 0)
        fail(run, new_path, res);
    for (size_t i = 0; res == 0 && i < count; i++) {
        const char *old_name = olds->names[found[i]].name;
        struct version old = { 0 };
        int failed;

        join(old_path, sizeof(old_path), beneath, old_name);
        failed = version_open(olds->fd, old_name, old_path, &old);
        if (failed < 0)
            fail(run, old_path, failed);
        else
            make_deltas(run, news->fd, name, &old, &next);
        version_free(&old);
    }
    version_free(&next);
}

static void run_folders(struct run *run, int old_fd, int new_fd, const char *beneath, int depth);

/* Those beneath; both have to have it. */
static void run_folder(struct run *run, const struct dictionary_folder *olds,
                       const struct dictionary_folder *news, const char *name, const char *beneath,
                       int depth)
{
    char path[PATH_MAX];
    struct stat st;
    int old_fd = dictionary_open(olds->fd, name, &st), new_fd = -1;

    join(path, sizeof(path), beneath, name);
    if (old_fd >= 0 && S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
        new_fd = dictionary_open(news->fd, name, &st);
    if (new_fd >= 0 && S_ISDIR(st.st_mode)) {
        run_folders(run, old_fd, new_fd, path, depth + 1);
        return;
    }
    if (old_fd >= 0)
        close(old_fd);
    if (new_fd >= 0)
        close(new_fd);
}

/* Takes both descriptors. */
static void run_folders(struct run *run, int old_fd, int new_fd, const char *beneath, int depth)
{
    struct dictionary_folder olds, news;
    int res = dictionary_folder_read(old_fd, &olds);

    if (res < 0) {
        fail(run, beneath[0] != '\0' ? beneath : run->old_path, res);
        close(new_fd);
        return;
    }
    res = dictionary_folder_read(new_fd, &news);
    if (res < 0) {
        fail(run, beneath[0] != '\0' ? beneath : run->new_path, res);
        dictionary_folder_free(&olds);
        return;
    }
    for (size_t i = 0; i < news.count; i++) {
        if (news.names[i].is_folder)
            run_folder(run, &olds, &news, news.names[i].name, beneath, depth);
        else if (dictionary_name_suits(news.names[i].name))
            run_file(run, &olds, &news, news.names[i].name, beneath);
    }
    dictionary_folder_free(&olds);
    dictionary_folder_free(&news);
}

/* Two files; takes both descriptors. The delta goes into the folder of the second. */
static void run_files(struct run *run, int old_fd, const struct stat *old_st, int new_fd,
                      const struct stat *new_st)
{
    const char *slash = strrchr(run->new_path, '/');
    const char *name = slash != NULL ? slash + 1 : run->new_path;
    char *folder = slash == NULL ? strdup(".")
                   : slash == run->new_path
                       ? strdup("/")
                       : strndup(run->new_path, (size_t)(slash - run->new_path));
    struct version old = { 0 }, next = { 0 };
    struct stat st;
    int folder_fd = folder != NULL ? dictionary_open(AT_FDCWD, folder, &st) : -ENOMEM;
    int res = version_read(old_fd, old_st, run->old_path, &old);

    if (res < 0)
        fail(run, run->old_path, res);
    res = version_read(new_fd, new_st, run->new_path, &next);
    if (res < 0 || folder_fd < 0)
        fail(run, run->new_path, res < 0 ? res : folder_fd);
    if (run->failed == 0 && memcmp(old.hash, next.hash, sizeof(old.hash)) == 0)
        printf("%s: it is the same as %s\n", run->new_path, run->old_path);
    else if (run->failed == 0)
        make_deltas(run, folder_fd, name, &old, &next);
    version_free(&old);
    version_free(&next);
    if (folder_fd >= 0)
        close(folder_fd);
    free(folder);
}

/* The formats that are asked for: all that this build can make, or one. */
static int read_formats(struct run *run, const char *coding)
{
    for (unsigned format = 0; format < DELTA_FORMATS; format++) {
        bool can = delta_maker_find((enum delta_format)format) != NULL;
        bool named = coding != NULL &&
                     span_eq(span_str(coding), delta_format_name((enum delta_format)format));

        if (named && !can)
            return refuse(STATUS_USAGE, "this build cannot make %s: %s", coding,
                          delta_maker_missing((enum delta_format)format));
        if (can && (named || coding == NULL))
            run->formats |= 1u << format;
    }
    if (run->formats == 0 && coding != NULL)
        return refuse(STATUS_USAGE, "'%s' is no coding with a dictionary; those are dcz and dcb",
                      coding);
    if (run->formats == 0)
        return refuse(STATUS_USAGE, "this build cannot make deltas: %s",
                      delta_maker_missing(DELTA_DCZ));
    return STATUS_OK;
}

static int read_arguments(int argc, char **argv, struct run *run)
{
    const char *coding = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--coding") == 0 && i + 1 < argc)
            coding = argv[++i];
        else if (argv[i][0] == '-' || run->new_path != NULL)
            return refuse(STATUS_USAGE, "'%s' is not understood; " USAGE, argv[i]);
        else if (run->old_path == NULL)
            run->old_path = argv[i];
        else
            run->new_path = argv[i];
    }
    if (run->new_path == NULL)
        return refuse(STATUS_USAGE, USAGE);
    return read_formats(run, coding);
}

/* What came of it, where there is more than a file to tell of. */
static void print_sum(const struct run *run)
{
    printf("%u deltas made, %u were there, %u were not worth it; %u files have no former version\n",
           run->written, run->present, run->useless, run->alone);
}

int dictionary(int argc, char **argv)
{
    struct run run = { 0 };
    struct stat old_st, new_st;
    int status = read_arguments(argc, argv, &run), old_fd, new_fd;

    if (status != STATUS_OK)
        return status;
    old_fd = dictionary_open(AT_FDCWD, run.old_path, &old_st);
    if (old_fd < 0)
        return refuse(STATUS_RUNTIME, "%s: %s", run.old_path, strerror(-old_fd));
    new_fd = dictionary_open(AT_FDCWD, run.new_path, &new_st);
    if (new_fd < 0) {
        close(old_fd);
        return refuse(STATUS_RUNTIME, "%s: %s", run.new_path, strerror(-new_fd));
    }
    if (S_ISDIR(old_st.st_mode) != S_ISDIR(new_st.st_mode) ||
        (old_st.st_dev == new_st.st_dev && old_st.st_ino == new_st.st_ino)) {
        close(old_fd);
        close(new_fd);
        return refuse(STATUS_USAGE, "'%s' and '%s' have to be two files, or two folders",
                      run.old_path, run.new_path);
    }
    if (S_ISDIR(new_st.st_mode)) {
        run_folders(&run, old_fd, new_fd, "", 0);
        print_sum(&run);
    } else {
        run_files(&run, old_fd, &old_st, new_fd, &new_st);
    }
    return run.failed > 0 ? STATUS_RUNTIME : STATUS_OK;
}
