/* The working set learns the same row from several wants; lines of one tick share their ends. */
#include "lib/cmocka.h"

#include "core/facts.h"
#include "core/history.h"

enum { SHARD = 3, TENANT = 2, LANE = 1 };

struct set {
    struct arena arena;
    struct facts facts;
    struct tenant_facts *t;
};

static int setup(void **state)
{
    struct set *set = test_calloc(1, sizeof(*set));
    arena_init(&set->arena, 1 << 20);
    facts_init(&set->facts, &set->arena, (struct hash_key){{1, 2}}, 1);
    set->t = facts_tenant(&set->facts, SHARD, (struct tenant_id){TENANT});
    *state = set;
    return 0;
}

static int teardown(void **state)
{
    struct set *set = *state;
    facts_fini(&set->facts);
    arena_fini(&set->arena);
    test_free(set);
    return 0;
}

static void learn(struct set *set, enum want_kind kind, int64_t job, int32_t limit)
{
    const struct want asked = {.shard = SHARD, .tenant = TENANT, .a = job, .limit = limit};
    struct ready_row *row = arena_new(&set->arena, struct ready_row);
    row->row.table = TABLE_READY;
    row->shard = SHARD;
    row->tenant = TENANT;
    row->job = job;
    row->carry.lane = LANE;
    row->carry.rank = job * 10;
    facts_learn(&set->facts, kind, &asked, &row->row);
}

static const struct lane_heads *heads_of(const struct set *set)
{
    return map_find(&set->t->ready_of_lane, LANE);
}

static void a_job_known_from_another_want_is_a_head_in_its_place(void **state)
{
    struct set *set = *state;
    learn(set, WANT_WAITING, 2, 0);
    for (int64_t job = 1; job <= 3; job++) {
        learn(set, WANT_OPEN_LANES, job, 16);
    }
    const struct lane_heads *heads = heads_of(set);
    assert_int_equal(heads->rows.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(heads->rows.v[i]->job, i + 1);
    }
    assert_true(heads->complete);
}

static void heads_that_are_told_twice_are_there_once(void **state)
{
    struct set *set = *state;
    for (int round = 0; round < 2; round++) {
        for (int64_t job = 1; job <= 3; job++) {
            learn(set, WANT_OPEN_LANES, job, 16);
        }
    }
    assert_int_equal(heads_of(set)->rows.n, 3);
}

static void what_left_the_lane_in_this_tick_is_no_head(void **state)
{
    struct set *set = *state;
    learn(set, WANT_WAITING, 1, 0);
    facts_remove(&set->facts, facts_find(set->t, TABLE_READY, 1));
    learn(set, WANT_OPEN_LANES, 1, 16);
    learn(set, WANT_OPEN_LANES, 2, 16);
    assert_int_equal(heads_of(set)->rows.n, 1);
    assert_int_equal(heads_of(set)->rows.v[0]->job, 2);
}

static void write_line(struct set *set, const char *actor, const char *type, int64_t number)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, &set->facts, set->t, str_from(actor), type);
    if (number > 0) {
        JSON_INT(w, "number", number);
    }
    (void)history_end(&line);
}

/* Most lines copy their ends from the line before; that must not be seen. */
static void lines_of_a_tick_tell_their_own_actor_and_type(void **state)
{
    struct set *set = *state;
    struct shard_row shard = {.shard = SHARD, .last_at = 77};
    struct tenant_row tenant = {
        .shard = SHARD, .tenant = TENANT, .name = STR("acme"), .head_seq = 8};
    facts_shard(&set->facts, SHARD)->row = &shard;
    set->t->row = &tenant;
    write_line(set, "a", "x", 1);
    write_line(set, "a", "x", 0);
    write_line(set, "b\"", "x", 2);
    write_line(set, "b\"", "y", 3);
    write_line(set, "a", "x", 4);
#define LINE(actor, facts, seq, type)                                       \
    "{\"actor\":\"" actor "\",\"at\":77,\"facts\":{" facts "},\"seq\":" seq \
    ",\"tenant\":\"acme\",\"tick\":9,\"type\":\"" type "\",\"v\":1}\n"
    assert_true(str_eq(buf_get(&set->t->log.lines),
                       STR(LINE("a", "\"number\":1", "9", "x") LINE("a", "", "10", "x")
                               LINE("b\\\"", "\"number\":2", "11", "x")
                                   LINE("b\\\"", "\"number\":3", "12", "y")
                                       LINE("a", "\"number\":4", "13", "x"))));
#undef LINE
}

#define SET_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SET_TEST(a_job_known_from_another_want_is_a_head_in_its_place),
        SET_TEST(heads_that_are_told_twice_are_there_once),
        SET_TEST(lines_of_a_tick_tell_their_own_actor_and_type),
        SET_TEST(what_left_the_lane_in_this_tick_is_no_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
