/* What only SQLite has. Above all, a disk that fails: each write and each sync of a scenario fails
 * once. What was acknowledged stays; a failed group leaves nothing; the ledger goes on, or (after a
 * failed sync) ends and is whole when it is opened again. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract/fault_vfs.h"
#include "contract/suite.h"
#include "ledger/sqlite/backend.h"

enum { GROUPS = 6, PAYLOAD = 6000, WAL_SMALL = 100000, TRIES_MAX = 20 };

static struct plan plan_of(struct rig *rig, int64_t job)
{
    struct plan plan = {0};
    struct job_row *row = (struct job_row *)rig_row(rig, TABLE_JOBS);
    row->shard = 3;
    row->tenant = 7;
    row->job = job;
    row->digest = STR("0123456789abcdef0123456789abcdef");
    row->payload = (struct str){memset(arena_alloc(&rig->arena, PAYLOAD), 'p', PAYLOAD), PAYLOAD};
    VEC_PUSH(&rig->arena, &plan.inserts[TABLE_JOBS], &row->row);
    struct blocked_row *blocked = (struct blocked_row *)rig_row(rig, TABLE_BLOCKED);
    blocked->shard = 3;
    blocked->tenant = 7;
    blocked->job = job;
    VEC_PUSH(&rig->arena, &plan.inserts[TABLE_BLOCKED], &blocked->row);
    const struct chunk chunk = {.shard = 3,
                                .tenant = 7,
                                .seq = job,
                                .count = 1,
                                .lines = arena_format(&rig->arena, "{\"job\":%d}\n", (int)job)};
    VEC_PUSH(&rig->arena, &plan.chunks, chunk);
    return plan;
}

/* One try of one group. */
static enum err_code write_job(struct rig *rig, int64_t job)
{
    const int16_t shard = 3;
    struct facts facts;
    const struct plan plan = plan_of(rig, job);
    facts_init(&facts, &rig->arena, ledger_seed(rig->ledger), ++rig->group);
    enum err_code code = ledger_begin(rig->ledger, &shard, 1, &facts, &rig->err);
    if (code == ERR_OK) {
        code = ledger_commit(rig->ledger, &plan, &facts, &rig->err);
    }
    facts_fini(&facts);
    return code;
}

static void open_small(struct rig *rig)
{
    ledger_sqlite_set_wal_max(WAL_SMALL);
    rig_close(rig);
    rig_open(rig);
    ledger_sqlite_set_wal_max(0);
}

static void assert_is_sound(const char *url)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *check = NULL;
    assert_int_equal(sqlite3_open(url + strlen("sqlite:"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
    sqlite3_close(db);
}

static void assert_has_just(struct rig *rig, int64_t jobs)
{
    static const enum table_id tables[] = {TABLE_JOBS, TABLE_BLOCKED};

    for (size_t i = 0; i < 2; i++) {
        const row_list rows = rig_dump(rig, tables[i]);
        assert_int_equal(rows.n, jobs);
        for (int64_t job = 1; job <= jobs; job++) {
            assert_int_equal(row_int(rows.v[job - 1], "job"), job);
        }
    }
    assert_int_equal(rig_query(rig, "dump_history", "").rows, jobs);
}

/* Runs the scenario; a group that fails is tried again. Returns how many tries failed. */
static int run_scenario(struct rig *rig)
{
    int failures = 0;
    for (int64_t job = 1; job <= GROUPS; job++) {
        enum err_code code = ERR_OK;
        while ((code = write_job(rig, job)) != ERR_OK) {
            assert_int_equal(code, ERR_LEDGER_UNAVAILABLE);
            assert_int_equal(rig_dump(rig, TABLE_JOBS).n, job - 1);
            assert_true(++failures <= TRIES_MAX);
        }
    }
    return failures;
}

/* How many calls of the kind a scenario without faults makes. */
static int count_calls(enum fault_kind kind)
{
    void *state = NULL;
    rig_setup(&state);
    open_small(state);
    fault_arm(FAULT_NONE, 0, 0);
    run_scenario(state);
    const int calls = fault_calls(kind);
    rig_teardown(&state);
    return calls;
}

static void fail_each(enum fault_kind kind, int count)
{
    const int calls = count_calls(kind);
    assert_true(calls > GROUPS);
    int failures = 0;
    for (int nth = 1; nth <= calls; nth++) {
        void *state = NULL;
        rig_setup(&state);
        struct rig *rig = state;
        open_small(rig);
        fault_arm(kind, nth, count);
        failures += run_scenario(rig);
        fault_arm(FAULT_NONE, 0, 0);
        assert_has_just(rig, GROUPS);
        rig_close(rig);
        assert_is_sound(rig->url);
        rig_open(rig);
        assert_has_just(rig, GROUPS);
        rig_teardown(&state);
    }
    /* Most of those writes are of groups, the others of checkpoints. */
    assert_true(failures > calls / 2);
}

static void a_failed_write_fails_its_group_only(void **state)
{
    (void)state;
    fail_each(FAULT_WRITE, 1);
}

static void a_full_disk_fails_groups_until_there_is_room(void **state)
{
    (void)state;
    fail_each(FAULT_FULL, 4);
}

/* ---- A failed sync ends the process ---- */

/* Only ends by abort or with the number of acknowledged groups in *acknowledged. */
_Noreturn static void run_until_sync_fails(struct rig *rig, int nth, int64_t *acknowledged)
{
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(null, STDERR_FILENO);
    /* cmocka turns signals into failures; this one is meant. */
    (void)signal(SIGABRT, SIG_DFL);
    fault_arm(FAULT_SYNC, nth, 1);
    for (int64_t job = 1; job <= GROUPS; job++) {
        if (write_job(rig, job) != ERR_OK) {
            _exit(2);
        }
        *acknowledged = job;
    }
    _exit(0);
}

static int64_t crash_at_sync(struct rig *rig, int nth)
{
    int64_t *acknowledged = mmap(NULL, sizeof(*acknowledged), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(acknowledged != MAP_FAILED);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        open_small(rig); /* Opened here: a connection does not survive a fork. */
        run_until_sync_fails(rig, nth, acknowledged);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    const int64_t jobs = *acknowledged;
    munmap(acknowledged, sizeof(*acknowledged));
    return jobs;
}

static void after_a_failed_sync_the_ledger_opens_whole(void **state)
{
    (void)state;
    const int calls = count_calls(FAULT_SYNC);
    assert_true(calls >= GROUPS);
    for (int nth = 1; nth <= calls; nth++) {
        void *bare = NULL;
        rig_setup_bare(&bare);
        struct rig *rig = bare;
        rig_ok(rig, ledger_migrate(&rig->target, rig_progress, &rig->err));
        const int64_t acknowledged = crash_at_sync(rig, nth);
        fault_arm(FAULT_NONE, 0, 0);
        rig_open(rig);
        /* The group that was being written may be there or not, but whole. */
        const size_t found = rig_dump(rig, TABLE_JOBS).n;
        assert_in_range(found, acknowledged, acknowledged + 1);
        assert_has_just(rig, (int64_t)found);
        rig_ok(rig, write_job(rig, GROUPS + 1));
        rig_close(rig);
        assert_is_sound(rig->url);
        rig_teardown(&bare);
    }
}

/* ---- Readers and the log ---- */

static long long log_size(const struct rig *rig)
{
    char path[RIG_TEXT + 8];
    (void)snprintf(path, sizeof(path), "%s-wal", rig->url + strlen("sqlite:"));
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const long long size = file < 0 ? 0 : (long long)lseek(file, 0, SEEK_END);
    if (file >= 0) {
        close(file);
    }
    return size;
}

static void the_log_stays_small_unless_a_reader_holds_it(void **state)
{
    struct rig *rig = *state;
    open_small(rig);
    int64_t job = 0;
    while (job < 200) {
        rig_ok(rig, write_job(rig, ++job));
    }
    const long long steady = log_size(rig);
    assert_true(steady < 2 * WAL_SMALL + 100000);
    sqlite3 *reader = NULL;
    assert_int_equal(
        sqlite3_open_v2(rig->url + strlen("sqlite:"), &reader, SQLITE_OPEN_READONLY, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM jobs", NULL, NULL, NULL),
                     SQLITE_OK);
    while (job < 400) {
        rig_ok(rig, write_job(rig, ++job));
    }
    const long long held = log_size(rig);
    assert_true(held > steady + 100 * (long long)PAYLOAD);
    sqlite3_close(reader);
    while (job < 700) {
        rig_ok(rig, write_job(rig, ++job));
    }
    assert_true(log_size(rig) <= held);
    assert_has_just(rig, 700);
}

/* ---- The clock ---- */

static int64_t stopped_clock(void)
{
    return 1234567;
}

static void the_clock_of_groups_can_be_set(void **state)
{
    struct rig *rig = *state;
    const int16_t shard = 3;
    struct facts facts;
    ledger_sqlite_set_clock(stopped_clock);
    facts_init(&facts, &rig->arena, ledger_seed(rig->ledger), 1);
    rig_ok(rig, ledger_begin(rig->ledger, &shard, 1, &facts, &rig->err));
    assert_int_equal(facts.clock, 1234567);
    ledger_rollback(rig->ledger);
    ledger_sqlite_set_clock(NULL);
    rig_ok(rig, ledger_begin(rig->ledger, &shard, 1, &facts, &rig->err));
    assert_true(facts.clock > 1234567);
    ledger_rollback(rig->ledger);
    facts_fini(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_write_fails_its_group_only),
        cmocka_unit_test(a_full_disk_fails_groups_until_there_is_room),
        cmocka_unit_test(after_a_failed_sync_the_ledger_opens_whole),
        RIG_TEST(the_log_stays_small_unless_a_reader_holds_it),
        RIG_TEST(the_clock_of_groups_can_be_set),
    };
    fault_vfs_install();
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
