/* archive_tar.c: the heads of a tar: ustar (POSIX.1-1988), with a pax head (POSIX.1-2001) in front
 * where a name or a size does not fit. */
#include "core/archive_entry.h"

#include "core/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 512, NAME_LEN = 100 };

#define SIZE_MAX_USTAR UINT64_C(077777777777)

static size_t padding(uint64_t len)
{
    return (size_t)((BLOCK - len % BLOCK) % BLOCK);
}

static void put_octal(char *field, size_t len, uint64_t number)
{
    for (field[--len] = '\0'; len-- > 0; number >>= 3)
        field[len] = (char)('0' + (number & 7));
}

/* One head of 512 octets. */
static void put_block(char *mem, struct span name, uint64_t size, uint64_t mtime_s, unsigned mode,
                      char type)
{
    unsigned sum = 0;

    memset(mem, 0, BLOCK);
    memcpy(mem, name.ptr, name.len < NAME_LEN ? name.len : NAME_LEN);
    put_octal(mem + 100, 8, mode);
    put_octal(mem + 108, 8, 0);
    put_octal(mem + 116, 8, 0);
    put_octal(mem + 124, 12, size <= SIZE_MAX_USTAR ? size : 0);
    put_octal(mem + 136, 12, mtime_s);
    mem[156] = type;
    memcpy(mem + 257, "ustar\00000", 8);
    memset(mem + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)mem[i];
    put_octal(mem + 148, 7, sum);
}

/* "LEN key=value\n", where LEN counts itself. */
static size_t put_record(char *mem, const char *key, struct span value)
{
    size_t rest = strlen(key) + value.len + 3, len = rest + 1;
    int n;

    for (size_t digits = 1, ten = 10;; digits++, ten *= 10) {
        len = rest + digits;
        if (len < ten)
            break;
    }
    n = snprintf(mem, rest + 24, "%zu %s=", len, key);
    memcpy(mem + n, value.ptr, value.len);
    mem[(size_t)n + value.len] = '\n';
    return len;
}

static bool is_utf8(struct span s)
{
    while (s.len > 0) {
        size_t len = utf8_char_len(s);

        if (len == 0)
            return false;
        s.ptr += len;
        s.len -= len;
    }
    return true;
}

static size_t tar_head(const struct archive_entry *entry, char *mem)
{
    bool long_name = entry->name.len > NAME_LEN;
    bool large = entry->size > SIZE_MAX_USTAR;
    uint64_t mtime_s = entry->mtime_s < 0              ? 0
                       : entry->mtime_s > 077777777777 ? 077777777777
                                                       : (uint64_t)entry->mtime_s;
    char digits[24];
    size_t at = 0;

    if (long_name || large) {
        size_t len = BLOCK;

        if (long_name && !is_utf8(entry->name))
            len += put_record(mem + len, "hdrcharset", SPAN_LIT("BINARY"));
        if (long_name)
            len += put_record(mem + len, "path", entry->name);
        if (large)
            len += put_record(mem + len, "size",
                              span_make(digits, (size_t)snprintf(digits, sizeof(digits), "%" PRIu64,
                                                                 entry->size)));
        put_block(mem, SPAN_LIT("PaxHeaders/entry"), len - BLOCK, mtime_s, 0644, 'x');
        at = len + padding(len);
        memset(mem + len, 0, at - len);
    }
    put_block(mem + at, entry->name, entry->size, mtime_s, entry->is_dir ? 0755 : 0644,
              entry->is_dir ? '5' : '0');
    return at + BLOCK;
}

static size_t tar_tail(const struct archive_entry *entry, char *mem)
{
    size_t len = padding(entry->size);

    memset(mem, 0, len);
    return len;
}

static size_t tar_record(const struct archive_entry *entry, char *mem)
{
    (void)entry;
    (void)mem;
    return 0;
}

static size_t tar_end(size_t count, uint64_t records_off, uint64_t records_len, char *mem)
{
    (void)count;
    (void)records_off;
    (void)records_len;
    memset(mem, 0, 2 * BLOCK);
    return 2 * BLOCK;
}

const struct archive_format archive_tar = { tar_head, tar_tail, tar_record, tar_end };
