/* fuzz_template.c: a text with variables, and what a client says: the first line is the text, the
 * rest is the value of each variable that a client chooses.
 *
 * Whatever comes in: a field stays one field, a URL has no host that the text does not name, a
 * clean path is one. */
#include "match/template_url.h"

#include "core/check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span value_of(void *context, const struct template_piece *piece, char *scratch,
                            size_t cap)
{
    const struct span *said = context;

    (void)scratch;
    (void)cap;
    if (piece->variable == TEMPLATE_URI || piece->variable == TEMPLATE_REQUEST_URI)
        return said->len > 0 && said->ptr[0] == '/' ? *said : SPAN_LIT("/");
    return template_is_clients((enum template_variable)piece->variable) ? *said
                                                                        : SPAN_LIT("h.example");
}

static void check_visible(const char *text, size_t len, char from)
{
    for (size_t i = 0; i < len; i++)
        CHECK(text[i] >= from && text[i] < 0x7f);
}

/* Where the authority begins, or NULL: it is a path, or has another scheme than those of the text.
 */
static void check_url(const struct template *template, const struct template_source *source)
{
    static char text[65536];
    struct template_url url = template_url_begin(text, sizeof(text));

    template_url_put(&url, template, source);
    CHECK(url.len <= sizeof(text));
    if (url.too_long || url.len == 0)
        return;
    check_visible(text, url.len, '!');
    if (text[0] == '/') {
        CHECK(url.len == 1 || (text[1] != '/' && text[1] != '\\'));
        return;
    }
    const char *host = memmem(text, url.len, "://", 3);
    CHECK(host != NULL || (template->uses >> TEMPLATE_MAP & 1) != 0);
}

static void check_field(const struct template *template, const struct template_source *source)
{
    static char text[65536];
    long len = template_put(template, source, TEMPLATE_FIELD, text, sizeof(text));
    size_t quotes = 0, literal_quotes = 0;

    if (len < 0)
        return;
    for (long i = 0; i < len; i++) {
        CHECK(text[i] != '\r' && text[i] != '\n' && text[i] != '\0');
        quotes += text[i] == '"';
    }
    for (size_t i = 0; i < template->count; i++)
        for (size_t j = 0; j < template->pieces[i].text.len; j++)
            literal_quotes += template->pieces[i].text.ptr[j] == '"';
    CHECK(quotes == literal_quotes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t len = end != NULL ? (size_t)(end - (const char *)data) : size;
    struct arena *arena = arena_create();
    char *text = arena_strndup(arena, (const char *)data, len);
    struct span said = span_make((const char *)data + len, size - len);
    const struct template_names names = { .groups = 9 };
    const struct template *template = NULL;
    char what[256], path[4096];
    bool is_text = true;

    CHECK(text != NULL);
    if (said.len > 0)
        said = span_make(said.ptr + 1, said.len - 1);
    if (memchr(said.ptr, '\0', said.len) != NULL)
        said.len = strnlen(said.ptr, said.len);
    for (const char *at = text; *at != '\0'; at++)
        is_text &= (unsigned char)*at >= ' ' && *at != 0x7f;
    const struct template_source source = { .value = value_of, .context = &said };
    if (is_text && template_compile(arena, text, &names, what, sizeof(what), &template) == 0) {
        CHECK(template->count >= 1 && template->count <= TEMPLATE_VARIABLES_MAX + 1);
        check_field(template, &source);
        if (template_url_check(template) == NULL)
            check_url(template, &source);
        long path_len = template_put(template, &source, TEMPLATE_PATH, path, sizeof(path));
        if (path_len > 0 && template_path_is_clean(span_make(path, (size_t)path_len)))
            CHECK(memmem(path, (size_t)path_len, "/../", 4) == NULL &&
                  memmem(path, (size_t)path_len, "//", 2) == NULL);
    }
    arena_destroy(arena);
    return 0;
}
