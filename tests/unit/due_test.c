/* A shard's next timer, when a tick sets timers and then runs them. */
#include "lib/cmocka.h"

#include "core/due.h"

enum { SHARD = 3, NOW = 1000 };

/* A tick at NOW of a shard whose timer is due; `scheduled_at` was set earlier in the same tick. */
static int64_t next_due_after(const int64_t *scheduled_at)
{
    struct arena arena;
    struct facts facts;
    const struct hash_key seed = {{1, 2}};
    const struct limits limits = {.due_cap = 10};
    struct command command = {.kind = COMMAND_DUE, .shard = SHARD, .actor = STR("timer")};
    struct shard_row row = {
        .row = {.table = TABLE_SHARDS, .state = ROW_CLEAN}, .shard = SHARD, .next_due_at = NOW};
    arena_init(&arena, 1 << 20);
    facts_init(&facts, &arena, seed, 1);
    facts.now = NOW;
    facts_shard(&facts, SHARD)->row = &row;
    if (scheduled_at != NULL) {
        shard_due(&facts, SHARD, *scheduled_at);
    }
    due_decide(&command, &facts, &limits);
    facts_fini(&facts);
    arena_fini(&arena);
    return row.next_due_at;
}

static void nothing_is_due_after_the_last_timer(void **state)
{
    (void)state;
    assert_true(next_due_after(NULL) == INT64_MAX);
}

/* A job that a report of this tick sends into its backoff: no load of the pass has seen it. */
static void a_timer_set_earlier_in_the_tick_is_kept(void **state)
{
    (void)state;
    const int64_t retry_at = NOW + 500;
    assert_true(next_due_after(&retry_at) == retry_at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_after_the_last_timer),
        cmocka_unit_test(a_timer_set_earlier_in_the_tick_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
