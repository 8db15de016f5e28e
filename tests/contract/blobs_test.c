/* Blobs: whole or not at all, per tenant. */
#include <string.h>

#include "contract/suite.h"

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

const struct CMUnitTest blobs_tests[] = {
    RIG_TEST(a_blob_comes_back_whole_and_from_any_offset),
    RIG_TEST(a_blob_is_only_its_tenants),
    RIG_TEST(bytes_of_another_digest_are_not_kept),
    RIG_TEST(an_abandoned_blob_is_not_kept),
    RIG_TEST(a_reader_may_stop_early),
    RIG_TEST(blobs_survive_reopening),
};
const size_t blobs_test_count = sizeof(blobs_tests) / sizeof(blobs_tests[0]);
