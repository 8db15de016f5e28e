/* core/run - a whole DAG of jobs comes into being, in one group or over several. */
#include "base/check.h"
#include "core/config.h"
#include "core/control.h"
#include "core/settle.h"
#include "core/submit.h"

enum { EDGES_PER_LINE = 250 };

bool run_submit_want(const struct command *command, struct facts *facts,
                     const struct limits *limits)
{
    const struct run_submit *run = &command->run;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = config_want(facts, t);
    known &= command->request_key.len == 0 ||
             want_text(facts, t, WANT_REQUEST_KEY, command->request_key, STR(""));
    known &= run->id.v == 0 || want(facts, t, WANT_RUN, run->id.v);
    if (run->key.len > 0 && want_text(facts, t, WANT_RUN_KEY, run->key, STR(""))) {
        const struct run_key_row *key =
            (const struct run_key_row *)facts_find_text(t, TABLE_RUN_KEYS, run->key);
        if (key != NULL) {
            known &= want(facts, t, WANT_RUN, key->run);
            known &= want_list_of(facts, t, WANT_RUN_JOBS, key->run, 0, 1);
        }
    }
    const size_t end = run->done == 0 ? run->count : run->done + (size_t)limits->submit_cap;
    for (size_t i = run->done; i < run->count && i < end; i++) {
        known &= want_text(facts, t, WANT_LANE_NAME, run->items[i].job_type, run->items[i].source);
    }
    return known;
}

/* Marks the items that others need. */
static void mark_successors(struct command *command)
{
    struct run_submit *asked = &command->run;
    asked->has_successors = arena_array(command->arena, bool, asked->count);
    for (size_t i = 0; i < asked->count; i++) {
        asked->items[i].id.v = asked->first_job + (int64_t)i;
        for (size_t k = 0; k < asked->items[i].need_count; k++) {
            asked->has_successors[asked->items[i].needs[k].job] = true;
        }
    }
}

/* A crash left a part of the run: this request goes on with it. */
static void resume(struct command *command, struct decision *d, const struct run_row *run)
{
    const row_list *jobs = facts_list(d->t, WANT_RUN_JOBS, run->run);
    CHECK(jobs->n == 1);
    command->run.id.v = run->run;
    command->run.first_job = ((const struct job_row *)jobs->v[0])->job;
    mark_successors(command);
}

/* True when the run's key settles it: a duplicate, or a conflict in command->err. */
static bool is_known_key(struct command *command, struct decision *d)
{
    struct run_submit *asked = &command->run;
    const struct run_key_row *key =
        asked->key.len == 0
            ? NULL
            : (const struct run_key_row *)facts_find_text(d->t, TABLE_RUN_KEYS, asked->key);
    if (key == NULL) {
        return false;
    }
    const struct run_row *run = job_run(d->t, key->run);
    CHECK(run != NULL);
    if (!str_eq(run->digest, (struct str){(const char *)asked->digest.bytes, SHA256_SIZE})) {
        (void)err_at(&command->err, ERR_JOB_KEY_CONFLICT, "/key",
                     "run-%lld has this key with other content", (long long)run->run);
        return true;
    }
    if (run->present < run->total) {
        resume(command, d, run);
        return false;
    }
    asked->id.v = run->run;
    asked->duplicate = true;
    return true;
}

static enum err_code validate(struct run_submit *run, struct decision *d, struct err *err)
{
    for (size_t i = 0; i < run->count; i++) {
        run->error_at = i;
        TRY(submit_validate(d, &run->items[i], err));
    }
    run->error_at = run->count;
    if (d->t->row->live + (int64_t)run->count > d->t->row->max_live) {
        return err_set(err, ERR_TOO_MANY_JOBS, "the tenant has %lld unfinished jobs of at most %d",
                       (long long)d->t->row->live, d->t->row->max_live);
    }
    return ERR_OK;
}

/* Reserves ids for run and jobs, and makes the run's row. */
static void begin(struct command *command, struct decision *d)
{
    struct run_submit *asked = &command->run;
    struct tenant_row *tenant = d->t->row;
    asked->id.v = tenant->next_run++;
    asked->first_job = tenant->next_job;
    tenant->next_job += (int64_t)asked->count;
    mark_successors(command);
    struct run_row *run = (struct run_row *)facts_add(d->facts, d->t, TABLE_RUNS);
    run->run = asked->id.v;
    run->name = asked->name;
    run->digest =
        arena_str(d->facts->arena, (struct str){(const char *)asked->digest.bytes, SHA256_SIZE});
    run->submitted_at = d->facts->now;
    run->state = RUN_ACTIVE;
    run->total = (int32_t)asked->count;
    facts_index(d->facts, d->t, &run->row);
    const bool whole = asked->count <= (size_t)d->limits->submit_cap;
    const int64_t assemble_by = whole ? 0 : d->facts->now + d->limits->run_assembly_us;
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "run.submitted");
    JSON_INT(w, "assemble_by", assemble_by);
    history_digest(w, JSON_MEMBER("digest"), run->digest);
    JSON_INT(w, "first_job", asked->first_job);
    JSON_STR(w, "key", asked->key);
    JSON_STR(w, "name", asked->name);
    JSON_INT(w, "run", run->run);
    JSON_INT(w, "total", run->total);
    (void)history_end(&line);
    if (!whole) {
        job_add_deadline(d, (struct job_id){-run->run}, assemble_by);
    }
    if (asked->key.len > 0) {
        struct run_key_row *key = (struct run_key_row *)facts_add(d->facts, d->t, TABLE_RUN_KEYS);
        key->key = asked->key;
        key->run = run->run;
        facts_index(d->facts, d->t, &key->row);
    }
}

/* Replaying a run is an operator's command. */
static void write_replay(const struct command *command, struct decision *d)
{
    const struct run_submit *asked = &command->run;
    if (asked->replay_of.v != 0) {
        control_write(command, d, "run.replay",
                      arena_format(d->facts->arena, "run-%lld from job-%lld",
                                   (long long)asked->replay_of.v, (long long)asked->replay_from.v),
                      command->err.code);
    }
}

/* Collects edges, a line for every EDGES_PER_LINE of them. */
struct edge_writer {
    struct decision *d;
    int64_t run;
    struct history_line line;
    struct json_writer *w;
    int32_t in_line;
};

static void edges_flush(struct edge_writer *edges)
{
    if (edges->in_line == 0) {
        return;
    }
    json_put_array_end(edges->w);
    JSON_INT(edges->w, "run", edges->run);
    (void)history_end(&edges->line);
    edges->in_line = 0;
}

static void edges_add(struct edge_writer *edges, int64_t pred, int64_t succ, enum edge_kind kind)
{
    struct decision *d = edges->d;
    struct edge_row *row = (struct edge_row *)facts_add(d->facts, d->t, TABLE_DAG_EDGES);
    row->run = edges->run;
    row->pred = pred;
    row->succ = succ;
    row->kind = (int16_t)kind;
    if (edges->in_line == 0) {
        edges->w = history_begin(&edges->line, d->facts, d->t, d->actor, "run.edges");
        JSON_KEY(edges->w, "edges");
        json_put_array(edges->w);
    }
    json_put_array(edges->w);
    json_put_int(edges->w, pred);
    json_put_int(edges->w, succ);
    json_put_int(edges->w, (int64_t)kind);
    json_put_array_end(edges->w);
    if (++edges->in_line == EDGES_PER_LINE) {
        edges_flush(edges);
    }
}

/* Adds job i. While the run is not whole its roots wait for "-run". */
static void add_item(struct run_submit *asked, size_t i, bool whole, struct decision *d)
{
    struct submit_item *item = &asked->items[i];
    const bool waits_for_run = !whole && item->need_count == 0;
    const struct new_job job = {
        .item = item,
        .id = item->id,
        .run = asked->id,
        .remaining = (int32_t)item->need_count + (waits_for_run ? 1 : 0),
        .replay_of = item->replay_of,
        .has_successors = asked->has_successors[i],
    };
    item->state = submit_add(d, &job);
}

static void add_edges(struct run_submit *asked, size_t i, bool whole, struct edge_writer *edges)
{
    const struct submit_item *item = &asked->items[i];
    if (!whole && item->need_count == 0) {
        edges_add(edges, -asked->id.v, item->id.v, EDGE_ALWAYS);
    }
    for (size_t k = 0; k < item->need_count; k++) {
        edges_add(edges, asked->first_job + item->needs[k].job, item->id.v, item->needs[k].kind);
    }
}

void run_submit_decide(struct command *command, struct decision *d)
{
    struct run_submit *asked = &command->run;
    const bool whole = asked->count <= (size_t)d->limits->submit_cap;
    if (asked->id.v == 0) {
        if (request_is_answered(command, d) || is_known_key(command, d)) {
            return;
        }
        if (asked->id.v == 0) {
            const bool refused = validate(asked, d, &command->err) != ERR_OK;
            write_replay(command, d);
            if (refused) {
                return;
            }
            begin(command, d);
        }
    }
    struct run_row *run = job_run(d->t, asked->id.v);
    CHECK(run != NULL);
    if ((size_t)run->total != asked->count) {
        (void)err_set(&command->err, ERR_CONFLICT, "run-%lld was not whole in time and is canceled",
                      (long long)run->run);
        return;
    }
    /* The same request may be under way twice: what is there decides. */
    asked->done = (size_t)run->present;
    const size_t from = asked->done;
    struct edge_writer edges = {.d = d, .run = asked->id.v};
    for (; asked->done < asked->count && asked->done - from < (size_t)d->limits->submit_cap;
         asked->done++) {
        add_item(asked, asked->done, whole, d);
    }
    for (size_t i = from; i < asked->done; i++) {
        add_edges(asked, i, whole, &edges);
    }
    edges_flush(&edges);
    run->present = (int32_t)asked->done;
    facts_change(d->facts, &run->row);
    command->again = asked->done < asked->count;
    if (command->again) {
        return;
    }
    if (!whole && from < asked->done) {
        struct history_line line;
        struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "run.whole");
        JSON_INT(w, "run", run->run);
        (void)history_end(&line);
        settle_begin(d, -asked->id.v, SETTLE_OK);
    }
    request_store(command, d, STR("run"),
                  arena_format(d->facts->arena, "%lld", (long long)asked->id.v));
}
