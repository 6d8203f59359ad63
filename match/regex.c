/* regex.c: the one file that sees PCRE2. */
#include "match/regex.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    HEAP_KIB_MAX = 1024,      /* that one interpreted match takes */
    JIT_STACK_MIN = 32 << 10, /* octets; of the other kind */
    JIT_STACK_MAX = 512 << 10,
    PARENTHESES_MAX = 50, /* in parentheses */
};

struct regex {
    pcre2_code *code;
    bool fast;
    struct span head; /* a path that it matches begins so; may be empty */
};

struct regex_room {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL: this build of PCRE2 has no such thing */
};

/* ---- compiling ---- */

static void regex_end(void *what)
{
    struct regex *regex = what;

    pcre2_code_free(regex->code);
}

/* The bytes that each match begins with, as far as they are plain to see: "/old/" of
 * "^/old/([a-z]+)$". Cheap to compare, for the many expressions that do not match. */
static int find_head(struct arena *arena, const char *text, bool caseless, struct span *ret_head)
{
    size_t len = 0;
    char *head;

    if (caseless || text[0] != '^' || strchr(text, '|') != NULL) /* another may begin otherwise */
        return 0;
    head = arena_alloc(arena, strlen(text));
    if (head == NULL)
        return -ENOMEM;
    for (text++; *text != '\0'; text++) {
        bool escaped = text[0] == '\\' && text[1] != '\0' && strchr("./-_+", text[1]) != NULL;
        char byte = escaped ? text[1] : text[0];

        if (!escaped && strchr("\\^$.[]|()?*+{}#", byte) != NULL)
            break;
        text += escaped;
        if (text[1] != '\0' && strchr("?*+{", text[1]) != NULL)
            break; /* perhaps not even once */
        head[len++] = byte;
    }
    *ret_head = span_make(head, len);
    return 0;
}

static int compile(struct regex *regex, const char *text, bool caseless, char *what,
                   size_t what_size)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
    PCRE2_SIZE at = 0;
    int error = 0;

    if (context == NULL)
        return -ENOMEM;
    pcre2_set_max_pattern_length(context, REGEX_TEXT_MAX);
    pcre2_set_parens_nest_limit(context, PARENTHESES_MAX);
    regex->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                                options | (caseless ? PCRE2_CASELESS : 0), &error, &at, context);
    pcre2_compile_context_free(context);
    if (regex->code == NULL && error == PCRE2_ERROR_HEAP_FAILED)
        return -ENOMEM;
    if (regex->code == NULL) {
        PCRE2_UCHAR reason[160] = "";

        pcre2_get_error_message(error, reason, sizeof(reason));
        snprintf(what, what_size, "is no regular expression: %s, at octet %zu", (char *)reason,
                 at + 1);
        return -EINVAL;
    }
    /* Where memory may not be made executable, as systemd's MemoryDenyWriteExecute= has it, it is
     * interpreted. */
    PCRE2_SIZE size = 0; /* 0 as well where the expression begins with (*NO_JIT) */
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    MUST(pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &size) == 0);
    regex->fast = size > 0;
    return 0;
}

int regex_compile(struct arena *arena, const char *text, bool caseless, char *what,
                  size_t what_size, const struct regex **ret_regex)
{
    struct regex *regex = arena_alloc(arena, sizeof(*regex));
    int res;

    if (regex == NULL)
        return -ENOMEM;
    if (text[0] == '\0') {
        snprintf(what, what_size, "is empty");
        return -EINVAL;
    }
    res = compile(regex, text, caseless, what, what_size);
    if (res < 0)
        return res;
    res = arena_at_end(arena, regex_end, regex);
    if (res < 0) {
        regex_end(regex);
        return res;
    }
    res = find_head(arena, text, caseless, &regex->head);
    if (res == 0)
        *ret_regex = regex;
    return res;
}

unsigned regex_groups(const struct regex *regex)
{
    uint32_t count = 0;

    MUST(pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &count) == 0);
    return count;
}

unsigned regex_group_of(const struct regex *regex, const char *name)
{
    int number = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)name);

    return number > 0 ? (unsigned)number : 0;
}

bool regex_is_fast(const struct regex *regex)
{
    return regex->fast;
}

/* ---- matching ---- */

int regex_room_create(uint32_t steps_max, struct regex_room **ret_room)
{
    struct regex_room *room = calloc(1, sizeof(*room));

    if (room == NULL)
        return -ENOMEM;
    room->data = pcre2_match_data_create(CAPTURES_MAX, NULL);
    room->context = pcre2_match_context_create(NULL);
    if (room->data == NULL || room->context == NULL) {
        regex_room_destroy(room);
        return -ENOMEM;
    }
    pcre2_set_match_limit(room->context, steps_max);
    pcre2_set_depth_limit(room->context, steps_max);
    pcre2_set_heap_limit(room->context, HEAP_KIB_MAX);
    room->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
    if (room->stack != NULL)
        pcre2_jit_stack_assign(room->context, NULL, room->stack);
    *ret_room = room;
    return 0;
}

void regex_room_destroy(struct regex_room *room)
{
    if (room == NULL)
        return;
    pcre2_jit_stack_free(room->stack);
    pcre2_match_context_free(room->context);
    pcre2_match_data_free(room->data);
    free(room);
}

static void take_captures(const struct regex_room *room, struct span text, int count,
                          struct captures *captures)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(room->data);

    *captures = (struct captures){ .count = CAPTURES_MAX };
    if (count == 0) /* more groups than there is room for: those that there are */
        count = CAPTURES_MAX;
    for (int i = 0; i < count; i++) {
        if (at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1]) /* \K may turn them round */
            captures->groups[i] = span_make(text.ptr + at[2 * i], at[2 * i + 1] - at[2 * i]);
    }
}

int regex_match(const struct regex *regex, struct regex_room *room, struct span text,
                struct captures *ret_captures)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)text.ptr;
    struct span head = regex->head;
    int res;

    if (text.len < head.len || (head.len > 0 && memcmp(text.ptr, head.ptr, head.len) != 0))
        return 0;
    CHECK(room != NULL);
    if (regex->fast && room->stack != NULL)
        res = pcre2_jit_match(regex->code, subject, text.len, 0, 0, room->data, room->context);
    else
        res =
            pcre2_match(regex->code, subject, text.len, 0, PCRE2_NO_JIT, room->data, room->context);
    if (res == PCRE2_ERROR_NOMATCH)
        return 0;
    if (res < 0) /* a limit, or there is no memory */
        return -E2BIG;
    if (ret_captures != NULL)
        take_captures(room, text, res, ret_captures);
    return 1;
}
