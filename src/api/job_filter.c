#include "api/job_filter.h"

#include "base/time.h"

enum { BATCH_MIN = 200 };

static const char supported[] =
    "supported: none; run, state, worker or a time range, each with any of the others; class (of "
    "dead jobs); key alone; type and source go with one of them, but not with state=succeeded "
    "alone";

/* ---- Choosing ---- */

static bool refuse(struct call *call, enum err_code code, const char *detail)
{
    (void)err_set(&call->err, code, "%s", detail);
    return false;
}

static bool take_time(struct call *call, struct str text, int64_t *out)
{
    struct wall_time at;
    if (text.ptr == NULL) {
        return true;
    }
    if (!time_parse(text, &at) || at.us <= 0) {
        return refuse(call, ERR_INVALID_REQUEST,
                      "submitted_after and submitted_before are times as in RFC 3339");
    }
    *out = at.us;
    return true;
}

static enum job_walk walk_of_state(enum job_state state)
{
    switch (state) {
    case JOB_BLOCKED: return WALK_BLOCKED;
    case JOB_PENDING: return WALK_PENDING;
    case JOB_LEASED:
    case JOB_RUNNING: return WALK_LEASED;
    case JOB_SUCCEEDED:
    case JOB_DEAD:
    case JOB_CANCELED: return WALK_ENDED;
    case JOB_NONE:
    case JOB_COUNT: break;
    }
    return WALK_ALL;
}

/* Class means dead jobs. */
static bool take_state(struct call *call, struct job_filter *filter)
{
    const struct job_filter_texts *given = &filter->given;
    filter->has_state = given->state.ptr != NULL || given->class.ptr != NULL;
    filter->state = JOB_DEAD;
    if (given->state.ptr != NULL && !job_state_find(given->state, &filter->state)) {
        return refuse(
            call, ERR_INVALID_REQUEST,
            "state is one of blocked, pending, leased, running, succeeded, dead, canceled");
    }
    if (given->class.ptr != NULL && filter->state != JOB_DEAD) {
        return refuse(call, ERR_UNSUPPORTED_FILTER, supported);
    }
    return true;
}

static bool choose_key(struct call *call, struct job_filter *filter)
{
    const struct job_filter_texts *given = &filter->given;
    filter->walk = WALK_KEY;
    if (given->state.ptr != NULL || given->type.ptr != NULL || given->source.ptr != NULL ||
        given->run.ptr != NULL || given->class.ptr != NULL || given->worker.ptr != NULL ||
        given->submitted_after.ptr != NULL || given->submitted_before.ptr != NULL) {
        return refuse(call, ERR_UNSUPPORTED_FILTER, supported);
    }
    return true;
}

bool job_filter_choose(struct call *call, struct job_filter *filter)
{
    const struct job_filter_texts *given = &filter->given;
    filter->to = INT64_MAX;
    if (given->key.ptr != NULL) {
        return choose_key(call, filter);
    }
    if (!take_state(call, filter) || !take_time(call, given->submitted_after, &filter->from) ||
        !take_time(call, given->submitted_before, &filter->to)) {
        return false;
    }
    if (given->run.ptr != NULL && !run_id_parse(given->run, &filter->run)) {
        return refuse(call, ERR_INVALID_REQUEST, "run is not an id");
    }
    const bool by_time = filter->from > 0 || filter->to < INT64_MAX;
    const bool is_bulk = filter->has_state && filter->state == JOB_SUCCEEDED;
    const bool has_more = given->type.ptr != NULL || given->source.ptr != NULL;
    if (given->run.ptr != NULL) {
        filter->walk = WALK_RUN;
    } else if (given->worker.ptr != NULL && !filter->has_state) {
        filter->walk = WALK_HELD;
    } else if (filter->has_state && !(is_bulk && by_time)) {
        filter->walk = walk_of_state(filter->state);
    }
    const bool walks_everything =
        filter->walk == WALK_ALL || (is_bulk && filter->walk == WALK_ENDED);
    if (walks_everything && !by_time && !filter->is_patient &&
        (has_more || given->worker.ptr != NULL)) {
        return refuse(call, ERR_UNSUPPORTED_FILTER, supported);
    }
    return true;
}

struct str job_filter_text(struct call *call, const struct job_filter *filter)
{
    const struct job_filter_texts *g = &filter->given;
    return arena_format(call->arena, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s",
                        STR_ARG(g->state), STR_ARG(g->type), STR_ARG(g->source), STR_ARG(g->run),
                        STR_ARG(g->key), STR_ARG(g->class), STR_ARG(g->worker),
                        STR_ARG(g->submitted_after), STR_ARG(g->submitted_before));
}

/* ---- Reading ---- */

static bool fits_text(struct str given, struct str value)
{
    return given.ptr == NULL || str_eq(given, value);
}

static bool fits(const struct job_filter *filter, const struct job_view *view)
{
    const struct job_filter_texts *given = &filter->given;
    return fits_text(given->type, view->job_type) && fits_text(given->source, view->source) &&
           fits_text(given->key, view->key) && fits_text(given->class, view->class) &&
           fits_text(given->worker, view->worker) && view->submitted_at >= filter->from &&
           view->submitted_at < filter->to && (!filter->has_state || view->state == filter->state);
}

/* The walk may give jobs that do not fit. */
static bool looks_closer(const struct job_filter *filter)
{
    const struct job_filter_texts *given = &filter->given;
    return given->type.ptr != NULL || given->source.ptr != NULL || given->class.ptr != NULL ||
           given->worker.ptr != NULL || filter->from > 0 || filter->to < INT64_MAX ||
           (filter->walk == WALK_RUN && filter->has_state);
}

struct cursor job_filter_after(const struct job_filter *filter, const struct job_view *view)
{
    struct cursor after = {.keys = {view->job.v}};
    if (filter->walk == WALK_PENDING && view->delayed_until == 0) {
        after =
            (struct cursor){.keys = {view->job.v, view->lane, view->rank}, .name = STR("ready")};
    }
    return after;
}

static const char *statement_of(enum job_walk walk)
{
    switch (walk) {
    case WALK_RUN: return "jobs_of_run_page";
    case WALK_BLOCKED: return "jobs_blocked_page";
    case WALK_PENDING: return "jobs_delayed_page";
    case WALK_HELD: return "jobs_held_page";
    case WALK_LEASED: return "jobs_leased_page";
    case WALK_ENDED: return "jobs_ended_page";
    case WALK_ALL:
    case WALK_KEY: break;
    }
    return "jobs_page";
}

/* The next rows of the walk. Pending jobs wait in two places: until a time, or in their lanes. */
static enum err_code read_batch(struct call *call, struct reader *reader,
                                const struct job_filter *filter, const struct cursor *at,
                                int64_t limit, struct query_result *out)
{
    struct query q;
    if (str_eq(at->name, STR("ready"))) {
        q = tenant_query(call, "jobs_ready_page");
        query_arg_int(&q, at->keys[1]);
        query_arg_int(&q, at->keys[2]);
        query_arg_int(&q, at->keys[0]);
        query_arg_int(&q, limit);
        return reader_query(reader, &q, out, &call->err);
    }
    q = tenant_query(call, statement_of(filter->walk));
    if (filter->walk == WALK_RUN) {
        query_arg_int(&q, filter->run.v);
    }
    query_arg_int(&q, at->keys[0]);
    query_arg_int(&q, limit);
    if (filter->walk == WALK_LEASED) {
        query_arg_int(&q, filter->state == JOB_RUNNING);
    } else if (filter->walk == WALK_ENDED) {
        query_arg_int(&q, filter->state);
    }
    return reader_query(reader, &q, out, &call->err);
}

/* Keys are kept in generations; the hash is an index only. */
static void read_by_key(struct call *call, struct reader *reader, const struct job_filter *filter,
                        job_views *rows)
{
    struct query_result generations;
    struct hash_key seed = call->api->seed;
    seed.k[1] ^= (uint64_t)call->tenant.v;
    const struct query all = tenant_query(call, "job_key_generations");
    if (reader_query(reader, &all, &generations, &call->err) != ERR_OK) {
        return;
    }
    for (size_t i = 0; i < generations.rows; i++) {
        struct query_result found;
        struct query q = tenant_query(call, "job_by_key");
        query_arg_int(&q, (int64_t)hash_keyed(&seed, filter->given.key));
        query_arg_int(&q, query_int(&generations, i, "generation"));
        if (reader_query(reader, &q, &found, &call->err) != ERR_OK) {
            return;
        }
        for (size_t k = 0; k < found.rows; k++) {
            const struct job_view view = job_view_of(&found, k);
            if (str_eq(view.key, filter->given.key)) {
                VEC_PUSH(call->arena, rows, view);
            }
        }
    }
}

/* Numbers are given in the order of submits, but for the jobs of a run that is being assembled: the
 * last number whose job was submitted before `from`, so that the walk may begin after it. */
static enum err_code skip_to_time(struct call *call, struct reader *reader, int64_t from,
                                  struct cursor *at)
{
    struct query_result found;
    struct query tenant = tenant_query(call, "tenant_by_id");
    TRY(reader_query(reader, &tenant, &found, &call->err));
    int64_t low = at->keys[0];
    int64_t high = found.rows == 0 ? low : query_int(&found, 0, "next_job");
    /* Whole runs share the time of their first job at most; go back by the largest. */
    while (high - low > RUN_JOBS_MAX) {
        const int64_t middle = low + (high - low) / 2;
        struct query q = tenant_query(call, "job_submitted_after");
        query_arg_int(&q, middle);
        TRY(reader_query(reader, &q, &found, &call->err));
        if (found.rows > 0 && query_int(&found, 0, "submitted_at") < from) {
            low = middle;
        } else {
            high = middle;
        }
    }
    at->keys[0] = low > at->keys[0] + RUN_JOBS_MAX ? low - RUN_JOBS_MAX : at->keys[0];
    return ERR_OK;
}

/* A walk by number may end at the first job after the range, less what a run may be out of order.
 */
static bool is_past(const struct job_filter *filter, const struct job_view *view,
                    int64_t assembly_us)
{
    return filter->walk == WALK_ALL && filter->to < INT64_MAX &&
           view->submitted_at >= filter->to + assembly_us;
}

void job_filter_read(struct call *call, struct reader *reader, const struct job_filter *filter,
                     struct cursor *at, size_t most, job_views *rows, bool *out_more)
{
    *out_more = false;
    if (filter->walk == WALK_KEY) {
        read_by_key(call, reader, filter, rows);
        return;
    }
    if (filter->walk == WALK_ALL && filter->from > 0 &&
        skip_to_time(call, reader, filter->from, at) != ERR_OK) {
        return;
    }
    const int64_t assembly_us = call->api->settings->run_assembly_ms * US_PER_MS;
    const size_t left = most - rows->n;
    const size_t batch = looks_closer(filter) && left < BATCH_MIN ? BATCH_MIN : left;
    for (int64_t seen = 0; seen < call->api->settings->list_scan_rows;) {
        struct query_result found;
        if (read_batch(call, reader, filter, at, (int64_t)batch, &found) != ERR_OK) {
            return;
        }
        for (size_t i = 0; i < found.rows; i++) {
            const struct job_view view = job_view_of(&found, i);
            if (is_past(filter, &view, assembly_us)) {
                return;
            }
            *at = job_filter_after(filter, &view);
            if (fits(filter, &view)) {
                VEC_PUSH(call->arena, rows, view);
            }
            if (rows->n == most) {
                *out_more = true;
                return;
            }
        }
        seen += (int64_t)found.rows;
        if (found.rows < batch && (filter->walk != WALK_PENDING || at->name.len > 0)) {
            return;
        }
        if (found.rows < batch) {
            *at = (struct cursor){.keys = {0, 0, INT64_MIN}, .name = STR("ready")};
        }
    }
    *out_more = true;
}
