/* config_rewrite.c: see config_rewrite.h. */
#include "config/config_rewrite.h"

#include "config/config_text.h"
#include "match/template_put.h"

#include <errno.h>
#include <string.h>

const char *config_text_maintenance(const char *text)
{
    size_t len = strlen(text);

    if (text[0] == '/')
        return "begins with '/', but it is looked for in the root; take that away";
    if (len > 0 && text[len - 1] == '/')
        return "ends with '/', but it is a file";
    if (len > 1000)
        return "is longer than 1000 bytes";
    for (const char *at = text; at != NULL; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
        size_t segment = strcspn(at, "/");

        if (len > 0 && (segment == 0 || (segment == 1 && at[0] == '.') ||
                        (segment == 2 && at[0] == '.' && at[1] == '.')))
            return "holds an empty segment, \".\" or \"..\"";
    }
    return NULL;
}

int config_rewrite_parse(const struct config_scope *scope, const struct config_item *item,
                         struct location *location)
{
    const struct config_build *build = scope->build;
    const char *text = item->text;
    int res;

    location->rewrite = NULL;
    if (text[0] == '\0')
        return 0;
    if (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0)
        return config_fail_advise(build, item->place, "rewrite",
                                  "write return = \"302 https://...\" to send clients there",
                                  "\"%.200s\" is a URL, but what is rewritten is served here",
                                  text);
    if (strchr(text, '?') != NULL)
        return config_fail_advise(build, item->place, "rewrite", "take away what stands from it on",
                                  "\"%.200s\" holds a '?', but files have no query; that of the "
                                  "request stays",
                                  text);
    if (text[0] != '/' && text[0] != '$')
        return config_fail_allowed(build, item->place, "rewrite",
                                   "a path that begins with '/', with variables",
                                   "\"%.200s\" is no path", text);
    res = config_template(scope, item->place, "rewrite", text, &location->rewrite);
    if (res < 0)
        return res;
    if (template_is_constant(location->rewrite) &&
        !template_path_is_clean(template_constant(location->rewrite)))
        return config_fail_allowed(build, item->place, "rewrite",
                                   "a path that begins with '/', with variables",
                                   "\"%.200s\" holds an empty segment, \".\" or \"..\"", text);
    return 0;
}
