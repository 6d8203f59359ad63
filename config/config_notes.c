/* config_notes.c: a list, which is looked through once for each thing that is explained. See
 * config_notes.h. */
#include "config/config_notes.h"

#include <stdio.h>
#include <string.h>

struct config_note {
    const void *what;
    const char *file; /* in the configuration's arena; notes of one file share it */
    int line;
    struct config_note *next;
};

void config_note(const struct config_build *build, const void *what, struct config_place place)
{
    struct config_note **notes = build->notes, *note;

    if (notes == NULL || what == NULL || place.file == NULL || place.file[0] == '\0')
        return;
    note = arena_alloc(build->arena, sizeof(*note));
    if (note == NULL)
        return;
    note->file = *notes != NULL && strcmp((*notes)->file, place.file) == 0
                     ? (*notes)->file
                     : arena_strdup(build->arena, place.file);
    if (note->file == NULL)
        return;
    note->what = what;
    note->line = place.line;
    note->next = *notes;
    *notes = note;
}

bool config_note_find(const struct config *config, const void *what, char *ret_text, size_t size)
{
    const struct config_note *note = config->notes;

    while (note != NULL && note->what != what)
        note = note->next;
    ret_text[0] = '\0';
    if (note == NULL)
        return false;
    if (note->line > 0)
        snprintf(ret_text, size, "%s:%d", note->file, note->line);
    else
        snprintf(ret_text, size, "%s", note->file);
    return true;
}
