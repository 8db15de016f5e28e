/*
 * core/config - job types and sources as values, parsed from their JSON and merged: a tenant's own
 * job type overrides the installation's.
 *
 * Use      job_type_parse() / source_parse() check a body from outside and give its canonical form;
 *          config_new() builds a tenant's snapshot from rows; config_… look things up.
 * Owns     everything lies in the arena given.
 * Bounds   as contract/settings.json and the tables in config.c say; unknown members are refused.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "core/bucket.h"
#include "core/rows.h"

enum { SERVICES_MAX = 8 };

enum job_class { CLASS_CRITICAL, CLASS_NORMAL, CLASS_BATCH, CLASS_BACKFILL };

/* Retry rules of one error class. */
struct retry_rule {
    struct str class;
    int32_t max_attempts;
    int64_t backoff_base_ms;
};

struct job_type {
    struct str name;
    enum job_class class;
    int32_t max_attempts;
    int32_t ttl_ms;
    int64_t max_run_ms;        /* 0 = no limit */
    int32_t no_progress_ms;    /* 0 = off */
    int64_t start_deadline_ms; /* From when it first could start; 0 = off */
    int32_t max_inflight;      /* Per tenant; 0 = unlimited */
    int64_t backoff_base_ms;
    int64_t backoff_max_ms;
    bool stop_on_lost_contact;
    int32_t estimate_ms;
    int32_t max_payload_bytes;
    int32_t requests_per_job; /* Throttle tokens a job takes at its start; 0 = one */
    const struct retry_rule *retries;
    size_t retry_count;
    const struct str *services; /* Downstream services that a job needs; breaker.h. */
    size_t service_count;
    int32_t version;
};

struct source {
    struct str name;
    struct str kind;
    struct str host;         /* Empty: no host to be polite to. */
    struct pace asked;       /* What this source says of its host … */
    const struct pace *pace; /* … and what all sources of the host say together; bucket.h */
    struct str job_type;     /* Of the job that a trigger submits; empty for none. */
    bool enabled;
    int32_t version;
    struct str body; /* Canonical JSON, for the worker. */
};

struct config {
    int32_t tenant_version; /* tenants.config_version of the tenant … */
    int32_t system_version; /* … and of the system tenant that this was built from. */
    struct map job_types;   /* name -> struct job_type */
    struct map sources;     /* name -> struct source */
    struct map paces;       /* host -> struct pace, the strictest of the host's sources */
    /* Workers that are not active, name -> struct worker_row. */
    struct map own_workers;
    struct map shared_workers;                   /* The installation's. */
    const struct installation_row *installation; /* All 0 when nothing was said. */
};

/* A restore moves the system tenant's config_version that far: a node that served the ledger before
 * it was set back may remember configurations of versions that are given again. */
enum { CONFIG_RESTORED_STEPS = 1 << 16 };

/* Checks a body and appends its canonical form with all defaults to *out_body. */
enum err_code job_type_parse(struct arena *arena, struct str name, const json_t *body,
                             struct job_type *out, struct str *out_body, struct err *err);
enum err_code source_parse(struct arena *arena, struct str name, const json_t *body,
                           struct source *out, struct str *out_body, struct err *err);

/* Builds a snapshot. `system` and `own` are job_type_row and source_row of the system tenant and of
 * the tenant; bodies were checked when they were put. */
struct row_span {
    struct row *const *v;
    size_t n;
};
const struct config *config_new(struct arena *arena, struct row_span system, struct row_span own,
                                int32_t system_version, int32_t tenant_version);

const struct job_type *config_job_type(const struct config *config, struct str name);
const struct source *config_source(const struct config *config, struct str name);
/* What may be given to a worker of the tenant, or of the installation. */
enum worker_state config_worker_state(const struct config *config, struct str name, bool is_shared);
/* Whoever has that grant may hold a lease; false for one that was given before a restore. */
bool config_grant_holds(const struct config *config, int64_t grant);

#endif
