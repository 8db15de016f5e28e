#include "core/retry.h"

#include "base/check.h"
#include "base/time.h"

/* A number below `bound` that depends on nothing but its inputs. */
static int64_t draw(const struct hash_key *seed, struct job_id job, int64_t grant, int64_t bound)
{
    const int64_t words[2] = {job.v, grant};
    const struct str bytes = {(const char *)words, sizeof(words)};
    return bound <= 0 ? 0 : (int64_t)(hash_keyed(seed, bytes) % (uint64_t)bound);
}

static int64_t backoff_us(int64_t base_ms, int64_t max_ms, int32_t spent)
{
    int64_t delay_ms = base_ms;
    for (int32_t i = 1; i < spent && delay_ms < max_ms; i++) {
        delay_ms *= 2;
    }
    return (delay_ms < max_ms ? delay_ms : max_ms) * US_PER_MS;
}

enum retry_verdict retry_decide(const struct job_type *type, struct str class, int32_t spent,
                                int64_t floor_us, const struct hash_key *seed, struct job_id job,
                                int64_t grant, int64_t now, int64_t *out_at)
{
    int32_t max_attempts = type->max_attempts;
    int64_t base_ms = type->backoff_base_ms;
    CHECK(spent >= 1);
    for (size_t i = 0; i < type->retry_count; i++) {
        if (str_eq(type->retries[i].class, class)) {
            max_attempts = type->retries[i].max_attempts;
            base_ms = type->retries[i].backoff_base_ms;
        }
    }
    if (spent >= max_attempts) {
        return RETRY_NEVER;
    }
    const int64_t delay = backoff_us(base_ms, type->backoff_max_ms, spent);
    const int64_t jittered = delay / 2 + draw(seed, job, grant, delay / 2 + 1);
    *out_at = now + (jittered > floor_us ? jittered : floor_us);
    return RETRY_LATER;
}
