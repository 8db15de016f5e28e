/*
 * core/facts - the working set of one tick: what core may look at and change.
 *
 * Use      1. facts_init(); the engine locks the shards of the tick's commands.
 *          2. command_want() of each command asks for what is not known yet (want_…); the ledger
 *             loads it (facts_learn()); repeated until nothing is wanted.
 *          3. command_decide() of each command reads and changes rows here, one after another.
 *          4. what changed is the plan (plan.h).
 *          A row that was looked for and is absent is known to be absent.
 * Owns     everything lies in the tick's arena.
 * Threads  none.
 */
#ifndef CORE_FACTS_H
#define CORE_FACTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/map.h"
#include "base/vec.h"
#include "core/rows.h"

/* What can be asked of the ledger. Every want names shard and tenant (but the shard-wide ones at
 * the end). The ledger answers a want with all rows that match it, of the tables in brackets. */
enum want_kind {
    WANT_TENANT,         /* the tenant's row [tenants] */
    WANT_CONFIG,         /* all its job types and sources, its workers that are not active, what was
                          * said of the installation [job_types, sources, workers, installation] */
    WANT_CONFIG_VERSION, /* text = name, a = kind, b = version [config_versions] */
    WANT_WORKER,         /* text = name [workers] */
    WANT_WORKERS,        /* limit: by name [workers] */
    WANT_INSTALLATION,   /* [installation] */
    WANT_TENANT_NAME,    /* text = name [tenant_names] */
    WANT_TOKEN,          /* a = token [tokens] */
    WANT_QUOTA_GROUP,    /* a = group [quota_groups] */
    WANT_QUOTA_GROUPS,   /* limit: by group [quota_groups] */
    WANT_QUOTA_MEMBER,   /* a = tenant [quota_members] */
    WANT_QUOTA_MEMBERS,  /* a = group, limit: by tenant [quota_members] */
    WANT_LEASED,         /* a = job [leased] */
    WANT_OUTCOME,        /* a = job [outcomes] */
    WANT_JOB,            /* a = job [jobs] */
    WANT_WAITING,        /* a = job [blocked, ready, delayed: at most one of them has it] */
    WANT_JOB_KEY,        /* a = hash, b = generation [job_keys] */
    WANT_RUN,            /* a = run [runs] */
    WANT_RUN_KEY,        /* text = key [run_keys] */
    WANT_RUN_JOBS,       /* a = run, b = after this job, limit [jobs, by job, ascending] */
    WANT_EDGES_FROM,     /* a = pred, b = after this succ, limit [dag_edges, by succ] */
    WANT_EDGES_TO,       /* a = succ, b = after this pred, limit [dag_edges, by pred] */
    WANT_LANE,           /* a = lane [lanes] */
    WANT_LANE_NAME,      /* text = job type, text2 = source [lanes] */
    WANT_OPEN_LANES,   /* text = job types, each ended by '\n'; a = now; limit = heads per lane: of
                        * the lanes with waiting > 0, open_at <= a and a type of the list, the 64
                        * with the least (rank, lane) [lanes], and of each the first `limit` of
                        * ready by (rank, job) [ready] */
    WANT_LANE_HEADS,   /* a = lane, limit: its first jobs by (rank, job) [ready] */
    WANT_SOURCE_LANES, /* text = source: all lanes of it [lanes] */
    WANT_BUSY_LANES,   /* text = job type: its lanes with inflight > 0 [lanes] */
    WANT_THROTTLE,     /* text = host [throttles] */
    WANT_BREAKER,      /* text = service [breakers] */
    WANT_SETTLING,     /* a = pred [settling] */
    WANT_BULK,         /* a = bulk [bulk_actions] */
    WANT_BULK_PARTS,   /* a = bulk, b = after this first, limit [bulk_parts, by first] */
    WANT_BULK_RUN,     /* as WANT_RUN_JOBS, for the run of a bulk action [jobs] */
    WANT_BULKS_ACTIVE, /* limit: storing or running, by bulk [bulk_actions] */
    WANT_REQUEST_KEY,  /* text = key [request_keys] */
    WANT_ATTEMPTS,     /* a = job, b = after this grant, limit [attempts, by grant] */
    WANT_ARTIFACTS,    /* a = job [artifacts] */
    WANT_LOG_HEAD,     /* a = job; 0: the tenant's [log_heads] */
    WANT_JOB_LOGS,     /* a = job, b = after this grant, limit [job_logs, by grant, first] */
    /* What retention looks at; the first `limit` of the tenant's. */
    WANT_OLD_JOB_KEYS,     /* by (generation, hash, job) [job_keys] */
    WANT_OLD_REQUEST_KEYS, /* by (at, key) [request_keys] */
    WANT_JOBS_AFTER,       /* b = after this job, by job [jobs] */
    WANT_LATE_OUTCOMES,    /* those with JOB_LATE, by (ended_at, job) [outcomes] */
    WANT_TEXTS,            /* a = job: with a message, by grant [attempts] */
    WANT_OLD_BULKS,        /* by bulk [bulk_actions] */
    /* Of a whole shard; tenant is 0. Ordered by time; rows not yet due are included, so that the
     * first of them tells when to ask again. */
    WANT_DUE_LEASED,    /* limit: the first by due_at [leased] */
    WANT_DUE_DELAYED,   /* limit: the first by due_at [delayed] */
    WANT_DUE_DEADLINES, /* limit: the first by due_at [start_deadlines] */
    WANT_DUE_THROTTLES, /* limit: with set_until > 0, the first by it [throttles] */
    WANT_DUE_BULKS,     /* limit: those with due_at > 0, by (due_at, tenant, bulk) [bulk_actions] */
    WANT_ALL_SETTLING,  /* limit: the first by (tenant, pred) [settling] */
    WANT_COUNT
};

struct want {
    int16_t shard;
    int32_t tenant;
    int64_t a;
    int64_t b;
    int32_t limit;
    struct str text;
    struct str text2;
};

typedef VEC(struct want) want_list;

struct wants {
    want_list of[WANT_COUNT];
    size_t total;
};

/* Rows that answered an EDGES_…, RUN_JOBS or DUE_… want, in order. */
typedef VEC(struct row *) row_list;

/* What this tick adds to one history. */
struct history_log {
    struct buf lines;  /* Each ended by '\n'. */
    int64_t first_seq; /* Of `lines`. */
    int32_t count;
    /* Where the last line's head (actor and time) and tail (tenant, tick and type) lie: most lines
     * of a tick share them. */
    size_t head_at, head_len, tail_at, tail_len;
    struct str actor;
    const char *type;
};

struct config; /* Parsed job types and sources; config.h */

/* What is known of one tenant. Maps go from the key named to the row; rows that are ROW_GONE or
 * ROW_VOID stay in them: use the facts_… functions, which hide those. */
struct tenant_facts {
    int16_t shard;
    struct tenant_id id;
    struct tenant_row *row;          /* Null when there is no such tenant. */
    const struct config *config;     /* Null until known. */
    bool config_known;               /* Its job_types and sources rows are all here. */
    struct map known;                /* Wants asked: (kind << 56 | a) -> non-null. */
    struct map known_texts;          /* The same for wants by text. */
    struct map by_key[TABLE_COUNT];  /* Job, run, lane, pred, token -> row. */
    struct map by_text[TABLE_COUNT]; /* Name, host, type, key -> row. */
    struct map job_keys;      /* Asked hashes; the rows: by_key[TABLE_JOB_KEYS] -> row_list. */
    struct map ready_of_lane; /* lane -> struct lane_heads */
    struct map lists;         /* (kind << 56 | a) -> row_list, for the wants that list. */
    /* Generations of job keys, as the engine remembers them: what to ask for before the row is
     * known. 0: nothing is remembered. */
    int32_t key_oldest;
    int32_t key_newest;
    struct history_log log;
};

/* Waiting jobs of one lane, by (rank, job), as far as loaded. */
struct lane_heads {
    VEC(struct ready_row *) rows;
    size_t next;   /* First not yet taken. */
    bool complete; /* There are no more in the ledger. */
};

struct shard_facts {
    struct shard_row *row;
    row_list due_leased;
    row_list due_delayed;
    row_list due_deadlines;
    row_list due_throttles;
    row_list due_bulks;
    row_list settling;
    bool known[WANT_COUNT];
    int64_t scheduled_at; /* Earliest timer that this tick has set; 0: none. */
    struct history_log log;
};

enum { FACTS_BREAKER_VERDICTS = 4, FACTS_BREAKER_CHANGES = 8 };

struct facts {
    struct arena *arena;
    int64_t now;          /* Ledger time of the shard being decided; set per shard. That
                                    * of another locked shard: its row's last_at. */
    int64_t clock;        /* What the ledger's clock said after the locks. */
    int64_t group;        /* Commit group id. */
    struct hash_key seed; /* Of the ledger: keys, jitter. */
    struct map shards;    /* shard + 1 -> struct shard_facts */
    struct map tenants;   /* tenant -> struct tenant_facts */
    struct wants wants;   /* Asked and not answered yet. */
    /* For the node's figures: what breakers were told, by enum breaker_verdict, and what they did,
     * by enum breaker_change. */
    uint32_t breaker_told[FACTS_BREAKER_VERDICTS];
    uint32_t breaker_did[FACTS_BREAKER_CHANGES];
    bool wants_shared;             /* want_shared() was asked and the lock is not held. */
    row_list touched[TABLE_COUNT]; /* Rows that are not ROW_CLEAN, in order of first change. */
    row_list fetch_jobs;           /* Leased rows whose jobs row the reply needs. */
};

void facts_init(struct facts *facts, struct arena *arena, struct hash_key seed, int64_t group);
/* Frees the line buffers; the rest is the arena's. */
void facts_fini(struct facts *facts);

/* The shard's and the tenant's part, made empty when new. */
struct shard_facts *facts_shard(struct facts *facts, int16_t shard);
struct tenant_facts *facts_tenant(struct facts *facts, int16_t shard, struct tenant_id tenant);

/* Asks, unless it is known or asked already. Returns true when it is known: then look. */
bool want(struct facts *facts, struct tenant_facts *t, enum want_kind kind, int64_t a);
bool want_text(struct facts *facts, struct tenant_facts *t, enum want_kind kind, struct str text,
               struct str text2);
bool want_job_key(struct facts *facts, struct tenant_facts *t, int64_t hash, int32_t generation);
bool want_config_version(struct facts *facts, struct tenant_facts *t, enum config_kind_id kind,
                         struct str name, int32_t version);
bool want_list_of(struct facts *facts, struct tenant_facts *t, enum want_kind kind, int64_t a,
                  int64_t after, int32_t limit);

/* Who may take n jobs asks for n heads of each lane, but for at least HEADS_LEAST: some may be
 * taken before it in the same tick. */
enum { HEADS_LEAST = 4 };

bool want_open_lanes(struct facts *facts, struct tenant_facts *t, struct str types, int64_t now,
                     int32_t heads);
bool want_of_shard(struct facts *facts, int16_t shard, enum want_kind kind, int32_t limit);
/* What tenants share (rows of the system tenant) is read and changed under the lock of its shard,
 * in the same transaction as the tenant's own rows. False when this group does not hold it: the
 * group is decided anew with it, so ask before anything that is costly. */
bool want_shared(struct facts *facts);
/* True when this was called before in this tick for the same thing: what it wants was asked. */
bool facts_meets_again(struct facts *facts, struct tenant_facts *t, const void *thing);

/* For the ledger: a row that answers a want of `kind`. The row lies in the arena, ROW_CLEAN. A row
 * that is known already is ignored (what the working set holds is newer). */
void facts_learn(struct facts *facts, enum want_kind kind, const struct want *asked,
                 struct row *row);
/* For the ledger: all wants are answered; what was not learned is absent. */
void facts_answered(struct facts *facts);

/* A loaded or new row by number (job, run, lane, pred, token); null when absent. Asking for what
 * was never wanted is a programmer error. */
struct row *facts_find(const struct tenant_facts *t, enum table_id table, int64_t key);
/* The same by text. Lanes: facts_lane_by_name(). */
struct row *facts_find_text(const struct tenant_facts *t, enum table_id table, struct str key);
struct config_version_row *facts_config_version(struct facts *facts, const struct tenant_facts *t,
                                                enum config_kind_id kind, struct str name,
                                                int32_t version);
struct lane_row *facts_lane_by_name(const struct tenant_facts *t, struct str job_type,
                                    struct str source);
/* The list that answered want_list_of(), live rows only are the caller's to check. facts_list()
 * takes it that it was asked for; facts_list_find() gives null when it was not. */
row_list *facts_list(struct tenant_facts *t, enum want_kind kind, int64_t a);
row_list *facts_list_find(struct tenant_facts *t, enum want_kind kind, int64_t a);
/* It is no longer the list to go on with. */
void facts_list_forget(struct facts *facts, struct tenant_facts *t, enum want_kind kind, int64_t a);

/* A new zeroed row of the table, ROW_NEW, listed; the caller fills the key and then calls
 * facts_index(). */
struct row *facts_add(struct facts *facts, struct tenant_facts *t, enum table_id table);
void facts_index(struct facts *facts, struct tenant_facts *t, struct row *row);
/* Marks a row to be updated, or deleted. */
void facts_change(struct facts *facts, struct row *row);
void facts_remove(struct facts *facts, struct row *row);
/* The row still exists in this working set. */
bool row_is_live(const struct row *row);

#endif
