/* pulse.c: see pulse.h. A loop that leaves takes its answer with it. Where the watcher asks anew at
 * that very moment, a question is taken for answered that is not; the next one is not. */
#include "core/pulse.h"

#include "core/shared_memory.h"

#include <errno.h>
#include <sys/mman.h>

enum { VERSION = 1 };

struct pulse *pulse_create(int *ret_memory)
{
    struct pulse *pulse = shared_memory_make("gearshift-pulse", sizeof(*pulse), ret_memory);

    if (pulse != NULL)
        pulse->version = VERSION;
    return pulse;
}

struct pulse *pulse_adopt(int memory)
{
    struct pulse *pulse = shared_memory_map(memory, sizeof(*pulse));

    if (pulse == NULL || pulse->version == VERSION)
        return pulse;
    pulse_destroy(pulse);
    errno = EPROTO;
    return NULL;
}

void pulse_destroy(struct pulse *pulse)
{
    if (pulse != NULL)
        munmap(pulse, sizeof *pulse);
}

void pulse_ask(struct pulse *pulse)
{
    atomic_store(&pulse->answered, 0);
    atomic_fetch_add(&pulse->asked, 1);
}

bool pulse_is_answered(const struct pulse *pulse)
{
    return atomic_load(&pulse->begun) &&
           atomic_load(&pulse->answered) >= atomic_load(&pulse->loops);
}

bool pulse_is_accepting(const struct pulse *pulse)
{
    return atomic_load(&pulse->accepting) > 0;
}

void pulse_listen(struct pulse_beat *beat, struct pulse *pulse)
{
    if (pulse != NULL)
        atomic_fetch_add(&pulse->accepting, 1);
    beat->accepts = pulse;
}

void pulse_unlisten(struct pulse_beat *beat)
{
    if (beat->accepts != NULL)
        atomic_fetch_sub(&beat->accepts->accepting, 1);
    beat->accepts = NULL;
}

void pulse_join(struct pulse_beat *beat, struct pulse *pulse)
{
    beat->pulse = pulse;
    if (pulse == NULL)
        return;
    beat->heard = atomic_load(&pulse->asked);
    atomic_fetch_add(&pulse->loops, 1);
    atomic_fetch_add(&pulse->answered, 1); /* it turns: that is an answer */
    atomic_store(&pulse->begun, true);
}

void pulse_answer(struct pulse_beat *beat)
{
    beat->heard = atomic_load(&beat->pulse->asked);
    atomic_fetch_add(&beat->pulse->answered, 1);
}

void pulse_leave(struct pulse_beat *beat)
{
    pulse_unlisten(beat);
    if (beat->pulse == NULL)
        return;
    if (beat->heard == atomic_load(&beat->pulse->asked))
        atomic_fetch_sub(&beat->pulse->answered, 1);
    atomic_fetch_sub(&beat->pulse->loops, 1);
    beat->pulse = NULL;
}
