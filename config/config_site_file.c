/* config_site_file.c: see config_site_file.h. */
#include "config/config_site_file.h"

#include <errno.h>
#include <string.h>

int config_site_file_hide(const struct config_build *build, struct location *location,
                          const char *name)
{
    size_t count = location->autoindex_exclude_count;
    char **exclude;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(location->autoindex_exclude[i], name) == 0)
            return 0;
    }
    exclude = arena_array(build->arena, count + 1, sizeof(exclude[0]));
    if (exclude == NULL)
        return -ENOMEM;
    if (count > 0) /* it may be inherited: others keep theirs */
        memcpy(exclude, location->autoindex_exclude, count * sizeof(exclude[0]));
    exclude[count] = arena_strdup(build->arena, name);
    if (exclude[count] == NULL)
        return -ENOMEM;
    location->autoindex_exclude = exclude;
    location->autoindex_exclude_count++;
    return 0;
}
