#include "api/seen.h"

#include <string.h>

static enum err_code read_of(struct call *call, struct reader *reader, int16_t shard,
                             struct tenant_id tenant, struct query_result *out)
{
    struct query q = {.name = "workers_page", .tenant = tenant, .arena = call->arena};
    query_arg_int(&q, shard);
    query_arg_int(&q, tenant.v);
    query_arg_text(&q, STR(""));
    query_arg_int(&q, call->api->settings->max_workers);
    return reader_query(reader, &q, out, &call->err);
}

enum err_code seen_load(struct call *call, struct reader *reader, struct seen_workers *seen)
{
    if (seen->is_loaded) {
        return ERR_OK;
    }
    TRY(read_of(call, reader, call->shard, call->tenant, &seen->own));
    TRY(read_of(call, reader, SHARD_SYSTEM, (struct tenant_id){TENANT_SYSTEM}, &seen->shared));
    seen->is_loaded = true;
    return ERR_OK;
}

static int64_t last_of(const struct query_result *workers, struct str quoted)
{
    int64_t last = 0;
    for (size_t i = 0; i < workers->rows; i++) {
        const struct str types = query_text(workers, i, "job_types");
        const int64_t at = query_int(workers, i, "seen_at");
        if (at > last && query_int(workers, i, "state") == WORKER_ACTIVE &&
            memmem(types.ptr, types.len, quoted.ptr, quoted.len) != NULL) {
            last = at;
        }
    }
    return last;
}

int64_t seen_last(const struct call *call, const struct seen_workers *seen, struct str job_type)
{
    const struct str quoted = arena_format(call->arena, "\"%.*s\"", STR_ARG(job_type));
    const int64_t own = last_of(&seen->own, quoted);
    const int64_t shared = last_of(&seen->shared, quoted);
    return own > shared ? own : shared;
}
