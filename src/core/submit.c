#include "core/submit.h"

#include "base/check.h"
#include "base/time.h"
#include "core/config.h"
#include "core/control.h"
#include "core/retain.h"

/* What decides when and where it runs, as JSON. */
static void write_schedule(struct buf *text, const struct submit_item *item)
{
    struct json_writer w;
    buf_reset(text);
    json_begin(&w, text);
    json_put_object(&w);
    JSON_INT(&w, "delay_us", item->delay_us);
    if (item->not_before > 0) {
        JSON_INT(&w, "not_before", item->not_before);
    }
    JSON_INT(&w, "priority", item->priority);
    JSON_STR(&w, "source", item->source);
    JSON_STR(&w, "type", item->job_type);
    json_put_object_end(&w);
}

static bool same_lane(const struct submit_item *a, const struct submit_item *b)
{
    return str_eq(a->job_type, b->job_type) && str_eq(a->source, b->source);
}

static bool same_schedule(const struct submit_item *a, const struct submit_item *b)
{
    return a->delay_us == b->delay_us && a->not_before == b->not_before &&
           a->priority == b->priority && same_lane(a, b);
}

void submit_digest(struct submit_item *items, size_t count)
{
    CLEANUP(buf_fini) struct buf schedule;
    struct sha256_stream *stream = sha256_stream_new();
    buf_init(&schedule, 4096);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !same_schedule(&items[i], &items[i - 1])) {
            write_schedule(&schedule, &items[i]);
        }
        sha256_stream_add(stream, buf_get(&schedule));
        sha256_stream_add(stream, items[i].payload);
        items[i].digest = sha256_stream_finish(stream);
    }
    sha256_stream_free(stream);
}

/* ---- Asking ---- */

bool config_want(struct facts *facts, struct tenant_facts *t)
{
    struct tenant_facts *system =
        facts_tenant(facts, SHARD_SYSTEM, (struct tenant_id){TENANT_SYSTEM});
    bool known = want(facts, t, WANT_TENANT, 0);
    known &= want(facts, system, WANT_TENANT, 0);
    if (t->row == NULL || system->row == NULL) {
        return known;
    }
    if (t->config != NULL && t->config->tenant_version == t->row->config_version &&
        t->config->system_version == system->row->config_version) {
        return known;
    }
    known &= want_list_of(facts, t, WANT_CONFIG, 0, 0, 0);
    known &= want_list_of(facts, system, WANT_CONFIG, 0, 0, 0);
    facts_build_config(facts, t);
    return known;
}

static int64_t key_hash(const struct facts *facts, struct tenant_facts *t, struct str key)
{
    struct hash_key seed = facts->seed;
    seed.k[1] ^= (uint64_t)t->id.v;
    return (int64_t)hash_keyed(&seed, key);
}

/* Every generation that may hold the key. */
static bool want_key(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                     struct str key)
{
    const int64_t hash = key_hash(facts, t, key);
    const int32_t newest = t->row != NULL ? t->row->key_generation : t->key_newest;
    const int32_t oldest = t->row != NULL ? t->row->key_oldest : t->key_oldest;
    bool known = true;
    for (int32_t g = newest; g >= oldest && g > 0; g--) {
        known &= want_job_key(facts, t, hash, g);
    }
    const row_list *hits = map_find(&t->by_key[TABLE_JOB_KEYS], (uint64_t)hash);
    for (size_t i = 0; hits != NULL && i < hits->n; i++) {
        const struct job_id job = {((const struct job_key_row *)hits->v[i])->job};
        known &= want(facts, t, WANT_JOB, job.v);
        known &= job_want(facts, t, limits, job, false);
    }
    return known;
}

static bool want_request_key(const struct command *command, struct facts *facts,
                             struct tenant_facts *t)
{
    return command->request_key.len == 0 ||
           want_text(facts, t, WANT_REQUEST_KEY, command->request_key, STR(""));
}

bool submit_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    const struct submit *submit = &command->submit;
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = config_want(facts, t);
    known &= want_request_key(command, facts, t);
    /* Only the tenant's row tells for certain which generations of keys there are. */
    if (t->row != NULL && facts_meets_again(facts, t, command) &&
        t->by_key[TABLE_JOB_KEYS].n == 0) {
        return known; /* All was asked, and no key that was found leads on to its job. */
    }
    for (size_t i = submit->done; i < submit->count; i++) {
        const struct submit_item *item = &submit->items[i];
        known &= (i > submit->done && same_lane(item, item - 1)) ||
                 want_text(facts, t, WANT_LANE_NAME, item->job_type, item->source);
        known &= item->key.len == 0 || want_key(facts, t, limits, item->key);
    }
    return known;
}

/* ---- Deciding ---- */

enum err_code submit_validate(struct decision *d, const struct submit_item *item, struct err *err)
{
    const struct job_type *type = config_job_type(d->t->config, item->job_type);
    if (type == NULL) {
        return err_at(err, ERR_UNKNOWN_JOB_TYPE, "/type",
                      "job type %.*s is not registered; PUT /api/v1/job-types/%.*s first",
                      STR_ARG(item->job_type), STR_ARG(item->job_type));
    }
    if (item->source.len > 0 && config_source(d->t->config, item->source) == NULL) {
        return err_at(err, ERR_UNKNOWN_SOURCE, "/source", "source %.*s is not registered",
                      STR_ARG(item->source));
    }
    if (item->payload.len > (size_t)type->max_payload_bytes) {
        return err_at(err, ERR_PAYLOAD_TOO_LARGE, "/payload",
                      "the payload has %zu bytes, job type %.*s takes %d", item->payload.len,
                      STR_ARG(item->job_type), type->max_payload_bytes);
    }
    if (facts_lane_by_name(d->t, item->job_type, item->source) == NULL &&
        d->t->row->next_lane > d->limits->max_lanes) {
        return err_set(err, ERR_TOO_MANY_LANES,
                       "the tenant uses %d combinations of job type and source already",
                       d->limits->max_lanes);
    }
    return ERR_OK;
}

/* The job that has this key and still counts, or null. */
static const struct job_row *holder_of_key(struct decision *d, struct str key)
{
    const int64_t hash = key_hash(d->facts, d->t, key);
    const row_list *hits = map_find(&d->t->by_key[TABLE_JOB_KEYS], (uint64_t)hash);
    for (size_t i = 0; hits != NULL && i < hits->n; i++) {
        const struct job_id id = {((const struct job_key_row *)hits->v[i])->job};
        const struct job_row *job = (const struct job_row *)facts_find(d->t, TABLE_JOBS, id.v);
        const struct job_place place = job_place(d->t, id);
        const bool forgotten =
            place.outcome != NULL &&
            place.outcome->ended_at + d->limits->key_retention_us <= d->facts->now;
        if (job != NULL && str_eq(job->key, key) && !forgotten) {
            return job;
        }
    }
    return NULL;
}

static bool same_digest(struct str stored, const struct sha256 *digest)
{
    return str_eq(stored, (struct str){(const char *)digest->bytes, SHA256_SIZE});
}

static struct str digest_copy(struct decision *d, const struct sha256 *digest)
{
    return arena_str(d->facts->arena, (struct str){(const char *)digest->bytes, SHA256_SIZE});
}

/* True when the item is settled by an earlier job: a duplicate, or a conflict in *err. */
static bool is_known_key(struct decision *d, struct submit_item *item, struct err *err)
{
    const struct job_row *holder = item->key.len == 0 ? NULL : holder_of_key(d, item->key);
    if (holder == NULL) {
        return false;
    }
    if (!same_digest(holder->digest, &item->digest)) {
        (void)err_at(err, ERR_JOB_KEY_CONFLICT, "/key", "job-%lld has this key with other content",
                     (long long)holder->job);
        return true;
    }
    item->id.v = holder->job;
    item->state = job_place(d->t, item->id).state;
    item->duplicate = true;
    return true;
}

static struct lane_row *lane_open(struct decision *d, const struct submit_item *item)
{
    struct lane_row *lane = facts_lane_by_name(d->t, item->job_type, item->source);
    if (lane != NULL) {
        return lane;
    }
    const struct job_type *type = config_job_type(d->t->config, item->job_type);
    lane = (struct lane_row *)facts_add(d->facts, d->t, TABLE_LANES);
    lane->lane = d->t->row->next_lane++;
    lane->job_type = type->name;
    lane->source = arena_str(d->facts->arena, item->source);
    lane->estimate_ms = type->estimate_ms;
    facts_index(d->facts, d->t, &lane->row);
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "lane.opened");
    JSON_INT(w, "estimate_ms", lane->estimate_ms);
    JSON_STR(w, "job_type", lane->job_type);
    JSON_INT(w, "lane", lane->lane);
    JSON_STR(w, "source", lane->source);
    (void)history_end(&line);
    return lane;
}

static void add_key(struct decision *d, struct job_id id, struct str key)
{
    struct job_key_row *row = (struct job_key_row *)facts_add(d->facts, d->t, TABLE_JOB_KEYS);
    row->generation = d->t->row->key_generation;
    row->hash = key_hash(d->facts, d->t, key);
    row->job = id.v;
    facts_index(d->facts, d->t, &row->row);
}

/* As blocked.delay_us: from now (or from release), or minus the time itself. */
static int64_t delay_of(struct decision *d, const struct new_job *job)
{
    const int64_t not_before = job->item->not_before;
    if (not_before == 0) {
        return job->item->delay_us;
    }
    if (job->remaining > 0) {
        return -not_before;
    }
    return not_before > d->facts->now ? not_before - d->facts->now : 0;
}

/* The line of a new job; facts in ascending order. */
static int64_t write_submitted(struct decision *d, const struct new_job *job, struct carry *carry,
                               enum job_state state, int64_t start_by)
{
    const struct submit_item *item = job->item;
    struct history_line line;
    struct json_writer *w =
        history_begin_job(&line, d->facts, d->t, d->actor, "job.submitted", job->id, carry);
    JSON_INT(w, "delay_us", delay_of(d, job));
    history_digest(w, JSON_MEMBER("digest"),
                   (struct str){(const char *)item->digest.bytes, SHA256_SIZE});
    JSON_INT(w, "flags", carry->flags);
    if (item->key.len > 0) {
        JSON_INT(w, "generation", d->t->row->key_generation);
        JSON_STR(w, "key", item->key);
        JSON_INT(w, "key_hash", key_hash(d->facts, d->t, item->key));
    }
    JSON_INT(w, "lane", carry->lane);
    JSON_STR(w, "name", item->name);
    JSON_INT(w, "priority", item->priority);
    JSON_INT(w, "rank", carry->rank);
    JSON_INT(w, "remaining", job->remaining);
    if (job->replay_of.v != 0) {
        JSON_INT(w, "replay_of", job->replay_of.v);
    }
    JSON_INT(w, "run", carry->run);
    if (start_by > 0) {
        JSON_INT(w, "start_by", start_by);
    }
    JSON_STR(w, "state", str_from(job_state_name(state)));
    JSON_STR(w, "traceparent", item->traceparent);
    return history_end(&line);
}

static void add_job_row(struct decision *d, const struct new_job *job, const struct carry *carry,
                        int64_t submit_seq)
{
    const struct submit_item *item = job->item;
    struct job_row *row = (struct job_row *)facts_add(d->facts, d->t, TABLE_JOBS);
    row->job = job->id.v;
    row->run = carry->run;
    row->lane = carry->lane;
    row->priority = item->priority;
    row->rank = carry->rank;
    row->submitted_at = d->facts->now;
    row->submit_seq = submit_seq;
    row->replay_of = job->replay_of.v;
    row->name = item->name;
    row->key = item->key;
    row->digest = digest_copy(d, &item->digest);
    row->traceparent = item->traceparent;
    row->payload = item->payload;
    facts_index(d->facts, d->t, &row->row);
}

enum job_state submit_add(struct decision *d, const struct new_job *job)
{
    const struct submit_item *item = job->item;
    const struct lane_row *lane = lane_open(d, item);
    const enum job_state state = job->remaining > 0 ? JOB_BLOCKED : JOB_PENDING;
    struct carry carry = {
        .lane = lane->lane,
        .rank = job_rank(d->facts->now, item->priority, d->limits),
        .run = job->run.v,
        .flags = (int16_t)((job->has_successors ? JOB_HAS_SUCCESSORS : 0) |
                           (item->key.len > 0 ? JOB_HAS_KEY : 0) |
                           (item->need_count > 0 ? JOB_HAS_PREDECESSORS : 0)),
        .priority = item->priority,
    };
    const int64_t delay_us = delay_of(d, job);
    const int64_t start_by =
        state == JOB_BLOCKED || delay_us > 0 ? 0 : job_start_by(d, &carry, d->facts->now);
    CHECK(job_may_move(JOB_NONE, EVENT_SUBMIT, state));
    if (item->key.len > 0) {
        (void)retain_generation(d); /* Its line comes before the job's. */
    }
    const int64_t seq = write_submitted(d, job, &carry, state, start_by);
    add_job_row(d, job, &carry, seq);
    if (item->key.len > 0) {
        add_key(d, job->id, item->key);
    }
    job_add_deadline(d, job->id, start_by);
    job_count_live(d, 1);
    if (state == JOB_BLOCKED) {
        (void)job_add_blocked(d, job->id, &carry, job->remaining, delay_us);
    } else if (delay_us > 0) {
        job_add_delayed(d, job->id, &carry, d->facts->now + delay_us, HOLD_DELAY);
    } else {
        (void)job_add_ready(d, job->id, &carry);
    }
    return state;
}

/* Everything that can be refused is refused before the first item is decided. */
static enum err_code validate_all(struct submit *submit, struct decision *d, struct err *err)
{
    for (size_t i = 0; i < submit->count; i++) {
        struct submit_item *item = &submit->items[i];
        submit->error_at = i;
        TRY(submit_validate(d, item, err));
        err->code = ERR_OK;
        if (is_known_key(d, item, err)) {
            TRY(err->code);
            item->duplicate = false; /* Only looked: decided below. */
        }
    }
    submit->error_at = submit->count;
    if (d->t->row->live + (int64_t)submit->count > d->t->row->max_live) {
        return err_set(err, ERR_TOO_MANY_JOBS, "the tenant has %lld unfinished jobs of at most %d",
                       (long long)d->t->row->live, d->t->row->max_live);
    }
    return ERR_OK;
}

/* The answer kept for the request key: "id,id,…"; what was a duplicate with its state, "id=state".
 */
static void store_submitted(struct command *command, struct decision *d)
{
    if (command->request_key.len == 0) {
        return;
    }
    CLEANUP(buf_fini) struct buf ids;
    buf_init(&ids, (size_t)SUBMIT_MAX * 40);
    for (size_t i = 0; i < command->submit.done; i++) {
        const struct submit_item *item = &command->submit.items[i];
        buf_i64(&ids, item->id.v);
        if (item->duplicate) {
            buf_char(&ids, '=');
            buf_str(&ids, str_from(job_state_name(item->state)));
        }
        buf_char(&ids, ',');
    }
    CHECK(!ids.overflow);
    request_store(command, d, STR("jobs"), arena_str(d->facts->arena, buf_get(&ids)));
}

void submit_decide(struct command *command, struct decision *d)
{
    struct submit *submit = &command->submit;
    if (submit->done == 0) {
        if (request_is_answered(command, d)) {
            return;
        }
        const enum err_code code = validate_all(submit, d, &command->err);
        if (submit->trigger.len > 0) {
            control_write(command, d, "source.trigger", submit->trigger, code);
        }
        if (code != ERR_OK) {
            return;
        }
    }
    int32_t added = 0;
    for (; submit->done < submit->count && added < d->limits->submit_cap; submit->done++) {
        struct submit_item *item = &submit->items[submit->done];
        item->duplicate = false;
        if (is_known_key(d, item, &command->err)) {
            if (command->err.code != ERR_OK) {
                submit->error_at = submit->done;
                return;
            }
            continue;
        }
        item->id.v = d->t->row->next_job++;
        const struct new_job job = {.item = item, .id = item->id};
        item->state = submit_add(d, &job);
        added++;
    }
    command->again = submit->done < submit->count;
    if (added > 0 || !command->again) {
        store_submitted(command, d);
    }
}
