/* config_texts.h: the files of a configuration as they were read first, so that one that can be
 * read only once (a pipe: -c /dev/stdin, -c <(command)) can be taken twice, and both times says the
 * same. For `engine = auto`: what it chooses changes what the configuration says. */
#ifndef CONFIG_CONFIG_TEXTS_H
#define CONFIG_CONFIG_TEXTS_H

#include <stddef.h>

struct config_text {
    struct config_text *next;
    char *path, *text;
    size_t len;
};

/* The files read so far; all zero: none. Owns them. */
struct config_texts {
    struct config_text *first;
};

/* A copy of the text kept for `path`, which the caller frees. 0; -ENOENT: none is kept; -ENOMEM. */
int config_texts_find(const struct config_texts *texts, const char *path, char **ret_text,
                      size_t *ret_len);

/* Keeps a copy of `text` for `path`. 0 or -ENOMEM. */
int config_texts_keep(struct config_texts *texts, const char *path, const char *text, size_t len);

/* Makes `to`, which is empty, a copy of `from`. 0, or -ENOMEM, and it is empty still. */
int config_texts_copy(struct config_texts *to, const struct config_texts *from);

/* Frees all. */
void config_texts_free(struct config_texts *texts);

#endif
