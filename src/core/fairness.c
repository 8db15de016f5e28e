#include "core/fairness.h"

#include "base/check.h"

enum { ESTIMATE_MAX_MS = 24 * 3600 * 1000 };

int64_t fairness_cost(int64_t ms, int32_t weight)
{
    CHECK(weight >= 1);
    return ms * 1000 / weight;
}

int64_t fairness_charge(int64_t charged, int64_t estimate_ms, int32_t weight)
{
    return charged + fairness_cost(estimate_ms, weight);
}

int64_t fairness_settle(int64_t charged, int64_t charged_ms, int64_t actual_ms, int32_t weight)
{
    return charged + fairness_cost(actual_ms, weight) - fairness_cost(charged_ms, weight);
}

int64_t fairness_lift(int64_t charged, int64_t lift, int64_t floor)
{
    return charged + lift > floor ? lift : floor - charged;
}

int32_t fairness_estimate(int32_t estimate_ms, int64_t actual_ms)
{
    const int64_t actual = actual_ms > ESTIMATE_MAX_MS ? ESTIMATE_MAX_MS : actual_ms;
    const int64_t moved = estimate_ms + (actual - estimate_ms) / 8;
    return moved < 1 ? 1 : (int32_t)moved;
}
