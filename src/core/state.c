#include "core/state.h"

#include <stddef.h>

#include "base/check.h"

static const char *const job_states[] = JOB_STATE_NAMES;
static const char *const run_states[] = RUN_STATE_NAMES;
static const char *const holds[] = HOLD_NAMES;

bool job_may_move(enum job_state from, enum job_event event, enum job_state to)
{
    static const struct {
        enum job_state from;
        enum job_event event;
        unsigned to;
    } table[] = {

#define ROW(from, event, to) {from, event, to},
        JOB_TRANSITIONS(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].from == from && table[i].event == event) {
            return (table[i].to >> to & 1U) != 0;
        }
    }
    return false;
}

bool job_has_ended(enum job_state state)
{
    return ((JOB_ENDED_MASK) >> state & 1U) != 0;
}

const char *job_state_name(enum job_state state)
{
    CHECK(state < JOB_COUNT);
    return job_states[state];
}

const char *run_state_name(enum run_state state)
{
    CHECK(state < RUN_COUNT);
    return run_states[state];
}

const char *attempt_ending_name(enum attempt_ending ending)
{
    switch (ending) {
    case ATTEMPT_FAILED: return "failed";
    case ATTEMPT_THROTTLED: return "throttled";
    case ATTEMPT_RETURNED: return "returned";
    case ATTEMPT_LAPSED: return "lapsed";
    }
    UNREACHABLE();
}

/* A hold is what keeps a state; its enum comes from the contract. */
const char *hold_name(enum hold_reason reason)
{
    CHECK(reason < HOLD_COUNT);
    return holds[reason];
}

static bool find(const char *const *names, int count, struct str name, int *out)
{
    for (int i = 0; i < count; i++) {
        if (str_eq(str_from(names[i]), name)) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool job_state_find(struct str name, enum job_state *out_state)
{
    int index = 0;
    const bool found = find(job_states, JOB_COUNT, name, &index) && index != JOB_NONE;
    *out_state = found ? (enum job_state)index : JOB_NONE;
    return found;
}

bool run_state_find(struct str name, enum run_state *out_state)
{
    int index = 0;
    const bool found = find(run_states, RUN_COUNT, name, &index);
    *out_state = found ? (enum run_state)index : RUN_ACTIVE;
    return found;
}

enum run_state run_state_of(const struct run_row *run)
{
    if (run->succeeded + run->dead + run->canceled < run->total) {
        return RUN_ACTIVE;
    }
    if (run->dead > 0) {
        return RUN_FAILED;
    }
    return run->canceled > 0 ? RUN_CANCELED : RUN_SUCCEEDED;
}
