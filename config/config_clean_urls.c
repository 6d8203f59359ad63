/* config_clean_urls.c: see config_clean_urls.h. */
#include "config/config_clean_urls.h"

#include "core/check.h"

#include <errno.h>
#include <string.h>

/* Does one of the candidates find the page behind an address without ".html"? */
static bool has_page(const struct location *location)
{
    static const char *const pages[] = { "$uri.html", "${uri}.html", "$path.html",
                                         "$document_uri.html" };

    for (size_t i = 0; i < location->try_count; i++) {
        for (size_t j = 0; j < ARRAY_LEN(pages); j++) {
            if (strcmp(location->try_uris[i], pages[j]) == 0)
                return true;
        }
    }
    return false;
}

int config_clean_urls_make(const struct config_build *build, const struct config_entry *tries,
                           struct location *location)
{
    static const char *const candidates[] = { "$uri", "$uri.html", "$uri/" };

    if (!location->clean_urls)
        return 0;
    if (location->try_count > 0)
        return has_page(location)
                   ? 0
                   : config_fail_advise(build, tries->place, "try", "add \"$uri.html\" to it",
                                        "with clean_urls = on, pages are looked for under their "
                                        "address without .html");
    location->try_uris =
        arena_array(build->arena, ARRAY_LEN(candidates), sizeof(location->try_uris[0]));
    if (location->try_uris == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        location->try_uris[i] = arena_strdup(build->arena, candidates[i]);
        if (location->try_uris[i] == NULL)
            return -ENOMEM;
    }
    location->try_count = ARRAY_LEN(candidates);
    return 0;
}
