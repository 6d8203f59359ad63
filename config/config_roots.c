/* config_roots.c: the document roots at the start: opened by root, and handed over to the user who
 * serves. While serving, http/roots.c looks them up. */
#include "config/config_roots.h"

#include "core/check.h"
#include "core/file_root.h"
#include "core/log.h"
#include "core/mounts.h"
#include "core/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int config_roots_open(struct config *config, char *why, size_t why_size)
{
    struct place_memo *memo = place_memo_create(); /* many stand beside each other */
    int error = 0;

    config->roots_guarded = geteuid() == 0;
    for (size_t i = 0; error == 0 && i < config->roots_count; i++) {
        struct root *root = &config->roots[i];
        const char *what = NULL;
        struct safe_file folder;

        error = safe_open_by(memo, SAFE_FOLDER, root->path, 0, &folder, &what);
        if (error < 0) {
            snprintf(why, why_size, "root \"%s\" cannot be opened: %s", root->path,
                     safe_open_text(error, what));
            break;
        }
        CHECK(root->fd < 0);
        root->fd = folder.fd;
    }
    place_memo_free(memo);
    return error;
}

void config_roots_close(struct config *config)
{
    for (size_t i = 0; i < config->roots_count; i++) {
        if (config->roots[i].fd >= 0)
            close(config->roots[i].fd);
        config->roots[i].fd = -1;
    }
}

/* Root could open the document roots; whoever serves now must be able to enter them. */
static void warn_of_closed(const struct config *config, const char *user)
{
    for (size_t i = 0; i < config->roots_count; i++) {
        const struct root *root = &config->roots[i];
        if (faccessat(root->fd, ".", X_OK, AT_EACCESS) != 0)
            log_warn("root %s cannot be entered by user '%s' (%s): every request there is 403",
                     root->path, user, strerror(errno));
    }
}

/* Is something remote mounted below the directory? */
static bool has_below(const struct mounts *mounts, int fd)
{
    char link[32], path[PATH_MAX];

    if (mounts->remote_count == 0)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len < 0 ? 0 : len] = '\0';
    return len > 0 && mounts_remote_below(mounts, path);
}

/* Whoever serves looks each root up again, so that a new release is seen. Where he can, the
 * descriptor of the start would only keep a file system busy. */
static void release(struct config *config, const char *user)
{
    struct mounts mounts;

    mounts_read_once(&mounts);
    for (size_t i = 0; i < config->roots_count; i++) {
        struct root *root = &config->roots[i];
        const char *what = NULL;
        struct file_root_id id;
        int fd = -1;

        int error = file_root_open(root->path, config->roots_guarded, &fd, &id, &what);
        if (error == 0) {
            root->remote = id.remote;
            root->remote_below = has_below(&mounts, fd);
            close(fd);
            close(root->fd);
            root->fd = -1;
            continue;
        }
        root->told_ms = 1; /* long ago */
        log_warn(
            "root %s cannot be looked up again by user '%s': %s; a folder that takes its place "
            "is not seen before a restart: let that user search the folders above it",
            root->path, user, safe_open_text(error, what));
    }
    mounts_free(&mounts);
}

/* Whoever may make a link in such a place shows through it whatever the user who serves can read.
 */
static void warn_of_any_link(const struct config *config)
{
    for (size_t i = 0; i < config->servers_count; i++) {
        const struct server *server = &config->servers[i];
        for (size_t j = 0; j < server->locations_count; j++) {
            const struct location *location = &server->locations[j];
            if (location->symlinks == FILE_SYMLINKS_ANY && location->root != NULL)
                log_warn(
                    "symlinks = any for location \"%.*s\" of server \"%s\": whoever can make a "
                    "link below %s shows through it every file that this process can read",
                    (int)location->pattern.text.len, location->pattern.text.ptr, server->name,
                    location->root->path);
        }
    }
}

void config_roots_hand_over(struct config *config, const char *user)
{
    if (user == NULL)
        user = "of this process";
    warn_of_closed(config, user);
    release(config, user);
    warn_of_any_link(config);
}
