/* config_return.c: a status, and what stands behind it. */
#include "config/config_return.h"

#include "core/check.h"
#include "config/config_store.h"

#include <errno.h>
#include <string.h>

/* Those that http/status.c has a reason phrase for, which a test compares. */
static const short statuses[] = { 200, 204, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404,
                                  405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417,
                                  418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 444, 451,
                                  500, 501, 502, 503, 504, 505, 506, 507, 508, 511 };

static bool is_answered(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (statuses[i] == status)
            return true;
    }
    return false;
}

static bool is_redirect(int status)
{
    return status > 300 && status < 309 && status != 304;
}

/* The three digits at the front of *text, which are taken off with the blanks behind; -1: there are
 * none. */
static int take_status(const char **text)
{
    const char *at = *text;
    int status = 0;

    for (int i = 0; i < 3; i++, at++) {
        if (*at < '0' || *at > '9')
            return -1;
        status = 10 * status + *at - '0';
    }
    if (*at != '\0' && *at != ' ')
        return -1;
    *text = at + strspn(at, " ");
    return status;
}

/* The text with the ends of lines in it, which no string of the file can hold: `\n` is one, `\\` a
 * backslash. NULL: no memory. */
static char *with_lines(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text), *out = copy;

    for (const char *at = copy; at != NULL && *at != '\0'; at++, out++) {
        bool escapes = at[0] == '\\' && (at[1] == 'n' || at[1] == '\\');

        *out = escapes && at[1] == 'n' ? '\n' : *at;
        at += escapes;
    }
    if (out != NULL)
        *out = '\0';
    return copy;
}

/* The rest behind the status, which is one that can be answered. */
static int text_parse(const struct config_scope *scope, const struct config_item *item,
                      const char *text, struct config_return *answer)
{
    int status = answer->status;

    answer->is_redirect = is_redirect(status);
    if (answer->is_redirect && text[0] == '\0')
        return config_fail_advise(scope->build, item->place, "return",
                                  "write it behind the status: \"301 https://$host$request_uri\"",
                                  "\"%.100s\" does not say where to", item->text);
    if ((status == 204 || status == CONFIG_STATUS_CLOSE) && text[0] != '\0')
        return config_fail_advise(scope->build, item->place, "return", "take the text away",
                                  "an answer of status %d has no text", status);
    if (answer->is_redirect)
        return config_template_url(scope, item->place, "return", text, &answer->text);
    if (text[0] == '\0')
        return 0;
    text = with_lines(scope->build->arena, text);
    if (text == NULL)
        return -ENOMEM;
    return config_template(scope, item->place, "return", text, &answer->text);
}

int config_return_parse(const struct config_scope *scope, const struct config_item *item,
                        const struct config_return **ret_answer)
{
    const struct config_build *build = scope->build;
    const struct config_key *key = config_key_find("return");
    struct config_return *answer = arena_alloc(build->arena, sizeof(*answer));
    const char *text = item->text;

    *ret_answer = NULL;
    if (text[0] == '\0')
        return 0;
    char *written = arena_strdup(build->arena, text);
    if (answer == NULL || written == NULL)
        return -ENOMEM;
    answer->written = written;
    if (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0 ||
        strncmp(text, "$scheme", 7) == 0) {
        answer->status = 302; /* as nginx has it */
    } else {
        answer->status = take_status(&text);
        if (answer->status < 0)
            return config_fail_item(build, item, key, "\"%.100s\" does not begin with a status",
                                    item->text);
        if (!is_answered(answer->status))
            return config_fail_item(build, item, key, "%d is no status that can be answered",
                                    answer->status);
    }
    int res = text_parse(scope, item, text, answer);
    if (res == 0)
        *ret_answer = answer;
    return res;
}
