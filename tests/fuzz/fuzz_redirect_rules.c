/* fuzz_redirect_rules.c: arbitrary octets as a `_redirects` file, and, behind the last NUL in them,
 * as the URL that is asked for. The rule that is found is the first that matches, as looking at
 * each in turn has it; what it captured lies in the path or in the room for it. */
#include "match/redirect_rules.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_all(struct redirect_rules_maker *maker, struct span text)
{
    struct redirect_reader reader;
    struct redirect_line line;
    int res;

    redirect_reader_init(&reader, text);
    while ((res = redirect_reader_next(&reader, &line)) != 0) {
        const char *what = reader.what;

        if (res > 0) {
            CHECK(line.number == reader.number && line.from.len > 0 && line.from.ptr[0] == '/');
            res = redirect_rules_add(maker, &line, &what);
        }
        CHECK(res == 0 || (res == -EINVAL && what != NULL));
    }
}

static void ask(const struct redirect_rules *rules, struct span path, struct span query)
{
    struct captures captures = { 0 };
    char scratch[256], other[256];
    uint32_t found = redirect_rules_find(rules, path, query, scratch, sizeof(scratch), &captures);
    uint32_t plain = REDIRECT_RULE_NONE;

    for (uint32_t i = 0; i < rules->count && plain == REDIRECT_RULE_NONE; i++) {
        struct captures ignored = { 0 };
        struct request request = { path, query, other, sizeof(other), &ignored };

        if (redirect_pattern_match(&rules->all[i].pattern, path, &ignored) &&
            params_match(&rules->all[i], &request, &ignored))
            plain = i;
    }
    CHECK(found == plain);
    if (found == REDIRECT_RULE_NONE)
        return;
    for (unsigned i = 0; i <= redirect_rules_at(rules, found)->groups; i++) {
        struct span group = captures.groups[i];
        bool in_path = group.ptr >= path.ptr && group.ptr + group.len <= path.ptr + path.len;
        bool in_scratch =
            group.ptr >= scratch && group.ptr + group.len <= scratch + sizeof(scratch);

        CHECK(group.len == 0 || in_path || in_scratch);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t hash_key[2] = { 1, 2 };
    const char *text = (const char *)data;
    const char *last = size > 0 ? memrchr(text, '\0', size) : NULL;
    size_t text_len = last != NULL ? (size_t)(last - text) : size;
    struct span path = last != NULL ? span_make(last + 1, size - text_len - 1) : SPAN_LIT("/a/b/c");
    struct span query = SPAN_LIT("id=7&a=b");
    struct arena *arena = arena_create();
    struct redirect_rules_maker *maker = NULL;
    const struct redirect_rules *rules = NULL;

    CHECK(arena != NULL && redirect_rules_begin(arena, &maker) == 0);
    add_all(maker, span_make(text, text_len));
    CHECK(redirect_rules_make(maker, hash_key, &rules) == 0);
    const char *mark = path.len > 0 ? memchr(path.ptr, '?', path.len) : NULL;
    if (mark != NULL) {
        query = span_make(mark + 1, path.len - (size_t)(mark - path.ptr) - 1);
        path.len = (size_t)(mark - path.ptr);
    }
    if (path.len > 0 && path.ptr[0] == '/')
        ask(rules, path, query);
    redirect_rules_end(maker);
    arena_destroy(arena);
    return 0;
}
