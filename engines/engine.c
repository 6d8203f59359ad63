/* engine.c: the engines built in, in the order in which -h lists them. */
#include "engines/engine.h"

#include "core/check.h"

#include <string.h>

static const struct engine_ops *const engines[] = {
    &engine_reactor,
    &engine_reactor_pool,
    &engine_multi_reactor,
    &engine_proactor,
};

const struct engine_ops *engine_find(const char *name)
{
    CHECK(name != NULL);
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    }
    return NULL;
}

const struct engine_ops *engine_at(size_t index)
{
    return index < ARRAY_LEN(engines) ? engines[index] : NULL;
}
