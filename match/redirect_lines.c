/* redirect_lines.c: words of a line, and what each is by what it looks like. */
#include "match/redirect_lines.h"

#include <errno.h>

void redirect_reader_init(struct redirect_reader *reader, struct span text)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";

    if (text.len >= 3 && memcmp(text.ptr, byte_order_mark, 3) == 0)
        text = span_make(text.ptr + 3, text.len - 3);
    *reader = (struct redirect_reader){ .left = text };
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

/* The next word of the line, which is taken off; empty: there is none, or a comment begins. */
static struct span take_word(struct span *line)
{
    size_t begin = 0, end;

    while (begin < line->len && is_blank(line->ptr[begin]))
        begin++;
    for (end = begin; end < line->len && !is_blank(line->ptr[end]); end++)
        ;
    struct span word = span_make(line->ptr + begin, end - begin);
    *line = span_make(line->ptr + end, line->len - end);
    return word.len > 0 && word.ptr[0] == '#' ? span_make("", 0) : word;
}

static bool begins(struct span text, const char *prefix)
{
    size_t len = strlen(prefix);

    return text.len >= len && strncasecmp(text.ptr, prefix, len) == 0;
}

static bool is_url(struct span word)
{
    return begins(word, "http://") || begins(word, "https://");
}

static bool is_status(struct span word)
{
    size_t digits = 0;

    while (digits < word.len && word.ptr[digits] >= '0' && word.ptr[digits] <= '9')
        digits++;
    return digits == 3 && (word.len == 3 || (word.len == 4 && word.ptr[3] == '!'));
}

static const char *take_status(struct span word, struct redirect_line *line)
{
    static const short known[] = { 200, 301, 302, 303, 307, 308, 404, 410 };
    int status = 100 * (word.ptr[0] - '0') + 10 * (word.ptr[1] - '0') + (word.ptr[2] - '0');

    line->force = word.len == 4;
    line->status = status;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i] == status)
            return NULL;
    }
    return "has a status that is none of 200, 301, 302, 303, 307, 308, 404 and 410";
}

/* What stands behind the status, or where one is expected. */
static const char *refuse_word(struct span word)
{
    if (begins(word, "Country=") || begins(word, "Language="))
        return "is for visitors of some countries or languages, which nobody here knows";
    if (begins(word, "Role="))
        return "is for visitors with a role, which nobody here knows; auth lets in by name";
    if (begins(word, "Cookie="))
        return "is for visitors with a cookie; a map of $http_cookie in the server's "
               "configuration can tell";
    if (begins(word, "Signed=") || begins(word, "Sign=") || begins(word, "signed="))
        return "is signed for a server behind it, and there is none";
    return "has a word that is no status";
}

static const char *refuse_octets(struct span line)
{
    if (line.len > REDIRECT_LINE_MAX)
        return "is longer than 4096 bytes";
    for (size_t i = 0; i < line.len; i++) {
        unsigned char octet = (unsigned char)line.ptr[i];

        if ((octet < ' ' && octet != '\t' && octet != '\r') || octet == 0x7f)
            return "holds a control character";
    }
    return NULL;
}

static const char *check_from(struct span from)
{
    if (is_url(from))
        return "is for a host; write a server block of that name, with a redirect in it";
    if (from.ptr[0] != '/')
        return "does not begin with a path that begins with '/'";
    if (memchr(from.ptr, '?', from.len) != NULL)
        return "holds a '?'; a parameter stands behind the path, as in /store id=:id /blog/:id";
    if (memchr(from.ptr, '#', from.len) != NULL)
        return "holds a '#', and what stands behind it never reaches a server";
    return NULL;
}

static const char *check_to(const struct redirect_line *line)
{
    if (line->to.len == 0 && line->status > 300 && line->status < 400)
        return "does not say where to";
    if (line->to.len == 0)
        return NULL;
    if (is_url(line->to) && (line->status < 300 || line->status >= 400))
        return "would have another server asked for what is answered, and this one serves files "
               "alone";
    if (line->to.len > 1 && line->to.ptr[0] == '/' && line->to.ptr[1] == '/')
        return "leads to //, which is another host; write https:// before it";
    return NULL;
}

/* The words behind the path. */
static const char *parse_words(struct span words, struct redirect_line *line)
{
    struct span word = take_word(&words);

    for (; word.len > 0 && word.ptr[0] != '/' && !is_url(word) && !is_status(word);
         word = take_word(&words)) {
        const char *equals = memchr(word.ptr, '=', word.len);

        if (equals == NULL || equals == word.ptr)
            return "leads neither to a path that begins with '/' nor to a URL that begins with "
                   "http:// or https://";
        if (line->params_count == REDIRECT_PARAMS_MAX)
            return "has more than 8 parameters";
        line->params[line->params_count++] = word;
    }
    if (word.len == 0)
        return "does not say where to";
    if (!is_status(word)) {
        line->to = word;
        word = take_word(&words);
    }
    const char *what = NULL;
    if (word.len > 0) {
        what = is_status(word) ? take_status(word, line) : refuse_word(word);
        word = take_word(&words);
    }
    if (what == NULL && word.len > 0)
        what = refuse_word(word);
    return what != NULL ? what : check_to(line);
}

int redirect_reader_next(struct redirect_reader *reader, struct redirect_line *ret_line)
{
    while (reader->left.len > 0) {
        const char *end = memchr(reader->left.ptr, '\n', reader->left.len);
        size_t len = end != NULL ? (size_t)(end - reader->left.ptr) : reader->left.len;
        struct span text = span_make(reader->left.ptr, len), words = text;
        size_t taken = len + (end != NULL);
        struct redirect_line line = { .to = { "", 0 }, .status = 301, .number = ++reader->number };

        reader->left = span_make(reader->left.ptr + taken, reader->left.len - taken);
        line.from = take_word(&words);
        if (line.from.len == 0)
            continue;
        reader->what = refuse_octets(text);
        if (reader->what == NULL)
            reader->what = check_from(line.from);
        if (reader->what == NULL)
            reader->what = parse_words(words, &line);
        if (reader->what != NULL)
            return -EINVAL;
        *ret_line = line;
        return 1;
    }
    return 0;
}
