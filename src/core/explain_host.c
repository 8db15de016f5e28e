#include "core/explain_host.h"

enum { MICRO = 1000000 };

void explain_host(const struct throttle *throttle, const struct explain_ask *ask,
                  struct explain_gate *gate)
{
    enum block_origin origin = BLOCK_NONE;
    struct throttle_row tried = *throttle->row;
    int64_t taken = 0;
    const struct gate said = gate_bucket(&tried, &throttle->pace, 0, ask->now, &taken);
    (void)bucket_blocked(throttle->row, ask->now, &origin);
    if (said.hold == HOLD_HOST_BLOCKED) {
        gate->hold = said.hold;
        gate->not_before = said.open_at;
        explain_number(gate, "blocked_until", EXPLAIN_AT, said.open_at);
        explain_number(gate, "incidents", EXPLAIN_NUMBER, throttle->row->incidents);
        explain_number(gate, "origin", EXPLAIN_WORD, 0);
        gate->numbers[gate->number_count - 1].word = block_origin_name(origin);
        explain_free(gate, "blocked_until", EXPLAIN_AT, ask->now);
    }
}

/* As it is when no block is in force: the host's gate has said that. */
static struct throttle_row unblocked(const struct throttle *throttle, int64_t now)
{
    struct throttle_row bucket = *throttle->row;
    bucket.blocked_until = 0;
    bucket.set_block_until = 0;
    bucket_refill(&bucket, now);
    return bucket;
}

bool explain_is_paced(const struct throttle *throttle, const struct explain_ask *ask)
{
    return unblocked(throttle, ask->now).rate_milli > 0;
}

/* Takes for one job after another; the first answer, and whether all got theirs. */
static struct gate take_all(struct throttle_row *bucket, const struct pace *pace,
                            const struct explain_ask *ask, bool *out_all)
{
    int64_t taken = 0;
    const struct gate first = gate_bucket(bucket, pace, ask->requests, ask->now, &taken);
    *out_all = first.hold == HOLD_NONE;
    for (int64_t i = 1; *out_all && i < ask->jobs; i++) {
        *out_all = gate_bucket(bucket, pace, ask->requests, ask->now, &taken).hold == HOLD_NONE;
    }
    return first;
}

void explain_tokens(const struct throttle *throttle, const struct explain_ask *ask,
                    struct explain_gate *gate)
{
    const struct throttle_row bucket = unblocked(throttle, ask->now);
    struct throttle_row tried = bucket;
    bool all = false;
    const struct gate said = take_all(&tried, &throttle->pace, ask, &all);
    const int64_t each = ask->requests < bucket.burst ? ask->requests : bucket.burst;
    gate->hold = said.hold;
    explain_number(gate, "burst", EXPLAIN_NUMBER, bucket.burst);
    explain_number(gate, "configured_milli", EXPLAIN_NUMBER, throttle->pace.rate_milli);
    explain_number(gate, "needed", EXPLAIN_NUMBER, each);
    explain_number(gate, "rate_milli", EXPLAIN_NUMBER, bucket.rate_milli);
    if (said.hold != HOLD_NONE) {
        /* Jobs that run may give back what they did not use: only a closed lane makes it sure. */
        explain_number(gate, "refilled_at", EXPLAIN_AT, said.open_at);
        gate->not_before =
            ask->lane_open_at > ask->now && ask->lane_open_at < INT64_MAX ? ask->lane_open_at : 0;
    }
    explain_number(gate, "tokens", EXPLAIN_NUMBER, bucket.level_micro / MICRO);
    if (!all) {
        /* More than the burst at once takes a larger burst, and then each job takes all it asks. */
        const bool fits = ask->jobs * each <= bucket.burst;
        explain_free(gate, "tokens", EXPLAIN_NUMBER, ask->jobs * (fits ? each : ask->requests));
    }
}
