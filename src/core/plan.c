#include "core/plan.h"

#include "base/check.h"

static void add_row(struct arena *arena, struct plan *plan, struct row *row)
{
    switch ((enum row_state)row->state) {
    case ROW_NEW: VEC_PUSH(arena, &plan->inserts[row->table], row); break;
    case ROW_CHANGED: VEC_PUSH(arena, &plan->updates[row->table], row); break;
    case ROW_GONE: VEC_PUSH(arena, &plan->deletes[row->table], row); break;
    case ROW_VOID: return;
    case ROW_CLEAN: UNREACHABLE();
    }
    plan->rows++;
}

static void add_chunk(struct facts *facts, struct plan *plan, const struct history_log *log,
                      int16_t shard, int32_t tenant, int64_t head_seq)
{
    CHECK(!log->lines.overflow);
    CHECK(head_seq == log->first_seq + log->count - 1);
    VEC_PUSH(facts->arena, &plan->chunks,
             ((struct chunk){.shard = shard,
                             .tenant = tenant,
                             .seq = log->first_seq,
                             .count = log->count,
                             .at = facts_shard(facts, shard)->row->last_at,
                             .lines = buf_get(&log->lines)}));
}

struct plan plan_from_facts(struct facts *facts)
{
    struct plan plan = {0};
    for (int table = 0; table < TABLE_COUNT; table++) {
        for (size_t i = 0; i < facts->touched[table].n; i++) {
            add_row(facts->arena, &plan, facts->touched[table].v[i]);
        }
    }
    for (size_t i = 0; i < facts->tenants.n; i++) {
        const struct tenant_facts *t = facts->tenants.entries[i].value;
        if (t->log.count > 0) {
            add_chunk(facts, &plan, &t->log, t->shard, t->id.v, t->row->head_seq);
        }
    }
    for (size_t i = 0; i < facts->shards.n; i++) {
        const struct shard_facts *s = facts->shards.entries[i].value;
        if (s->log.count > 0) {
            add_chunk(facts, &plan, &s->log, s->row->shard, 0, s->row->head_seq);
        }
    }
    return plan;
}
