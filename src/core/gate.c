#include "core/gate.h"

#include "core/bucket.h"

struct gate gate_pause(const struct pause *pause)
{
    return pause->since > 0 ? (struct gate){HOLD_PAUSED, INT64_MAX} : (struct gate){HOLD_NONE, 0};
}

struct gate gate_source(const struct source *source)
{
    return source != NULL && !source->enabled ? (struct gate){HOLD_SOURCE_DISABLED, INT64_MAX}
                                              : (struct gate){HOLD_NONE, 0};
}

static struct gate inflight(int64_t limit, int64_t in_use, int64_t more, enum hold_reason hold)
{
    return (struct gate){limit > 0 && in_use + more > limit ? hold : HOLD_NONE, 0};
}

struct gate gate_tenant(const struct tenant_row *tenant, int64_t more)
{
    return inflight(tenant->max_inflight, tenant->inflight, more, HOLD_TENANT_INFLIGHT);
}

struct gate gate_type(const struct job_type *type, int64_t in_use, int64_t more)
{
    return inflight(type->max_inflight, in_use, more, HOLD_TYPE_INFLIGHT);
}

struct gate gate_bucket(struct throttle_row *bucket, const struct pace *pace, int64_t requests,
                        int64_t now, int64_t *out_taken)
{
    struct gate gate = {HOLD_NONE, 0};
    *out_taken = 0;
    if (bucket == NULL) {
        return gate;
    }
    struct throttle_row taken = *bucket;
    switch (bucket_take(&taken, pace, requests, now, out_taken, &gate.open_at)) {
    case BUCKET_GRANTED:
        gate.open_at = 0;
        *bucket = taken; /* A refusal leaves the bucket as its last line says. */
        break;
    case BUCKET_EMPTY: gate.hold = HOLD_NO_TOKENS; break;
    case BUCKET_BLOCKED: gate.hold = HOLD_HOST_BLOCKED; break;
    }
    return gate;
}

int64_t gate_requests(const struct job_type *type)
{
    return type->requests_per_job > 0 ? type->requests_per_job : 1;
}
