/* regex_fixture.h: what tests of patterns need: an arena for what is compiled, and room to match.
 */
#ifndef UNIT_REGEX_FIXTURE_H
#define UNIT_REGEX_FIXTURE_H

#include "core/arena.h"
#include "match/regex.h"

static struct arena *arena;
static struct regex_room *room;

static int regex_setup(void **state)
{
    (void)state;
    arena = arena_create();
    return regex_room_create(REGEX_STEPS_DEFAULT, &room);
}

static int regex_teardown(void **state)
{
    (void)state;
    regex_room_destroy(room);
    arena_destroy(arena);
    return 0;
}

#endif
