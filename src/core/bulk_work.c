#include "core/bulk_work.h"

#include "base/check.h"
#include "core/bulk.h"
#include "core/control.h"
#include "core/submit.h"

/* One job's result. */
struct result {
    int64_t job;
    int64_t made;     /* By replay; 0 for none. */
    const char *text; /* Else. */
};

/* What is done for one bulk action in one tick. */
struct turn {
    struct decision *d;
    enum bulk_action action;
    int16_t priority;
    int64_t run;
    int64_t after; /* The last job looked at. */
    bool halted;   /* The next one cannot be done yet. */
    VEC(struct result) results;
};

/* ---- One job after the other ---- */

/* Of a run only those are meant that the action is for. */
static bool is_meant(const struct turn *turn, struct job_id job)
{
    const struct job_place place = job_place(turn->d->t, job);
    if (turn->run == 0) {
        return true;
    }
    return turn->action == BULK_CANCEL
               ? place.carry != NULL && !job_has_ended(place.state)
               : place.state == JOB_DEAD && (place.outcome->carry.flags & JOB_ERASED) == 0;
}

static void do_job(struct turn *turn, struct job_id job)
{
    struct err err = {.code = ERR_OK};
    struct job_control asked = {.job = job, .priority = turn->priority};
    struct result result = {.job = job.v, .text = BULK_CHANGED};
    if (!is_meant(turn, job)) {
        turn->after = job.v;
        return;
    }
    switch (control_item_decide(turn->d, turn->action, &asked, &err)) {
    case CONTROL_CHANGED: result.made = asked.made.v; break;
    case CONTROL_ALREADY: result.text = BULK_ALREADY; break;
    case CONTROL_REFUSED: result.text = err_info(err.code)->name; break;
    case CONTROL_LATER: turn->halted = true; return;
    }
    turn->after = job.v;
    VEC_PUSH(turn->d->facts->arena, &turn->results, result);
}

/* ---- Writing results down ---- */

static void put_results(struct json_writer *w, const struct result *results, size_t n)
{
    json_put_array(w);
    for (size_t i = 0; i < n; i++) {
        if (results[i].made > 0) {
            json_put_int(w, results[i].made);
        } else {
            json_put_str(w, str_from(results[i].text));
        }
    }
    json_put_array_end(w);
}

static void put_jobs(struct json_writer *w, const struct result *results, size_t n)
{
    json_put_array(w);
    for (size_t i = 0; i < n; i++) {
        json_put_int(w, results[i].job);
    }
    json_put_array_end(w);
}

static struct str text_of(struct arena *arena,
                          void (*put)(struct json_writer *w, const struct result *results,
                                      size_t n),
                          const struct result *results, size_t n)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    buf_init(&text, HISTORY_LINE_MAX);
    json_begin(&w, &text);
    put(&w, results, n);
    return arena_str(arena, buf_get(&text));
}

/* The part that holds the action's next job; of a run a new one. */
static struct bulk_part_row *part_of(struct decision *d, const struct bulk_action_row *bulk)
{
    struct bulk_part_row *part = NULL;
    if (bulk->run == 0) {
        part = (struct bulk_part_row *)facts_list(d->t, WANT_BULK_PARTS, bulk->bulk)->v[0];
        facts_change(d->facts, &part->row);
        return part;
    }
    part = (struct bulk_part_row *)facts_add(d->facts, d->t, TABLE_BULK_PARTS);
    part->bulk = bulk->bulk;
    part->first = bulk->done;
    part->jobs = STR("[]");
    return part;
}

static void count(struct bulk_action_row *bulk, const struct result *results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct str text = str_from(results[i].text);
        if (str_eq(text, STR(BULK_CHANGED))) {
            bulk->changed++;
        } else if (str_eq(text, STR(BULK_ALREADY))) {
            bulk->already++;
        } else {
            bulk->refused++;
        }
    }
    bulk->done += (int64_t)n;
}

/* `n` results, at most BULK_PART, and how far it has come. */
static void write_progress(struct decision *d, struct bulk_action_row *bulk, int64_t after,
                           const struct result *results, size_t n)
{
    struct arena *arena = d->facts->arena;
    const struct str texts = text_of(arena, put_results, results, n);
    const struct str jobs = bulk->run == 0 ? STR("[]") : text_of(arena, put_jobs, results, n);
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "bulk.progressed");
    JSON_INT(w, "after", after);
    JSON_INT(w, "bulk", bulk->bulk);
    JSON_RAW(w, "jobs", jobs);
    JSON_RAW(w, "results", texts);
    (void)history_end(&line);
    if (n > 0) {
        struct bulk_part_row *part = part_of(d, bulk);
        part->jobs = bulk_join(arena, part->jobs, jobs);
        part->results = bulk_join(arena, part->results, texts);
    }
    count(bulk, results, n);
    bulk->after_job = after;
    bulk->due_at = d->facts->now;
    facts_change(d->facts, &bulk->row);
}

static void write_turn(const struct turn *turn, struct bulk_action_row *bulk)
{
    const size_t n = turn->results.n;
    for (size_t i = 0; i < n; i += BULK_PART) {
        const size_t some = n - i < BULK_PART ? n - i : BULK_PART;
        const int64_t after = i + some < n ? turn->results.v[i + some - 1].job : turn->after;
        write_progress(turn->d, bulk, after, &turn->results.v[i], some);
    }
    if (n == 0 && turn->after > bulk->after_job) {
        write_progress(turn->d, bulk, turn->after, NULL, 0);
    }
}

/* ---- A turn of a record ---- */

typedef VEC(struct job_id) job_list;

/* The next jobs, as far as they are loaded; *out_last: there are none after them. */
static bool next_jobs(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                      const struct bulk_action_row *bulk, job_list *out, bool *out_last)
{
    const size_t most =
        limits->bulk_tick_jobs < BULK_PART ? (size_t)limits->bulk_tick_jobs : BULK_PART;
    if (bulk->run != 0) {
        if (!want_list_of(facts, t, WANT_BULK_RUN, bulk->run, bulk->after_job, (int32_t)most)) {
            return false;
        }
        const row_list *rows = facts_list(t, WANT_BULK_RUN, bulk->run);
        for (size_t i = 0; i < rows->n; i++) {
            const struct job_id job = {((const struct job_row *)rows->v[i])->job};
            VEC_PUSH(facts->arena, out, job);
        }
        *out_last = rows->n < most;
        return true;
    }
    const int64_t skip = bulk->done % BULK_PART;
    if (!want_list_of(facts, t, WANT_BULK_PARTS, bulk->bulk, bulk->done - skip - 1, 1)) {
        return false;
    }
    const row_list *parts = facts_list(t, WANT_BULK_PARTS, bulk->bulk);
    CHECK(parts->n <= 1);
    if (parts->n == 0) {
        return true; /* Not answered yet. */
    }
    struct str rest = ((const struct bulk_part_row *)parts->v[0])->jobs;
    struct str number;
    rest = str_slice(rest, 1, rest.len - 1);
    for (int64_t i = 0; out->n < most && str_split(&rest, ',', &number); i++) {
        struct job_id job;
        CHECK(str_parse_i64(number, &job.v));
        if (i >= skip) {
            VEC_PUSH(facts->arena, out, job);
        }
    }
    *out_last = bulk->done + (int64_t)out->n == bulk->matched;
    return true;
}

bool bulk_due_want(struct facts *facts, const struct limits *limits, int16_t shard)
{
    bool known = want_of_shard(facts, shard, WANT_DUE_BULKS, 1);
    const row_list *due = &facts_shard(facts, shard)->due_bulks;
    if (due->n == 0) {
        return known;
    }
    const struct bulk_action_row *bulk = (const struct bulk_action_row *)due->v[0];
    struct tenant_facts *t = facts_tenant(facts, shard, (struct tenant_id){bulk->tenant});
    known &= config_want(facts, t);
    if (bulk->state != BULK_RUNNING) {
        return known;
    }
    job_list jobs = {0};
    bool last = false;
    known &= next_jobs(facts, t, limits, bulk, &jobs, &last);
    for (size_t i = 0; i < jobs.n; i++) {
        known &= control_item_want(facts, t, limits, (enum bulk_action)bulk->action, jobs.v[i]);
    }
    return known;
}

static void take_turn(struct decision *d, struct bulk_action_row *bulk)
{
    struct turn turn = {.d = d,
                        .action = (enum bulk_action)bulk->action,
                        .priority = bulk->priority,
                        .run = bulk->run,
                        .after = bulk->after_job};
    job_list jobs = {0};
    bool last = false;
    CHECK(next_jobs(d->facts, d->t, d->limits, bulk, &jobs, &last));
    for (size_t i = 0; i < jobs.n && !turn.halted; i++) {
        do_job(&turn, jobs.v[i]);
    }
    write_turn(&turn, bulk);
    if (last && !turn.halted) {
        bulk_end(d, bulk, BULK_DONE);
    }
}

int64_t bulk_due(struct decision *d, int16_t shard)
{
    const row_list *due = &facts_shard(d->facts, shard)->due_bulks;
    if (due->n == 0) {
        return INT64_MAX;
    }
    struct bulk_action_row *bulk = (struct bulk_action_row *)due->v[0];
    d->t = facts_tenant(d->facts, shard, (struct tenant_id){bulk->tenant});
    d->actor = bulk->actor;
    if (bulk->state == BULK_RUNNING) {
        take_turn(d, bulk);
    } else if (bulk->state == BULK_STORING && bulk->due_at <= d->facts->now) {
        bulk_end(d, bulk, BULK_FAILED);
    }
    /* There may be others, which are not earlier than this one. */
    return bulk->due_at > 0 ? bulk->due_at : d->facts->now;
}

/* ---- Whole runs ---- */

/* The run's first jobs, and where each is. */
static bool run_want(const struct command *command, struct facts *facts,
                     const struct limits *limits, enum bulk_action action)
{
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    const int64_t run = command->run_control.run.v;
    bool known = config_want(facts, t);
    if (command->run_control.bulk.v > 0) {
        return want(facts, t, WANT_BULK, command->run_control.bulk.v) && known;
    }
    known &= bulk_room_want(facts, t, limits);
    known &= want(facts, t, WANT_RUN, run);
    known &= want_list_of(facts, t, WANT_RUN_JOBS, run, 0, limits->settle_cap);
    const row_list *jobs = facts_list(t, WANT_RUN_JOBS, run);
    for (size_t i = 0; i < jobs->n; i++) {
        const struct job_id job = {((const struct job_row *)jobs->v[i])->job};
        known &= control_item_want(facts, t, limits, action, job);
    }
    return known;
}

/* The first jobs now; a record goes on with those that are left. */
static void run_decide(struct command *command, struct decision *d, enum bulk_action action,
                       int64_t matched)
{
    char id[ID_TEXT];
    struct turn turn = {.d = d, .action = action, .run = command->run_control.run.v};
    const row_list *jobs = facts_list(d->t, WANT_RUN_JOBS, turn.run);
    const bool goes_on = jobs->n == (size_t)d->limits->settle_cap;
    run_id_format(command->run_control.run, id);
    if (command->err.code == ERR_OK && goes_on) {
        (void)bulk_has_room(d, &command->err);
    }
    control_write(command, d, action == BULK_CANCEL ? "run.cancel" : "run.retry", str_from(id),
                  command->err.code);
    if (command->err.code != ERR_OK) {
        return;
    }
    for (size_t i = 0; i < jobs->n && !turn.halted; i++) {
        do_job(&turn, (struct job_id){((const struct job_row *)jobs->v[i])->job});
    }
    if (!turn.halted && !goes_on) {
        return;
    }
    const struct bulk_new new = {.action = action,
                                 .state = BULK_RUNNING,
                                 .run = turn.run,
                                 .selection = STR(""),
                                 .matched = matched};
    struct bulk_action_row *bulk = bulk_begin(command, d, &new);
    command->run_control.bulk.v = bulk->bulk;
    command->again = !goes_on;
    write_turn(&turn, bulk);
}

/* The record of a small run is waited for: in a few ticks it is at its end. */
static bool is_waited_for(struct command *command, struct decision *d)
{
    struct bulk_id *id = &command->run_control.bulk;
    if (id->v == 0) {
        return false;
    }
    const struct bulk_action_row *bulk =
        (const struct bulk_action_row *)facts_find(d->t, TABLE_BULK_ACTIONS, id->v);
    command->again = bulk != NULL && bulk->due_at > 0;
    id->v = command->again ? id->v : 0;
    return true;
}

bool run_cancel_want(const struct command *command, struct facts *facts,
                     const struct limits *limits)
{
    return run_want(command, facts, limits, BULK_CANCEL);
}

void run_cancel_decide(struct command *command, struct decision *d)
{
    if (is_waited_for(command, d)) {
        return;
    }
    const struct run_row *run = job_run(d->t, command->run_control.run.v);
    int64_t matched = 0;
    if (run == NULL) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such run");
    } else if (run->state != RUN_ACTIVE) {
        (void)err_set(&command->err, ERR_INVALID_TRANSITION, "the run has ended: %s",
                      run_state_name((enum run_state)run->state));
    } else {
        matched = run->present - run->succeeded - run->dead - run->canceled;
    }
    run_decide(command, d, BULK_CANCEL, matched);
}

bool run_retry_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    return run_want(command, facts, limits, BULK_RETRY);
}

void run_retry_decide(struct command *command, struct decision *d)
{
    if (is_waited_for(command, d)) {
        return;
    }
    const struct run_row *run = job_run(d->t, command->run_control.run.v);
    if (run == NULL) {
        (void)err_set(&command->err, ERR_NOT_FOUND, "there is no such run");
    } else if (run->dead == 0) {
        (void)err_set(&command->err, ERR_INVALID_TRANSITION, "no job of the run is dead");
    }
    run_decide(command, d, BULK_RETRY, run == NULL ? 0 : run->dead);
}
