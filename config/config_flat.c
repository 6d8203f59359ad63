/* config_flat.c: a memory stream and an array beside it. */
#include "config/config_flat.h"
#include "core/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct config_flat_writer {
    FILE *stream;
    struct config_flat flat;
    size_t text_len; /* kept by the stream */
    size_t room;     /* of flat.places */
    bool failed;     /* a write found no memory: glibc's stream does not keep that */
};

int config_flat_open(struct config_flat_writer **ret_writer)
{
    struct config_flat_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return -ENOMEM;
    writer->stream = open_memstream(&writer->flat.text, &writer->text_len);
    if (writer->stream == NULL) {
        free(writer);
        return -ENOMEM;
    }
    *ret_writer = writer;
    return 0;
}

static int place_add(struct config_flat_writer *writer, struct config_place place)
{
    struct config_flat *flat = &writer->flat;

    if (flat->count == CONFIG_TOKENS_MAX)
        return -E2BIG;
    if (flat->count == writer->room) {
        size_t room = writer->room == 0 ? 256 : 2 * writer->room;
        void *grown = realloc(flat->places, room * sizeof(flat->places[0]));

        if (grown == NULL)
            return -ENOMEM;
        flat->places = grown;
        writer->room = room;
    }
    flat->places[flat->count++] = place;
    return 0;
}

static void put(struct config_flat_writer *writer, const char *text, size_t len)
{
    writer->failed |= fwrite(text, 1, len, writer->stream) != len;
}

/* config_flat_close() tells whether there was memory for all of them. */
static void token_write(struct config_flat_writer *writer, const struct config_token *token)
{
    struct span text = token->text;

    CHECK(text.len > 0);
    switch (token->kind) {
    case CONFIG_TOKEN_STRING:
        put(writer, text.ptr, text.len);
        break;
    case CONFIG_TOKEN_WORD:
        put(writer, "\"", 1);
        for (size_t i = 0; i < text.len; i++) {
            if (text.ptr[i] == '\\')
                put(writer, "\\", 1);
            put(writer, &text.ptr[i], 1);
        }
        put(writer, "\"", 1);
        break;
    case CONFIG_TOKEN_MARK:
        put(writer, text.ptr, 1);
        break;
    default:
        UNREACHABLE();
    }
    put(writer, "\n", 1);
}

int config_flat_add(struct config_flat_writer *writer, const struct config_token *token,
                    struct config_place place)
{
    int res = place_add(writer, place);

    if (res == 0)
        token_write(writer, token);
    return res;
}

int config_flat_add_title(struct config_flat_writer *writer, const struct config_token *token,
                          struct config_place place)
{
    static const struct config_token name = {
        .kind = CONFIG_TOKEN_WORD, .text = { CONFIG_FLAT_TITLE, sizeof(CONFIG_FLAT_TITLE) - 1 }
    };
    static const struct config_token equals = { .kind = CONFIG_TOKEN_MARK, .text = { "=", 1 } };
    int res = config_flat_add(writer, &name, place);

    CHECK(token->kind != CONFIG_TOKEN_MARK);
    if (res == 0)
        res = config_flat_add(writer, &equals, place);
    if (res == 0)
        res = config_flat_add(writer, token, place);
    return res;
}

int config_flat_close(struct config_flat_writer *writer, struct config_flat *ret_flat)
{
    bool failed = writer->failed || ferror(writer->stream) != 0;

    failed = fclose(writer->stream) != 0 || failed || writer->flat.text == NULL;
    if (failed || ret_flat == NULL)
        config_flat_free(&writer->flat);
    else
        *ret_flat = writer->flat;
    free(writer);
    return failed ? -ENOMEM : 0;
}

void config_flat_free(struct config_flat *flat)
{
    free(flat->text);
    free(flat->places);
    *flat = (struct config_flat){ 0 };
}
