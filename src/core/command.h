/*
 * core/command - what can be asked of the ledger, and what core answers. One command concerns one
 * tenant (or one shard's due work) and is decided within one tick.
 *
 * Use      The caller fills kind, shard, tenant, actor and the input half of the union; then
 *          command_want() until nothing is wanted; then command_decide() fills `err` and the
 *          output half. A refusal is err.code != ERR_OK and changes nothing.
 *          A command whose `again` is set after its group committed has more to do: it is put
 *          back and decided again in a following group (large submits, due work).
 * Owns     inputs are borrowed until the command is done; outputs lie in `arena`.
 * Threads  none; pure.
 */
#ifndef CORE_COMMAND_H
#define CORE_COMMAND_H

#include "base/err.h"
#include "core/bucket.h"
#include "core/facts.h"
#include "core/quota.h"
#include "core/state.h"

enum command_kind {
    COMMAND_TENANT_NAME, /* System shard: allots a number and a name. */
    COMMAND_TENANT_OPEN, /* Home shard: makes the tenant's row. Repeating it changes nothing. */
    COMMAND_TENANT_CHANGE,
    COMMAND_QUOTA_GROUP_PUT, /* System shard. */
    COMMAND_QUOTA_SET,       /* Home shard, with the shared one. */
    COMMAND_TOKEN_ADD,       /* System shard, as TOKEN_REVOKE. */
    COMMAND_TOKEN_REVOKE,
    COMMAND_JOB_TYPE_PUT,
    COMMAND_SOURCE_PUT,
    COMMAND_SOURCE_SWITCH, /* On or off: put.enabled. */
    COMMAND_WORKER_SEEN,   /* It registered, or came by. */
    COMMAND_WORKER_SET,    /* Drain, quarantine, resume. */
    COMMAND_BREAKER_PUT,   /* Its parameters. */
    COMMAND_BREAKER_FORCE, /* Its mode. */
    COMMAND_BREAKER_RESET,
    COMMAND_PAUSE, /* System shard, as the next three: the whole installation. */
    COMMAND_RESUME,
    COMMAND_RESTORED, /* The ledger is a backup's: raises the floor of grants, pauses. */
    COMMAND_NODE_STARTED,
    COMMAND_THROTTLE_SET, /* An override of a host's bucket. */
    COMMAND_THROTTLE_CLEAR,
    COMMAND_SUBMIT,
    COMMAND_RUN_SUBMIT,
    COMMAND_CLAIM,
    COMMAND_HEARTBEAT,
    COMMAND_REPORT,
    COMMAND_JOB_CANCEL,
    COMMAND_JOB_RETRY,
    COMMAND_JOB_REPLAY,
    COMMAND_JOB_PRIORITISE,
    COMMAND_RUN_CANCEL,
    COMMAND_RUN_RETRY, /* Every dead job of the run. */
    COMMAND_BULK_START,
    COMMAND_BULK_CANCEL,
    COMMAND_RETAIN, /* Removes what a tenant no longer has to keep. */
    COMMAND_DUE,    /* A shard's timers; tenant is 0. */
    COMMAND_RECALL, /* A shard's leases that hold no more since a restore; tenant is 0. */
};

enum {
    KEY_MAX = 200,
    NAME_MAX_LEN = 128,
    REASON_MAX = 500,
    SUBMIT_MAX = 1000,
    RUN_JOBS_MAX = 20000,
    CLAIM_MAX = 1000,
    RESULT_MAX = 16 * 1024,
};

/* Bounds that the operator sets; the same for all commands of a tick. */
struct limits {
    int32_t max_lanes;             /* Per tenant. */
    int32_t submit_cap;            /* Jobs of one submit decided in one tick. */
    int32_t settle_cap;            /* Successors settled in one tick. */
    int32_t due_cap;               /* Timers of a kind handled in one tick. */
    int64_t key_generation_us;     /* Length of one generation of job keys. */
    int64_t key_retention_us;      /* Keys are kept that long after their job has ended. */
    int64_t payload_retention_us;  /* So are payloads and worker text; 0 = for ever. */
    int32_t retain_cap;            /* Rows of a kind removed in one tick. */
    int64_t ageing_step_us;        /* One point of priority outweighs that much waiting. */
    int64_t cancel_grace_us;       /* From cancel asked to canceled. */
    int64_t run_assembly_us;       /* A run not whole by then is abandoned. */
    int64_t max_throttled_us;      /* In all, then dead throttled_too_long. */
    int32_t lapse_share_per_mille; /* Of a shard's leases, per second, at most. */
    int64_t log_attempt_bytes;     /* Job logs kept of one attempt. */
    int64_t log_tenant_bytes;      /* Job logs kept of one tenant. */
    int32_t config_versions;       /* Kept of one job type or source. */
    int32_t max_job_types;         /* Of one tenant, and of the installation. */
    int32_t max_sources;           /* The same. */
    int32_t max_workers;           /* The same. */
    int64_t breaker_ask_us;        /* A lane held by a breaker asks again by then. */
    int64_t worker_retention_us;   /* Not seen for longer: forgotten when room is needed. */
    int32_t bulk_tick_jobs;        /* Jobs of a bulk action done in one tick. */
    int32_t bulk_active;           /* Bulk actions of a tenant that are not at their end. */
    int32_t bulk_kept;             /* Records of bulk actions of a tenant. */
    int64_t bulk_retention_us;     /* A record is kept that long after its end. */
};

/* The defaults of contract/settings.json. */
struct limits limits_default(void);

struct need {
    int32_t job; /* Index in the run. */
    enum edge_kind kind;
};

struct submit_item {
    struct str job_type;
    struct str source; /* May be empty. */
    struct str key;    /* May be empty. */
    struct str name;   /* Runs: unique in the run. */
    struct str payload;
    struct str traceparent;
    struct sha256 digest; /* Of payload bytes and scheduling fields; submit_digest(). */
    int16_t priority;
    int64_t delay_us;
    int64_t not_before;       /* Instead of delay_us: a time, or 0. */
    struct job_id replay_of;  /* Runs that replay another: the job it was made from. */
    const struct need *needs; /* Runs only. */
    size_t need_count;
    /* Output */
    struct job_id id;
    enum job_state state;
    bool duplicate; /* The key was there, with the same content. */
};

/* Sets the digests that decide whether a reused key means the same. */
void submit_digest(struct submit_item *items, size_t count);

struct submit {
    struct submit_item *items;
    size_t count;
    size_t done;        /* Items decided; moved by core. */
    size_t error_at;    /* With err.code: the item it is about; count when about none. */
    struct str trigger; /* A source's name: an operator started it, which leaves a line. */
};

struct run_submit {
    struct str name;
    struct str key;
    struct sha256 digest;    /* Of the whole request body. */
    struct run_id replay_of; /* It replays that run from `replay_from` on; 0: it does not. */
    struct job_id replay_from;
    struct submit_item *items;
    size_t count;
    size_t done;
    size_t error_at;
    bool *has_successors; /* By item; core's own, in the command's arena. */
    int64_t first_job;    /* Output: item i became this + i. */
    struct run_id id;     /* Output. */
    bool duplicate;       /* The key was there, with the same content; items are not filled. */
};

/* Checks names and edges of a run before anything is asked of the ledger: unknown jobs, double
 * names, cycles (Kahn). Linear in jobs + edges. */
enum err_code run_check(struct arena *arena, const struct submit_item *items, size_t count,
                        size_t *out_at, struct err *err);

struct lease_grant {
    const struct leased_row *lease;
    const struct job_row *job; /* Known after commit (facts.fetch_jobs). */
    const struct lane_row *lane;
    const struct job_type *type;
    const struct source *source; /* Null for none. */
};

struct claim {
    struct str worker;
    int64_t claim;    /* Hash of the claim id. */
    struct str types; /* Job types, each ended by '\n'. */
    int32_t max;
    VEC(struct lease_grant) grants; /* Output. */
    enum worker_state worker_state; /* Output: others than active get none. */
    bool is_shared;                 /* The installation's worker, not a tenant's own. */
};

/* Lines that a handler logged, in the order of their numbers. */
struct log_batch {
    int64_t first;    /* Number of the first, counted from 0 within the grant. */
    int32_t count;    /* 0: none. */
    int64_t raw_len;  /* Of `lines`, unpacked. */
    struct str lines; /* As stored. */
};

struct heartbeat_item {
    struct job_id job;
    int32_t lane;
    int64_t grant;
    struct str progress;       /* JSON, or empty. */
    int64_t requests_wanted;   /* More throttle tokens. */
    bool is_stale;             /* Those that were granted and not used go back first … */
    int64_t requests_used;     /* … and so many were used. */
    struct upstream_told told; /* What the source's host said of its limits, last. */
    struct log_batch log;
    /* Output */
    enum err_code code; /* ERR_OK, ERR_LEASE_LOST */
    bool cancel;
    int32_t ttl_ms;
    int64_t requests_allowed;  /* In all; -1 when not counted. */
    int64_t requests_granted;  /* Of those wanted. */
    int64_t requests_after_us; /* None: worth asking again then; 0: not known. */
};

struct heartbeat {
    struct str worker;
    struct heartbeat_item *items;
    size_t count;
    bool is_shared;                 /* The installation's worker, not a tenant's own. */
    enum worker_state worker_state; /* Output. */
};

enum report_kind { REPORT_COMPLETE, REPORT_FAIL, REPORT_THROTTLED, REPORT_RELEASE };

struct report_artifact {
    struct str name;
    struct sha256 sha256;
    int64_t size;
    struct str media_type;
    enum artifact_role role;
};

struct report_item {
    enum report_kind kind;
    struct job_id job;
    int32_t lane;
    int64_t grant;
    struct sha256 digest;      /* Of the report as sent, but for its lease. */
    struct str result;         /* COMPLETE: JSON; FAIL: the message as a JSON string. */
    struct str class;          /* FAIL */
    bool permanent;            /* FAIL */
    int64_t retry_after_us;    /* FAIL, THROTTLED: floor; -1 = not said. */
    int64_t requests_used;     /* -1 = not said: all granted. */
    struct upstream_told told; /* As heartbeat's. */
    bool overloaded;           /* FAIL: the host answered 503 and no time. */
    const struct report_artifact *artifacts;
    size_t artifact_count;
    struct log_batch log; /* Not in `digest`. */
    /* Output */
    enum err_code code; /* ERR_OK, ERR_LEASE_LOST, ERR_RESULT_CONFLICT */
    enum job_state state;
};

struct report {
    struct str worker;
    struct report_item *items;
    size_t count;
    bool is_shared; /* As heartbeat's. */
};

struct job_control {
    struct job_id job;
    int16_t priority;     /* PRIORITISE. */
    struct job_id made;   /* Output of replay. */
    enum job_state state; /* Output. */
};

struct run_control {
    struct run_id run;
    struct bulk_id bulk; /* Output: goes on with the rest; 0: all is done. */
};

/* BULK_START and BULK_CANCEL. */
struct bulk_control {
    struct bulk_id bulk; /* START: output. CANCEL: input. */
    enum bulk_action action;
    int16_t priority;     /* BULK_PRIORITISE. */
    struct str selection; /* The filter, as JSON. */
    const int64_t *jobs;  /* Ascending, distinct. */
    size_t count;
    size_t done; /* Jobs written down; moved by core. */
};

struct tenant_change {
    struct str name;
    struct tenant_id made; /* TENANT_NAME: output. TENANT_OPEN: input. */
    int16_t home_shard;    /* TENANT_NAME: output. */
    int32_t weight;        /* -1 = keep. */
    int32_t max_inflight;  /* -1 = keep. */
    int32_t max_live;      /* -1 = keep. */
    int32_t if_version;    /* TENANT_CHANGE: 0 = any. */
    int32_t version;       /* Output; of a refusal, the one that is there. */
};

/* GROUP_PUT and SET. A refusal leaves `was` and `now` null. */
struct quota_change {
    struct str group;         /* By name; SET: empty for none. */
    enum quota_policy policy; /* GROUP_PUT, as the next two. */
    int32_t capacity;
    int32_t weight;
    struct quota_member_row member; /* SET: its limits. */
    int32_t if_version;             /* 0: must not exist; else the version that is replaced. */
    bool create_only;
    bool any_version;
    bool is_dry;           /* Says what would be; changes nothing. */
    int32_t version;       /* Output; of a refusal, the one that is there or 0. */
    const struct row *was; /* Output: a group's or a member's row, null when there was none. */
    const struct row *now; /* Output. */
};

struct token_change {
    int64_t token; /* ADD: output. REVOKE: input. */
    struct str name;
    struct str hash; /* 32 bytes. */
    int32_t for_tenant;
    int32_t scopes;
    struct str job_types; /* JSON array or empty. */
};

struct worker_change {
    struct str name;
    struct str version;
    struct str job_types; /* JSON array. */
    int32_t slots;        /* 0: not said. */
    int64_t clock_ms;     /* 0: not said. */
    bool registers;       /* Version, slots, job types and clock are told. */
    int16_t state;        /* enum worker_state. SET: input; SEEN: output. */
};

/* Of one service's breaker: the installation's (system tenant), or a tenant's own. */
struct breaker_change_asked {
    struct str service;
    struct str body;    /* PUT: canonical JSON, checked by breaker_config_parse(). */
    int32_t if_version; /* PUT: as config_put's; else 0. */
    bool any_version;
    bool create_only;
    bool created;              /* Output of PUT. */
    int32_t version;           /* Output; of a refusal, the one that is there or 0. */
    int16_t mode;              /* FORCE: enum breaker_mode. */
    int64_t mode_ms;           /* FORCE: for that long; 0 = for good. */
    bool is_dry;               /* Decides as if, and changes nothing. */
    struct breaker_row shared; /* Output: the installation's, whose parameters hold. */
    struct breaker_row was;    /* Output: before … */
    struct breaker_row row;    /* … and after. */
};

/* PAUSE, RESUME. */
struct installation_change {
    int32_t if_version; /* -1: any. */
    int32_t version;    /* Output. */
};

struct restored {
    struct str from;     /* What the operator calls the backup. */
    int64_t latest_at;   /* The latest time that the restorer knows of. */
    int64_t grant_floor; /* Output. */
};

struct node_start {
    struct str node; /* Its name. */
    struct str core; /* Version of the program. */
    struct sha256 settings;
};

/* A bucket with the pace it follows. */
struct throttle_view {
    struct throttle_row row;
    struct pace pace;
    int64_t as_of;
};

/* SET replaces the whole override; CLEAR takes what it names back. */
struct throttle_change {
    struct str host;
    int64_t rate_milli; /* -1: not set. */
    int64_t burst;      /* 0: not set. */
    int64_t block_us;   /* 0: not set. */
    int64_t lasts_us;
    bool clear_override;
    bool clear_block;   /* What the upstream caused: block, doubling, fields, the rate's cut. */
    bool dry_run;       /* Only before and after. */
    int32_t if_version; /* -1: nothing was set on it before. */
    bool any_version;
    int32_t version;                    /* Output; of a refusal, the one that is there. */
    struct throttle_view before, after; /* Output. */
};

/* PUT of a job type or source. */
struct config_put {
    struct str name;
    struct str body;    /* Canonical JSON, checked by job_type_parse / source_parse; output of
                         * SOURCE_SWITCH. */
    int32_t if_version; /* -1: must not exist; else the version that is replaced. */
    int32_t version;    /* Output; of a refusal, the one that is there or 0. */
    bool create_only;   /* It must not exist: If-None-Match. */
    bool any_version;   /* It must exist, at any version: If-Match with a star. */
    bool enabled;       /* SOURCE_SWITCH. */
    bool created;       /* Output. */
};

/* What was removed; all output. */
struct retain {
    int32_t keys;
    int32_t request_keys;
    int32_t payloads;
    int32_t bulks; /* Records of bulk actions. */
    bool more;     /* There is more that is due. */
};

struct command {
    enum command_kind kind;
    int16_t shard;
    struct tenant_id tenant;
    struct str actor;  /* "token:tok-3", "worker:host-1/9", "timer". */
    struct str reason; /* Control actions. */
    struct str ticket;
    struct str request_key; /* Idempotency-Key, or empty. */
    struct sha256 request_digest;
    struct arena *arena; /* For outputs; lives until the command is done. */
    int64_t floor;       /* Lowest virtual time among the backlogged tenants, as the node saw it. */
    const int64_t *quota_floors; /* The same within each quota group; null: none is known. */
    int64_t group_floor;         /* CLAIM: that the tenant's group stands level with at least. */
    struct err err;              /* Output. */
    bool again;                  /* Output: decide once more in a following group. */
    bool replayed;               /* Output: answered from the request key. */
    int64_t live_max;            /* Output: unfinished jobs that the tenant may have … */
    int64_t live_left;           /* … and how many more those are than it has now. */

    union {
        struct tenant_change tenant_change;
        struct quota_change quota;
        struct token_change token;
        struct config_put put;
        struct worker_change worker;
        struct breaker_change_asked breaker;
        struct installation_change installation;
        struct restored restored;
        struct node_start node_start;
        struct throttle_change throttle;
        struct submit submit;
        struct run_submit run;
        struct claim claim;
        struct heartbeat heartbeat;
        struct report report;
        struct job_control job;
        struct run_control run_control;
        struct bulk_control bulk;
        struct retain retain;
    };
};

/* Asks for facts that this command needs and that are not known. True when it has all it needs.
 * Looks only at what is known; changes nothing. */
bool command_want(const struct command *command, struct facts *facts, const struct limits *limits);

/* Sets t->config from the rows learned, unless a current one is there or they are not known. The
 * engine may set t->config from its cache before; it may keep a copy of what is built here. */
void facts_build_config(struct facts *facts, struct tenant_facts *t);

/* Decides: changes rows of the working set, appends history, fills the outputs. */
void command_decide(struct command *command, struct facts *facts, const struct limits *limits);

#endif
