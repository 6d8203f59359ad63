/* archive_zip.c: the heads and records of a zip (APPNOTE.TXT 6.3): stored, sizes in each head, the
 * checksum behind the contents; ZIP64 where 32 bits do not do. */
#include "core/archive_entry.h"

#include "core/utf8.h"

#include <string.h>
#include <time.h>

enum {
    VERSION = 45,               /* ZIP64 */
    MADE_BY = 3 << 8 | VERSION, /* Unix: the mode is in the record */
    FLAG_DESCRIPTOR = 1 << 3,
    FLAG_UTF8 = 1 << 11,
    EXTRA_TIME = 9,
};

static char *put16(char *at, unsigned number)
{
    *at++ = (char)(number & 0xff);
    *at++ = (char)(number >> 8 & 0xff);
    return at;
}

static char *put32(char *at, uint64_t number)
{
    return put16(put16(at, (unsigned)(number & 0xffff)), (unsigned)(number >> 16 & 0xffff));
}

static char *put64(char *at, uint64_t number)
{
    return put32(put32(at, number & UINT32_MAX), number >> 32);
}

static bool is_large(uint64_t number)
{
    return number >= UINT32_MAX;
}

static uint64_t low(uint64_t number)
{
    return is_large(number) ? UINT32_MAX : number;
}

static unsigned flags_of(const struct archive_entry *entry)
{
    struct span s = entry->name;

    while (s.len > 0) {
        size_t len = utf8_char_len(s);

        if (len == 0)
            return entry->is_dir ? 0 : FLAG_DESCRIPTOR;
        s.ptr += len;
        s.len -= len;
    }
    return FLAG_UTF8 | (entry->is_dir ? 0 : FLAG_DESCRIPTOR);
}

/* The time as DOS has it, in UTC, to two seconds, from 1980 to 2107; the exact one is in an extra
 * field. */
static char *put_dos_time(char *at, int64_t seconds)
{
    time_t time = seconds < 315532800 ? 315532800 : seconds > 4354819198 ? 4354819198 : seconds;
    struct tm tm;

    gmtime_r(&time, &tm);
    at = put16(at, (unsigned)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2));
    return put16(at, (unsigned)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday));
}

/* Info-ZIP's extended timestamp. */
static char *put_time(char *at, int64_t seconds)
{
    int64_t clamped = seconds < INT32_MIN ? INT32_MIN : seconds > INT32_MAX ? INT32_MAX : seconds;

    at = put16(at, 0x5455);
    at = put16(at, 5);
    *at++ = 1;
    return put32(at, (uint32_t)(int32_t)clamped);
}

static size_t zip_head(const struct archive_entry *entry, char *mem)
{
    bool large = is_large(entry->size);
    char *at = put32(mem, 0x04034b50);

    at = put16(at, VERSION);
    at = put16(at, flags_of(entry));
    at = put16(at, 0);
    at = put_dos_time(at, entry->mtime_s);
    at = put32(at, 0);
    at = put32(at, low(entry->size));
    at = put32(at, low(entry->size));
    at = put16(at, (unsigned)entry->name.len);
    at = put16(at, EXTRA_TIME + (large ? 20 : 0));
    memcpy(at, entry->name.ptr, entry->name.len);
    at = put_time(at + entry->name.len, entry->mtime_s);
    if (large) {
        at = put16(at, 1);
        at = put16(at, 16);
        at = put64(at, entry->size);
        at = put64(at, entry->size);
    }
    return (size_t)(at - mem);
}

static size_t zip_tail(const struct archive_entry *entry, char *mem)
{
    char *at = mem;

    if (entry->is_dir)
        return 0;
    at = put32(at, 0x08074b50);
    at = put32(at, entry->crc);
    for (int i = 0; i < 2; i++)
        at = is_large(entry->size) ? put64(at, entry->size) : put32(at, entry->size);
    return (size_t)(at - mem);
}

static size_t zip_record(const struct archive_entry *entry, char *mem)
{
    unsigned extra = (is_large(entry->size) ? 16u : 0u) + (is_large(entry->off) ? 8u : 0u);
    char *at = put32(mem, 0x02014b50);

    at = put16(at, MADE_BY);
    at = put16(at, VERSION);
    at = put16(at, flags_of(entry));
    at = put16(at, 0);
    at = put_dos_time(at, entry->mtime_s);
    at = put32(at, entry->crc);
    at = put32(at, low(entry->size));
    at = put32(at, low(entry->size));
    at = put16(at, (unsigned)entry->name.len);
    at = put16(at, EXTRA_TIME + (extra > 0 ? 4 + extra : 0));
    at = put16(at, 0); /* comment */
    at = put16(at, 0); /* disk */
    at = put16(at, 0); /* binary */
    at = put32(at, (uint64_t)(entry->is_dir ? 040755 : 0100644) << 16 | (entry->is_dir ? 0x10 : 0));
    at = put32(at, low(entry->off));
    memcpy(at, entry->name.ptr, entry->name.len);
    at = put_time(at + entry->name.len, entry->mtime_s);
    if (extra > 0) {
        at = put16(at, 1);
        at = put16(at, extra);
    }
    if (is_large(entry->size)) {
        at = put64(at, entry->size);
        at = put64(at, entry->size);
    }
    if (is_large(entry->off))
        at = put64(at, entry->off);
    return (size_t)(at - mem);
}

static size_t zip_end(size_t count, uint64_t records_off, uint64_t records_len, char *mem)
{
    unsigned few = count >= 0xffff ? 0xffff : (unsigned)count;
    char *at = mem;

    if (count >= 0xffff || is_large(records_off) || is_large(records_len)) {
        at = put32(at, 0x06064b50);
        at = put64(at, 44);
        at = put16(at, MADE_BY);
        at = put16(at, VERSION);
        at = put32(at, 0);
        at = put32(at, 0);
        at = put64(at, count);
        at = put64(at, count);
        at = put64(at, records_len);
        at = put64(at, records_off);
        at = put32(at, 0x07064b50);
        at = put32(at, 0);
        at = put64(at, records_off + records_len);
        at = put32(at, 1);
    }
    at = put32(at, 0x06054b50);
    at = put32(at, 0);
    at = put16(at, few);
    at = put16(at, few);
    at = put32(at, low(records_len));
    at = put32(at, low(records_off));
    at = put16(at, 0);
    return (size_t)(at - mem);
}

const struct archive_format archive_zip = { zip_head, zip_tail, zip_record, zip_end };
