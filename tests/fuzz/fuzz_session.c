/* fuzz_session.c: a whole session under arbitrary octets. The first octet of the input chooses how
 * they arrive and, with the input's length, the settings; the rest is what the peer sends.
 * Undisturbed and chopped delivery must be answered with the same octets, and everything held must
 * come back (checked by the pools).
 *
 * Settings are drawn from all that server.conf allows, their ends most often: what is valid there
 * must not let any octets end the server. */
#include "tests/sim/sim_engine.h"
#include "tests/sim/sim_site.h"

#include "core/check.h"
#include "config/config_keys.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sim_site site;

static void remove_site(void)
{
    sim_site_destroy(&site);
}

/* What governs a session. Deadlines are not among them: the two deliveries take different times;
 * nor is autoindex_max, which would fill the terminal with its complaint. */
static const char *const drawn[] = {
    "request_line_max", "header_field_max",   "header_max",  "header_count_max",
    "body_max",         "chunk_overhead_max", "ranges_max",  "keepalive_requests",
    "send_turn",        "small_file_max",     "cache_files", "cache_bytes",
};

/* A number that the key allows: its least, its most, or any. */
static uint64_t draw(const struct config_key *key, uint64_t *random)
{
    switch (sim_random(random) % 4) {
    case 0:
        return key->max;
    case 1:
        return key->min + sim_random(random) % (key->max - key->min + 1);
    default:
        return key->min;
    }
}

static void draw_settings(struct config *config, uint64_t seed)
{
    uint64_t random = seed;
    for (size_t i = 0; i < ARRAY_LEN(drawn); i++) {
        const struct config_key *key = config_key_find(drawn[i]);
        char *place = (char *)config + key->offset;
        if (sim_random(&random) % 3 != 0)
            continue; /* as the site has it */
        uint64_t number = draw(key, &random);
        uint32_t narrow = (uint32_t)number;
        if (key->type == CONFIG_SIZE64)
            memcpy(place, &number, sizeof(number));
        else
            memcpy(place, &narrow, sizeof(narrow));
    }
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
    struct config config = *site.config;
    if (size % 4 != 0) /* else, and so for some of the seeds, the site's own */
        draw_settings(&config, data[0] | (uint64_t)size << 8);
    struct sim_options plain = { .seed = 1, .file_segments = true };
    struct sim_options chopped = { .seed = data[0], .chop = true, .file_segments = data[0] & 1 };
    struct sim_result want, have;
    sim_run(&config, &plain, input, size - 1, &want);
    sim_run(&config, &chopped, input, size - 1, &have);
    CHECK(want.sent_len == have.sent_len);
    CHECK(want.sent_len == 0 || memcmp(want.sent, have.sent, want.sent_len) == 0);
    free(want.sent);
    free(have.sent);
    return 0;
}
