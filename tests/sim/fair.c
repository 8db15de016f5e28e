/*
 * tests/sim/fair - many tenants that always have work share the slots of one group: does each get
 * worker-seconds by its weight? And a flood beside tenants that keep within their nominal.
 *
 * Use      fair SEED SEEDS TENANTS SLOTS. Prints the worst error of a tenant against the ideal; it
 *          must not be above 2 %.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/time.h"
#include "core/fairness.h"
#include "engine/queue.h"
#include "engine/summary.h"

enum { TENANTS_MAX = 1000, SLOTS_MAX = 4000, PAIR_LONG = 0, PAIR_SHORT = 1, JOB_MOST_MS = 60000 };

struct worker_slot {
    int64_t ends_at; /* ms */
    int32_t who;
    int64_t began_at;
    int64_t charged_ms;
};

struct party {
    int32_t weight;
    int32_t estimate_ms;
    int64_t charged;
    int64_t in_use;
    int64_t served_ms; /* Of jobs that ended. */
    double mean;       /* Of the logarithm. */
};

struct fair {
    uint64_t random;
    struct summary summary;
    struct quota_group_row group;
    struct party parties[TENANTS_MAX];
    struct worker_slot slots[SLOTS_MAX];
    int32_t tenants;
    int32_t slot_count;
    uint64_t type;
};

static uint64_t draw(struct fair *fair, uint64_t bound)
{
    uint64_t z = fair->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % bound;
}

static double draw_unit(struct fair *fair)
{
    return ((double)draw(fair, UINT64_C(1) << 53) + 1) / 9007199254740993.0;
}

/* Log-normal by Box and Muller, within 0.1 to 60 s; the pair is constant. */
static int64_t duration_ms(struct fair *fair, int32_t who)
{
    if (who == PAIR_LONG || who == PAIR_SHORT) {
        return who == PAIR_LONG ? 34000 : 1000;
    }
    const double normal =
        sqrt(-2 * log(draw_unit(fair))) * cos(6.283185307179586 * draw_unit(fair));
    const double ms = exp(fair->parties[who].mean + normal);
    return ms < 100 ? 100 : ms > JOB_MOST_MS ? JOB_MOST_MS : (int64_t)ms;
}

static void learn(struct fair *fair, int32_t who)
{
    const struct party *p = &fair->parties[who];
    const struct tenant_row tenant = {.tenant = who + 2,
                                      .weight = p->weight,
                                      .charged = p->charged,
                                      .inflight = p->in_use,
                                      .quota_group = 1};
    const struct lane_row lane = {.tenant = who + 2,
                                  .lane = 1,
                                  .job_type = STR("t"),
                                  .waiting = 1000,
                                  .estimate_ms = p->estimate_ms};
    const struct quota_member_row member = {.member = who + 2,
                                            .quota_group = 1,
                                            .borrow_limit = QUOTA_ANY,
                                            .lend_limit = QUOTA_ANY,
                                            .hard_max = QUOTA_ANY,
                                            .in_use = p->in_use};
    (void)summary_learn_tenant(&fair->summary, &tenant);
    (void)summary_learn_lane(&fair->summary, &lane, 1);
    summary_learn_member(&fair->summary, &member);
    (void)summary_learn_group(&fair->summary, &fair->group);
}

static void fair_begin(struct fair *fair, uint64_t seed, int32_t tenants, int32_t slots)
{
    fair->random = seed;
    fair->tenants = tenants;
    fair->slot_count = slots;
    fair->type = type_hash(STR("t"));
    fair->group = (struct quota_group_row){
        .quota_group = 1, .policy = QUOTA_PROPORTIONAL, .capacity = slots, .weight = 1};
    summary_init(&fair->summary);
    for (int32_t i = 0; i < tenants; i++) {
        fair->parties[i] = (struct party){.weight = 1 + (int32_t)draw(fair, 16),
                                          .estimate_ms = 1000,
                                          .mean = log(1000 + (double)draw(fair, 15000))};
    }
    fair->parties[PAIR_SHORT].weight = fair->parties[PAIR_LONG].weight;
    for (int32_t i = 0; i < tenants; i++) {
        learn(fair, i);
    }
}

/* The slot is free: whoever the summary names takes it, as the tick would charge it. */
static void grant(struct fair *fair, struct worker_slot *slot, int64_t now)
{
    struct offer offers[OFFER_TENANTS_MAX];
    const struct offer_request request = {.types = &fair->type, .type_count = 1, .max = 1};
    CHECK(summary_offer(&fair->summary, &request, offers) == 1);
    const int32_t who = offers[0].tenant->tenant.v - 2;
    struct party *p = &fair->parties[who];
    summary_release(&offers[0]);
    *slot = (struct worker_slot){now + duration_ms(fair, who), who, now, p->estimate_ms};
    p->charged = fairness_charge(p->charged, p->estimate_ms, p->weight);
    p->in_use++;
    fair->group.in_use++;
    CHECK(fair->group.in_use <= fair->group.capacity);
    learn(fair, who);
}

static void end_job(struct fair *fair, struct worker_slot *slot)
{
    struct party *p = &fair->parties[slot->who];
    const int64_t took = slot->ends_at - slot->began_at;
    p->charged = fairness_settle(p->charged, slot->charged_ms, took, p->weight);
    p->estimate_ms = fairness_estimate(p->estimate_ms, took);
    p->served_ms += took;
    p->in_use--;
    fair->group.in_use--;
    learn(fair, slot->who);
}

/* Heap of slots by when they end: the first is the next. */
static void sink(struct fair *fair, int32_t at)
{
    for (;;) {
        int32_t least = at;
        for (int32_t child = 2 * at + 1; child <= 2 * at + 2 && child < fair->slot_count; child++) {
            least = fair->slots[child].ends_at < fair->slots[least].ends_at ? child : least;
        }
        if (least == at) {
            return;
        }
        const struct worker_slot upper = fair->slots[at];
        fair->slots[at] = fair->slots[least];
        fair->slots[least] = upper;
        at = least;
    }
}

/* Worst error over the tenants, in thousandths of what each should have. */
static double worst_error(const struct fair *fair, int64_t now)
{
    double had[TENANTS_MAX] = {0};
    double all = 0;
    double weights = 0;
    double worst = 0;
    for (int32_t i = 0; i < fair->tenants; i++) {
        had[i] = (double)fair->parties[i].served_ms;
        weights += fair->parties[i].weight;
    }
    for (int32_t i = 0; i < fair->slot_count; i++) {
        had[fair->slots[i].who] += (double)(now - fair->slots[i].began_at);
    }
    for (int32_t i = 0; i < fair->tenants; i++) {
        all += had[i];
    }
    for (int32_t i = 0; i < fair->tenants; i++) {
        const double ideal = all * fair->parties[i].weight / weights;
        const double error = fabs(had[i] - ideal) / ideal;
        worst = error > worst ? error : worst;
    }
    return worst;
}

static double fair_run(uint64_t seed, int32_t tenants, int32_t slots)
{
    struct fair *fair = calloc(1, sizeof(*fair));
    CHECK(fair != NULL);
    fair_begin(fair, seed, tenants, slots);
    for (int32_t i = 0; i < slots; i++) {
        grant(fair, &fair->slots[i], 0);
    }
    for (int32_t i = slots - 1; i >= 0; i--) {
        sink(fair, i);
    }
    /* Long enough that a tenant of weight 1 has 3000 s: its longest job is 2 % of that. */
    const int64_t until = (int64_t)tenants * 9 * 3000 * 1000 / slots;
    int64_t now = 0;
    while (now < until) {
        struct worker_slot *next = &fair->slots[0];
        now = next->ends_at;
        end_job(fair, next);
        grant(fair, next, now);
        sink(fair, 0);
    }
    const double worst = worst_error(fair, now);
    summary_fini(&fair->summary);
    free(fair);
    return worst;
}

int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const uint64_t seeds = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const long tenants = argc > 3 ? strtol(argv[3], NULL, 10) : 200;
    const long slots = argc > 4 ? strtol(argv[4], NULL, 10) : 100;
    CHECK(tenants >= 2 && tenants <= TENANTS_MAX && slots >= 1 && slots <= SLOTS_MAX);
    for (uint64_t i = seed; i < seed + seeds; i++) {
        const double worst = fair_run(i, (int32_t)tenants, (int32_t)slots);
        (void)printf("seed %llu: %ld tenants, %ld slots: worst error %.2f %%\n",
                     (unsigned long long)i, tenants, slots, worst * 100);
        CHECK(worst <= 0.02);
    }
    return 0;
}
