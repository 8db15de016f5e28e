#include "api/batch.h"

#include "api/log_lines.h"
#include "base/check.h"

enum { REMAINING_MAX = 1000000000 };

#define RESET_MAX_MS INT64_C(31536000000)
#define COUNT_MAX    ((INT64_C(1) << 53) - 1)

/* What the job's host said of its limits. */
static void take_upstream(struct scan *scan, struct batch_item *item)
{
    struct str key;
    struct upstream_told told = {.remaining = -1};
    scan_object(scan);
    while (scan_member(scan, &key)) {
        if (str_eq(key, STR("remaining"))) {
            told.remaining = scan_bounded(scan, 0, REMAINING_MAX);
        } else if (str_eq(key, STR("reset_ms"))) {
            told.reset_us = scan_bounded(scan, 0, RESET_MAX_MS) * US_PER_MS;
        } else if (str_eq(key, STR("overloaded"))) {
            item->report.overloaded = scan_flag(scan);
        } else {
            scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
        }
    }
    told.is_known = told.remaining >= 0 && told.reset_us > 0;
    item->beat.told = told;
    item->report.told = told;
}

static void take_item(struct scan *scan, struct batch_item *item,
                      bool (*member)(struct scan *scan, struct batch_item *item, struct str key))
{
    struct str key;
    int64_t grant = 0;
    scan_object(scan);
    while (scan_member(scan, &key)) {
        if (str_eq(key, STR("lease"))) {
            item->lease_text = scan_text(scan);
            if (item->lease_text.len == 0 || item->lease_text.len > 64) {
                scan_refuse(scan, ERR_UNPROCESSABLE, "must be a lease");
            }
        } else if (str_eq(key, STR("grant"))) {
            grant = scan_bounded(scan, 1, GRANT_MAX);
        } else if (str_eq(key, STR("log"))) {
            item->log = log_lines_take(scan, item->rules);
        } else if (str_eq(key, STR("upstream"))) {
            take_upstream(scan, item);
        } else if (str_eq(key, STR("requests_used"))) {
            item->report.requests_used = scan_bounded(scan, 0, COUNT_MAX);
            item->beat.requests_used = item->report.requests_used;
            item->beat.is_stale = true;
        } else if (!member(scan, item, key)) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "there is no such member");
        }
    }
    if (item->lease_text.len == 0 || grant == 0) {
        scan_refuse(scan, ERR_UNPROCESSABLE, "needs lease and grant");
    }
    item->beat.grant = grant;
    item->report.grant = grant;
    item->beat.log = item->log;
    item->report.log = item->log;
}

static void take_items(struct call *call, struct batch *batch, struct scan *scan,
                       bool (*member)(struct scan *scan, struct batch_item *item, struct str key))
{
    scan_array(scan);
    while (scan_item(scan)) {
        if (batch->items.n == BATCH_MAX) {
            scan_refuse(scan, ERR_UNPROCESSABLE, "more than %d items", BATCH_MAX);
            return;
        }
        struct batch_item *item = VEC_ADD(call->arena, &batch->items);
        *item = (struct batch_item){
            .rules = &call->api->rules,
            .report = {.kind = batch->kind, .retry_after_us = -1, .requests_used = -1}};
        take_item(scan, item, member);
    }
}

/* Whose lease it is, as far as this token may know. */
static void find_lease(const struct call *call, struct batch_item *item)
{
    const int32_t own = call->who.for_tenant;
    item->is_known =
        lease_id_parse(item->lease_text, &item->lease) && (own == 0 || own == item->lease.tenant.v);
    item->code = item->is_known ? ERR_OK : ERR_LEASE_LOST;
    item->beat.job = item->lease.job;
    item->beat.lane = item->lease.lane;
    item->report.job = item->lease.job;
    item->report.lane = item->lease.lane;
}

enum err_code batch_scan(struct call *call, struct batch *batch, const char *list,
                         bool (*member)(struct scan *scan, struct batch_item *item, struct str key))
{
    struct scan scan;
    struct str key;
    scan_begin(&scan, call->exchange->body, call->arena);
    scan_object(&scan);
    while (scan_member(&scan, &key)) {
        if (str_eq(key, STR("worker"))) {
            batch->worker = scan_text(&scan);
            if (!name_is_valid(batch->worker, NAME_MAX_LEN)) {
                scan_refuse(&scan, ERR_UNPROCESSABLE, "must be a name");
            }
        } else if (str_eq(key, str_from(list))) {
            take_items(call, batch, &scan, member);
        } else {
            scan_refuse(&scan, ERR_UNPROCESSABLE, "there is no such member");
        }
    }
    TRY(scan_end(&scan, &call->err));
    if (batch->worker.len == 0) {
        return err_at(&call->err, ERR_UNPROCESSABLE, "/worker", "is missing");
    }
    if (batch->items.n == 0) {
        const struct str pointer = arena_format(call->arena, "/%s", list);
        return err_at(&call->err, ERR_UNPROCESSABLE, pointer.ptr, "must have at least one item");
    }
    for (size_t i = 0; i < batch->items.n; i++) {
        find_lease(call, &batch->items.v[i]);
    }
    return ERR_OK;
}

/* The command of a tenant; a new one when there is none. Null when there is no such tenant. */
static struct command *command_of(struct call *call, struct batch *batch, enum command_kind kind,
                                  struct tenant_id tenant)
{
    for (size_t i = batch->command_count; i > 0; i--) {
        if (batch->commands[i - 1].tenant.v == tenant.v) {
            return &batch->commands[i - 1];
        }
    }
    struct str name;
    int16_t shard = 0;
    struct err err;
    if (engine_tenant_name(call->api->engine, tenant, call->arena, &name, &shard, &err) != ERR_OK) {
        return NULL;
    }
    struct command *command = &batch->commands[batch->command_count++];
    *command = *call_command(call, kind);
    command->tenant = tenant;
    command->shard = shard;
    command->actor = arena_format(call->arena, "worker:%.*s", STR_ARG(batch->worker));
    return command;
}

static void add_item(struct batch *batch, struct command *command, struct batch_item *item)
{
    item->command = (size_t)(command - batch->commands);
    if (batch->is_beat) {
        item->place = command->heartbeat.count;
        command->heartbeat.items[command->heartbeat.count++] = item->beat;
        return;
    }
    item->report.artifacts = item->artifacts.v;
    item->report.artifact_count = item->artifacts.n;
    item->place = command->report.count;
    command->report.items[command->report.count++] = item->report;
}

/* How many items there are for the tenant of each command is not known before: each gets room for
 * all that are left. */
static void give_room(struct call *call, struct batch *batch, struct command *command, size_t left)
{
    if (batch->is_beat && command->heartbeat.items == NULL) {
        command->heartbeat.worker = batch->worker;
        command->heartbeat.is_shared = call->who.for_tenant == 0;
        command->heartbeat.items = arena_bytes(call->arena, left * sizeof(struct heartbeat_item));
    } else if (!batch->is_beat && command->report.items == NULL) {
        command->report.worker = batch->worker;
        command->report.is_shared = call->who.for_tenant == 0;
        command->report.items = arena_bytes(call->arena, left * sizeof(struct report_item));
    }
}

void batch_split(struct call *call, struct batch *batch, enum command_kind kind)
{
    batch->commands = arena_bytes(call->arena, batch->items.n * sizeof(struct command));
    for (size_t i = 0; i < batch->items.n; i++) {
        struct batch_item *item = &batch->items.v[i];
        if (item->code != ERR_OK) {
            continue;
        }
        struct command *command = command_of(call, batch, kind, item->lease.tenant);
        if (command == NULL) {
            item->code = ERR_LEASE_LOST;
            item->is_known = false;
            continue;
        }
        give_room(call, batch, command, batch->items.n - i);
        add_item(batch, command, item);
    }
}

void batch_send(struct call *call, struct batch *batch, call_step *then)
{
    if (batch->command_count == 0) {
        then(call);
        return;
    }
    call_engine(call, QUEUE_REPORTS, batch->commands, batch->command_count, then);
}

bool batch_failed(struct call *call, const struct batch *batch)
{
    for (size_t i = 0; i < batch->command_count; i++) {
        if (batch->commands[i].err.code != ERR_OK) {
            call->err = batch->commands[i].err;
            call_fail(call);
            return true;
        }
    }
    return false;
}
