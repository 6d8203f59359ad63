/* delta_make.c: which makers this build has. See delta_make.h. */
#include "core/delta_make.h"

#include "core/check.h"

const struct delta_maker *delta_maker_find(enum delta_format format)
{
    CHECK((unsigned)format < DELTA_FORMATS);
#ifdef GS_BROTLI_DICTIONARY
    if (format == DELTA_DCB)
        return &delta_maker_br;
#endif
#ifdef GS_ZSTD
    if (format == DELTA_DCZ)
        return &delta_maker_zstd;
#endif
    return NULL;
}

const char *delta_maker_missing(enum delta_format format)
{
    CHECK(delta_maker_find(format) == NULL);
    if (format == DELTA_DCZ)
        return "it is without libzstd (-DGS_ZSTD=ON)";
#ifdef GS_BROTLI
    return "its libbrotli has no dictionaries, which come with 1.1 (Debian 13)";
#else
    return "it is without libbrotli (-DGS_BROTLI=ON)";
#endif
}
