/* test_mime_lines.c: the types that the program knows by itself, and that those which the web needs
 * win over the machine's. */
#include "http/mime.c"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static struct mime_table *load(const char *file)
{
    struct config config = { .mime_types = (char *)(uintptr_t)file,
                             .default_type = (char[]){ "application/octet-stream" } };
    struct mime_table *table = NULL;
    char why[256] = "";

    assert_int_equal(mime_table_load(&config, why, sizeof(why), &table), 0);
    return table;
}

/* Calls `check` with each line of both lists: its type, and what stands behind it. */
static void each_line(void (*check)(struct span type, struct span extensions, bool pinned))
{
    for (size_t i = 0; i < mime_builtin.count + mime_pinned.count; i++) {
        bool pinned = i >= mime_builtin.count;
        struct span line =
            span_str(pinned ? mime_pinned.lines[i - mime_builtin.count] : mime_builtin.lines[i]);
        struct span type = take_word(&line);

        check(type, line, pinned);
    }
}

static struct mime_table *filled;
static size_t extensions_count;

static void check_line(struct span type, struct span extensions, bool pinned)
{
    size_t before = extensions_count;

    (void)pinned;
    assert_int_equal(media_type_len(type), type.len);
    for (struct span extension; (extension = take_word(&extensions)).len > 0; extensions_count++) {
        for (size_t i = 0; i < extension.len; i++)
            assert_int_equal(extension.ptr[i], lower(extension.ptr[i]));
        assert_true(span_eq(slot_find(filled, extension)->type, type));
    }
    assert_true(extensions_count > before);
}

/* Every built-in line is well-formed, and no extension stands in two of them. */
static void test_lines(void **state)
{
    (void)state;
    filled = load("");
    extensions_count = 0;
    each_line(check_line);
    assert_int_equal(filled->used, extensions_count);
    mime_table_free(filled);
}

static char wrong_text[16384];
static size_t wrong_len;

static void put_wrong(struct span type, struct span extensions, bool pinned)
{
    (void)type;
    (void)pinned;
    wrong_len += (size_t)snprintf(wrong_text + wrong_len, sizeof(wrong_text) - wrong_len,
                                  "application/x-wrong%.*s\n", (int)extensions.len, extensions.ptr);
}

static void check_who_wins(struct span type, struct span extensions, bool pinned)
{
    for (struct span extension; (extension = take_word(&extensions)).len > 0;)
        assert_true(span_eq(slot_find(filled, extension)->type,
                            pinned ? type : SPAN_LIT("application/x-wrong")));
}

/* A machine's file that knows every extension, and each as something else. */
static void test_pinned(void **state)
{
    char path[] = "/tmp/test_mime_lines.XXXXXX";
    int fd;

    (void)state;
    wrong_len = 0;
    each_line(put_wrong);
    assert_true(wrong_len < sizeof(wrong_text) - 1);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, wrong_text, wrong_len), wrong_len);
    close(fd);
    filled = load(path);
    unlink(path);
    each_line(check_who_wins);
    mime_table_free(filled);
}

/* Every pinned extension, with the type that IANA, an RFC or WHATWG gives it: written down a second
 * time, so that a slip in the list shows. */
static void test_pinned_types(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "3gp", "video/3gpp" },
        { "3gpp", "video/3gpp" },
        { "aac", "audio/aac" },
        { "apng", "image/apng" },
        { "atom", "application/atom+xml" },
        { "avif", "image/avif" },
        { "avifs", "image/avif" },
        { "bmp", "image/bmp" },
        { "cjs", "text/javascript" },
        { "cmfa", "audio/mp4" },
        { "cmfv", "video/mp4" },
        { "css", "text/css" },
        { "csv", "text/csv" },
        { "cur", "image/vnd.microsoft.icon" },
        { "epub", "application/epub+zip" },
        { "flac", "audio/flac" },
        { "geojson", "application/geo+json" },
        { "gif", "image/gif" },
        { "glb", "model/gltf-binary" },
        { "gltf", "model/gltf+json" },
        { "gz", "application/gzip" },
        { "heic", "image/heic" },
        { "heics", "image/heic-sequence" },
        { "heif", "image/heif" },
        { "htm", "text/html" },
        { "html", "text/html" },
        { "ico", "image/vnd.microsoft.icon" },
        { "ics", "text/calendar" },
        { "jfif", "image/jpeg" },
        { "jpe", "image/jpeg" },
        { "jpeg", "image/jpeg" },
        { "jpg", "image/jpeg" },
        { "js", "text/javascript" },
        { "json", "application/json" },
        { "jsonld", "application/ld+json" },
        { "jxl", "image/jxl" },
        { "ktx2", "image/ktx2" },
        { "m2ts", "video/mp2t" },
        { "m3u", "audio/mpegurl" },
        { "m3u8", "application/vnd.apple.mpegurl" },
        { "m4a", "audio/mp4" },
        { "m4b", "audio/mp4" },
        { "m4s", "video/iso.segment" },
        { "m4v", "video/mp4" },
        { "map", "application/json" },
        { "markdown", "text/markdown" },
        { "md", "text/markdown" },
        { "mid", "audio/midi" },
        { "midi", "audio/midi" },
        { "mjs", "text/javascript" },
        { "mov", "video/quicktime" },
        { "mp3", "audio/mpeg" },
        { "mp4", "video/mp4" },
        { "mp4v", "video/mp4" },
        { "mpd", "application/dash+xml" },
        { "mpeg", "video/mpeg" },
        { "mpg", "video/mpeg" },
        { "mts", "video/mp2t" },
        { "oga", "audio/ogg" },
        { "ogg", "audio/ogg" },
        { "ogv", "video/ogg" },
        { "opus", "audio/ogg" },
        { "otc", "font/collection" },
        { "otf", "font/otf" },
        { "pdf", "application/pdf" },
        { "pjp", "image/jpeg" },
        { "pjpeg", "image/jpeg" },
        { "png", "image/png" },
        { "rss", "application/rss+xml" },
        { "shtml", "text/html" },
        { "spx", "audio/ogg" },
        { "svg", "image/svg+xml" },
        { "text", "text/plain" },
        { "tif", "image/tiff" },
        { "tiff", "image/tiff" },
        { "topojson", "application/json" },
        { "ts", "video/mp2t" },
        { "ttc", "font/collection" },
        { "ttf", "font/ttf" },
        { "ttml", "application/ttml+xml" },
        { "txt", "text/plain" },
        { "usdz", "model/vnd.usdz+zip" },
        { "vcf", "text/vcard" },
        { "vtt", "text/vtt" },
        { "wasm", "application/wasm" },
        { "wav", "audio/wav" },
        { "weba", "audio/webm" },
        { "webm", "video/webm" },
        { "webmanifest", "application/manifest+json" },
        { "webp", "image/webp" },
        { "wgsl", "text/wgsl" },
        { "woff", "font/woff" },
        { "woff2", "font/woff2" },
        { "xht", "application/xhtml+xml" },
        { "xhtml", "application/xhtml+xml" },
        { "xml", "application/xml" },
        { "yaml", "application/yaml" },
        { "yml", "application/yaml" },
        { "zip", "application/zip" },
        { "zst", "application/zstd" },
    };
    struct mime_table *table = load("");
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span type;
        char path[64];

        snprintf(path, sizeof(path), "/x/a.%s", rows[i][0]);
        type = mime_table_find(table, span_str(path));
        if (!span_eq(type, span_str(rows[i][1])))
            fail_msg("%s: %.*s instead of %s", path, (int)type.len, type.ptr, rows[i][1]);
    }
    for (size_t i = 0; i < mime_pinned.count; i++) {
        struct span line = span_str(mime_pinned.lines[i]);

        take_word(&line);
        while (take_word(&line).len > 0)
            count++;
    }
    assert_int_equal(count, ARRAY_LEN(rows));
    mime_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_pinned_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
