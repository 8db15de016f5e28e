#include "core/explain.h"

static const char *const gate_names[EXPLAIN_GATES] = {
    [EXPLAIN_PAUSE] = "pause",
    [EXPLAIN_RUN] = "run",
    [EXPLAIN_PREDECESSORS] = "predecessors",
    [EXPLAIN_RELEASE] = "release",
    [EXPLAIN_TIME] = "time",
    [EXPLAIN_SOURCE] = "source",
    [EXPLAIN_TENANT] = "tenant",
    [EXPLAIN_QUOTA] = "quota",
    [EXPLAIN_TYPE] = "type",
    [EXPLAIN_SERVICE] = "service",
    [EXPLAIN_HOST] = "host",
    [EXPLAIN_TOKENS] = "tokens",
    [EXPLAIN_LANE] = "lane",
    [EXPLAIN_WORKER] = "worker",
    [EXPLAIN_TURN] = "turn",
};

static const char *const lift_names[] = {"time", "jobs", "submitter", "operator", "worker"};

const char *explain_gate_name(enum explain_gate_id id)
{
    return gate_names[id];
}

const char *explain_lift_name(enum explain_lift lift)
{
    return lift_names[lift];
}

const struct explain_gate *explain_first(const struct explanation *told)
{
    for (size_t i = 0; i < told->gate_count; i++) {
        if (told->gates[i].hold != HOLD_NONE) {
            return &told->gates[i];
        }
    }
    return NULL;
}
