/*
 * core/state - the closed table of job states, and what follows from it.
 *
 *   submit ──▶ blocked ──▶ pending ──▶ leased ──▶ running ──▶ succeeded
 *                 │           │ ▲         │          │
 *                 ▼           ▼ └─────────┴──────────┤ retry, throttle, release
 *             canceled      dead ◀───────────────────┘ out of attempts, permanent
 *
 * Source   contract/job_states.json.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include <stdbool.h>

#include "base/str.h"
#include "contract/job_states.h"
#include "core/rows.h"

/* How an attempt ended (attempts.ending). */
enum attempt_ending { ATTEMPT_FAILED, ATTEMPT_THROTTLED, ATTEMPT_RETURNED, ATTEMPT_LAPSED };

/* The table allows it. */
bool job_may_move(enum job_state from, enum job_event event, enum job_state to);
bool job_has_ended(enum job_state state);
const char *job_state_name(enum job_state state);
const char *run_state_name(enum run_state state);
const char *attempt_ending_name(enum attempt_ending ending);
const char *hold_name(enum hold_reason reason);
bool job_state_find(struct str name, enum job_state *out_state);
bool run_state_find(struct str name, enum run_state *out_state);

/* The state that the run's counts mean: active while any job is live, else failed if any is dead,
 * else canceled if any is canceled, else succeeded. */
enum run_state run_state_of(const struct run_row *run);

#endif
