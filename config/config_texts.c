/* config_texts.c: see config_texts.h. A handful of files: a list will do. */
#include "config/config_texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Not strdup(3): a file may hold any octet. NULL: no memory. */
static char *copy_of(const char *text, size_t len)
{
    char *copy = malloc(len + 1);

    if (copy != NULL && len > 0)
        memcpy(copy, text, len);
    return copy;
}

int config_texts_find(const struct config_texts *texts, const char *path, char **ret_text,
                      size_t *ret_len)
{
    for (const struct config_text *text = texts->first; text != NULL; text = text->next) {
        if (strcmp(text->path, path) != 0)
            continue;
        char *copy = copy_of(text->text, text->len);
        if (copy == NULL)
            return -ENOMEM;
        *ret_text = copy;
        *ret_len = text->len;
        return 0;
    }
    return -ENOENT;
}

static void text_free(struct config_text *text)
{
    free(text->path);
    free(text->text);
    free(text);
}

int config_texts_keep(struct config_texts *texts, const char *path, const char *text, size_t len)
{
    struct config_text *kept = calloc(1, sizeof *kept);

    if (kept == NULL)
        return -ENOMEM;
    kept->path = strdup(path);
    kept->text = copy_of(text, len);
    kept->len = len;
    if (kept->path == NULL || kept->text == NULL) {
        text_free(kept);
        return -ENOMEM;
    }
    kept->next = texts->first;
    texts->first = kept;
    return 0;
}

int config_texts_copy(struct config_texts *to, const struct config_texts *from)
{
    for (const struct config_text *text = from->first; text != NULL; text = text->next) {
        int res = config_texts_keep(to, text->path, text->text, text->len);
        if (res < 0) {
            config_texts_free(to);
            return res;
        }
    }
    return 0;
}

void config_texts_free(struct config_texts *texts)
{
    while (texts->first != NULL) {
        struct config_text *text = texts->first;
        texts->first = text->next;
        text_free(text);
    }
}
