#include "api/lease_access.h"

#include "core/lease.h"
#include "core/state.h"

struct access {
    struct lease_id lease;
    int64_t grant;
    bool is_live;
    call_step *then;
};

bool lease_access_is_needed(const struct call *call)
{
    return call->route->other_scope == SCOPE_WORK &&
           !scope_allows(call->who.scopes, call->route->scope);
}

static void lost(struct call *call)
{
    call_refuse(call, ERR_LEASE_LOST, err_info(ERR_LEASE_LOST)->title);
}

static void read_lease(struct call *call, struct reader *reader)
{
    struct access *access = call->state;
    struct query_result found;
    struct query q = {.name = "job_state", .tenant = call->tenant, .arena = call->arena};
    query_arg_int(&q, call->shard);
    query_arg_int(&q, call->tenant.v);
    query_arg_int(&q, access->lease.job.v);
    if (reader_query(reader, &q, &found, &call->err) != ERR_OK || found.rows == 0) {
        return;
    }
    const int64_t state = query_int(&found, 0, "state");
    access->is_live = (state == JOB_LEASED || state == JOB_RUNNING) &&
                      query_int(&found, 0, "grant_no") == access->grant &&
                      query_int(&found, 0, "lane") == access->lease.lane;
}

static void lease_is_read(struct call *call)
{
    const struct access *access = call->state;
    if (!access->is_live) {
        lost(call);
        return;
    }
    call->state = NULL;
    access->then(call);
}

void lease_access_check(struct call *call, call_step *then)
{
    struct access *access = arena_new(call->arena, struct access);
    const struct str header = http_request_header(call->exchange, "X-Stella-Lease");
    const size_t slash = str_find(header, '/');
    struct err err;
    access->then = then;
    call->state = access;
    if (!lease_id_parse(str_slice(header, 0, slash), &access->lease) ||
        !str_parse_i64(str_slice(header, slash + 1, header.len), &access->grant) ||
        (call->who.for_tenant != 0 && call->who.for_tenant != access->lease.tenant.v) ||
        engine_tenant_name(call->api->engine, access->lease.tenant, call->arena, &call->tenant_name,
                           &call->shard, &err) != ERR_OK) {
        lost(call);
        return;
    }
    call->tenant = access->lease.tenant;
    call_read(call, read_lease, lease_is_read);
}
