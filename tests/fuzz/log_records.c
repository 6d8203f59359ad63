/* log_records.c: the writer of test_json_log.py. Reads records from standard input, each as four
 * spans (host, request line, referer, user agent), each as two octets of length, the low one first,
 * and the octets; appends them to the JSON log argv[1]. */
#include "core/check.h"
#include "core/log.h"

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
    struct access_record record = { .peer = SPAN_LIT("127.0.0.1"), .log_date = "", .status = 200 };

    CHECK(argc == 2);
    int error = access_log_open(argv[1], geteuid(), ACCESS_JSON, 1 << 16, &log, &what);
    if (error < 0) {
        fprintf(stderr, "%s: errno %d\n", argv[1], -error);
        return EXIT_FAILURE;
    }
    while (read_span(octets[0], &record.host)) {
        CHECK(read_span(octets[1], &record.request_line) && read_span(octets[2], &record.referer) &&
              read_span(octets[3], &record.user_agent));
        access_log_append(log, &record);
    }
    access_log_close(log);
    return EXIT_SUCCESS;
}
