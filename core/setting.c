/* setting.c: see setting.h. */
#include "core/setting.h"

#include <stdio.h>
#include <string.h>

bool setting_read(const char *path, char *ret_line, size_t size)
{
    FILE *file = fopen(path, "re");
    bool read = file != NULL && fgets(ret_line, (int)size, file) != NULL;
    if (read)
        ret_line[strcspn(ret_line, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
    return read;
}
