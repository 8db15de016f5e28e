#include "worker/backoff.h"

#include "base/check.h"

int64_t backoff_delay_us(const struct hash_key *key, uint64_t counter, uint32_t failures,
                         int64_t base_us, int64_t max_us)
{
    CHECK(base_us > 0 && max_us >= base_us);
    int64_t whole = base_us;
    for (uint32_t i = 0; i < failures && whole < max_us; i++) {
        whole *= 2;
    }
    whole = whole > max_us ? max_us : whole;
    const struct str seed = {(const char *)&counter, sizeof(counter)};
    const uint64_t spread = hash_keyed(key, seed) % ((uint64_t)whole / 2 + 1);
    return whole - (int64_t)spread;
}

void backoff_failed(struct backoff *backoff, struct mono_time now, int64_t delay_us,
                    int64_t server_us)
{
    const int64_t asked = server_us > BACKOFF_SERVER_MAX_US ? BACKOFF_SERVER_MAX_US : server_us;
    backoff->failures += backoff->failures < UINT32_MAX;
    backoff->not_before.us = now.us + (delay_us > asked ? delay_us : asked);
}

void backoff_reset(struct backoff *backoff)
{
    *backoff = (struct backoff){0};
}
