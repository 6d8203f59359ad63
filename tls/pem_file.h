/* pem_file.h: the files of certificates and keys, read whole, and the sentence that refuses one:
 * the same for every TLS library. */
#ifndef TLS_PEM_FILE_H
#define TLS_PEM_FILE_H

#include "config/config.h"
#include "core/place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    PEM_FILE_SIZE_MAX = 1 << 20, /* octets */
    PEM_LIST_SIZE_MAX = 64 << 20 /* of many certificates, or of what was revoked */
};

/* What a refusal begins with, and where it goes. All borrowed. */
struct pem_place {
    const struct server *server; /* NULL: it is a file of tls_certificates */
    const char *path;
    char *why;
    size_t why_size;
};

/* The text of a file: `len` octets, and a NUL behind them. */
struct pem_file {
    char *text; /* owned; NULL: none */
    size_t len;
    mode_t mode; /* permissions of the file (stat(2), st_mode) */
};

/* Writes "server 'NAME': PATH: ", or "tls_certificates: PATH: ", and the sentence. Returns `error`.
 */
__attribute__((format(printf, 3, 4))) int pem_refuse(const struct pem_place *place, int error,
                                                     const char *format, ...);

/* Warns in the error log, with the same beginning. */
__attribute__((format(printf, 2, 3))) void pem_warn(const struct pem_place *place,
                                                    const char *format, ...);

/* Reads `place->path`. 0, or -errno and a sentence (-EINVAL: it is no regular file, or too long).
 * The caller calls pem_file_free() in any case. */
int pem_file_read(const struct pem_place *place, struct pem_file *ret_file);

/* Likewise, walking by `memo` (core/place.h; or NULL). */
int pem_file_read_by(struct place_memo *memo, const struct pem_place *place,
                     struct pem_file *ret_file);

/* Likewise, of a file that may have PEM_LIST_SIZE_MAX octets. */
int pem_list_read(const struct pem_place *place, struct pem_file *ret_file);

/* Warns in the error log where everybody may read or write the file of a private key. */
void pem_key_warn(const struct pem_place *place, const struct pem_file *file);

/* Writes what is to be said of a certificate, valid from `since` to `until` (as time(2)), at `now`:
 * that it ends soon, or has ended. False: nothing yet, since a sixth of its time is left, or 14
 * days. */
bool pem_expiry_text(int64_t since, int64_t until, int64_t now, char *text, size_t size);

/* A certificate has been read: notes its time for who asks (core/stats.h), and
 * warns in the error log when it, valid from `since` to `until` (as time(2)), should
 * have been renewed: when less than a sixth of its time is left, and less than 14 days. */
void pem_expiry_note(const struct pem_place *place, int64_t since, int64_t until);

/* Wipes the text, which may hold a key, and frees it. */
void pem_file_free(struct pem_file *file);

#endif
