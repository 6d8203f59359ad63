/* fuzz_address_lines.c: arbitrary octets as a file of addresses. What is accepted makes a set in
 * which each element's own addresses are, unless a smaller one excludes them; and the set of what
 * is excluded is the rest. An IPv4 address in IPv6's clothes (::ffff:0:0/96) is none of an IPv6
 * network's: it is looked for among those of IPv4. */
#include "core/address_lines.h"

#include "core/arena.h"
#include "core/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A border of the element: is it an address that the element has? */
static bool is_own(const struct address_range *range, struct address_key key)
{
    return range->family != PEER_IPV6 || key.high != 0 || key.low >> 32 != 0xffff;
}

static struct peer peer_of(const struct address_range *range, struct address_key key)
{
    struct peer peer = { .family = range->family };

    for (int i = 0; i < 16; i++) {
        uint64_t half = i < 8 ? key.high : key.low;
        peer.addr[i] = (uint8_t)(half >> 8 * (7 - i % 8));
    }
    if (range->family == PEER_IPV4)
        memmove(peer.addr, peer.addr + 12, 4);
    return peer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = { (const char *)data, size };
    struct address_lines_fault fault;
    struct address_list list = { 0 }, none = { 0 };
    struct address_set in, out;
    struct arena *arena = arena_create();

    CHECK(arena != NULL);
    if (address_lines_add(text, false, &list, &fault) == 0) {
        CHECK(address_list_make_set(&list, false, arena, &in) == 0);
        for (size_t i = 0; i < list.count; i++) {
            struct address_range range = list.ranges[i];

            range.excluded = true;
            CHECK(address_list_add(&none, &range) == 0);
        }
        CHECK(address_list_make_set(&none, true, arena, &out) == 0);
        for (size_t i = 0; i < list.count; i++) {
            const struct address_range *range = &list.ranges[i];
            struct peer first = peer_of(range, range->first), last = peer_of(range, range->last);

            CHECK(address_set_has(&in, &first) && !address_set_has(&out, &first));
            CHECK(!is_own(range, range->last) ||
                  (address_set_has(&in, &last) && !address_set_has(&out, &last)));
        }
    } else {
        CHECK(fault.line > 0 && fault.text.len > 0 && fault.what != NULL);
        CHECK(fault.text.ptr >= text.ptr && fault.text.ptr + fault.text.len <= text.ptr + text.len);
    }
    address_list_free(&list);
    address_list_free(&none);
    arena_destroy(arena);
    return 0;
}
