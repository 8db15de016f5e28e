#include "engine/summary.h"

#include <string.h>

#include "core/fairness.h"
#include "engine/queue.h"

enum { ESTIMATE_MS = 1000 };

#define SUMMARY_BYTES_MAX ((size_t)4 << 30)

void summary_init(struct summary *summary)
{
    memset(summary, 0, sizeof(*summary));
    arena_init(&summary->arena, SUMMARY_BYTES_MAX);
    summary->stamp = 1;
}

void summary_fini(struct summary *summary)
{
    arena_fini(&summary->arena);
}

/* ---- Learning ---- */

struct tenant_summary *summary_tenant(struct summary *summary, int16_t shard,
                                      struct tenant_id tenant)
{
    struct tenant_summary *t = map_find(&summary->tenants, (uint64_t)tenant.v);
    if (t == NULL) {
        t = arena_new(&summary->arena, struct tenant_summary);
        t->tenant = tenant;
        t->shard = shard;
        t->weight = 1;
        map_put(&summary->arena, &summary->tenants, (uint64_t)tenant.v, t);
    }
    return t;
}

static void changed(struct summary *summary, struct tenant_summary *t)
{
    t->changed = ++summary->stamp;
}

/* ---- Groups ---- */

static int64_t virtual_time_of(const struct tenant_summary *t)
{
    return t->virtual_time + t->reserved_cost;
}

static struct group_summary *group_of(struct summary *summary, int32_t number)
{
    while ((int32_t)summary->groups.n < number) {
        VEC_PUSH(&summary->arena, &summary->groups, NULL);
    }
    struct group_summary **group = &summary->groups.v[number - 1];
    if (*group == NULL) {
        *group = arena_new(&summary->arena, struct group_summary);
        (*group)->row.quota_group = number;
        (*group)->row.weight = 1;
    }
    return *group;
}

struct group_summary *summary_learn_group(struct summary *summary,
                                          const struct quota_group_row *row)
{
    struct group_summary *group = group_of(summary, row->quota_group);
    const bool better = row->version != group->row.version || row->in_use < group->row.in_use ||
                        row->unlent < group->row.unlent;
    group->row = *row;
    group->row.name = (struct str){NULL, 0};
    for (size_t i = 0; better && i < summary->active.n; i++) {
        if (summary->active.v[i]->share.group == group) {
            changed(summary, summary->active.v[i]);
        }
    }
    return better ? group : NULL;
}

/* The group that the tenant's open work is counted in. */
static void set_group(struct summary *summary, struct tenant_summary *t,
                      struct group_summary *group)
{
    if (t->share.group == group) {
        return;
    }
    if (t->active_at != 0 && t->share.group != NULL) {
        t->share.group->active--;
    }
    t->share.group = group;
    if (t->active_at != 0 && group != NULL && group->active++ == 0) {
        group->start = summary_floor(summary);
    }
    changed(summary, t);
}

void summary_learn_member(struct summary *summary, const struct quota_member_row *row)
{
    struct tenant_summary *t = map_find(&summary->tenants, (uint64_t)row->member);
    if (t == NULL) {
        return; /* Its shard is read after the shared one: then it is learned again. */
    }
    if (row->version != t->share.member.version || !t->share.known) {
        changed(summary, t);
    }
    t->share.member = *row;
    t->share.known = row->quota_group != 0;
    set_group(summary, t, row->quota_group == 0 ? NULL : group_of(summary, row->quota_group));
}

bool summary_learn_tenant(struct summary *summary, const struct tenant_row *row)
{
    struct tenant_summary *t = summary_tenant(summary, row->shard, (struct tenant_id){row->tenant});
    const bool better = !t->known || row->inflight < t->inflight || row->version != t->version ||
                        row->config_version != t->config_version;
    t->known = true;
    t->weight = row->weight;
    t->max_inflight = row->max_inflight;
    t->version = row->version;
    t->config_version = row->config_version;
    t->key_oldest = row->key_oldest;
    t->key_newest = row->key_generation;
    t->inflight = row->inflight;
    t->virtual_time = row->charged + row->lift;
    t->head_seq = row->head_seq;
    set_group(summary, t, row->quota_group == 0 ? NULL : group_of(summary, row->quota_group));
    if (better) {
        changed(summary, t);
    }
    return better;
}

static struct type_summary *type_of(struct summary *summary, struct tenant_summary *t,
                                    uint64_t type)
{
    for (size_t i = 0; i < t->types.n; i++) {
        if (t->types.v[i].type == type) {
            return &t->types.v[i];
        }
    }
    struct type_summary *made = VEC_ADD(&summary->arena, &t->types);
    made->type = type;
    made->estimate_ms = ESTIMATE_MS;
    return made;
}

/* Keeps summary.active: the tenants with open work. */
static void set_active(struct summary *summary, struct tenant_summary *t)
{
    if (t->open > 0 && t->active_at == 0) {
        if (t->share.group != NULL && t->share.group->active++ == 0) {
            t->share.group->start = summary_floor(summary);
        }
        VEC_PUSH(&summary->arena, &summary->active, t);
        t->active_at = summary->active.n;
    } else if (t->open <= 0 && t->active_at != 0) {
        struct tenant_summary *last = summary->active.v[--summary->active.n];
        summary->active.v[t->active_at - 1] = last;
        last->active_at = t->active_at;
        t->active_at = 0;
        if (t->share.group != NULL) {
            t->share.group->active--;
        }
    }
}

static void openings_push(struct summary *summary, struct opening opening)
{
    VEC_PUSH(&summary->arena, &summary->openings, opening);
    struct opening *heap = summary->openings.v;
    size_t at = summary->openings.n - 1;
    while (at > 0 && heap[at].at < heap[(at - 1) / 2].at) {
        const struct opening upper = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = heap[at];
        heap[at] = upper;
        at = (at - 1) / 2;
    }
}

static struct opening openings_pop(struct summary *summary)
{
    struct opening *heap = summary->openings.v;
    const struct opening top = heap[0];
    const size_t n = --summary->openings.n;
    heap[0] = heap[n];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++) {
            least = heap[child].at < heap[least].at ? child : least;
        }
        if (least == at) {
            return top;
        }
        const struct opening lower = heap[least];
        heap[least] = heap[at];
        heap[at] = lower;
        at = least;
    }
}

/* Gives the lane its new numbers and keeps the sums above it. */
static void set_lane(struct summary *summary, struct tenant_summary *t, struct lane_summary *lane,
                     int64_t waiting, int64_t open_at, int64_t now)
{
    struct type_summary *type = type_of(summary, t, lane->type);
    const int64_t before = lane->open ? lane->waiting : 0;
    lane->waiting = waiting;
    lane->open_at = open_at;
    lane->open = waiting > 0 && open_at <= now;
    const int64_t after = lane->open ? waiting : 0;
    type->open += after - before;
    type->lanes += (after > 0) - (before > 0);
    t->open += after - before;
    set_active(summary, t);
    if (waiting > 0 && !lane->open && open_at != INT64_MAX && open_at != lane->alarm_at) {
        lane->alarm_at = open_at;
        openings_push(summary, (struct opening){.at = open_at, .tenant = t, .lane = lane});
    }
}

bool summary_learn_lane(struct summary *summary, const struct lane_row *row, int64_t now)
{
    struct tenant_summary *t = summary_tenant(summary, row->shard, (struct tenant_id){row->tenant});
    struct lane_summary *lane = map_find(&t->lanes, (uint64_t)row->lane);
    if (lane == NULL) {
        lane = arena_new(&summary->arena, struct lane_summary);
        lane->lane = row->lane;
        lane->type = type_hash(row->job_type);
        map_put(&summary->arena, &t->lanes, (uint64_t)row->lane, lane);
    }
    const bool was_open = lane->open;
    const bool better = row->waiting > lane->waiting || row->inflight < lane->inflight ||
                        (row->waiting > 0 && row->open_at < lane->open_at);
    lane->listing = summary->listing;
    lane->inflight = row->inflight;
    set_lane(summary, t, lane, row->waiting, row->open_at, now);
    if (row->estimate_ms > 0) {
        type_of(summary, t, lane->type)->estimate_ms = row->estimate_ms;
    }
    if (better || (lane->open && !was_open)) {
        changed(summary, t);
        return true;
    }
    return false;
}

void summary_begin_listing(struct summary *summary)
{
    summary->listing++;
}

void summary_forget_lanes(struct summary *summary, struct tenant_summary *t)
{
    for (size_t i = 0; i < t->lanes.n; i++) {
        struct lane_summary *lane = t->lanes.entries[i].value;
        if (lane->listing != summary->listing) {
            lane->inflight = 0;
            set_lane(summary, t, lane, 0, 0, 0);
        }
    }
}

struct tenant_summary *summary_open_next(struct summary *summary, int64_t now)
{
    while (summary->openings.n > 0 && summary->openings.v[0].at <= now) {
        const struct opening top = openings_pop(summary);
        if (top.lane->alarm_at == top.at) {
            top.lane->alarm_at = 0;
        }
        if (top.lane->waiting > 0 && !top.lane->open && top.lane->open_at <= now) {
            set_lane(summary, top.tenant, top.lane, top.lane->waiting, top.lane->open_at, now);
            changed(summary, top.tenant);
            return top.tenant;
        }
    }
    return NULL;
}

int64_t summary_next_opening(const struct summary *summary)
{
    return summary->openings.n == 0 ? INT64_MAX : summary->openings.v[0].at;
}

/* ---- Offering ---- */

/* What a tenant can be offered, and what one job costs it. */
struct candidate {
    struct tenant_summary *tenant;
    struct standing standing; /* Among the members of its group. */
    int64_t virtual_time;     /* With what is reserved. */
    int64_t top_time;         /* The group's; its own when it is in none. */
    int64_t left;
    int64_t lanes;
    int64_t unit_cost;
    int64_t group_cost;
};

static bool was_visited(const struct offer_request *request, const struct tenant_summary *t)
{
    const struct visit *visit =
        request->visits == NULL ? NULL : map_find(request->visits, (uint64_t)t->tenant.v);
    return visit != NULL && visit->stamp >= t->changed;
}

/* False when nothing of the asked types can be offered. */
static bool candidate_of(const struct offer_request *request, struct tenant_summary *t,
                         struct candidate *out)
{
    int64_t open = 0;
    int64_t lanes = 0;
    int32_t estimate_ms = ESTIMATE_MS;
    for (size_t i = 0; i < t->types.n; i++) {
        for (size_t k = 0; k < request->type_count && t->types.v[i].open > 0; k++) {
            if (t->types.v[i].type == request->types[k]) {
                open += t->types.v[i].open;
                lanes += t->types.v[i].lanes;
                estimate_ms = t->types.v[i].estimate_ms;
                break;
            }
        }
    }
    open -= t->reserved;
    if (t->max_inflight > 0 && open > t->max_inflight - t->inflight - t->reserved) {
        open = t->max_inflight - t->inflight - t->reserved;
    }
    const struct share_summary *share = &t->share;
    if (open <= 0 || was_visited(request, t) ||
        (share->group != NULL && !share_has_room(share, t->reserved, request->now))) {
        return false;
    }
    const int64_t cost = fairness_cost(estimate_ms, t->weight);
    *out = (struct candidate){.tenant = t,
                              .virtual_time = virtual_time_of(t),
                              .left = open,
                              .lanes = lanes,
                              .unit_cost = cost < 1 ? 1 : cost};
    out->top_time = out->virtual_time;
    if (share->group != NULL) {
        out->standing = share_standing(share, t->reserved);
        out->top_time = group_virtual_time(share->group);
        out->group_cost = group_cost(share->group, out->unit_cost, t->weight);
    }
    return true;
}

bool summary_may_offer(const struct offer_request *request, struct tenant_summary *t)
{
    struct candidate candidate;
    return (request->tenant.v == 0 || request->tenant.v == t->tenant.v) &&
           candidate_of(request, t, &candidate);
}

static bool comes_before(const struct candidate *a, const struct candidate *b)
{
    const struct group_summary *group = a->tenant->share.group;
    if (group == NULL || group != b->tenant->share.group) {
        const int32_t number = group == NULL ? 0 : group->row.quota_group;
        const struct group_summary *other = b->tenant->share.group;
        const int32_t other_number = other == NULL ? 0 : other->row.quota_group;
        if (a->top_time != b->top_time) {
            return a->top_time < b->top_time;
        }
        if (number != other_number) {
            return number < other_number;
        }
    }
    if (a->standing.rank != b->standing.rank) {
        return a->standing.rank < b->standing.rank;
    }
    if (a->standing.borrows != b->standing.borrows) {
        return b->standing.borrows;
    }
    return a->virtual_time != b->virtual_time ? a->virtual_time < b->virtual_time
                                              : a->tenant->tenant.v < b->tenant->tenant.v;
}

/* Keeps the OFFER_TENANTS_MAX first, in order. */
static size_t insert(struct candidate *best, size_t n, const struct candidate *candidate)
{
    size_t at = n;
    while (at > 0 && comes_before(candidate, &best[at - 1])) {
        at--;
    }
    if (at == OFFER_TENANTS_MAX) {
        return n;
    }
    const size_t kept = n == OFFER_TENANTS_MAX ? n - 1 : n;
    memmove(&best[at + 1], &best[at], (kept - at) * sizeof(*best));
    best[at] = *candidate;
    return kept + 1;
}

/* The candidate was given a job: it and its group are that much further. */
static void give(struct candidate *best, size_t n, size_t given, struct offer *offer)
{
    struct candidate *c = &best[given];
    const struct tenant_summary *t = c->tenant;
    c->left--;
    c->virtual_time += c->unit_cost;
    offer->jobs++;
    offer->cost += c->unit_cost;
    offer->group_cost += c->group_cost;
    if (t->share.group == NULL) {
        c->top_time = c->virtual_time;
        return;
    }
    c->standing = share_standing(&t->share, t->reserved + offer->jobs);
    t->share.group->reserved++; /* So that the others' room is less. */
    for (size_t i = 0; i < n; i++) {
        best[i].top_time += best[i].tenant->share.group == t->share.group ? c->group_cost : 0;
    }
}

static bool has_left(const struct candidate *c)
{
    const struct group_summary *group = c->tenant->share.group;
    return c->left > 0 &&
           (group == NULL || group->row.in_use + group->reserved < group->row.capacity);
}

/* One job at a time to whoever is behind. */
static void share(struct summary *summary, struct candidate *best, size_t n, int64_t max,
                  struct offer *offers)
{
    for (int64_t given = 0; given < max; given++) {
        size_t next = n;
        for (size_t i = 0; i < n; i++) {
            if (has_left(&best[i]) && (next == n || comes_before(&best[i], &best[next]))) {
                next = i;
            }
        }
        if (next == n) {
            return;
        }
        struct group_summary *group = best[next].tenant->share.group;
        if (best[next].top_time > summary->served) {
            summary->served = best[next].top_time;
        }
        if (group != NULL && best[next].virtual_time > group->served) {
            group->served = best[next].virtual_time;
        }
        give(best, n, next, &offers[next]);
    }
}

/* The candidates of the request, the first ones in order. */
static size_t candidates(struct summary *summary, const struct offer_request *request,
                         struct candidate best[OFFER_TENANTS_MAX])
{
    struct candidate candidate;
    size_t n = 0;
    if (request->tenant.v != 0) {
        struct tenant_summary *t = map_find(&summary->tenants, (uint64_t)request->tenant.v);
        if (t != NULL && candidate_of(request, t, &candidate)) {
            best[n++] = candidate;
        }
    } else {
        for (size_t i = 0; i < summary->active.n; i++) {
            if (candidate_of(request, summary->active.v[i], &candidate)) {
                n = insert(best, n, &candidate);
            }
        }
    }
    const size_t most = (size_t)((request->max + OFFER_JOBS_LEAST - 1) / OFFER_JOBS_LEAST);
    n = n < most ? n : most;
    for (size_t i = 0; i < n; i++) {
        const struct tenant_summary *t = best[i].tenant;
        if (t->share.group != NULL) {
            const int64_t room = share_room(&t->share, t->reserved, request->now);
            best[i].left = room < best[i].left ? room : best[i].left;
        }
    }
    return n;
}

size_t summary_offer(struct summary *summary, const struct offer_request *request,
                     struct offer out[OFFER_TENANTS_MAX])
{
    struct candidate best[OFFER_TENANTS_MAX];
    struct offer offers[OFFER_TENANTS_MAX] = {0};
    const size_t n = candidates(summary, request, best);
    share(summary, best, n, request->max, offers);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (offers[i].jobs > 0) {
            offers[i].tenant = best[i].tenant;
            offers[i].lanes = best[i].lanes;
            offers[i].group = best[i].tenant->share.group;
            best[i].tenant->reserved += offers[i].jobs;
            best[i].tenant->reserved_cost += offers[i].cost;
            if (offers[i].group != NULL) {
                offers[i].group->reserved_cost += offers[i].group_cost;
            }
            out[count++] = offers[i];
        }
    }
    return count;
}

void summary_release(const struct offer *offer)
{
    offer->tenant->reserved -= offer->jobs;
    offer->tenant->reserved_cost -= offer->cost;
    if (offer->group != NULL) {
        offer->group->reserved -= offer->jobs;
        offer->group->reserved_cost -= offer->group_cost;
    }
}

int64_t summary_floor(const struct summary *summary)
{
    int64_t floor = INT64_MAX;
    for (size_t i = 0; i < summary->active.n; i++) {
        const struct tenant_summary *t = summary->active.v[i];
        const int64_t at =
            t->share.group == NULL ? virtual_time_of(t) : group_virtual_time(t->share.group);
        floor = at < floor ? at : floor;
    }
    return floor == INT64_MAX ? summary->served : floor;
}

void summary_floors(struct summary *summary, int64_t out[QUOTA_GROUPS_MAX + 1])
{
    memset(out, 0, (QUOTA_GROUPS_MAX + 1) * sizeof(out[0]));
    for (size_t i = 0; i < summary->groups.n; i++) {
        if (summary->groups.v[i] != NULL) {
            summary->groups.v[i]->floor = INT64_MAX;
        }
    }
    for (size_t i = 0; summary->groups.n > 0 && i < summary->active.n; i++) {
        struct group_summary *group = summary->active.v[i]->share.group;
        const int64_t at = virtual_time_of(summary->active.v[i]);
        if (group != NULL && at < group->floor) {
            group->floor = at;
        }
    }
    for (size_t i = 0; i < summary->groups.n && i < QUOTA_GROUPS_MAX; i++) {
        const struct group_summary *group = summary->groups.v[i];
        if (group != NULL) {
            out[i + 1] = group->floor == INT64_MAX ? group->served : group->floor;
        }
    }
}
