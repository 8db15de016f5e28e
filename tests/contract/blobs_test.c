/* Blobs: whole or not at all, per tenant. */
#include <string.h>

#include <pthread.h>
#include <stdatomic.h>

#include "contract/suite.h"
#include "platform/clock.h"

#define HOUR_US (3600 * US_PER_S)

static atomic_llong passed_us; /* What the machine's clock shows too much. */

struct wall_time __real_clock_wall(void);
struct wall_time __wrap_clock_wall(void);

struct wall_time __wrap_clock_wall(void)
{
    return (struct wall_time){__real_clock_wall().us + atomic_load(&passed_us)};
}

static struct blobs *open_blobs(struct rig *rig)
{
    struct blobs *blobs = NULL;
    rig_ok(rig, blobs_open(&rig->target, &blobs, &rig->err));
    return blobs;
}

static const struct tenant_id seven = {7};
static const struct tenant_id eight = {8};

static struct str random_content(struct rig *rig, size_t len)
{
    char *bytes = arena_alloc(&rig->arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)rig_random(rig, 256);
    }
    return (struct str){bytes, len};
}

/* Puts in pieces of up to 100,000 bytes. */
static enum err_code put(struct rig *rig, struct blobs *blobs, const struct sha256 *digest,
                         struct str content)
{
    struct blob_writer *writer = NULL;
    rig_ok(rig, blobs->put_begin(blobs, seven, digest, &writer, &rig->err));
    for (size_t at = 0; at < content.len;) {
        const size_t len = 1 + (size_t)rig_random(rig, 100000);
        rig_ok(rig, blobs->put_add(writer, str_slice(content, at, at + len), &rig->err));
        at += len;
    }
    return blobs->put_finish(writer, &rig->err);
}

struct collected {
    struct buf bytes;
    size_t stop_after;
};

static bool collect(void *ctx, struct str bytes)
{
    struct collected *collected = ctx;
    buf_str(&collected->bytes, bytes);
    return collected->bytes.len < collected->stop_after;
}

static void assert_gets(struct rig *rig, struct blobs *blobs, const struct sha256 *digest,
                        int64_t offset, struct str expected)
{
    struct collected collected = {.stop_after = SIZE_MAX};
    buf_init(&collected.bytes, 64 << 20);
    rig_ok(rig, blobs->get(blobs, seven, digest, offset, collect, &collected, &rig->err));
    assert_true(str_eq(buf_get(&collected.bytes), expected));
    buf_fini(&collected.bytes);
}

static bool has(struct rig *rig, struct blobs *blobs, struct tenant_id tenant,
                const struct sha256 *digest, int64_t *out_size)
{
    bool found = false;
    rig_ok(rig, blobs->has(blobs, tenant, digest, &found, out_size, &rig->err));
    return found;
}

static void a_blob_comes_back_whole_and_from_any_offset(void **state)
{
    struct rig *rig = *state;
    struct blobs *blobs = open_blobs(rig);
    static const size_t sizes[] = {0, 1, 4096, 262143, 262144, 262145, 3000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct str content = random_content(rig, sizes[i]);
        const struct sha256 digest = sha256_of(content);
        int64_t size = -1;
        assert_false(has(rig, blobs, seven, &digest, &size));
        rig_ok(rig, put(rig, blobs, &digest, content));
        assert_true(has(rig, blobs, seven, &digest, &size));
        assert_int_equal(size, sizes[i]);
        assert_gets(rig, blobs, &digest, 0, content);
        const size_t offset = sizes[i] - sizes[i] / 3;
        assert_gets(rig, blobs, &digest, (int64_t)offset, str_slice(content, offset, SIZE_MAX));
        rig_ok(rig, put(rig, blobs, &digest, content));
        assert_gets(rig, blobs, &digest, 0, content);
    }
    blobs->close(blobs);
}

static void a_blob_is_only_its_tenants(void **state)
{
    struct rig *rig = *state;
    struct blobs *blobs = open_blobs(rig);
    const struct str content = STR("mine");
    const struct sha256 digest = sha256_of(content);
    rig_ok(rig, put(rig, blobs, &digest, content));
    int64_t size = 0;
    assert_false(has(rig, blobs, eight, &digest, &size));
    struct collected collected = {.stop_after = SIZE_MAX};
    buf_init(&collected.bytes, 100);
    assert_int_equal(blobs->get(blobs, eight, &digest, 0, collect, &collected, &rig->err),
                     ERR_NOT_FOUND);
    assert_int_equal(collected.bytes.len, 0);
    buf_fini(&collected.bytes);
    blobs->close(blobs);
}

static void bytes_of_another_digest_are_not_kept(void **state)
{
    struct rig *rig = *state;
    struct blobs *blobs = open_blobs(rig);
    const struct sha256 digest = sha256_of(STR("announced"));
    assert_int_equal(put(rig, blobs, &digest, STR("sent")), ERR_DIGEST_MISMATCH);
    int64_t size = 0;
    assert_false(has(rig, blobs, seven, &digest, &size));
    blobs->close(blobs);
}

static void an_abandoned_blob_is_not_kept(void **state)
{
    struct rig *rig = *state;
    struct blobs *blobs = open_blobs(rig);
    const struct sha256 digest = sha256_of(STR("whole"));
    struct blob_writer *writer = NULL;
    rig_ok(rig, blobs->put_begin(blobs, seven, &digest, &writer, &rig->err));
    rig_ok(rig, blobs->put_add(writer, STR("who"), &rig->err));
    int64_t size = 0;
    assert_false(has(rig, blobs, seven, &digest, &size));
    blobs->put_abandon(writer);
    assert_false(has(rig, blobs, seven, &digest, &size));
    blobs->close(blobs);
}

static void a_reader_may_stop_early(void **state)
{
    struct rig *rig = *state;
    struct blobs *blobs = open_blobs(rig);
    const struct str content = random_content(rig, 2000000);
    const struct sha256 digest = sha256_of(content);
    rig_ok(rig, put(rig, blobs, &digest, content));
    struct collected collected = {.stop_after = 1};
    buf_init(&collected.bytes, 64 << 20);
    rig_ok(rig, blobs->get(blobs, seven, &digest, 0, collect, &collected, &rig->err));
    assert_true(collected.bytes.len > 0 && collected.bytes.len < content.len);
    buf_fini(&collected.bytes);
    blobs->close(blobs);
}

static void blobs_survive_reopening(void **state)
{
    struct rig *rig = *state;
    struct blobs *blobs = open_blobs(rig);
    const struct str content = STR("kept");
    const struct sha256 digest = sha256_of(content);
    rig_ok(rig, put(rig, blobs, &digest, content));
    blobs->close(blobs);
    blobs = open_blobs(rig);
    assert_gets(rig, blobs, &digest, 0, content);
    blobs->close(blobs);
}

/* ---- Sweeping ---- */

struct listed {
    struct sha256 digests[4];
    size_t n;
};

static bool list_digest(void *ctx, const struct sha256 *digest)
{
    struct listed *listed = ctx;
    assert_true(listed->n < 4);
    listed->digests[listed->n++] = *digest;
    return true;
}

static bool remove_old(struct rig *rig, struct blobs *blobs, const struct sha256 *digest,
                       int64_t before)
{
    bool removed = false;
    rig_ok(rig, blobs->remove_old(blobs, seven, digest, before, &removed, &rig->err));
    return removed;
}

static void only_old_blobs_are_listed_and_removed(void **state)
{
    struct rig *rig = *state;
    struct blobs *blobs = open_blobs(rig);
    const struct sha256 old = sha256_of(STR("old"));
    const struct sha256 young = sha256_of(STR("young"));
    rig_ok(rig, put(rig, blobs, &old, STR("old")));
    atomic_fetch_add(&passed_us, 2 * HOUR_US);
    rig_ok(rig, put(rig, blobs, &young, STR("young")));
    const int64_t before = clock_wall().us - HOUR_US;
    struct listed listed = {.n = 0};
    rig_ok(rig, blobs->each_old(blobs, eight, before, list_digest, &listed, &rig->err));
    assert_int_equal(listed.n, 0);
    rig_ok(rig, blobs->each_old(blobs, seven, before, list_digest, &listed, &rig->err));
    assert_int_equal(listed.n, 1);
    assert_true(sha256_eq(&listed.digests[0], &old));
    assert_false(remove_old(rig, blobs, &young, before));
    assert_true(remove_old(rig, blobs, &old, before));
    assert_false(remove_old(rig, blobs, &old, before));
    int64_t size = 0;
    assert_false(has(rig, blobs, seven, &old, &size));
    assert_true(has(rig, blobs, seven, &young, &size));
    blobs->close(blobs);
}

static void a_blob_that_somebody_was_told_of_is_young_again(void **state)
{
    struct rig *rig = *state;
    struct blobs *blobs = open_blobs(rig);
    const struct sha256 told = sha256_of(STR("told"));
    const struct sha256 again = sha256_of(STR("again"));
    int64_t size = 0;
    rig_ok(rig, put(rig, blobs, &told, STR("told")));
    rig_ok(rig, put(rig, blobs, &again, STR("again")));
    atomic_fetch_add(&passed_us, 2 * HOUR_US);
    assert_true(has(rig, blobs, seven, &told, &size));
    assert_int_equal(size, 4);
    rig_ok(rig, put(rig, blobs, &again, STR("again")));
    assert_false(remove_old(rig, blobs, &told, clock_wall().us - HOUR_US));
    assert_false(remove_old(rig, blobs, &again, clock_wall().us - HOUR_US));
    blobs->close(blobs);
}

/* A sweep and somebody who uses the blob, at the same moment. */
struct race {
    struct rig *rig;
    struct blobs *blobs;
    struct sha256 digest;
    struct str content;
    pthread_barrier_t start;
    bool puts; /* Else it asks. */
    bool told; /* It is there. */
};

static void *use_it(void *ctx)
{
    struct race *race = ctx;
    struct err err = {0};
    int64_t size = 0;
    struct blob_writer *writer = NULL;
    (void)pthread_barrier_wait(&race->start);
    if (!race->puts) {
        CHECK(race->blobs->has(race->blobs, seven, &race->digest, &race->told, &size, &err) ==
              ERR_OK);
        return NULL;
    }
    CHECK(race->blobs->put_begin(race->blobs, seven, &race->digest, &writer, &err) == ERR_OK);
    CHECK(race->blobs->put_add(writer, race->content, &err) == ERR_OK);
    CHECK(race->blobs->put_finish(writer, &err) == ERR_OK);
    race->told = true;
    return NULL;
}

static void race_once(struct race *race, bool puts)
{
    pthread_t user;
    bool removed = false;
    struct rig *rig = race->rig;
    rig_ok(rig, put(rig, race->blobs, &race->digest, race->content));
    atomic_fetch_add(&passed_us, 2 * HOUR_US);
    race->puts = puts;
    race->told = false;
    assert_int_equal(pthread_create(&user, NULL, use_it, race), 0);
    (void)pthread_barrier_wait(&race->start);
    rig_ok(rig, race->blobs->remove_old(race->blobs, seven, &race->digest,
                                        clock_wall().us - HOUR_US, &removed, &rig->err));
    assert_int_equal(pthread_join(user, NULL), 0);
    if (race->told) {
        assert_gets(rig, race->blobs, &race->digest, 0, race->content);
    } else {
        assert_true(removed);
    }
}

static void whoever_was_told_of_a_blob_has_it_after_a_sweep(void **state)
{
    struct rig *rig = *state;
    struct race race = {.rig = rig, .blobs = open_blobs(rig)};
    race.content = random_content(rig, 600000);
    race.digest = sha256_of(race.content);
    assert_int_equal(pthread_barrier_init(&race.start, NULL, 2), 0);
    for (int i = 0; i < 60; i++) {
        race_once(&race, i % 2 == 0);
    }
    assert_int_equal(pthread_barrier_destroy(&race.start), 0);
    race.blobs->close(race.blobs);
}

const struct CMUnitTest blobs_tests[] = {
    RIG_TEST(a_blob_comes_back_whole_and_from_any_offset),
    RIG_TEST(a_blob_is_only_its_tenants),
    RIG_TEST(bytes_of_another_digest_are_not_kept),
    RIG_TEST(an_abandoned_blob_is_not_kept),
    RIG_TEST(a_reader_may_stop_early),
    RIG_TEST(blobs_survive_reopening),
    RIG_TEST(only_old_blobs_are_listed_and_removed),
    RIG_TEST(a_blob_that_somebody_was_told_of_is_young_again),
    RIG_TEST(whoever_was_told_of_a_blob_has_it_after_a_sweep),
};
const size_t blobs_test_count = sizeof(blobs_tests) / sizeof(blobs_tests[0]);
