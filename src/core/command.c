#include "core/command.h"

#include "base/check.h"
#include "base/time.h"
#include "core/admin.h"
#include "core/breakers.h"
#include "core/bulk.h"
#include "core/bulk_work.h"
#include "core/config.h"
#include "core/configure.h"
#include "core/control.h"
#include "core/dispatch.h"
#include "core/due.h"
#include "core/installation.h"
#include "core/quota_change.h"
#include "core/report.h"
#include "core/retain.h"
#include "core/submit.h"
#include "core/throttle.h"
#include "core/workers.h"

struct limits limits_default(void)
{
    return (struct limits){
        .max_lanes = 10000,
        .submit_cap = 500,
        .settle_cap = 1000,
        .due_cap = 500,
        .key_generation_us = 24 * 3600 * US_PER_S,
        .key_retention_us = 24 * 3600 * US_PER_S,
        .payload_retention_us = 30 * 24 * 3600 * US_PER_S,
        .retain_cap = 64,
        .ageing_step_us = 60 * US_PER_S,
        .cancel_grace_us = 30 * US_PER_S,
        .run_assembly_us = 600 * US_PER_S,
        .max_throttled_us = 24 * 3600 * US_PER_S,
        .lapse_share_per_mille = 100,
        .log_attempt_bytes = INT64_C(1) << 20,
        .log_tenant_bytes = INT64_C(1) << 30,
        .config_versions = 200,
        .max_job_types = 1000,
        .max_sources = 10000,
        .max_workers = 1000,
        .breaker_ask_us = 5 * US_PER_S,
        .worker_retention_us = 7 * 24 * 3600 * US_PER_S,
        .bulk_tick_jobs = 200,
        .bulk_active = 4,
        .bulk_kept = 1000,
        .bulk_retention_us = 7 * 24 * 3600 * US_PER_S,
    };
}

/* What belongs to one kind of command. */
struct command_room {
    bool (*want)(const struct command *command, struct facts *facts, const struct limits *limits);
    void (*decide)(struct command *command, struct decision *d);
    bool needs_config; /* Job types and sources. */
};

static const struct command_room rooms[] = {
    [COMMAND_TENANT_NAME] = {tenant_name_want, tenant_name_decide, false},
    [COMMAND_TENANT_OPEN] = {tenant_want, NULL, false},
    [COMMAND_TENANT_CHANGE] = {tenant_want, tenant_change_decide, false},
    [COMMAND_QUOTA_GROUP_PUT] = {quota_group_put_want, quota_group_put_decide, false},
    [COMMAND_QUOTA_SET] = {quota_set_want, quota_set_decide, false},
    [COMMAND_TOKEN_ADD] = {token_want, token_add_decide, false},
    [COMMAND_TOKEN_REVOKE] = {token_want, token_revoke_decide, false},
    [COMMAND_JOB_TYPE_PUT] = {put_want, job_type_put_decide, false},
    [COMMAND_SOURCE_PUT] = {put_want, source_put_decide, false},
    [COMMAND_SOURCE_SWITCH] = {put_want, source_switch_decide, false},
    [COMMAND_WORKER_SEEN] = {worker_seen_want, worker_seen_decide, false},
    [COMMAND_WORKER_SET] = {worker_set_want, worker_set_decide, false},
    [COMMAND_BREAKER_PUT] = {breaker_want, breaker_put_decide, false},
    [COMMAND_BREAKER_FORCE] = {breaker_want, breaker_force_decide, false},
    [COMMAND_BREAKER_RESET] = {breaker_want, breaker_reset_decide, false},
    [COMMAND_PAUSE] = {installation_want, pause_decide, false},
    [COMMAND_RESUME] = {installation_want, resume_decide, false},
    [COMMAND_RESTORED] = {installation_want, restored_decide, false},
    [COMMAND_NODE_STARTED] = {node_started_want, node_started_decide, false},
    [COMMAND_THROTTLE_SET] = {throttle_change_want, throttle_set_decide, true},
    [COMMAND_THROTTLE_CLEAR] = {throttle_change_want, throttle_clear_decide, true},
    [COMMAND_SUBMIT] = {submit_want, submit_decide, true},
    [COMMAND_RUN_SUBMIT] = {run_submit_want, run_submit_decide, true},
    [COMMAND_CLAIM] = {claim_want, claim_decide, true},
    [COMMAND_HEARTBEAT] = {heartbeat_want, heartbeat_decide, true},
    [COMMAND_REPORT] = {report_want, report_decide, true},
    [COMMAND_JOB_CANCEL] = {job_cancel_want, job_cancel_decide, true},
    [COMMAND_JOB_RETRY] = {job_retry_want, job_retry_decide, true},
    [COMMAND_JOB_REPLAY] = {job_replay_want, job_replay_decide, true},
    [COMMAND_JOB_PRIORITISE] = {job_prioritise_want, job_prioritise_decide, false},
    [COMMAND_RUN_CANCEL] = {run_cancel_want, run_cancel_decide, true},
    [COMMAND_RUN_RETRY] = {run_retry_want, run_retry_decide, true},
    [COMMAND_BULK_START] = {bulk_start_want, bulk_start_decide, false},
    [COMMAND_BULK_CANCEL] = {bulk_cancel_want, bulk_cancel_decide, false},
    [COMMAND_RETAIN] = {retain_want, retain_decide, false},
    [COMMAND_DUE] = {due_want, NULL, false},
    [COMMAND_RECALL] = {recall_want, NULL, false},
};

bool command_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    return rooms[command->kind].want(command, facts, limits);
}

static struct row_span config_rows(struct facts *facts, struct tenant_facts *t)
{
    struct row **rows =
        arena_array(facts->arena, struct row *,
                    t->by_text[TABLE_JOB_TYPES].n + t->by_text[TABLE_SOURCES].n +
                        t->by_text[TABLE_WORKERS].n + t->by_key[TABLE_INSTALLATION].n + 1);
    struct row_span span = {rows, 0};
    for (size_t i = 0; i < t->by_text[TABLE_JOB_TYPES].n; i++) {
        rows[span.n++] = t->by_text[TABLE_JOB_TYPES].entries[i].value;
    }
    for (size_t i = 0; i < t->by_text[TABLE_SOURCES].n; i++) {
        rows[span.n++] = t->by_text[TABLE_SOURCES].entries[i].value;
    }
    for (size_t i = 0; i < t->by_text[TABLE_WORKERS].n; i++) {
        rows[span.n++] = t->by_text[TABLE_WORKERS].entries[i].value;
    }
    for (size_t i = 0; i < t->by_key[TABLE_INSTALLATION].n; i++) {
        rows[span.n++] = t->by_key[TABLE_INSTALLATION].entries[i].value;
    }
    return span;
}

void facts_build_config(struct facts *facts, struct tenant_facts *t)
{
    struct tenant_facts *system =
        facts_tenant(facts, SHARD_SYSTEM, (struct tenant_id){TENANT_SYSTEM});
    if (t->row == NULL || system->row == NULL ||
        (t->config != NULL && t->config->tenant_version == t->row->config_version &&
         t->config->system_version == system->row->config_version)) {
        return;
    }
    if (!t->config_known || !system->config_known) {
        return;
    }
    const struct row_span own = t == system ? (struct row_span){NULL, 0} : config_rows(facts, t);
    t->config = config_new(facts->arena, config_rows(facts, system), own,
                           system->row->config_version, t->row->config_version);
}

void command_decide(struct command *command, struct facts *facts, const struct limits *limits)
{
    const struct command_room *room = &rooms[command->kind];
    command->err.code = ERR_OK;
    command->again = false;
    if (command->kind == COMMAND_DUE) {
        due_decide(command, facts, limits);
        return;
    }
    if (command->kind == COMMAND_RECALL) {
        recall_decide(command, facts, limits);
        return;
    }
    if (command->kind == COMMAND_TENANT_OPEN) {
        tenant_open_decide(command, facts);
        return;
    }
    struct decision d = {
        .facts = facts,
        .t = facts_tenant(facts, command->shard, command->tenant),
        .limits = limits,
        .actor = command->actor,
        .floor = quota_floor(command, facts_tenant(facts, command->shard, command->tenant)),
    };
    if (d.t->row == NULL) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such tenant");
        return;
    }
    if (room->needs_config) {
        facts_build_config(facts, d.t);
        CHECK(d.t->config != NULL);
    }
    room->decide(command, &d);
    quota_settle(facts, d.t, command->actor, command->group_floor);
    command->live_max = d.t->row->max_live;
    command->live_left = command->live_max - d.t->row->live;
}
