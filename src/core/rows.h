/*
 * core/rows - what the ledger keeps, as values: one struct per table.
 *
 * Use      the ledger loads rows into a working set (facts.h), core changes them there, the ledger
 *          writes what changed. Column lists for binding, dumping and comparing: tables.h.
 * Owns     texts and bytes lie in the working set's arena.
 * Time     _at: microseconds since 1970 UTC; 0 means never.
 *
 * Soft columns change without a history line; "beside" columns hold bytes that history knows by
 * digest only. Both are left out of fold == rows.
 */
#ifndef CORE_ROWS_H
#define CORE_ROWS_H

#include "core/bulk_rows.h"

/* Per shard: its clock, what is due, and how far its log has come. The tick holds this row's lock.
 */
struct shard_row {
    struct row row;
    int16_t shard;
    int64_t tick;            /* Soft: ticks so far. */
    int64_t last_at;         /* Soft: ledger time of the last tick; never goes back. */
    int64_t next_due_at;     /* Soft: lower bound of the next timer; INT64_MAX for none. */
    int64_t available_since; /* Soft: ticks resumed then after a gap; no lapse for one ttl. */
    int64_t lapse_allowance; /* Soft: leases that may lapse before lapse_refill_at. */
    int64_t lapse_refill_at; /* Soft: when the allowance is set anew. */
    int64_t head_seq;        /* Last line of the shard's log. */
};

struct tenant_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    struct str name;
    int64_t created_at;
    int32_t weight;         /* 1..1000 */
    int32_t max_inflight;   /* Live leases at once; 0 = unlimited. */
    int32_t max_live;       /* Jobs not terminal at once. */
    int32_t version;        /* Of this row's configuration; the ETag. */
    int32_t config_version; /* Of the tenant's job types and sources. */
    int64_t head_seq;       /* Last history seq. */
    int64_t next_job;
    int64_t next_run;
    int32_t next_lane;
    int64_t charged;  /* Own worker-milliseconds x 1000 / weight; fairness.h */
    int64_t lift;     /* What it was moved up by at joining others; told in the shard's log only. */
    int64_t waiting;  /* Counter: rows in ready. */
    int64_t inflight; /* Counter: rows in leased. */
    int64_t live;     /* Counter: jobs not terminal. */
    int32_t key_generation; /* Of job keys: the one that takes new keys; retain.h */
    int32_t key_oldest;     /* No generation before it has keys. */
    int64_t key_turned_at;  /* When key_generation began. */
    int64_t erased_to;      /* Last job that retention has passed; 0 before the first. */
    int64_t next_bulk;
    int32_t quota_group; /* That it shares slots in; 0 for none. quota.h */
};

/* Directory of tenants: rows of the system tenant, so that names are unique across shards. */
struct tenant_name_row {
    struct row row;
    int16_t shard;
    int32_t tenant; /* TENANT_SYSTEM */
    struct str name;
    int32_t named;      /* The tenant. */
    int16_t home_shard; /* Where its rows are. */
    int64_t created_at;
};

/* Tenant TENANT_SYSTEM holds the installation's defaults. */
struct job_type_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    struct str name;
    int32_t version;
    struct str body; /* Canonical JSON; parsed by job_type.h. */
};

struct source_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    struct str name;
    int32_t version;
    struct str body; /* Canonical JSON; parsed by source.h. */
};

enum config_kind_id { CONFIG_JOB_TYPE = 0, CONFIG_SOURCE = 1 };

/* What a job type or source was at each version, the current one too. The oldest go when there are
 * more than limits.config_versions. */
struct config_version_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int16_t kind; /* enum config_kind_id */
    struct str name;
    int32_t version;
    struct str body;
    int64_t at;
    struct str actor;
    struct str reason; /* X-Stella-Reason, or empty. */
};

enum worker_state { WORKER_ACTIVE = 0, WORKER_DRAINING = 1, WORKER_QUARANTINED = 2 };

/* A program that registered with a token of the tenant; TENANT_SYSTEM: of the installation. */
struct worker_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    struct str name;
    int16_t state;     /* enum worker_state; others than active are part of the configuration. */
    struct str reason; /* Of the state. */
    int64_t changed_at;
    struct str version;
    int32_t slots;
    struct str job_types;  /* JSON array. */
    int64_t registered_at; /* With these version, slots and job types. */
    int64_t seen_at;       /* Soft: a claim, heartbeat or report came; written now and then. */
    int64_t offset_ms;     /* Soft: how far its clock is ahead of the ledger's; 0 when not said. */
};

/* Nothing new is leased. */
struct pause {
    int64_t since; /* 0: not paused. */
    struct str reason;
    struct str ticket; /* May be empty. */
    struct str by;     /* Who asked. */
};

/* Its version while nothing was said. */
enum { INSTALLATION_FIRST = 1 };

/* What was said of the whole installation: one row of the system tenant, absent until something was
 * said. Part of every tenant's configuration. */
struct installation_row {
    struct row row;
    int16_t shard;
    int32_t tenant;      /* TENANT_SYSTEM */
    int32_t version;     /* The ETag. */
    int64_t grant_floor; /* Grants up to it hold no more, and all new ones are above it. */
    int64_t restored_at; /* 0: never. */
    struct str restored_from;
    struct pause pause;
};

/* Access tokens; rows of the system tenant. */
struct token_row {
    struct row row;
    int16_t shard;
    int32_t tenant; /* TENANT_SYSTEM */
    int64_t token;  /* Number in "tok-3". */
    struct str name;
    struct str hash;      /* SHA-256 of the token text. */
    int32_t for_tenant;   /* 0: the installation. */
    int32_t scopes;       /* Bits of enum scope_bit (auth). */
    struct str job_types; /* JSON array, or empty for all. */
    int64_t created_at;
    int64_t revoked_at;
};

/* What is known of a downstream service; breaker.h. Of the installation: rows of the system tenant;
 * where the service's breaker is per tenant, each tenant's own. */
struct breaker_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    struct str service;
    int32_t version;  /* Of `body`; the ETag. */
    struct str body;  /* Canonical JSON, parsed by breaker_config.h; empty: the defaults. */
    int64_t revision; /* Counts every change of the row. */
    int16_t mode;     /* enum breaker_mode */
    int64_t mode_until;
    struct str reason; /* Of the mode, with ticket and whoever set it. */
    struct str ticket;
    struct str set_by;
    int16_t state; /* enum breaker_state */
    int64_t changed_at;
    int64_t until;
    int32_t opens;
    int32_t in_a_row;
    int32_t probes_well;
    int32_t probes_ill;
    struct str evidence; /* Numbers: head, then calls, failures, slow of each bucket. */
    struct str workers;  /* Name, called_at, failed_at of each. */
    struct str probes;   /* Tenant, job, grant of each. */
};

/* Tenants that share slots; a row of the system tenant. What its policy and numbers mean: quota.h
 */
struct quota_group_row {
    struct row row;
    int16_t shard;
    int32_t tenant; /* TENANT_SYSTEM */
    int32_t quota_group;
    struct str name;
    int32_t version;
    int16_t policy; /* enum quota_policy */
    int32_t capacity;
    int32_t weight;  /* Among groups, and tenants that are in none. */
    int64_t members; /* Counter: rows of quota_members. */
    int64_t nominal; /* Counter: sum of theirs. */
    int64_t floors;  /* Counter: sum of theirs. */
    int64_t in_use;  /* Counter: sum of theirs. */
    int64_t unlent;  /* Sum of what is idle and not lent. */
    int64_t charged; /* As tenants.charged, by the group's weight. */
    int64_t lift;
};

/* A tenant's part in its group; a row of the system tenant, too. Limits of -1: none. */
struct quota_member_row {
    struct row row;
    int16_t shard;
    int32_t tenant; /* TENANT_SYSTEM */
    int32_t member; /* The tenant. */
    int32_t quota_group;
    int32_t version;
    int32_t nominal;
    int32_t borrow_limit;
    int32_t lend_limit;
    int32_t hard_max;
    int32_t floor;
    int16_t class;
    int64_t burst_s;    /* Slot-seconds it may borrow when it has not for long; 0: no budget. */
    int64_t refill_s;   /* From empty to full. */
    int64_t burst_left; /* Slot-microseconds, at burst_at. */
    int64_t burst_at;
    int64_t in_use;  /* Counter: the tenant's rows in leased. */
    int64_t charged; /* Of the tenant, as far as the group was charged. */
};

/* One per {tenant, job type, source}; never deleted, so a lane id names that pair for good. */
struct lane_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int32_t lane;
    struct str job_type;
    struct str source;   /* Empty for none. */
    int64_t waiting;     /* Counter: rows of this lane in ready. */
    int64_t inflight;    /* Counter: rows of this lane in leased. */
    int64_t rank;        /* Soft: lower bound of the ranks in ready. */
    int64_t open_at;     /* Soft: not asked before; 0 = open. */
    int16_t hold;        /* enum hold_reason */
    int32_t estimate_ms; /* Moving estimate of one job's duration. */
    int64_t calls; /* Soft: successes that the breakers of its services have not been told … */
    int64_t calls_since; /* Soft: … since then. */
};

/* Who sized a block. */
enum block_origin {
    BLOCK_NONE = 0,
    BLOCK_HEADER = 1,   /* Retry-After. */
    BLOCK_DOUBLING = 2, /* Nobody: bucket.h. */
    BLOCK_FIELDS = 3,   /* RateLimit fields: nothing is left. */
    BLOCK_OPERATOR = 4,
};

/* Token bucket per {tenant, host}; bucket.h says how it moves. */
struct throttle_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    struct str host;
    int64_t level_micro; /* Millionths of a token; may not go below 0. */
    int64_t rate_milli;  /* In force between blocks: tokens in 1000 s; 0: not paced. */
    int64_t burst;       /* Tokens. */
    int64_t refilled_at; /* When the level was true; the end of a block while there is one. */
    int64_t blocked_until;
    int64_t penalty_ms;   /* Length of the last block without a header; doubles. */
    int64_t base_milli;   /* The configured rate that rate_milli began from. */
    int64_t hint_milli;   /* The upstream's fields allow no more … */
    int64_t hint_until;   /* … until then. */
    int64_t grown_at;     /* Since when the rate has been clean … */
    int64_t used;         /* … and tokens used of it since. */
    int64_t throttled_at; /* The last incident. */
    int32_t incidents;
    int16_t origin; /* enum block_origin, of blocked_until. */
    /* What an operator set. */
    int32_t version;        /* Counts the operators' changes; the ETag. */
    int64_t set_until;      /* It falls away then; 0: nothing is set. */
    int64_t set_rate_milli; /* -1: not set. */
    int64_t set_burst;      /* 0: not set. */
    int64_t set_block_until;
    int64_t set_at;
    struct str set_by;
    struct str set_reason;
};

struct run_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t run;
    struct str name;
    struct str digest; /* SHA-256 of what was asked. */
    int64_t submitted_at;
    int64_t ended_at;
    int16_t state;   /* enum run_state */
    int32_t total;   /* Jobs it will have. */
    int32_t present; /* Jobs it has; below total while it is being assembled. */
    int32_t blocked; /* Counters by state; pending = total - the rest. */
    int32_t leased;
    int32_t succeeded;
    int32_t dead;
    int32_t canceled;
};

/* What was asked; written once, but for the rank: with it the ready row is found, so it is the one
 * now in force. */
struct job_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    int64_t run; /* 0 for none. */
    int32_t lane;
    int16_t priority;
    int64_t rank;
    int64_t submitted_at;
    int64_t submit_seq; /* Its job.submitted line. */
    int64_t replay_of;
    struct str name;        /* Within its run; may be empty. */
    struct str key;         /* Job key; may be empty. */
    struct str digest;      /* SHA-256 of payload and scheduling fields, 32 bytes. */
    struct str traceparent; /* May be empty. */
    struct str payload;     /* Beside: JSON as sent. */
};

/* Index of job keys: a hit compares the full key in jobs. */
struct job_key_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int32_t generation; /* Dropped whole when all its keys are past retention. */
    int64_t hash;
    int64_t job;
};

struct run_key_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    struct str key;
    int64_t run;
};

enum edge_kind { EDGE_SUCCESS = 0, EDGE_ALWAYS = 1 };

/* pred may be -run: "the run is whole". */
struct edge_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t run;
    int64_t pred;
    int64_t succ;
    int16_t kind; /* enum edge_kind */
};

enum job_flag {
    JOB_HAS_SUCCESSORS = 1, /* Edges leave it: settle them when it ends. */
    JOB_HAS_KEY = 2,
    JOB_HAS_ATTEMPTS = 8, /* An earlier attempt has ended. */
    JOB_HAS_PREDECESSORS = 16,
    JOB_LATE = 32,   /* Ended after retention had passed it: its payload is erased apart. */
    JOB_ERASED = 64, /* Payload and worker text are gone. */
};

/* Grants are facts of history lines and JSON numbers. */
#define GRANT_MAX ((INT64_C(1) << 53) - 1)

/* What a live job carries from hot row to hot row. */
struct carry {
    int32_t lane;
    int64_t rank;
    int64_t run;
    int16_t flags;        /* enum job_flag */
    int16_t priority;     /* As now in force. */
    int64_t grant;        /* Last grant given; 0 before the first. The fencing token. */
    int32_t spent;        /* Attempts used up since submit or retry. */
    int32_t job_seq;      /* History lines of this job so far. */
    int64_t throttled_ms; /* Time spent throttled, in all. */
};

struct blocked_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    struct carry carry;
    int32_t remaining; /* Predecessors (and the run's wholeness) still awaited. */
    int64_t delay_us;  /* Asked at submit: from release; negative: minus a time. */
};

struct ready_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    struct carry carry;
    int64_t eligible_at; /* Since when it waits. */
};

/* Pending, not before due_at. */
struct delayed_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    struct carry carry;
    int64_t due_at;
    int16_t reason; /* enum hold_reason: backoff, throttled, delay. */
};

/* job may be -run: the run must be whole by then. */
struct start_deadline_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t due_at;
    int64_t job;
};

struct leased_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    struct carry carry;
    bool running; /* A heartbeat, progress or artifact was seen. */
    struct str worker;
    int64_t claim; /* Hash of the claim id. */
    int64_t claimed_at;
    int64_t claimed_seq; /* Its job.leased line. */
    int32_t ttl_ms;
    int32_t charged_ms;  /* Estimate charged to the tenant's virtual time. */
    int64_t requests;    /* Throttle tokens granted. */
    int64_t run_until;   /* Over max run time after that; 0 = no limit. */
    int64_t cancel_at;   /* Cancel asked: canceled at that time at the latest; 0 = not asked. */
    int64_t until;       /* Soft: lapses after. */
    int64_t due_at;      /* Soft: least of until, run_until, cancel_at and no progress. */
    int64_t progress_at; /* Soft: last progress. */
    int32_t no_progress_ms;
    struct str progress; /* Soft: JSON. */
};

/* The end of a job, and its last attempt. Removed by retry. */
struct outcome_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    struct carry carry;
    int16_t state;     /* enum job_state, terminal. */
    struct str class;  /* "parse_error", "expired", "dependency_failed", ... */
    int64_t cause;     /* The predecessor that caused dependency_failed, or 0. */
    struct str worker; /* Of the last attempt; empty when there was none. */
    int64_t claimed_at;
    int64_t claimed_seq;
    int64_t ended_at;
    int64_t ended_seq;
    struct str digest; /* Of the report, 32 bytes; empty when nobody reported. */
    struct str result; /* Beside: result JSON, or the failure's message as a JSON string. */
};

/* Attempts that ended before the last one. */
struct attempt_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    int64_t grant;
    int16_t ending; /* enum attempt_ending */
    struct str class;
    struct str worker;
    int64_t claimed_at;
    int64_t claimed_seq;
    int64_t ended_at;
    int64_t ended_seq;
    struct str digest;
    struct str message; /* Beside. */
};

enum settle_mode {
    SETTLE_FAILED,  /* It ended badly. */
    SETTLE_OK,      /* It succeeded, or the run is whole. */
    SETTLE_REVIVE,  /* It was retried: descendants canceled because of it come back. */
    SETTLE_ABANDON, /* The run never became whole: all its jobs are canceled; by job, not edge. */
};

/* An outcome, or a retry, whose successors are not all settled yet. */
struct settling_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t pred;       /* A job, or -run. */
    int16_t mode;       /* enum settle_mode */
    int64_t after_succ; /* Settled up to and with this one. */
    int64_t until_succ; /* Those after it need not know. */
};

enum artifact_role { ARTIFACT_OUTPUT = 0, ARTIFACT_INPUT = 1 };

struct artifact_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    int16_t role; /* enum artifact_role */
    struct str name;
    int64_t grant;
    int64_t run;
    struct str sha256; /* 32 bytes. */
    int64_t size;
    struct str media_type;
};

/* Idempotency-Key with the answer it led to. */
struct request_key_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    struct str key;
    struct str digest; /* SHA-256 of method, path and body. */
    int64_t at;
    int16_t status;
    struct str location; /* "job-17", "run-4", a name: what was made. */
    struct str answer;   /* Beside: the body. */
};

/* Where the log of a job stands; as job 0, of the tenant in all. */
struct log_head_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    int64_t grant;  /* The rest but `stored` is about its attempt. */
    int64_t lines;  /* Number of the next line. */
    int64_t bytes;  /* Taken, unpacked. */
    bool cut;       /* Full: nothing more is taken. */
    int64_t stored; /* Bytes in job_logs, of all attempts, unpacked. */
};

/* Lines that came together. */
struct job_log_row {
    struct row row;
    int16_t shard;
    int32_t tenant;
    int64_t job;
    int64_t grant;
    int64_t first; /* Number of the first line that is new here. */
    int32_t skip;  /* Lines before it that an earlier row has. */
    int32_t count; /* Lines in all; 0: the log was cut here. */
    int64_t at;
    int64_t raw_len;  /* Of the lines, unpacked. */
    struct str lines; /* Packed when that is shorter than raw_len. */
};

#endif
