/* map_lines.c: a key, a value, and what ends them. */
#include "match/map_lines.h"

#include "core/check.h"

#include <errno.h>

void map_reader_init(struct map_reader *reader, struct span text)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";

    if (text.len >= 3 && memcmp(text.ptr, byte_order_mark, 3) == 0)
        text = span_make(text.ptr + 3, text.len - 3);
    reader->left = text;
    reader->number = 1;
    reader->what = NULL;
}

static int fail(struct map_reader *reader, const char *what)
{
    reader->what = what;
    return -EINVAL;
}

static bool at_octet(const struct map_reader *reader, char octet)
{
    return reader->left.len > 0 && reader->left.ptr[0] == octet;
}

static bool at_blank(const struct map_reader *reader)
{
    return at_octet(reader, ' ') || at_octet(reader, '\t') || at_octet(reader, '\r');
}

static void skip(struct map_reader *reader, size_t len)
{
    reader->left = span_make(reader->left.ptr + len, reader->left.len - len);
}

/* Blanks, and a comment behind them: to the end of the line at most. */
static void skip_blanks(struct map_reader *reader)
{
    while (at_blank(reader))
        skip(reader, 1);
    if (!at_octet(reader, '#'))
        return;
    const char *end = memchr(reader->left.ptr, '\n', reader->left.len);

    skip(reader, end != NULL ? (size_t)(end - reader->left.ptr) : reader->left.len);
}

/* The octet that the backslash in front stands for, with the one behind it; 0: it is itself. */
static char escaped(char behind)
{
    switch (behind) {
    case '"':
    case '\'':
    case '\\':
        return behind;
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'n':
        return '\n';
    default:
        return '\0';
    }
}

/* A word, or what stands in quotes, to `room`, which has `cap` octets. */
static int take_token(struct map_reader *reader, char *room, size_t cap, struct span *ret_token)
{
    char quote = at_octet(reader, '"') ? '"' : at_octet(reader, '\'') ? '\'' : '\0';
    size_t len = 0;

    if (quote != '\0')
        skip(reader, 1);
    for (;;) {
        if (reader->left.len == 0 || at_octet(reader, '\n')) {
            if (quote != '\0')
                return fail(reader, "has a quote that is not closed in its line");
            break;
        }
        if (quote != '\0' ? at_octet(reader, quote) : at_blank(reader) || at_octet(reader, ';'))
            break;
        char octet = reader->left.ptr[0];
        char other = octet == '\\' && reader->left.len > 1 ? escaped(reader->left.ptr[1]) : '\0';

        if (((unsigned char)octet < ' ' && octet != '\t') || octet == 0x7f)
            return fail(reader, "holds a control character");
        if (len == cap)
            return fail(reader, "has a key or a value of more than 4096 bytes");
        room[len++] = other != '\0' ? other : octet;
        skip(reader, other != '\0' ? 2 : 1);
    }
    if (quote != '\0') {
        skip(reader, 1);
        if (reader->left.len > 0 && !at_blank(reader) && !at_octet(reader, ';') &&
            !at_octet(reader, '\n'))
            return fail(reader, "goes on behind a quote; a blank or a ';' belongs there");
    }
    *ret_token = span_make(room, len);
    return 0;
}

/* To the front of the next entry; false: there is none. */
static bool find_entry(struct map_reader *reader)
{
    for (;;) {
        skip_blanks(reader);
        if (reader->left.len == 0)
            return false;
        if (!at_octet(reader, '\n'))
            return true;
        skip(reader, 1);
        reader->number++;
    }
}

/* What ends an entry: a ';' or the line. */
static int take_end(struct map_reader *reader)
{
    skip_blanks(reader);
    if (reader->left.len == 0 || at_octet(reader, '\n'))
        return 0;
    if (!at_octet(reader, ';'))
        return fail(reader, "has more than a key and a value; one with blanks in it needs quotes");
    skip(reader, 1);
    return 0;
}

int map_reader_next(struct map_reader *reader, struct map_line *ret_line)
{
    struct map_line line;
    int res;

    if (!find_entry(reader))
        return 0;
    line.number = reader->number;
    if (at_octet(reader, ';'))
        return fail(reader, "has a ';' where a key is expected");
    res = take_token(reader, reader->key, sizeof(reader->key), &line.key);
    if (res < 0)
        return res;
    skip_blanks(reader);
    if (reader->left.len == 0 || at_octet(reader, '\n') || at_octet(reader, ';'))
        return fail(reader, "has no value behind its key");
    res = take_token(reader, reader->value, sizeof(reader->value), &line.value);
    if (res == 0)
        res = take_end(reader);
    if (res < 0)
        return res;
    *ret_line = line;
    return 1;
}
