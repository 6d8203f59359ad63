/* pem_file.c: see pem_file.h. */
#include "tls/pem_file.h"

#include "core/log.h"
#include "core/safe_open.h"
#include "core/stats.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Whose file it is. */
static void begin(const struct pem_place *place, char *ret_text, size_t size)
{
    if (place->server != NULL)
        snprintf(ret_text, size, "server '%.255s'", place->server->name);
    else
        snprintf(ret_text, size, "tls_certificates");
}

int pem_refuse(const struct pem_place *place, int error, const char *format, ...)
{
    char text[512], whose[320];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    begin(place, whose, sizeof(whose));
    snprintf(place->why, place->why_size, "%s: %s: %s", whose, place->path, text);
    return error;
}

void pem_warn(const struct pem_place *place, const char *format, ...)
{
    char text[512], whose[320];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    begin(place, whose, sizeof(whose));
    log_warn("%s: %s: %s", whose, place->path, text);
}

/* Reads what is left of `fd` into `data`, which holds `size` octets. Their number, or -errno. */
static ssize_t read_all(int fd, char *data, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, data + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static int read_up_to(struct place_memo *memo, const struct pem_place *place, off_t size_max,
                      struct pem_file *ret_file)
{
    struct stat st;
    struct safe_file file;
    const char *what = NULL;

    *ret_file = (struct pem_file){ .text = NULL };
    int res = safe_open_by(memo, SAFE_READ, place->path, 0, &file, &what);
    if (res < 0)
        return pem_refuse(place, res, "cannot be opened: %s", safe_open_text(res, what));
    int fd = file.fd;
    res = fstat(fd, &st) < 0 ? -errno : 0;
    if (res == 0 && (!S_ISREG(st.st_mode) || st.st_size > size_max)) {
        close(fd);
        return pem_refuse(place, -EINVAL, "is no regular file of at most %lld MiB",
                          (long long)(size_max >> 20));
    }
    size_t size = res == 0 ? (size_t)st.st_size : 0;
    char *text = malloc(size + 1);
    ssize_t len = res < 0 ? res : text == NULL ? -ENOMEM : read_all(fd, text, size);
    close(fd);
    if (len < 0) {
        free(text);
        return pem_refuse(place, (int)len, "cannot be read: %s", strerror((int)-len));
    }
    text[len] = '\0';
    *ret_file = (struct pem_file){ text, (size_t)len, st.st_mode };
    return 0;
}

int pem_file_read_by(struct place_memo *memo, const struct pem_place *place,
                     struct pem_file *ret_file)
{
    return read_up_to(memo, place, PEM_FILE_SIZE_MAX, ret_file);
}

int pem_file_read(const struct pem_place *place, struct pem_file *ret_file)
{
    return pem_file_read_by(NULL, place, ret_file);
}

int pem_list_read(const struct pem_place *place, struct pem_file *ret_file)
{
    return read_up_to(NULL, place, PEM_LIST_SIZE_MAX, ret_file);
}

void pem_key_warn(const struct pem_place *place, const struct pem_file *file)
{
    const char *what = (file->mode & S_IWOTH) != 0   ? "replace"
                       : (file->mode & S_IROTH) != 0 ? "read"
                                                     : NULL;

    if (what != NULL)
        pem_warn(place,
                 "the permissions of this private key (%03o) let every user of the machine %s it: "
                 "chmod o= %s",
                 (unsigned)file->mode & 0777, what, place->path);
}

bool pem_expiry_text(int64_t since, int64_t until, int64_t now, char *text, size_t size)
{
    const int64_t day_s = 86400;
    int64_t left = until - now, sixth = (until - since) / 6;
    time_t when = (time_t)until;
    struct tm tm;
    char date[32];

    if (left >= sixth || left >= 14 * day_s || gmtime_r(&when, &tm) == NULL ||
        strftime(date, sizeof(date), "%Y-%m-%d", &tm) == 0)
        return false;
    if (left < 0)
        snprintf(text, size, "the certificate has expired on %s: clients refuse it", date);
    else
        snprintf(text, size, "the certificate expires on %s, in %lld days: is it being renewed?",
                 date, (long long)(left / day_s));
    return true;
}

void pem_expiry_note(const struct pem_place *place, int64_t since, int64_t until)
{
    char text[128];

    stats_certificate(place->path, since, until);
    if (pem_expiry_text(since, until, (int64_t)time(NULL), text, sizeof(text)))
        pem_warn(place, "%s", text);
}

void pem_file_free(struct pem_file *file)
{
    if (file->text != NULL)
        explicit_bzero(file->text, file->len);
    free(file->text);
    *file = (struct pem_file){ .text = NULL };
}
