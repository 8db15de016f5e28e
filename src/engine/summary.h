/*
 * engine/summary - what a node knows about the tenants of all shards without asking the ledger:
 * how much of which type waits in open lanes, what is leased, the virtual times.
 *
 * It is approximate and only chooses whom a claim visits; whether a job may start is decided in
 * the tick. It is learned from the rows of each committed group, and from reader queries at the
 * start and when another node changed a shard.
 *
 * Next is the tenant with the lowest virtual time among those with open work of the asked types,
 * then the lowest tenant id; tenants that share slots stand behind their group (shares.h). Jobs
 * that were offered to commands which are not decided yet are reserved: they count as taken and as
 * charged.
 *
 * Owns     everything in the summary's arena; tenants and lanes are never forgotten.
 * Threads  none; the node's lock is held.
 * Time     ledger time.
 */
#ifndef ENGINE_SUMMARY_H
#define ENGINE_SUMMARY_H

#include "base/arena.h"
#include "base/id.h"
#include "base/map.h"
#include "base/vec.h"
#include "core/rows.h"
#include "engine/shares.h"

/* A claim is spread over at most one tenant for each OFFER_JOBS_LEAST jobs that it asks for: a
 * tenant costs its tick a few rows, however few jobs it gives (measured with 500 tenants and claims
 * of 20: 135 instead of 75 us of processor time a job without this). Who was passed over comes
 * first next time. */
enum { OFFER_TENANTS_MAX = 16, OFFER_JOBS_LEAST = 10 };

/* Of one tenant and job type. */
struct type_summary {
    uint64_t type;       /* type_hash() */
    int64_t open;        /* Jobs waiting in open lanes. */
    int64_t lanes;       /* Open lanes. */
    int32_t estimate_ms; /* Of the lane learned last. */
};

struct lane_summary {
    int32_t lane;
    uint64_t type;
    int64_t waiting;
    int64_t inflight;
    int64_t open_at;
    int64_t alarm_at; /* The opening that is in the heap; 0 for none. */
    uint64_t listing; /* The last listing that it was learned in. */
    bool open;        /* Counted in type_summary.open. */
};

struct tenant_summary {
    struct tenant_id tenant;
    int16_t shard;
    bool known; /* Its row was learned. */
    int32_t weight;
    int32_t max_inflight;
    int32_t version;
    int32_t config_version;
    int32_t key_oldest; /* Generations of job keys. */
    int32_t key_newest;
    int64_t inflight;
    int64_t virtual_time;
    int64_t head_seq;      /* Rows of an older seq are not learned. */
    int64_t reserved;      /* Jobs offered and not decided. */
    int64_t reserved_cost; /* Their virtual time. */
    int64_t open;          /* Sum over types. */
    uint64_t changed;      /* Stamp of the last change that may help a claim. */
    int64_t granted_in;    /* The last group that granted jobs of it. */
    size_t active_at;      /* Place in summary.active + 1, or 0. */
    struct share_summary share;
    VEC(struct type_summary) types;
    struct map lanes; /* lane -> struct lane_summary */
};

/* A held lane may be asked again. */
struct opening {
    int64_t at;
    struct tenant_summary *tenant;
    struct lane_summary *lane;
};

struct summary {
    struct arena arena;
    struct map tenants;                  /* tenant -> struct tenant_summary */
    VEC(struct tenant_summary *) active; /* With open work, in no order. */
    VEC(struct opening) openings;        /* Heap, earliest first. */
    uint64_t stamp;                      /* Counts changes that may help a claim. */
    uint64_t listing;                    /* Counts fresh listings; see summary_forget_lanes(). */
    int64_t served;                      /* Highest virtual time that was offered work. */
    VEC(struct group_summary *) groups;  /* By number - 1; null for those not learned. */
    int64_t shared_seq; /* Of the system tenant's history, when groups were learned. */
};

/* What of one tenant is offered to a claim. */
struct offer {
    struct tenant_summary *tenant;
    int64_t jobs;
    int64_t cost;                /* Virtual time that is reserved. */
    int64_t lanes;               /* Open lanes of the asked types. */
    struct group_summary *group; /* That it is reserved in; null for none. */
    int64_t group_cost;
};

/* A tenant that a claim was answered nothing by, and when. */
struct visit {
    const struct tenant_summary *tenant;
    uint64_t stamp; /* summary.stamp then. */
};

struct offer_request {
    struct tenant_id tenant; /* 0: any. */
    const uint64_t *types;
    size_t type_count;
    int64_t max;
    const struct map *visits; /* Tenant -> struct visit: not again unless changed since; or null. */
    int64_t now;              /* Of burst budgets. */
};

void summary_init(struct summary *summary);
void summary_fini(struct summary *summary);

struct tenant_summary *summary_tenant(struct summary *summary, int16_t shard,
                                      struct tenant_id tenant);
/* Both return true when the change may help a waiting claim. */
bool summary_learn_tenant(struct summary *summary, const struct tenant_row *row);
/* Returns null when the change helps nobody, else the group whose members it may help. */
struct group_summary *summary_learn_group(struct summary *summary,
                                          const struct quota_group_row *row);
void summary_learn_member(struct summary *summary, const struct quota_member_row *row);
bool summary_learn_lane(struct summary *summary, const struct lane_row *row, int64_t now);
/* A fresh listing of a tenant's busy lanes: begin, learn each, then forget the lanes that were not
 * in it: they have nothing waiting or leased. */
void summary_begin_listing(struct summary *summary);
void summary_forget_lanes(struct summary *summary, struct tenant_summary *tenant);

/* Opens the next lane that is due; null when none is. */
struct tenant_summary *summary_open_next(struct summary *summary, int64_t now);
/* When the next lane opens; INT64_MAX for never. */
int64_t summary_next_opening(const struct summary *summary);

/* Chooses tenants and reserves; returns how many. */
size_t summary_offer(struct summary *summary, const struct offer_request *request,
                     struct offer out[OFFER_TENANTS_MAX]);
/* The tenant could be offered. */
bool summary_may_offer(const struct offer_request *request, struct tenant_summary *tenant);
/* The offer was decided, or will not be. */
void summary_release(const struct offer *offer);

/* Lowest virtual time among the groups, and tenants in none, with open work. */
int64_t summary_floor(const struct summary *summary);
/* The same among the members of each group, by its number. */
void summary_floors(struct summary *summary, int64_t out[QUOTA_GROUPS_MAX + 1]);

#endif
