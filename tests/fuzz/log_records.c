/* log_records.c: the writer of test_json_log.py. Reads records from standard input, each as four
 * spans (host, request line, referer, user agent), each as two octets of length, the low one first,
 * and the octets; appends them to the JSON log argv[1]. */
#include "core/access_log.h"
#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPANS = 4, SPAN_OCTETS = 65535 };

/* False: there is none. */
static bool read_span(char *octets, struct span *ret_span)
{
    int low = getchar(), high = getchar();
    if (low == EOF || high == EOF)
        return false;
    size_t len = (size_t)(low | high << 8);
    CHECK(fread(octets, 1, len, stdin) == len);
    *ret_span = span_make(octets, len);
    return true;
}

int main(int argc, char **argv)
{
    static char octets[SPANS][SPAN_OCTETS];
    struct access_log *log;
    const char *what;
    char why[256];
    const struct access_format *format;
    struct arena *arena = arena_create();
    struct access_record record = { .peer = SPAN_LIT("127.0.0.1"), .log_date = "", .status = 200 };

    CHECK(argc == 2);
    CHECK(arena != NULL);
    MUST(access_format_compile(arena, "json", NULL, why, sizeof(why), &format) == 0);
    const struct access_log_options options = {
        .path = argv[1], .owner = geteuid(), .line_max = format->line_max, .buffer_size = 1 << 16
    };
    int error = access_log_open(&options, &log, &what);
    if (error < 0) {
        fprintf(stderr, "%s: errno %d\n", argv[1], -error);
        return EXIT_FAILURE;
    }
    while (read_span(octets[0], &record.host)) {
        CHECK(read_span(octets[1], &record.request_line) && read_span(octets[2], &record.referer) &&
              read_span(octets[3], &record.user_agent));
        access_log_append(log, format, &record);
    }
    access_log_close(log);
    arena_destroy(arena);
    return EXIT_SUCCESS;
}
