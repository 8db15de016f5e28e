/* What of a log is kept: each line once, up to the limits, and a row that says where it was cut. */
#include "lib/cmocka.h"

#include "core/command.h"
#include "core/job_log.h"

struct fixture {
    struct arena arena;
    struct facts facts;
    struct limits limits;
    struct decision d;
    struct leased_row lease;
};

static struct fixture f;

static int set_up(void **state)
{
    (void)state;
    f = (struct fixture){.limits = limits_default()};
    arena_init(&f.arena, SIZE_MAX);
    facts_init(&f.facts, &f.arena, (struct hash_key){{1, 2}}, 1);
    f.facts.now = 1000;
    f.d = (struct decision){.facts = &f.facts,
                            .t = facts_tenant(&f.facts, 3, (struct tenant_id){2}),
                            .limits = &f.limits};
    f.lease = (struct leased_row){.shard = 3, .tenant = 2, .job = 17, .carry = {.grant = 1}};
    (void)job_log_erase_want(&f.facts, f.d.t, (struct job_id){17});
    facts_answered(&f.facts);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    facts_fini(&f.facts);
    arena_fini(&f.arena);
    return 0;
}

static void take(int64_t first, int32_t count, int64_t raw_len)
{
    const struct log_batch batch = {first, count, raw_len, STR("x")};
    assert_true(job_log_want(&f.facts, f.d.t, (struct job_id){17}, &batch));
    job_log_take(&f.d, &f.lease, &batch);
}

static const struct job_log_row *row_at(size_t i)
{
    const row_list *rows = &f.facts.touched[TABLE_JOB_LOGS];
    return i < rows->n ? (const struct job_log_row *)rows->v[i] : NULL;
}

static const struct log_head_row *head(int64_t job)
{
    return (const struct log_head_row *)facts_find(f.d.t, TABLE_LOG_HEADS, job);
}

static void no_lines_touch_nothing(void **state)
{
    (void)state;
    take(0, 0, 0);
    assert_null(row_at(0));
    assert_null(head(17));
}

static void a_batch_sent_again_is_taken_once_and_what_is_new_in_it_is(void **state)
{
    (void)state;
    take(0, 3, 30);
    take(0, 3, 30);
    assert_non_null(row_at(0));
    assert_null(row_at(1));
    take(0, 5, 50);
    const struct job_log_row *row = row_at(1);
    assert_non_null(row);
    assert_true(row->first == 3 && row->skip == 3 && row->count == 5 && row->at == 1000);
    assert_true(head(17)->lines == 5 && head(17)->bytes == 80 && head(17)->stored == 80);
    assert_true(head(0)->stored == 80);
}

static void a_new_grant_begins_a_new_log(void **state)
{
    (void)state;
    take(0, 3, 30);
    f.lease.carry.grant = 2;
    take(0, 1, 10);
    assert_true(row_at(1)->grant == 2 && row_at(1)->first == 0);
    assert_true(head(17)->lines == 1 && head(17)->bytes == 10 && head(17)->stored == 40);
}

static void an_attempt_over_its_limit_is_cut_once(void **state)
{
    (void)state;
    f.limits.log_attempt_bytes = 100;
    take(0, 1, 100);
    take(1, 1, 1);
    take(2, 1, 1);
    assert_true(row_at(1)->count == 0 && row_at(1)->raw_len == 0 && row_at(1)->first == 1);
    assert_null(row_at(2));
    assert_true(head(17)->cut && head(17)->stored == 100);
    f.lease.carry.grant = 2;
    take(0, 1, 50);
    assert_true(row_at(2)->count == 1 && !head(17)->cut);
}

static void a_tenant_over_its_limit_is_cut_too_and_erasing_makes_room(void **state)
{
    (void)state;
    f.limits.log_tenant_bytes = 60;
    take(0, 1, 60);
    f.lease.carry.grant = 2;
    take(0, 1, 10);
    assert_true(head(17)->cut);
    job_log_erase(&f.d, (struct job_id){17});
    assert_null(head(17));
    assert_true(head(0)->stored == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_lines_touch_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_sent_again_is_taken_once_and_what_is_new_in_it_is,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_grant_begins_a_new_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_attempt_over_its_limit_is_cut_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tenant_over_its_limit_is_cut_too_and_erasing_makes_room,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
