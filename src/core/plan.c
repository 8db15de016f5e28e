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
        if (t->line_count == 0) {
            continue;
        }
        CHECK(!t->lines.overflow);
        CHECK(t->row != NULL && t->row->head_seq == t->first_seq + t->line_count - 1);
        const struct shard_facts *s = map_find(&facts->shards, (uint64_t)t->shard + 1);
        VEC_PUSH(facts->arena, &plan.chunks,
                 ((struct chunk){.shard = t->shard,
                                 .tenant = t->id.v,
                                 .seq = t->first_seq,
                                 .count = t->line_count,
                                 .at = s->row->last_at,
                                 .lines = buf_get(&t->lines)}));
    }
    return plan;
}
