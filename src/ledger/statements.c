#include "ledger/statements.h"

#include "base/check.h"
#include "ledger/backend.h"

const struct statement *statement_find(const struct statement_file *file, struct str name)
{
    for (size_t i = 0; i < file->count; i++) {
        if (str_eq(str_from(file->statements[i].name), name)) {
            return &file->statements[i];
        }
    }
    return NULL;
}

#define ONE(statement, table)   \
    {                           \
        {{statement, table}}, 1 \
    }

static const struct want_loads loads_of[WANT_COUNT] = {
    [WANT_TENANT] = ONE("load_tenant", TABLE_TENANTS),
    [WANT_CONFIG] = {{{"load_config_job_types", TABLE_JOB_TYPES},
                      {"load_config_sources", TABLE_SOURCES},
                      {"load_config_workers", TABLE_WORKERS},
                      {"load_installation", TABLE_INSTALLATION}},
                     4},
    [WANT_CONFIG_VERSION] = ONE("load_config_version", TABLE_CONFIG_VERSIONS),
    [WANT_WORKER] = ONE("load_worker", TABLE_WORKERS),
    [WANT_WORKERS] = ONE("load_workers", TABLE_WORKERS),
    [WANT_INSTALLATION] = ONE("load_installation", TABLE_INSTALLATION),
    [WANT_TENANT_NAME] = ONE("load_tenant_name", TABLE_TENANT_NAMES),
    [WANT_TOKEN] = ONE("load_token", TABLE_TOKENS),
    [WANT_QUOTA_GROUP] = ONE("load_quota_group", TABLE_QUOTA_GROUPS),
    [WANT_QUOTA_GROUPS] = ONE("load_quota_groups", TABLE_QUOTA_GROUPS),
    [WANT_QUOTA_MEMBER] = ONE("load_quota_member", TABLE_QUOTA_MEMBERS),
    [WANT_QUOTA_MEMBERS] = ONE("load_quota_members", TABLE_QUOTA_MEMBERS),
    [WANT_LEASED] = ONE("load_leased", TABLE_LEASED),
    [WANT_OUTCOME] = ONE("load_outcome", TABLE_OUTCOMES),
    [WANT_JOB] = ONE("load_job", TABLE_JOBS),
    [WANT_WAITING] = {{{"load_waiting_blocked", TABLE_BLOCKED},
                       {"load_waiting_ready", TABLE_READY},
                       {"load_waiting_delayed", TABLE_DELAYED}},
                      3},
    [WANT_JOB_KEY] = ONE("load_job_key", TABLE_JOB_KEYS),
    [WANT_RUN] = ONE("load_run", TABLE_RUNS),
    [WANT_RUN_KEY] = ONE("load_run_key", TABLE_RUN_KEYS),
    [WANT_RUN_JOBS] = ONE("load_run_jobs", TABLE_JOBS),
    [WANT_EDGES_FROM] = ONE("load_edges_from", TABLE_DAG_EDGES),
    [WANT_EDGES_TO] = ONE("load_edges_to", TABLE_DAG_EDGES),
    [WANT_LANE] = ONE("load_lane", TABLE_LANES),
    [WANT_LANE_NAME] = ONE("load_lane_name", TABLE_LANES),
    [WANT_OPEN_LANES] = ONE("load_open_lanes", TABLE_LANES),
    [WANT_SOURCE_LANES] = ONE("load_source_lanes", TABLE_LANES),
    [WANT_BUSY_LANES] = ONE("load_busy_lanes", TABLE_LANES),
    [WANT_LANE_HEADS] = ONE("load_lane_heads", TABLE_READY),
    [WANT_ATTEMPTS] = ONE("load_attempts", TABLE_ATTEMPTS),
    [WANT_THROTTLE] = ONE("load_throttle", TABLE_THROTTLES),
    [WANT_BREAKER] = ONE("load_breaker", TABLE_BREAKERS),
    [WANT_SETTLING] = ONE("load_settling", TABLE_SETTLING),
    [WANT_BULK] = ONE("load_bulk", TABLE_BULK_ACTIONS),
    [WANT_BULK_PARTS] = ONE("load_bulk_parts", TABLE_BULK_PARTS),
    [WANT_BULK_RUN] = ONE("load_run_jobs", TABLE_JOBS),
    [WANT_BULKS_ACTIVE] = ONE("load_bulks_active", TABLE_BULK_ACTIONS),
    [WANT_REQUEST_KEY] = ONE("load_request_key", TABLE_REQUEST_KEYS),
    [WANT_ARTIFACTS] = ONE("load_artifacts", TABLE_ARTIFACTS),
    [WANT_LOG_HEAD] = ONE("load_log_head", TABLE_LOG_HEADS),
    [WANT_JOB_LOGS] = ONE("load_job_logs", TABLE_JOB_LOGS),
    [WANT_OLD_JOB_KEYS] = ONE("load_old_job_keys", TABLE_JOB_KEYS),
    [WANT_OLD_REQUEST_KEYS] = ONE("load_old_request_keys", TABLE_REQUEST_KEYS),
    [WANT_JOBS_AFTER] = ONE("load_jobs_after", TABLE_JOBS),
    [WANT_LATE_OUTCOMES] = ONE("load_late_outcomes", TABLE_OUTCOMES),
    [WANT_TEXTS] = ONE("load_texts", TABLE_ATTEMPTS),
    [WANT_OLD_BULKS] = ONE("load_old_bulks", TABLE_BULK_ACTIONS),
    [WANT_DUE_LEASED] = ONE("load_due_leased", TABLE_LEASED),
    [WANT_DUE_DELAYED] = ONE("load_due_delayed", TABLE_DELAYED),
    [WANT_DUE_DEADLINES] = ONE("load_due_deadlines", TABLE_START_DEADLINES),
    [WANT_DUE_THROTTLES] = ONE("load_due_throttles", TABLE_THROTTLES),
    [WANT_DUE_BULKS] = ONE("load_due_bulks", TABLE_BULK_ACTIONS),
    [WANT_ALL_SETTLING] = ONE("load_all_settling", TABLE_SETTLING),
};

const struct want_loads *want_loads_of(enum want_kind kind)
{
    CHECK(kind >= 0 && kind < WANT_COUNT);
    return &loads_of[kind];
}

const struct statement *reader_statement(const struct statement_file *queries, const char *name)
{
    const struct statement *found = statement_find(queries, str_from(name));
    return found != NULL ? found : statement_find(&shared_counters, str_from(name));
}
