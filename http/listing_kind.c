/* listing_kind.c: kinds by extension. It decides about an icon, never about how a file is served.
 */
#include "http/listing_kind.h"

#include "core/check.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Sorted, in lower case. */
static const struct extension {
    char text[8];
    unsigned char kind;
} extensions[] = {
    { "3gp", HTTP_KIND_VIDEO },     { "7z", HTTP_KIND_ARCHIVE },
    { "aac", HTTP_KIND_AUDIO },     { "adoc", HTTP_KIND_TEXT },
    { "ai", HTTP_KIND_PICTURE },    { "aiff", HTTP_KIND_AUDIO },
    { "apk", HTTP_KIND_ARCHIVE },   { "apng", HTTP_KIND_IMAGE },
    { "asc", HTTP_KIND_TEXT },      { "asm", HTTP_KIND_CODE },
    { "avi", HTTP_KIND_VIDEO },     { "avif", HTTP_KIND_IMAGE },
    { "awk", HTTP_KIND_CODE },      { "bash", HTTP_KIND_CODE },
    { "bat", HTTP_KIND_CODE },      { "bin", HTTP_KIND_DISK },
    { "bmp", HTTP_KIND_IMAGE },     { "bz2", HTTP_KIND_ARCHIVE },
    { "c", HTTP_KIND_CODE },        { "cab", HTTP_KIND_ARCHIVE },
    { "cc", HTTP_KIND_CODE },       { "cfg", HTTP_KIND_CODE },
    { "changes", HTTP_KIND_TEXT },  { "clj", HTTP_KIND_CODE },
    { "cmake", HTTP_KIND_CODE },    { "conf", HTTP_KIND_CODE },
    { "cpp", HTTP_KIND_CODE },      { "cr2", HTTP_KIND_PICTURE },
    { "crate", HTTP_KIND_ARCHIVE }, { "cs", HTTP_KIND_CODE },
    { "css", HTTP_KIND_CODE },      { "csv", HTTP_KIND_TEXT },
    { "cxx", HTTP_KIND_CODE },      { "d", HTTP_KIND_CODE },
    { "dart", HTTP_KIND_CODE },     { "deb", HTTP_KIND_ARCHIVE },
    { "diff", HTTP_KIND_CODE },     { "djvu", HTTP_KIND_DOCUMENT },
    { "dmg", HTTP_KIND_DISK },      { "dng", HTTP_KIND_PICTURE },
    { "doc", HTTP_KIND_DOCUMENT },  { "docx", HTTP_KIND_DOCUMENT },
    { "dsc", HTTP_KIND_TEXT },      { "ear", HTTP_KIND_ARCHIVE },
    { "efi", HTTP_KIND_DISK },      { "el", HTTP_KIND_CODE },
    { "eot", HTTP_KIND_FONT },      { "eps", HTTP_KIND_PICTURE },
    { "epub", HTTP_KIND_DOCUMENT }, { "erl", HTTP_KIND_CODE },
    { "ex", HTTP_KIND_CODE },       { "exs", HTTP_KIND_CODE },
    { "flac", HTTP_KIND_AUDIO },    { "flv", HTTP_KIND_VIDEO },
    { "fs", HTTP_KIND_CODE },       { "gif", HTTP_KIND_IMAGE },
    { "go", HTTP_KIND_CODE },       { "gradle", HTTP_KIND_CODE },
    { "gz", HTTP_KIND_ARCHIVE },    { "h", HTTP_KIND_CODE },
    { "heic", HTTP_KIND_PICTURE },  { "heif", HTTP_KIND_PICTURE },
    { "hpp", HTTP_KIND_CODE },      { "hs", HTTP_KIND_CODE },
    { "htm", HTTP_KIND_CODE },      { "html", HTTP_KIND_CODE },
    { "ico", HTTP_KIND_IMAGE },     { "ics", HTTP_KIND_TEXT },
    { "img", HTTP_KIND_DISK },      { "ini", HTTP_KIND_CODE },
    { "ipynb", HTTP_KIND_CODE },    { "iso", HTTP_KIND_DISK },
    { "jar", HTTP_KIND_ARCHIVE },   { "java", HTTP_KIND_CODE },
    { "jl", HTTP_KIND_CODE },       { "jpeg", HTTP_KIND_IMAGE },
    { "jpg", HTTP_KIND_IMAGE },     { "js", HTTP_KIND_CODE },
    { "json", HTTP_KIND_CODE },     { "jsx", HTTP_KIND_CODE },
    { "jxl", HTTP_KIND_PICTURE },   { "key", HTTP_KIND_DOCUMENT },
    { "kt", HTTP_KIND_CODE },       { "lisp", HTTP_KIND_CODE },
    { "log", HTTP_KIND_TEXT },      { "lua", HTTP_KIND_CODE },
    { "lz", HTTP_KIND_ARCHIVE },    { "lz4", HTTP_KIND_ARCHIVE },
    { "lzma", HTTP_KIND_ARCHIVE },  { "m", HTTP_KIND_CODE },
    { "m2ts", HTTP_KIND_VIDEO },    { "m4a", HTTP_KIND_AUDIO },
    { "m4v", HTTP_KIND_VIDEO },     { "map", HTTP_KIND_CODE },
    { "md", HTTP_KIND_TEXT },       { "md5", HTTP_KIND_TEXT },
    { "mid", HTTP_KIND_AUDIO },     { "midi", HTTP_KIND_AUDIO },
    { "mjs", HTTP_KIND_CODE },      { "mkv", HTTP_KIND_VIDEO },
    { "ml", HTTP_KIND_CODE },       { "mobi", HTTP_KIND_DOCUMENT },
    { "mov", HTTP_KIND_VIDEO },     { "mp3", HTTP_KIND_AUDIO },
    { "mp4", HTTP_KIND_VIDEO },     { "mpeg", HTTP_KIND_VIDEO },
    { "mpg", HTTP_KIND_VIDEO },     { "nef", HTTP_KIND_PICTURE },
    { "nfo", HTTP_KIND_TEXT },      { "nim", HTTP_KIND_CODE },
    { "nix", HTTP_KIND_CODE },      { "numbers", HTTP_KIND_DOCUMENT },
    { "odp", HTTP_KIND_DOCUMENT },  { "ods", HTTP_KIND_DOCUMENT },
    { "odt", HTTP_KIND_DOCUMENT },  { "oga", HTTP_KIND_AUDIO },
    { "ogg", HTTP_KIND_AUDIO },     { "ogv", HTTP_KIND_VIDEO },
    { "opus", HTTP_KIND_AUDIO },    { "org", HTTP_KIND_TEXT },
    { "orw", HTTP_KIND_PICTURE },   { "otf", HTTP_KIND_FONT },
    { "ova", HTTP_KIND_DISK },      { "pages", HTTP_KIND_DOCUMENT },
    { "patch", HTTP_KIND_CODE },    { "pdf", HTTP_KIND_DOCUMENT },
    { "php", HTTP_KIND_CODE },      { "pl", HTTP_KIND_CODE },
    { "plist", HTTP_KIND_CODE },    { "pm", HTTP_KIND_CODE },
    { "png", HTTP_KIND_IMAGE },     { "ppt", HTTP_KIND_DOCUMENT },
    { "pptx", HTTP_KIND_DOCUMENT }, { "ps", HTTP_KIND_DOCUMENT },
    { "ps1", HTTP_KIND_CODE },      { "psd", HTTP_KIND_PICTURE },
    { "py", HTTP_KIND_CODE },       { "qcow2", HTTP_KIND_DISK },
    { "r", HTTP_KIND_CODE },        { "rar", HTTP_KIND_ARCHIVE },
    { "raw", HTTP_KIND_PICTURE },   { "rb", HTTP_KIND_CODE },
    { "rpm", HTTP_KIND_ARCHIVE },   { "rs", HTTP_KIND_CODE },
    { "rst", HTTP_KIND_TEXT },      { "rtf", HTTP_KIND_DOCUMENT },
    { "s", HTTP_KIND_CODE },        { "sass", HTTP_KIND_CODE },
    { "scala", HTTP_KIND_CODE },    { "scss", HTTP_KIND_CODE },
    { "sh", HTTP_KIND_CODE },       { "sha1", HTTP_KIND_TEXT },
    { "sha256", HTTP_KIND_TEXT },   { "sha512", HTTP_KIND_TEXT },
    { "sig", HTTP_KIND_TEXT },      { "sql", HTTP_KIND_CODE },
    { "srt", HTTP_KIND_TEXT },      { "sub", HTTP_KIND_TEXT },
    { "svelte", HTTP_KIND_CODE },   { "svg", HTTP_KIND_IMAGE },
    { "swift", HTTP_KIND_CODE },    { "tar", HTTP_KIND_ARCHIVE },
    { "tbz2", HTTP_KIND_ARCHIVE },  { "tcl", HTTP_KIND_CODE },
    { "tex", HTTP_KIND_CODE },      { "tf", HTTP_KIND_CODE },
    { "tgz", HTTP_KIND_ARCHIVE },   { "tif", HTTP_KIND_PICTURE },
    { "tiff", HTTP_KIND_PICTURE },  { "toml", HTTP_KIND_CODE },
    { "ts", HTTP_KIND_VIDEO },      { "tsv", HTTP_KIND_TEXT },
    { "tsx", HTTP_KIND_CODE },      { "ttc", HTTP_KIND_FONT },
    { "ttf", HTTP_KIND_FONT },      { "txt", HTTP_KIND_TEXT },
    { "txz", HTTP_KIND_ARCHIVE },   { "v", HTTP_KIND_CODE },
    { "vdi", HTTP_KIND_DISK },      { "vhd", HTTP_KIND_DISK },
    { "vhdx", HTTP_KIND_DISK },     { "vim", HTTP_KIND_CODE },
    { "vmdk", HTTP_KIND_DISK },     { "vtt", HTTP_KIND_TEXT },
    { "vue", HTTP_KIND_CODE },      { "war", HTTP_KIND_ARCHIVE },
    { "wasm", HTTP_KIND_CODE },     { "wat", HTTP_KIND_CODE },
    { "wav", HTTP_KIND_AUDIO },     { "webm", HTTP_KIND_VIDEO },
    { "webp", HTTP_KIND_IMAGE },    { "whl", HTTP_KIND_ARCHIVE },
    { "wma", HTTP_KIND_AUDIO },     { "wmv", HTTP_KIND_VIDEO },
    { "woff", HTTP_KIND_FONT },     { "woff2", HTTP_KIND_FONT },
    { "xcf", HTTP_KIND_PICTURE },   { "xls", HTTP_KIND_DOCUMENT },
    { "xlsx", HTTP_KIND_DOCUMENT }, { "xml", HTTP_KIND_CODE },
    { "xpi", HTTP_KIND_ARCHIVE },   { "xsl", HTTP_KIND_CODE },
    { "xz", HTTP_KIND_ARCHIVE },    { "yaml", HTTP_KIND_CODE },
    { "yml", HTTP_KIND_CODE },      { "zig", HTTP_KIND_CODE },
    { "zip", HTTP_KIND_ARCHIVE },   { "zst", HTTP_KIND_ARCHIVE },
};

enum http_listing_kind http_listing_kind_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t first = 0, end = ARRAY_LEN(extensions);

    if (dot == NULL || dot == name || strlen(dot + 1) >= sizeof(extensions[0].text))
        return HTTP_KIND_FILE;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = strcasecmp(dot + 1, extensions[middle].text);

        if (order == 0)
            return (enum http_listing_kind)extensions[middle].kind;
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return HTTP_KIND_FILE;
}

struct span http_listing_kind_word(enum http_listing_kind kind)
{
    static const struct span words[] = {
        [HTTP_KIND_FOLDER] = { "folder", 6 },     [HTTP_KIND_FILE] = { "file", 4 },
        [HTTP_KIND_IMAGE] = { "image", 5 },       [HTTP_KIND_PICTURE] = { "picture", 7 },
        [HTTP_KIND_VIDEO] = { "video", 5 },       [HTTP_KIND_AUDIO] = { "audio", 5 },
        [HTTP_KIND_ARCHIVE] = { "archive", 7 },   [HTTP_KIND_DISK] = { "disk", 4 },
        [HTTP_KIND_DOCUMENT] = { "document", 8 }, [HTTP_KIND_TEXT] = { "text", 4 },
        [HTTP_KIND_CODE] = { "code", 4 },         [HTTP_KIND_FONT] = { "font", 4 },
    };

    return words[kind];
}
