/* password.h: a password, and what is kept of it in a file of htpasswd(1): whether the one is the
 * other. What can be read from the prefix:
 *
 *   $2y$ $2b$ $2a$             bcrypt                      crypt(5), by libcrypt
 *   $y$ $gy$ $7$               yescrypt, and what it comes from
 *   $6$ $5$                    SHA-512, SHA-256
 *   $apr1$ $1$                 MD5, a thousand times: Apache's default for decades, and crypt's
 *   {SHA} {SSHA}               one SHA-1, for as weak a reason
 *
 * Neither crypt's DES nor plain text. */
#ifndef CORE_PASSWORD_H
#define CORE_PASSWORD_H

#include "core/span.h"

/* Octets of a password, and of its hash, at most, with a NUL. What libcrypt takes. */
enum { PASSWORD_SIZE = 512, PASSWORD_HASH_SIZE = 384 };

/* What is wrong with a hash, as the end of a sentence that begins with whose it is; NULL: nothing.
 */
const char *password_hash_check(const char *hash);

/* Is it the password of the hash, which password_hash_check() has passed? 1 or 0, or -ENOMEM. Takes
 * as long as the hash says, whatever the password is: a second of CPU time, if somebody wanted it
 * so, and megabytes. Of bcrypt the first 72 octets count. Thread-safe. */
int password_verify(const char *password, const char *hash);

#endif
