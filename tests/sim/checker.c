#include "sim/checker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "base/time.h"
#include "contract/history.h"
#include "core/config.h"
#include "core/fold.h"

/* What the checker believes of one job. */
struct seen_job {
    int32_t job_seq;
    int64_t grant;
    bool leased;
    bool ended;
    bool succeeded;
    int64_t start_by; /* 0: no deadline was set. */
};

struct seen_tenant {
    int32_t tenant; /* Below 0: -1 - shard, the log of a shard. */
    size_t read;    /* Bytes of history read. */
    int64_t seq;
    int64_t inflight;
    struct map jobs; /* job -> struct seen_job */
};

enum { BREAKERS_MAX = 32, LEASED_MAX = 64 };

/* A breaker as it was after the last group. */
struct seen_breaker {
    int32_t tenant;
    struct str service;
    int16_t state;
    int16_t mode;
};

/* A quota group as it was after the last group of commands. */
struct seen_group {
    int64_t in_use;
    int64_t versions; /* Of it and of all members: no promise has changed while they stay. */
};

enum { GROUPS_MAX = 16 };

struct checker {
    struct arena arena;
    struct seen_breaker breakers[BREAKERS_MAX];
    size_t breaker_count;

    struct {
        int32_t tenant;
        int64_t job;
    } leased[LEASED_MAX]; /* By the last group. */

    size_t leased_count;
    const struct memory_ledger *ledger;
    struct seen_tenant tenants[MEMORY_TENANTS_MAX];
    struct seen_group groups[GROUPS_MAX];
    size_t count;
    bool paused; /* As of the last tick. */
    int64_t grant_floor;
};

struct checker *checker_new(const struct memory_ledger *ledger)
{
    struct checker *checker = calloc(1, sizeof(*checker));
    CHECK(checker != NULL);
    arena_init(&checker->arena, SIZE_MAX / 2);
    checker->ledger = ledger;
    return checker;
}

void checker_free(struct checker *checker)
{
    arena_fini(&checker->arena);
    free(checker);
}

static struct seen_job *job_of(struct checker *checker, struct seen_tenant *t, int64_t id)
{
    struct seen_job *job = map_find(&t->jobs, (uint64_t)id);
    if (job == NULL) {
        job = arena_new(&checker->arena, struct seen_job);
        map_put(&checker->arena, &t->jobs, (uint64_t)id, job);
    }
    return job;
}

static bool is(struct str type, const char *name)
{
    return str_eq(type, str_from(name));
}

static void check_predecessors(struct checker *checker, struct seen_tenant *t, int64_t job)
{
    const struct row_table *edges = &checker->ledger->set.tables[TABLE_DAG_EDGES];
    for (size_t i = 0; i < edges->n; i++) {
        const struct edge_row *edge = (const struct edge_row *)edges->rows[i];
        if (edge->tenant != t->tenant || edge->succ != job || edge->pred < 0) {
            continue;
        }
        const struct seen_job *pred = job_of(checker, t, edge->pred);
        CHECK(pred->ended);
        CHECK(pred->succeeded || edge->kind == EDGE_ALWAYS);
    }
}

static void job_line(struct checker *checker, struct seen_tenant *t, const json_t *line,
                     struct str type)
{
    struct job_id id;
    const json_t *facts = json_object_get(line, "facts");
    CHECK(job_id_parse(json_text(json_object_get(line, "job")), &id));
    struct seen_job *job = job_of(checker, t, id.v);
    CHECK(json_integer_value(json_object_get(line, "job_seq")) == ++job->job_seq);
    if (json_object_get(facts, "start_by") != NULL) {
        job->start_by = json_integer_value(json_object_get(facts, "start_by"));
    }
    if (is(type, "job.leased")) {
        CHECK(!job->leased && !job->ended);
        const int64_t floor = checker->grant_floor;
        const int64_t grant = json_integer_value(json_object_get(facts, "grant"));
        CHECK(!checker->paused);
        CHECK(grant == (job->grant > floor ? job->grant : floor) + 1);
        job->grant = grant;
        job->leased = true;
        t->inflight++;
        CHECK(checker->leased_count < LEASED_MAX);
        checker->leased[checker->leased_count].tenant = t->tenant;
        checker->leased[checker->leased_count++].job = id.v;
    } else if (is(type, "job.retrying") || is(type, "job.throttled") || is(type, "job.returned")) {
        CHECK(job->leased);
        job->leased = false;
        t->inflight--;
    } else if (is(type, "job.succeeded") || is(type, "job.dead") || is(type, "job.canceled")) {
        CHECK(!job->ended);
        CHECK(job->leased || !is(type, "job.succeeded"));
        if (is(json_text(json_object_get(facts, "class")), "not_started_in_time")) {
            CHECK(job->grant == 0 && job->start_by > 0);
            CHECK(json_integer_value(json_object_get(line, "at")) >= job->start_by);
        }
        t->inflight -= job->leased;
        job->leased = false;
        job->ended = true;
        job->succeeded = is(type, "job.succeeded");
    } else if (is(type, "job.retried")) {
        CHECK(job->ended && !job->succeeded);
        job->ended = false;
        if (json_integer_value(json_object_get(facts, "remaining")) == 0) {
            check_predecessors(checker, t, id.v);
        }
    } else if (is(type, "job.prioritised")) {
        CHECK(!job->leased && !job->ended);
    } else if (is(type, "job.released")) {
        check_predecessors(checker, t, id.v);
    } else if (is(type, "job.submitted")) {
        CHECK(job->job_seq == 1);
    }
}

/* The type is in the catalogue, and so is each of the line's facts. */
static void check_catalogue(struct str type, json_t *facts)
{
    static const struct {
        const char *type;
        const char *facts;
    } catalogue[] = {

#define ROW(type, facts) {type, facts},
        HISTORY_CATALOGUE(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof(catalogue) / sizeof(catalogue[0]); i++) {
        const char *name = NULL;
        json_t *value = NULL;
        if (!is(type, catalogue[i].type)) {
            continue;
        }
        json_object_foreach(facts, name, value)
        {
            bool known = false;
            struct str rest = str_from(catalogue[i].facts);
            struct str fact;
            while (str_split(&rest, ' ', &fact)) {
                known |= is(fact, name);
            }
            CHECK(known);
        }
        return;
    }
    UNREACHABLE(); /* A type that contract/history.json does not know. */
}

static void read_line(struct checker *checker, struct seen_tenant *t, struct str text)
{
    struct err err;
    json_t *line = NULL;
    CHECK(json_read(text, &line, &err) == ERR_OK);
    CHECK(json_integer_value(json_object_get(line, "seq")) == ++t->seq);
    check_catalogue(json_text(json_object_get(line, "type")), json_object_get(line, "facts"));
    if (json_object_get(line, "job") != NULL) {
        job_line(checker, t, line, json_text(json_object_get(line, "type")));
    }
    json_decref(line);
}

static struct seen_tenant *seen(struct checker *checker, int32_t tenant)
{
    for (size_t i = 0; i < checker->count; i++) {
        if (checker->tenants[i].tenant == tenant) {
            return &checker->tenants[i];
        }
    }
    checker->tenants[checker->count].tenant = tenant;
    return &checker->tenants[checker->count++];
}

/* Sum of in-flight per job type against its limit, from the rows. */
static void check_limits(const struct memory_ledger *ledger, const struct tenant_row *tenant)
{
    const struct row_table *types = &ledger->set.tables[TABLE_JOB_TYPES];
    const struct row_table *lanes = &ledger->set.tables[TABLE_LANES];
    CHECK(tenant->max_inflight == 0 || tenant->inflight <= tenant->max_inflight);
    for (size_t i = 0; i < types->n; i++) {
        const struct job_type_row *type = (const struct job_type_row *)types->rows[i];
        struct err err;
        json_t *body = NULL;
        CHECK(json_read(type->body, &body, &err) == ERR_OK);
        const int64_t limit = json_integer_value(json_object_get(body, "max_inflight"));
        json_decref(body);
        int64_t inflight = 0;
        for (size_t k = 0; k < lanes->n; k++) {
            const struct lane_row *lane = (const struct lane_row *)lanes->rows[k];
            inflight += lane->tenant == tenant->tenant && str_eq(lane->job_type, type->name)
                            ? lane->inflight
                            : 0;
        }
        CHECK(limit == 0 || inflight <= limit);
    }
}

static void check_buckets(const struct memory_ledger *ledger)
{
    const struct row_table *buckets = &ledger->set.tables[TABLE_THROTTLES];
    for (size_t i = 0; i < buckets->n; i++) {
        const struct throttle_row *bucket = (const struct throttle_row *)buckets->rows[i];
        CHECK(bucket->level_micro >= 0);
        CHECK(bucket->level_micro <= bucket->burst * 1000000);
    }
}

/* ---- Breakers ---- */

static struct seen_breaker *seen_breaker(struct checker *checker, const struct breaker_row *row)
{
    for (size_t i = 0; i < checker->breaker_count; i++) {
        struct seen_breaker *seen = &checker->breakers[i];
        if (seen->tenant == row->tenant && str_eq(seen->service, row->service)) {
            return seen;
        }
    }
    CHECK(checker->breaker_count < BREAKERS_MAX);
    struct seen_breaker *seen = &checker->breakers[checker->breaker_count++];
    *seen = (struct seen_breaker){row->tenant, arena_str(&checker->arena, row->service), 0, 0};
    return seen;
}

/* Whether the lease needs the service of this breaker. */
static bool needs(const struct memory_ledger *ledger, int32_t tenant, int64_t job,
                  const struct breaker_row *breaker)
{
    const struct row_table *leases = &ledger->set.tables[TABLE_LEASED];
    const struct row_table *lanes = &ledger->set.tables[TABLE_LANES];
    for (size_t i = 0; i < leases->n; i++) {
        const struct leased_row *lease = (const struct leased_row *)leases->rows[i];
        for (size_t k = 0; lease->tenant == tenant && lease->job == job && k < lanes->n; k++) {
            const struct lane_row *lane = (const struct lane_row *)lanes->rows[k];
            if (lane->tenant != tenant || lane->lane != lease->carry.lane) {
                continue;
            }
            const bool is_scanner = str_eq(breaker->service, STR("scanner"));
            return str_eq(lane->job_type, STR("type3")) ||
                   (is_scanner && str_eq(lane->job_type, STR("type0")));
        }
    }
    return false;
}

static bool is_probe(const struct breaker_row *row, int32_t tenant, int64_t job)
{
    struct str rest = row->probes;
    struct str whose;
    struct str what;
    struct str grant;
    int64_t a = 0;
    int64_t b = 0;
    while (str_split(&rest, ' ', &whose) && str_split(&rest, ' ', &what) &&
           str_split(&rest, ' ', &grant)) {
        CHECK(str_parse_i64(whose, &a) && str_parse_i64(what, &b));
        if (a == tenant && b == job) {
            return true;
        }
    }
    return false;
}

static size_t count_probes(const struct breaker_row *row)
{
    size_t numbers = row->probes.len > 0;
    for (size_t i = 0; i < row->probes.len; i++) {
        numbers += row->probes.ptr[i] == ' ';
    }
    return numbers / 3;
}

static void check_breaker(struct checker *checker, const struct breaker_row *row)
{
    enum { CLOSED, OPEN, HALF_OPEN, AUTOMATIC = 0 };
    struct seen_breaker *seen = seen_breaker(checker, row);
    const bool held = seen->mode == AUTOMATIC && row->mode == AUTOMATIC && seen->state != CLOSED &&
                      row->state != CLOSED;
    CHECK(seen->state != CLOSED || row->state != HALF_OPEN);
    CHECK(count_probes(row) <= 3);
    for (size_t i = 0; i < checker->leased_count; i++) {
        const int32_t tenant = checker->leased[i].tenant;
        const int64_t job = checker->leased[i].job;
        const bool is_meant = row->tenant == TENANT_SYSTEM || row->tenant == tenant;
        CHECK(!held || !is_meant || !needs(checker->ledger, tenant, job, row) ||
              is_probe(row, tenant, job));
    }
    seen->state = row->state;
    seen->mode = row->mode;
}

static void check_breakers(struct checker *checker)
{
    const struct row_table *breakers = &checker->ledger->set.tables[TABLE_BREAKERS];
    for (size_t i = 0; i < breakers->n; i++) {
        check_breaker(checker, (const struct breaker_row *)breakers->rows[i]);
    }
    checker->leased_count = 0;
}

static int64_t items_of(struct str array)
{
    struct err err;
    json_t *value = NULL;
    if (array.len == 0) {
        return 0;
    }
    CHECK(json_read(array, &value, &err) == ERR_OK);
    const size_t n = json_array_size(value);
    json_decref(value);
    return (int64_t)n;
}

/* One result an item, and what is counted is there. */
static void check_bulks(const struct memory_ledger *ledger)
{
    const struct row_table *bulks = &ledger->set.tables[TABLE_BULK_ACTIONS];
    const struct row_table *parts = &ledger->set.tables[TABLE_BULK_PARTS];
    for (size_t i = 0; i < bulks->n; i++) {
        const struct bulk_action_row *bulk = (const struct bulk_action_row *)bulks->rows[i];
        int64_t jobs = 0;
        int64_t results = 0;
        for (size_t k = 0; k < parts->n; k++) {
            const struct bulk_part_row *part = (const struct bulk_part_row *)parts->rows[k];
            if (part->tenant == bulk->tenant && part->bulk == bulk->bulk) {
                jobs += items_of(part->jobs);
                results += items_of(part->results);
            }
        }
        CHECK(bulk->changed + bulk->already + bulk->refused == bulk->done);
        CHECK(bulk->state != BULK_DONE || bulk->run != 0 || bulk->done == bulk->matched);
        CHECK((bulk->due_at > 0) == (bulk->state == BULK_STORING || bulk->state == BULK_RUNNING));
        /* Of those that ended retention may have removed some already. */
        CHECK(bulk->due_at == 0 || results == bulk->done);
        CHECK(bulk->due_at == 0 || bulk->run != 0 || jobs == bulk->stored);
    }
}

static int64_t inflight_of(const struct memory_ledger *ledger, int32_t tenant)
{
    const struct row_table *tenants = &ledger->set.tables[TABLE_TENANTS];
    for (size_t i = 0; i < tenants->n; i++) {
        const struct tenant_row *row = (const struct tenant_row *)tenants->rows[i];
        if (row->tenant == tenant) {
            return row->inflight;
        }
    }
    return 0;
}

/* A group above its capacity was so when somebody joined or it shrank, and only falls since. */
static void check_group(struct checker *checker, const struct quota_group_row *group)
{
    const struct row_table *members = &checker->ledger->set.tables[TABLE_QUOTA_MEMBERS];
    struct seen_group *before = &checker->groups[group->quota_group % GROUPS_MAX];
    struct quota_group_row sums = {0};
    int64_t versions = group->version;
    for (size_t i = 0; i < members->n; i++) {
        const struct quota_member_row *member = (const struct quota_member_row *)members->rows[i];
        versions += member->version;
        if (member->quota_group == group->quota_group) {
            const struct quota_terms terms =
                quota_terms_of((enum quota_policy)group->policy, member);
            CHECK(member->in_use == inflight_of(checker->ledger, member->member));
            sums.members++;
            sums.nominal += member->nominal;
            sums.floors += member->floor;
            sums.in_use += member->in_use;
            sums.unlent += quota_unlent(&terms, member->in_use);
        }
    }
    CHECK(sums.members == group->members && sums.nominal == group->nominal);
    CHECK(sums.floors == group->floors && sums.in_use == group->in_use);
    CHECK(sums.unlent == group->unlent);
    CHECK(group->nominal <= group->capacity && group->floors <= group->capacity);
    CHECK(group->in_use <= group->capacity || group->in_use <= before->in_use ||
          versions != before->versions);
    before->in_use = group->in_use;
    before->versions = versions;
}

static void check_groups(struct checker *checker)
{
    const struct row_table *groups = &checker->ledger->set.tables[TABLE_QUOTA_GROUPS];
    for (size_t i = 0; i < groups->n; i++) {
        check_group(checker, (const struct quota_group_row *)groups->rows[i]);
    }
}

/* A restore puts the floor above every grant that was ever given. */
static void check_installation(struct checker *checker)
{
    const struct row_table *said = &checker->ledger->set.tables[TABLE_INSTALLATION];
    if (said->n == 0) {
        return;
    }
    const struct installation_row *row = (const struct installation_row *)said->rows[0];
    const bool is_raised = row->grant_floor > checker->grant_floor;
    CHECK(row->grant_floor >= checker->grant_floor);
    for (size_t i = 0; is_raised && i < checker->count; i++) {
        const struct map *jobs = &checker->tenants[i].jobs;
        for (size_t k = 0; k < jobs->n; k++) {
            CHECK(((const struct seen_job *)jobs->entries[k].value)->grant <= row->grant_floor);
        }
    }
    checker->paused = row->pause.since > 0;
    checker->grant_floor = row->grant_floor;
}

void checker_step(struct checker *checker)
{
    check_bulks(checker->ledger);
    const struct memory_ledger *ledger = checker->ledger;
    for (size_t i = 0; i < ledger->history_count; i++) {
        const struct memory_history *history = &ledger->history[i];
        const int32_t whose = history->tenant != 0 ? history->tenant : -1 - history->shard;
        struct seen_tenant *t = seen(checker, whose);
        struct str rest = str_slice(buf_get(&history->lines), t->read, history->lines.len);
        struct str line;
        while (str_split(&rest, '\n', &line) && line.len > 0) {
            read_line(checker, t, line);
        }
        t->read = history->lines.len;
        CHECK(t->seq == history->count);
    }
    check_buckets(ledger);
    check_breakers(checker);
    check_installation(checker);
    check_groups(checker);
    const struct row_table *tenants = &ledger->set.tables[TABLE_TENANTS];
    for (size_t i = 0; i < tenants->n; i++) {
        const struct tenant_row *tenant = (const struct tenant_row *)tenants->rows[i];
        check_limits(ledger, tenant);
        CHECK(seen(checker, tenant->tenant)->inflight == tenant->inflight);
    }
}

static void print_difference(struct str rows, struct str folded)
{
    struct str a;
    struct str b;
    while (str_split(&rows, '\n', &a) && str_split(&folded, '\n', &b)) {
        if (!str_eq(a, b)) {
            (void)fprintf(stderr, "row:    %.*s\nfolded: %.*s\n", STR_ARG(a), STR_ARG(b));
            return;
        }
    }
}

static void fold_history(struct fold *fold, const struct memory_history *history)
{
    struct err err;
    struct str rest = buf_get(&history->lines);
    struct str line;
    while (str_split(&rest, '\n', &line) && line.len > 0) {
        if (fold_line(fold, line, &err) != ERR_OK) {
            (void)fprintf(stderr, "fold: %s\n%.*s\n", err.message, STR_ARG(line));
            abort();
        }
    }
}

/* Tenants first: the logs of the shards speak of them. */
static void fold_all(struct fold *fold, const struct memory_ledger *ledger)
{
    for (size_t i = 0; i < ledger->history_count; i++) {
        const struct memory_history *history = &ledger->history[i];
        if (history->tenant != 0) {
            fold_tenant(fold, history->shard, (struct tenant_id){history->tenant});
            fold_history(fold, history);
        }
    }
    for (int16_t shard = 0; shard < SHARD_COUNT; shard++) {
        fold_shard(fold, shard);
    }
    for (size_t i = 0; i < ledger->history_count; i++) {
        if (ledger->history[i].tenant == 0) {
            fold_shard(fold, ledger->history[i].shard);
            fold_history(fold, &ledger->history[i]);
        }
    }
}

void checker_fold(const struct memory_ledger *ledger)
{
    check_bulks(ledger);
    struct fold fold;
    fold_init(&fold);
    fold_all(&fold, ledger);
    fold_finish(&fold);
    CLEANUP(buf_fini) struct buf rows;
    CLEANUP(buf_fini) struct buf folded;
    buf_init(&rows, SIZE_MAX / 2);
    buf_init(&folded, SIZE_MAX / 2);
    row_set_format(&ledger->set, &rows);
    row_set_format(&fold.set, &folded);
    if (!str_eq(buf_get(&rows), buf_get(&folded))) {
        print_difference(buf_get(&rows), buf_get(&folded));
        abort();
    }
    fold_fini(&fold);
}
