/* compress_types.c: see compress_types.h. Asked once for a file, not for a request. */
#include "http/compress_types.h"

#include "core/check.h"

#include <stddef.h>
#include <string.h>

/* Besides what ends in +json or +xml. */
static const char *const usual[] = {
    "text/*",
    "application/ecmascript",
    "application/javascript",
    "application/x-javascript",
    "application/json",
    "application/x-ndjson",
    "application/xml",
    "application/xml-dtd",
    "application/wasm",
    "application/rtf",
    "application/sql",
    "application/toml",
    "application/yaml",
    "application/x-yaml",
    "application/x-sh",
    "application/x-tex",
    "application/postscript",
    "application/vnd.ms-fontobject",
    "application/x-font-ttf",
    "application/x-font-opentype",
    "font/otf",
    "font/sfnt",
    "font/ttf",
    "image/bmp",
    "image/x-icon",
    "image/vnd.microsoft.icon",
    "model/obj",
    "model/stl",
};

/* The type without what stands behind ';'. */
static struct span bare(struct span type)
{
    const char *end = memchr(type.ptr, ';', type.len);

    return span_trim(end != NULL ? span_make(type.ptr, (size_t)(end - type.ptr)) : type);
}

static bool matches(struct span range, struct span type)
{
    if (span_eq(range, SPAN_LIT("*/*")))
        return true;
    if (range.len < 2 || range.ptr[range.len - 1] != '*' || range.ptr[range.len - 2] != '/')
        return span_caseeq(range, type);
    return type.len >= range.len &&
           span_caseeq(span_make(range.ptr, range.len - 1), span_make(type.ptr, range.len - 1));
}

static bool ends_with(struct span type, struct span suffix)
{
    return type.len > suffix.len &&
           span_caseeq(span_make(type.ptr + type.len - suffix.len, suffix.len), suffix);
}

bool http_media_range_has(struct span range, struct span type)
{
    return matches(range, bare(type));
}

bool http_compress_suits(const struct location *location, struct span type)
{
    type = bare(type);
    for (size_t i = 0; i < location->compress_types_count; i++)
        if (matches(span_str(location->compress_types[i]), type))
            return true;
    if (location->compress_types_count > 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        if (matches(span_str(usual[i]), type))
            return true;
    return ends_with(type, SPAN_LIT("+json")) || ends_with(type, SPAN_LIT("+xml"));
}
