#include "core/position.h"

#include "core/gate.h"
#include "core/throttle.h"

enum { RIVALS_MAX = 256 };

/* A lane of the same type, as a claim would take from it. */
struct rival {
    const struct lane_heads *heads;
    size_t next;
    const struct source *source;
    const struct throttle *throttle; /* Null for none. */
    bool shares;                     /* The bucket of the job that is looked at. */
};

struct rivals {
    struct rival *v;
    size_t n;
};

static bool comes_before(const struct ready_row *row, const struct waiting_job *waiting)
{
    return row->carry.rank < waiting->rank ||
           (row->carry.rank == waiting->rank && row->job < waiting->job.v);
}

/* Rivals with the same host take from the same bucket. */
static const struct throttle *throttle_for(struct facts *facts, const struct tenant_facts *t,
                                           const struct rivals *rivals, const struct source *source)
{
    struct throttle_row row;
    struct throttle throttle = {.row = &row};
    if (!throttle_foreseen(t, source, facts->now, &throttle)) {
        return NULL;
    }
    for (size_t i = 0; i < rivals->n; i++) {
        const struct throttle *known = rivals->v[i].throttle;
        if (known != NULL && str_eq(known->row->host, row.host)) {
            return known;
        }
    }
    struct throttle *made = arena_new(facts->arena, struct throttle);
    *made = throttle;
    made->row = arena_new(facts->arena, struct throttle_row);
    *made->row = row;
    return made;
}

static struct rivals find_rivals(struct facts *facts, const struct tenant_facts *t,
                                 const struct waiting_job *waiting)
{
    struct rivals rivals = {arena_array(facts->arena, struct rival, RIVALS_MAX), 0};
    const struct map *lanes = &t->by_key[TABLE_LANES];
    for (size_t i = 0; i < lanes->n && rivals.n < RIVALS_MAX; i++) {
        const struct lane_row *lane = lanes->entries[i].value;
        const struct lane_heads *heads = map_find(&t->ready_of_lane, (uint64_t)lane->lane);
        if (lane == waiting->lane || heads == NULL || lane->open_at > facts->now ||
            !str_eq(lane->job_type, waiting->lane->job_type)) {
            continue;
        }
        struct rival *rival = &rivals.v[rivals.n];
        rival->heads = heads;
        rival->source = lane->source.len > 0 ? config_source(t->config, lane->source) : NULL;
        rival->throttle = throttle_for(facts, t, &rivals, rival->source);
        rival->shares =
            rival->throttle != NULL && str_eq(rival->throttle->row->host, waiting->host);
        rivals.n++;
    }
    return rivals;
}

/* The rival whose head comes first, if it comes before the job. */
static struct rival *best_of(const struct rivals *rivals, const struct waiting_job *waiting)
{
    struct rival *best = NULL;
    for (size_t i = 0; i < rivals->n; i++) {
        struct rival *rival = &rivals->v[i];
        if (rival->next == rival->heads->rows.n) {
            continue;
        }
        const struct ready_row *head = rival->heads->rows.v[rival->next];
        const struct ready_row *first = best == NULL ? NULL : best->heads->rows.v[best->next];
        if (comes_before(head, waiting) &&
            (best == NULL || head->carry.rank < first->carry.rank ||
             (head->carry.rank == first->carry.rank && head->job < first->job))) {
            best = rival;
        }
    }
    return best;
}

/* What a claim of this type would take before the job from other lanes than its own. Those that
 * share its bucket pass: whatever frees the job frees them too. */
static void count_rivals(struct facts *facts, const struct tenant_facts *t,
                         const struct waiting_job *waiting, struct position *out)
{
    const struct rivals rivals = find_rivals(facts, t, waiting);
    struct rival *rival = NULL;
    while ((rival = best_of(&rivals, waiting)) != NULL) {
        struct gate gate = gate_source(rival->source);
        if (gate.hold == HOLD_NONE && !rival->shares && rival->throttle != NULL) {
            int64_t taken = 0;
            gate = gate_bucket(rival->throttle->row, &rival->throttle->pace,
                               gate_requests(waiting->type), facts->now, &taken);
        }
        if (gate.hold != HOLD_NONE) {
            rival->next = rival->heads->rows.n; /* The claim would leave this lane. */
            continue;
        }
        out->ahead++;
        out->ahead_in_bucket += rival->shares;
        rival->next++;
        out->is_more |= rival->next == rival->heads->rows.n && !rival->heads->complete;
    }
}

static void count_lanes(const struct facts *facts, const struct tenant_facts *t,
                        const struct waiting_job *waiting, struct position *out)
{
    for (size_t i = 0; i < t->by_key[TABLE_LANES].n; i++) {
        const struct lane_row *lane = t->by_key[TABLE_LANES].entries[i].value;
        const struct lane_heads *heads = map_find(&t->ready_of_lane, (uint64_t)lane->lane);
        if (heads != NULL && heads->rows.n > 0 && lane->open_at <= facts->now) {
            out->open_lanes++;
            out->lanes_ahead += lane != waiting->lane && comes_before(heads->rows.v[0], waiting);
        }
    }
}

void position_find(struct facts *facts, struct tenant_facts *t, const struct waiting_job *waiting,
                   struct position *out)
{
    const row_list *own = facts_list(t, WANT_LANE_HEADS, waiting->lane->lane);
    *out = (struct position){0};
    for (size_t i = 0; i < own->n; i++) {
        out->ahead_in_lane += comes_before((const struct ready_row *)own->v[i], waiting);
    }
    out->is_more = out->ahead_in_lane > POSITION_AHEAD_MAX;
    out->ahead = out->ahead_in_lane;
    out->ahead_in_bucket = out->ahead_in_lane;
    count_rivals(facts, t, waiting, out);
    count_lanes(facts, t, waiting, out);
}
