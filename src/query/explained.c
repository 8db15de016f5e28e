#include "query/explained.h"

#include "base/check.h"

enum { EXPLAINED_ROUNDS_MAX = 16 };

/* What they have in common. */
struct reading {
    struct facts facts;
    struct tenant_facts *t;
    enum explain_depth depth;
    struct explained *items;
    size_t count;
};

static bool want_all(struct reading *reading)
{
    bool known = true;
    for (size_t i = 0; i < reading->count; i++) {
        known &= explain_want(&reading->facts, reading->t, reading->items[i].job, reading->depth);
    }
    return known;
}

static enum err_code load_all(struct reading *reading, struct reader *reader, struct err *err)
{
    for (int round = 0; !want_all(reading); round++) {
        CHECK(round < EXPLAINED_ROUNDS_MAX && reading->facts.wants.total > 0);
        TRY(reader_snapshot_load(reader, &reading->facts, err));
    }
    return ERR_OK;
}

static void explain_all(struct reading *reading, const struct explained_workers *workers)
{
    struct tenant_facts *t = reading->t;
    for (size_t i = 0; i < reading->count; i++) {
        struct explained *item = &reading->items[i];
        const struct job_place place = job_place(t, item->job);
        const struct lane_row *lane =
            place.carry == NULL
                ? NULL
                : (const struct lane_row *)facts_find(t, TABLE_LANES, place.carry->lane);
        struct explain_worker worker = {.serves = true};
        if (lane != NULL) {
            workers->of(workers->ctx, t->id, lane->job_type, &worker);
        }
        explain_job(&reading->facts, t, item->job, reading->depth, &worker, &item->told);
    }
}

enum err_code explained_read(struct reader *reader, int16_t shard, struct tenant_id tenant,
                             const struct explained_workers *workers, enum explain_depth depth,
                             struct explained *items, size_t count, struct arena *arena,
                             int64_t *out_as_of, struct err *err)
{
    struct reading reading = {.depth = depth, .items = items, .count = count};
    facts_init(&reading.facts, arena, (struct hash_key){{0, 0}}, 0);
    reading.t = facts_tenant(&reading.facts, shard, tenant);
    enum err_code code = reader_snapshot_begin(reader, tenant, &reading.facts, err);
    if (code == ERR_OK) {
        reading.facts.now = reading.facts.clock;
        code = load_all(&reading, reader, err);
    }
    reader_snapshot_end(reader);
    if (code == ERR_OK) {
        explain_all(&reading, workers);
        *out_as_of = reading.facts.now;
    }
    facts_fini(&reading.facts);
    return code;
}
