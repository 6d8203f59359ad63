/* fuzz_session.c: a whole session under arbitrary octets. The first octet of the input chooses how they arrive; the rest is what the peer
 * sends. Undisturbed and chopped delivery must be answered with the same octets, and everything held must come back (checked by the pools). */
#include "tests/sim/sim_engine.h"
#include "tests/sim/sim_site.h"

#include "core/check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sim_site site;

static void remove_site(void)
{
    sim_site_destroy(&site);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (site.config == NULL) {
        sim_site_create(&site);
        atexit(remove_site);
    }
    if (size < 2)
        return 0;
    const char *input = (const char *)data + 1;
    struct sim_options plain = { .seed = 1, .file_segments = true };
    struct sim_options chopped = { .seed = data[0], .chop = true, .file_segments = data[0] & 1 };
    struct sim_result want, have;
    sim_run(site.config, &plain, input, size - 1, &want);
    sim_run(site.config, &chopped, input, size - 1, &have);
    CHECK(want.sent_len == have.sent_len);
    CHECK(want.sent_len == 0 || memcmp(want.sent, have.sent, want.sent_len) == 0);
    free(want.sent);
    free(have.sent);
    return 0;
}
