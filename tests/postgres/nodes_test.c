/* Several nodes over one database: shards are taken in turns, and nothing that one wrote is lost.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/backend.h"
#include "postgres/suite.h"

enum { NODES = 3, GROUPS = 15, SHARD = 5, TENANT = 7, BLOB = 700 * 1000 };

struct node {
    struct ledger_target target;
    struct blobs *blobs;
    struct str bytes;
    int64_t number;
    enum err_code code;
    struct err err;
};

/* One more line of history, as the tenant's row says: read after the lock, written, committed. */
static enum err_code count_once(struct ledger *ledger, struct node *node, int64_t group)
{
    static const int16_t shards[] = {SHARD - 1, SHARD};
    struct arena arena;
    struct facts facts;
    arena_init(&arena, (size_t)1 << 24);
    facts_init(&facts, &arena, ledger_seed(ledger), group);
    struct tenant_facts *t = facts_tenant(&facts, SHARD, (struct tenant_id){TENANT});
    (void)want(&facts, t, WANT_TENANT, TENANT);
    enum err_code code = ledger_begin(ledger, shards, 2, &facts, &node->err);
    if (code == ERR_OK) {
        struct shard_row *shard = facts_shard(&facts, SHARD)->row;
        t->row->head_seq++;
        shard->tick++;
        facts_change(&facts, &t->row->row);
        facts_change(&facts, &shard->row);
        const struct plan plan = plan_from_facts(&facts);
        code = ledger_commit(ledger, &plan, &facts, &node->err);
    }
    facts_fini(&facts);
    arena_fini(&arena);
    return code;
}

static void *run_node(void *ctx)
{
    struct node *node = ctx;
    struct ledger *ledger = NULL;
    node->code = ledger_open(&node->target, &ledger, &node->err);
    for (int64_t i = 0; i < GROUPS && node->code == ERR_OK; i++) {
        node->code = count_once(ledger, node, node->number * 1000 + i);
    }
    ledger_close(ledger);
    return NULL;
}

static void *put_blob(void *ctx)
{
    struct node *node = ctx;
    struct blob_writer *writer = NULL;
    const struct sha256 digest = sha256_of(node->bytes);
    node->code = node->blobs->put_begin(node->blobs, (struct tenant_id){TENANT}, &digest, &writer,
                                        &node->err);
    if (node->code == ERR_OK) {
        node->code = node->blobs->put_add(writer, node->bytes, &node->err);
    }
    if (node->code == ERR_OK) {
        node->code = node->blobs->put_finish(writer, &node->err);
    }
    return NULL;
}

static void run_all(struct node *nodes, void *(*run)(void *))
{
    pthread_t threads[NODES];
    for (int i = 0; i < NODES; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run, &nodes[i]), 0);
    }
    for (int i = 0; i < NODES; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 0; i < NODES; i++) {
        if (nodes[i].code != ERR_OK) {
            fail_msg("%s", nodes[i].err.message);
        }
    }
}

static void nodes_that_share_a_shard_lose_nothing(void **state)
{
    struct rig *rig = *state;
    struct tenant_row *tenant = (struct tenant_row *)rig_row(rig, TABLE_TENANTS);
    tenant->shard = SHARD;
    tenant->tenant = TENANT;
    struct plan plan = {0};
    VEC_PUSH(&rig->arena, &plan.inserts[TABLE_TENANTS], &tenant->row);
    rig_write(rig, &plan);
    struct node nodes[NODES] = {0};
    for (int i = 0; i < NODES; i++) {
        nodes[i].target = rig->target;
        nodes[i].number = i + 1;
    }
    run_all(nodes, run_node);
    const row_list tenants = rig_dump(rig, TABLE_TENANTS);
    const row_list shards = rig_dump(rig, TABLE_SHARDS);
    assert_int_equal(row_int(tenants.v[0], "head_seq"), NODES * GROUPS);
    assert_int_equal(row_int(shards.v[SHARD], "tick"), NODES * GROUPS);
}

static void several_may_write_the_same_bytes_at_once(void **state)
{
    struct rig *rig = *state;
    struct blobs *blobs = NULL;
    char *bytes = arena_alloc(&rig->arena, BLOB);
    memset(bytes, 'b', BLOB);
    rig_ok(rig, blobs_open(&rig->target, &blobs, &rig->err));
    struct node nodes[NODES] = {0};
    for (int i = 0; i < NODES; i++) {
        nodes[i].blobs = blobs;
        nodes[i].bytes = (struct str){bytes, BLOB};
    }
    run_all(nodes, put_blob);
    bool has = false;
    int64_t size = 0;
    const struct sha256 digest = sha256_of(nodes[0].bytes);
    rig_ok(rig, blobs->has(blobs, (struct tenant_id){TENANT}, &digest, &has, &size, &rig->err));
    assert_true(has);
    assert_int_equal(size, BLOB);
    blobs->close(blobs);
}

const struct CMUnitTest nodes_tests[] = {
    RIG_TEST(nodes_that_share_a_shard_lose_nothing),
    RIG_TEST(several_may_write_the_same_bytes_at_once),
};
const size_t nodes_test_count = sizeof(nodes_tests) / sizeof(nodes_tests[0]);
