/* mime_lines.c: see mime_lines.h. Sources, in this order: the registry of IANA, the RFC of the
 * format, WHATWG (HTML, MIME Sniffing), and where none of them has a type, what browsers and other
 * servers use.
 *
 * Pinned are formats that software asks for by a type's name, and those whose extension means
 * something else to a desktop (.ts is also a file of Qt Linguist, and .mpd one of a music player).
 * What is only downloaded is not. */
#include "http/mime_lines.h"

#include "core/check.h"

static const char *const pinned[] = {
    /* documents */
    "text/html html htm shtml",
    "application/xhtml+xml xhtml xht",
    "text/css css",
    "text/javascript js mjs cjs", /* RFC 9239 */
    "application/wasm wasm",
    "text/wgsl wgsl",
    "text/plain txt text",
    "text/markdown md markdown", /* RFC 7763 */
    "text/csv csv",
    "application/pdf pdf",
    "application/xml xml",
    /* data */
    "application/json json map topojson", /* RFC 8259; ECMA-426 of source maps */
    "application/ld+json jsonld",
    "application/geo+json geojson", /* RFC 7946 */
    "application/manifest+json webmanifest",
    "application/yaml yaml yml", /* RFC 9512 */
    "application/gzip gz",       /* RFC 6713 */
    "application/zip zip",
    "application/zstd zst", /* RFC 8878 */
    "application/epub+zip epub",
    /* feeds */
    "application/rss+xml rss", /* not registered, and what readers look for */
    "application/atom+xml atom",
    "text/calendar ics",
    "text/vcard vcf",
    /* images */
    "image/svg+xml svg",
    "image/png png",
    "image/apng apng",
    "image/jpeg jpg jpeg jpe jfif pjpeg pjp",
    "image/gif gif",
    "image/webp webp",
    "image/avif avif avifs",
    "image/heic heic",
    "image/heic-sequence heics",
    "image/heif heif",
    "image/jxl jxl",
    "image/bmp bmp",
    "image/tiff tif tiff",
    "image/ktx2 ktx2",
    "image/vnd.microsoft.icon ico cur",
    /* fonts: RFC 8081 */
    "font/woff woff",
    "font/woff2 woff2",
    "font/ttf ttf",
    "font/otf otf",
    "font/collection ttc otc",
    /* sound */
    "audio/mpeg mp3",
    "audio/mp4 m4a m4b cmfa",
    "audio/aac aac",
    "audio/ogg ogg oga opus spx", /* RFC 5334; RFC 7845 section 9 */
    "audio/flac flac",            /* RFC 9639 */
    "audio/wav wav",
    "audio/webm weba",
    "audio/midi mid midi",
    /* moving pictures, their subtitles and playlists */
    "video/mp4 mp4 m4v mp4v cmfv",
    "video/webm webm",
    "video/ogg ogv",
    "video/quicktime mov",
    "video/mpeg mpeg mpg",
    "video/3gpp 3gp 3gpp",
    "video/mp2t ts m2ts mts", /* RFC 8216 section 3.2 */
    "video/iso.segment m4s",
    "application/vnd.apple.mpegurl m3u8", /* RFC 8216 section 4 */
    "audio/mpegurl m3u",
    "application/dash+xml mpd", /* ISO/IEC 23009-1 annex C */
    "text/vtt vtt",
    "application/ttml+xml ttml",
    /* things in space */
    "model/gltf+json gltf",
    "model/gltf-binary glb",
    "model/vnd.usdz+zip usdz",
};

static const char *const builtin[] = {
    "text/plain log conf ini asc diff patch srt",
    "text/tab-separated-values tsv",
    "text/turtle ttl",
    "application/xml xsl xsd",
    "application/rdf+xml rdf",
    "application/gpx+xml gpx",
    "application/vnd.google-earth.kml+xml kml",
    "application/vnd.google-earth.kmz kmz",
    "application/toml toml",
    "application/postscript ps eps",
    "application/rtf rtf",
    "application/msword doc",
    "application/vnd.ms-excel xls",
    "application/vnd.ms-powerpoint ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation pptx",
    "application/vnd.oasis.opendocument.text odt",
    "application/vnd.oasis.opendocument.spreadsheet ods",
    "application/vnd.oasis.opendocument.presentation odp",
    "application/vnd.ms-fontobject eot",
    "application/x-brotli br",
    "application/gzip tgz",
    "application/x-bzip2 bz2",
    "application/x-xz xz",
    "application/x-tar tar",
    "application/x-7z-compressed 7z",
    "application/vnd.rar rar",
    "application/java-archive jar",
    "application/vnd.android.package-archive apk",
    "application/vnd.debian.binary-package deb",
    "application/x-rpm rpm",
    "application/x-iso9660-image iso",
    "application/x-bittorrent torrent",
    "application/x-xpinstall xpi",
    "application/sql sql",
    "application/vnd.sqlite3 sqlite",
    "model/stl stl",
    "model/obj obj",
    "video/x-matroska mkv",
    "video/x-msvideo avi",
    "application/octet-stream bin exe dll dmg img msi",
};

const struct mime_lines mime_pinned = { pinned, ARRAY_LEN(pinned) };
const struct mime_lines mime_builtin = { builtin, ARRAY_LEN(builtin) };
