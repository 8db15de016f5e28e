/* api/run_explains - what holds a run up: its jobs that have not ended, grouped by reason. */
#include "api/explains.h"
#include "api/views.h"

enum { JOBS_PAGE = 1000, WAITING_MAX = 2000, NAMED_MAX = 5 };

/* Jobs of which the first few are named. */
struct group {
    int64_t count;
    struct job_id named[NAMED_MAX];
    int64_t not_before; /* The earliest of those known; 0 for none. */
};

struct run_why {
    struct run_id run;
    const struct run_row *row; /* Null: there is none. */
    VEC(struct explained) waiting;
    struct group working;
    struct group broken; /* Dead. */
    struct group reasons[HOLD_COUNT];
    bool is_partial; /* More than WAITING_MAX wait. */
    int64_t as_of;
};

static void group_add(struct group *group, struct job_id job, int64_t not_before)
{
    if (group->count < NAMED_MAX) {
        group->named[group->count] = job;
    }
    group->count++;
    if (not_before > 0 && (group->not_before == 0 || not_before < group->not_before)) {
        group->not_before = not_before;
    }
}

/* ---- Reading ---- */

static void take_job(struct call *call, struct run_why *why, const struct job_view *view)
{
    switch (view->state) {
    case JOB_LEASED:
    case JOB_RUNNING: group_add(&why->working, view->job, 0); break;
    case JOB_DEAD: group_add(&why->broken, view->job, 0); break;
    case JOB_BLOCKED:
    case JOB_PENDING:
        if (why->waiting.n < WAITING_MAX) {
            VEC_PUSH(call->arena, &why->waiting, ((struct explained){.job = view->job}));
        } else {
            why->is_partial = true;
        }
        break;
    case JOB_NONE:
    case JOB_SUCCEEDED:
    case JOB_CANCELED:
    case JOB_COUNT: break;
    }
}

static enum err_code read_jobs(struct call *call, struct reader *reader, struct run_why *why)
{
    struct query_result found;
    int64_t after = 0;
    do {
        struct query q = tenant_query(call, "jobs_of_run_page");
        query_arg_int(&q, why->run.v);
        query_arg_int(&q, after);
        query_arg_int(&q, JOBS_PAGE);
        TRY(reader_query(reader, &q, &found, &call->err));
        for (size_t i = 0; i < found.rows; i++) {
            const struct job_view view = job_view_of(&found, i);
            take_job(call, why, &view);
            after = view.job.v;
        }
    } while (found.rows == JOBS_PAGE);
    return ERR_OK;
}

static enum err_code read_all(struct call *call, struct reader *reader, struct run_why *why)
{
    struct query_result found;
    struct query q = tenant_query(call, "run");
    query_arg_int(&q, why->run.v);
    TRY(reader_query(reader, &q, &found, &call->err));
    if (found.rows == 0) {
        return ERR_OK;
    }
    why->row = (const struct run_row *)query_row(&found, 0, TABLE_RUNS, call->arena);
    TRY(read_jobs(call, reader, why));
    TRY(read_explained(call, reader, EXPLAIN_HOLD, why->waiting.v, why->waiting.n, &why->as_of));
    for (size_t i = 0; i < why->waiting.n; i++) {
        const struct explain_gate *first = explain_first(&why->waiting.v[i].told);
        if (first != NULL) { /* Else it started meanwhile. */
            group_add(&why->reasons[first->hold], why->waiting.v[i].job, first->not_before);
        }
    }
    return ERR_OK;
}

static void read_run_why(struct call *call, struct reader *reader)
{
    (void)read_all(call, reader, call->state); /* What failed stands in call->err. */
}

/* ---- Answering ---- */

/* The reason of most jobs; waiting for other jobs of the run comes last: those say why. */
static int next_reason(const struct run_why *why, const bool *told)
{
    int best = HOLD_NONE;
    for (int hold = HOLD_NONE + 1; hold < HOLD_COUNT; hold++) {
        const int64_t count = why->reasons[hold].count;
        const bool is_better = best == HOLD_NONE || best == HOLD_PREDECESSORS ||
                               (hold != HOLD_PREDECESSORS && count > why->reasons[best].count);
        if (count > 0 && !told[hold] && is_better) {
            best = hold;
        }
    }
    return best;
}

static struct str say_run(struct arena *arena, const struct run_why *why)
{
    const struct run_row *run = why->row;
    const int32_t ended = run->succeeded + run->dead + run->canceled;
    const bool none[HOLD_COUNT] = {false};
    const int hold = next_reason(why, none);
    if (run->state != RUN_ACTIVE) {
        return arena_format(arena, "It ended: %d of %d jobs succeeded, %d are dead, %d canceled.",
                            run->succeeded, run->total, run->dead, run->canceled);
    }
    const struct str progress = arena_format(arena, "%d of %d jobs have ended, %d are at work",
                                             ended, run->total, run->leased);
    return hold == HOLD_NONE ? arena_format(arena, "%.*s.", STR_ARG(progress))
                             : arena_format(arena, "%.*s; %lld wait: %s.", STR_ARG(progress),
                                            (long long)why->reasons[hold].count,
                                            hold_name((enum hold_reason)hold));
}

static void put_jobs(struct json_writer *w, const struct group *group)
{
    JSON_INT(w, "count", group->count);
    JSON_KEY(w, "jobs");
    json_put_array(w);
    for (int64_t i = 0; i < group->count && i < NAMED_MAX; i++) {
        char id[ID_TEXT];
        job_id_format(group->named[i], id);
        json_put_str(w, str_from(id));
    }
    json_put_array_end(w);
}

static void put_group(struct json_writer *w, struct str key, const struct group *group)
{
    json_put_key(w, key);
    json_put_object(w);
    put_jobs(w, group);
    json_put_object_end(w);
}

static void put_reasons(struct json_writer *w, const struct run_why *why)
{
    bool told[HOLD_COUNT] = {false};
    int hold = HOLD_NONE;
    JSON_KEY(w, "reasons");
    json_put_array(w);
    while ((hold = next_reason(why, told)) != HOLD_NONE) {
        const struct group *group = &why->reasons[hold];
        told[hold] = true;
        json_put_object(w);
        put_jobs(w, group);
        JSON_KEY(w, "not_before");
        if (group->not_before > 0) {
            json_put_time(w, group->not_before);
        } else {
            json_put_null(w);
        }
        JSON_STR(w, "reason", str_from(hold_name((enum hold_reason)hold)));
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void run_why_is_read(struct call *call)
{
    const struct run_why *why = call->state;
    char id[ID_TEXT];
    if (why->row == NULL) {
        call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
        return;
    }
    run_id_format(why->run, id);
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_TIME(&w, "as_of", why->as_of);
    put_group(&w, STR("dead"), &why->broken);
    JSON_STR(&w, "id", str_from(id));
    JSON_BOOL(&w, "is_partial", why->is_partial);
    put_reasons(&w, why);
    JSON_STR(&w, "state", str_from(run_state_name((enum run_state)why->row->state)));
    JSON_STR(&w, "summary", say_run(call->arena, why));
    JSON_INT(&w, "total", why->row->total);
    put_group(&w, STR("working"), &why->working);
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_explain_run(struct call *call)
{
    struct run_why *why = arena_new(call->arena, struct run_why);
    call->state = why;
    if (call_query(call, NULL, 0) && take_run_id(call, &why->run)) {
        call_read(call, read_run_why, run_why_is_read);
    }
}
