/* api/watch - a tenant's history, or a shard's log, as it is written. */
#include <stdatomic.h>

#include "api/views.h"
#include "api/watches.h"
#include "platform/clock.h"
#include "query/history.h"

enum { WAIT_MAX_MS = 20000, LINES_MAX = 1000 };

struct watch {
    int64_t after;
    int64_t limit;
    int64_t until_us; /* Monotonic. */
    history_spans lines;
};

static void look(struct call *call);

static void read_lines(struct call *call, struct reader *reader)
{
    struct watch *watch = call->state;
    (void)history_after(reader, call->shard, call->tenant, watch->after, (size_t)watch->limit,
                        call->arena, &watch->lines, &call->err);
}

static void answer(struct call *call)
{
    const struct watch *watch = call->state;
    const size_t n = watch->lines.n;
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_KEY(&w, "items");
    json_put_array(&w);
    for (size_t i = 0; i < n; i++) {
        json_put_raw(&w, watch->lines.v[i].text);
    }
    json_put_array_end(&w);
    JSON_INT(&w, "next_after", n > 0 ? watch->lines.v[n - 1].seq : watch->after);
    json_put_object_end(&w);
    call_answer(call, 200);
}

static void lines_are_read(struct call *call)
{
    const struct watch *watch = call->state;
    if (watch->lines.n > 0 || clock_mono().us >= watch->until_us ||
        atomic_load(&call->api->stopping) || !http_is_connected(call->exchange)) {
        answer(call);
    } else {
        watches_wait(call, look);
    }
}

static void look(struct call *call)
{
    call_read(call, read_lines, lines_are_read);
}

/* The call's tenant, or with tenant 0 its shard. */
static void watch_begin(struct call *call)
{
    struct watch *watch = arena_new(call->arena, struct watch);
    struct str after = {0};
    struct str limit = {0};
    struct str wait = {0};
    int64_t wait_ms = 0;
    const struct query_param params[] = {{"after", &after}, {"limit", &limit}, {"wait_ms", &wait}};
    watch->limit = 100;
    call->state = watch;
    if (call_query(call, params, 3) &&
        call_number(call, "after", after, 0, INT64_MAX / 2, &watch->after) &&
        call_number(call, "limit", limit, 1, LINES_MAX, &watch->limit) &&
        call_number(call, "wait_ms", wait, 0, WAIT_MAX_MS, &wait_ms)) {
        watch->until_us = clock_mono().us + wait_ms * US_PER_MS;
        look(call);
    }
}

void api_watch_history(struct call *call)
{
    watch_begin(call);
}

void api_watch_shard_history(struct call *call)
{
    int64_t shard = 0;
    if (!str_parse_i64(call->args[0], &shard) || shard < 0 || shard >= SHARD_COUNT) {
        call_refuse(call, ERR_NOT_FOUND, "there is no such shard");
        return;
    }
    call->shard = (int16_t)shard;
    call->tenant.v = 0;
    watch_begin(call);
}
