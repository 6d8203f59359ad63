/* fuzz_dictionary.c: arbitrary octets as an Available-Dictionary field, and as an element of
 * `use_as_dictionary`, of which a structured field is made. */
#include "config/dictionary_rule.h"
#include "core/check.h"
#include "http/available_dictionary.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken has one form but for blanks and padding: it is the field that its hash makes. */
static void field(struct span value)
{
    uint8_t hash[DELTA_HASH_SIZE];
    char suffix[DELTA_SUFFIX_LEN], name[1 + DELTA_SUFFIX_LEN] = "a";

    if (!http_available_dictionary_parse(value, hash))
        return;
    value = span_trim(value);
    CHECK(value.len == 45 || value.len == 46);
    CHECK(value.ptr[0] == ':' && value.ptr[value.len - 1] == ':');
    delta_suffix_put(DELTA_DCZ, hash, suffix);
    memcpy(name + 1, suffix, sizeof(suffix));
    CHECK(delta_name_is(span_make(name, sizeof(name))));
}

/* Whatever is sent of it stays inside of a String (RFC 9651 section 3.3.3). */
static void is_string(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        CHECK(text.ptr[i] > ' ' && text.ptr[i] < 0x7f && text.ptr[i] != '"' && text.ptr[i] != '\\');
}

static void rule(const char *text)
{
    struct dictionary_rule rule;
    struct span dest;

    if (dictionary_rule_parse(text, &rule) != NULL)
        return;
    CHECK(strlen(text) <= DICTIONARY_RULE_MAX && rule.pattern.len > 0);
    CHECK(rule.match.ptr[0] == '/' && (rule.match.len < 2 || rule.match.ptr[1] != '/'));
    is_string(rule.match);
    while (dictionary_rule_next_dest(&rule.dests, &dest)) {
        CHECK(dest.len > 0);
        is_string(dest);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    field(span_make(text, size));
    rule(text);
    free(text);
    return 0;
}
