/* What a node keeps of jobs between submit and claim: no ledger. */
#include "engine/job_cache.h"

#include "lib/cmocka.h"

#include "base/buf.h"
#include "base/check.h"

enum { TENANT = 7, CACHE = 64 * 1024 };

static void put(struct job_cache *cache, int64_t job, struct str payload, int64_t mono)
{
    const struct job_row row = {.row = {.table = TABLE_JOBS, .state = ROW_NEW, .locator = 99},
                                .shard = 3,
                                .tenant = TENANT,
                                .job = job,
                                .rank = 10 * job,
                                .key = STR("key"),
                                .payload = payload};
    job_cache_put(cache, &row, mono);
}

static bool has(struct job_cache *cache, int64_t job, int64_t rank)
{
    struct job_row *row = job_cache_take(cache, TENANT, job, rank);
    if (row == NULL) {
        return false;
    }
    job_cache_free(row);
    return true;
}

static void what_was_put_is_taken_once_and_whole(void **state)
{
    (void)state;
    struct job_cache cache;
    job_cache_init(&cache, CACHE);
    CLEANUP(buf_fini) struct buf payload;
    buf_init(&payload, CACHE);
    buf_str(&payload, STR("{\"a\":1}"));
    put(&cache, 1, buf_get(&payload), 1);
    payload.ptr[2] = 'b'; /* The cache has its own. */
    struct job_row *row = job_cache_take(&cache, TENANT, 1, 10);
    assert_non_null(row);
    assert_int_equal(row->shard, 3);
    assert_true(str_eq(row->key, STR("key")));
    assert_true(str_eq(row->payload, STR("{\"a\":1}")));
    assert_true(str_eq(row->traceparent, STR("")));
    assert_int_equal(row->row.state, ROW_CLEAN);
    assert_int_equal(row->row.locator, 0);
    job_cache_free(row);
    assert_false(has(&cache, 1, 10));
    assert_int_equal(cache.bytes, 0);
    job_cache_fini(&cache);
}

static void another_rank_means_another_row(void **state)
{
    (void)state;
    struct job_cache cache;
    job_cache_init(&cache, CACHE);
    put(&cache, 1, STR("{}"), 1);
    assert_false(has(&cache, 1, 11));
    assert_false(has(&cache, 1, 10)); /* It is of no use to anybody. */
    put(&cache, 2, STR("{}"), 1);
    assert_null(job_cache_take(&cache, TENANT + 1, 2, 20));
    assert_true(has(&cache, 2, 20));
    job_cache_fini(&cache);
}

static void the_oldest_stay_until_they_are_old(void **state)
{
    (void)state;
    struct job_cache cache;
    job_cache_init(&cache, CACHE);
    int64_t job = 0;
    size_t before = 0;
    do {
        before = cache.bytes;
        put(&cache, ++job, STR("{}"), 1);
    } while (cache.bytes > before);
    const int64_t refused = job;
    assert_true(refused > 100);
    assert_true(cache.bytes <= CACHE);
    assert_false(has(&cache, refused, 10 * refused));
    put(&cache, refused, STR("{}"), JOB_KEPT_US + 1);
    assert_true(has(&cache, refused, 10 * refused));
    assert_false(has(&cache, 1, 10)); /* It made room. */
    for (job = 2; job < refused; job++) {
        assert_true(has(&cache, job, 10 * job));
    }
    assert_int_equal(cache.bytes, 0);
    assert_null(cache.oldest);
    assert_null(cache.newest);
    job_cache_fini(&cache);
}

static void no_memory_keeps_nothing(void **state)
{
    (void)state;
    struct job_cache cache;
    job_cache_init(&cache, 0);
    put(&cache, 1, STR("{}"), 1);
    assert_false(has(&cache, 1, 10));
    job_cache_fini(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_taken_once_and_whole),
        cmocka_unit_test(another_rank_means_another_row),
        cmocka_unit_test(the_oldest_stay_until_they_are_old),
        cmocka_unit_test(no_memory_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
