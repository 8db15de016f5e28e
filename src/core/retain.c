#include "core/retain.h"

#include "base/check.h"
#include "base/time.h"
#include "core/job_log.h"

/* Logs read in one tick; the rest of the jobs wait for the next. */
#define LOG_BYTES_MAX (INT64_C(16) << 20)

/* ---- What is due ---- */

/* Keys came into a generation for `key_generation_us` at most; each turn took that long at least.
 * Whatever the settings were then: a key that goes is judged by its own job once more. */
static bool generation_is_due(const struct tenant_row *row, int32_t generation, int64_t now,
                              const struct limits *limits)
{
    const int64_t turns = row->key_generation - generation - 1;
    return turns * limits->key_generation_us + (now - row->key_turned_at) >=
           limits->key_retention_us;
}

static bool key_is_due(const struct outcome_row *outcome, int64_t now, const struct limits *limits)
{
    return outcome != NULL && outcome->ended_at + limits->key_retention_us <= now;
}

/* Jobs submitted up to then are passed. */
static int64_t passed_before(int64_t now, const struct limits *limits)
{
    return now - limits->payload_retention_us - limits->payload_retention_us / 8;
}

static bool payload_is_due(const struct outcome_row *outcome, int64_t now,
                           const struct limits *limits)
{
    return outcome != NULL && outcome->ended_at + limits->payload_retention_us <= now;
}

static const struct outcome_row *outcome_of(const struct tenant_facts *t, int64_t job)
{
    return (const struct outcome_row *)facts_find(t, TABLE_OUTCOMES, job);
}

/* ---- Asking ---- */

static bool want_keys(struct facts *facts, struct tenant_facts *t, const struct limits *limits)
{
    bool known = want_list_of(facts, t, WANT_OLD_JOB_KEYS, 0, 0, limits->retain_cap);
    known &= want_list_of(facts, t, WANT_OLD_REQUEST_KEYS, 0, 0, limits->retain_cap);
    const row_list *keys = facts_list(t, WANT_OLD_JOB_KEYS, 0);
    for (size_t i = 0; i < keys->n; i++) {
        const struct job_key_row *key = (const struct job_key_row *)keys->v[i];
        if (generation_is_due(t->row, key->generation, facts->now, limits)) {
            known &= want(facts, t, WANT_OUTCOME, key->job);
        }
    }
    return known;
}

static bool want_texts(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                       int64_t job)
{
    const struct outcome_row *outcome = outcome_of(t, job);
    return outcome == NULL || (outcome->carry.flags & JOB_HAS_ATTEMPTS) == 0 ||
           want_list_of(facts, t, WANT_TEXTS, job, 0, limits->retain_cap);
}

/* What a job that is to be erased left beside the history. */
static bool want_logs(struct facts *facts, struct tenant_facts *t, int64_t job, int64_t *budget)
{
    const bool known = want(facts, t, WANT_LOG_HEAD, job);
    const struct log_head_row *head =
        (const struct log_head_row *)facts_find(t, TABLE_LOG_HEADS, job);
    if (head == NULL || *budget <= 0) {
        return known;
    }
    *budget -= head->stored;
    return job_log_erase_want(facts, t, (struct job_id){job}) && known;
}

static bool want_beside(struct facts *facts, struct tenant_facts *t, const struct limits *limits,
                        int64_t job, int64_t *budget)
{
    if (!payload_is_due(outcome_of(t, job), facts->now, limits)) {
        return true;
    }
    const bool known = want_texts(facts, t, limits, job);
    return want_logs(facts, t, job, budget) && known;
}

static bool want_payloads(struct facts *facts, struct tenant_facts *t, const struct limits *limits)
{
    bool known = want_list_of(facts, t, WANT_LATE_OUTCOMES, 0, 0, limits->retain_cap);
    known &= want_list_of(facts, t, WANT_JOBS_AFTER, 0, t->row->erased_to, limits->retain_cap);
    int64_t budget = LOG_BYTES_MAX;
    const row_list *late = facts_list(t, WANT_LATE_OUTCOMES, 0);
    for (size_t i = 0; i < late->n; i++) {
        const struct outcome_row *outcome = (const struct outcome_row *)late->v[i];
        if (payload_is_due(outcome, facts->now, limits)) {
            known &= want(facts, t, WANT_JOB, outcome->job);
            known &= want_beside(facts, t, limits, outcome->job, &budget);
        }
    }
    const row_list *jobs = facts_list(t, WANT_JOBS_AFTER, 0);
    for (size_t i = 0; i < jobs->n; i++) {
        const struct job_row *job = (const struct job_row *)jobs->v[i];
        if (job->submitted_at <= passed_before(facts->now, limits)) {
            known &= want(facts, t, WANT_OUTCOME, job->job);
            known &= want_beside(facts, t, limits, job->job, &budget);
        }
    }
    return known;
}

/* Records go in the order of their numbers. */
static bool bulk_is_due(const struct bulk_action_row *bulk, int64_t now,
                        const struct limits *limits)
{
    return row_is_live(&bulk->row) && bulk->due_at == 0 &&
           bulk->ended_at + limits->bulk_retention_us <= now;
}

static bool want_bulks(struct facts *facts, struct tenant_facts *t, const struct limits *limits)
{
    const bool known = want_list_of(facts, t, WANT_OLD_BULKS, 0, 0, 1);
    const row_list *old = facts_list(t, WANT_OLD_BULKS, 0);
    if (old->n == 0) {
        return known;
    }
    const struct bulk_action_row *bulk = (const struct bulk_action_row *)old->v[0];
    return (!bulk_is_due(bulk, facts->now, limits) ||
            want_list_of(facts, t, WANT_BULK_PARTS, bulk->bulk, -1, limits->retain_cap)) &&
           known;
}

bool retain_want(const struct command *command, struct facts *facts, const struct limits *limits)
{
    struct tenant_facts *t = facts_tenant(facts, command->shard, command->tenant);
    bool known = want(facts, t, WANT_TENANT, 0);
    if (t->row == NULL) {
        return known;
    }
    known &= want_keys(facts, t, limits);
    known &= want_bulks(facts, t, limits);
    return (limits->payload_retention_us == 0 || want_payloads(facts, t, limits)) && known;
}

/* ---- Keys ---- */

int32_t retain_generation(struct decision *d)
{
    struct tenant_row *row = d->t->row;
    if (d->facts->now - row->key_turned_at < d->limits->key_generation_us) {
        return row->key_generation;
    }
    row->key_generation++;
    row->key_turned_at = d->facts->now;
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "keys.turned");
    JSON_INT(w, "generation", row->key_generation);
    (void)history_end(&line);
    return row->key_generation;
}

/* The first `n` keys are looked through: those that stay, in the order of `keys`, move on. */
static void write_keys_dropped(struct decision *d, const row_list *keys, size_t n, int32_t into)
{
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "keys.dropped");
    if (n > 0) {
        const struct job_key_row *last = (const struct job_key_row *)keys->v[n - 1];
        JSON_INT(w, "generation", last->generation);
        JSON_INT(w, "hash", last->hash);
        JSON_INT(w, "into", into);
        JSON_INT(w, "job", last->job);
        JSON_KEY(w, "moved");
        json_put_array(w);
        for (size_t i = 0; i < n; i++) {
            const struct job_key_row *key = (const struct job_key_row *)keys->v[i];
            if (!key_is_due(outcome_of(d->t, key->job), d->facts->now, d->limits)) {
                json_put_int(w, key->job);
            }
        }
        json_put_array_end(w);
    }
    JSON_INT(w, "oldest", d->t->row->key_oldest);
    (void)history_end(&line);
}

static void move_on(struct decision *d, const struct job_key_row *key, int32_t into)
{
    struct job_key_row *row = (struct job_key_row *)facts_add(d->facts, d->t, TABLE_JOB_KEYS);
    row->generation = into;
    row->hash = key->hash;
    row->job = key->job;
    facts_index(d->facts, d->t, &row->row);
}

/* The oldest generation that may hold a key when the first `n` of the list are gone. */
static int32_t oldest_after(const struct decision *d, const row_list *keys, size_t n)
{
    const struct tenant_row *row = d->t->row;
    if (n < keys->n) {
        return ((const struct job_key_row *)keys->v[n])->generation;
    }
    return keys->n == (size_t)d->limits->retain_cap
               ? ((const struct job_key_row *)keys->v[n - 1])->generation
               : row->key_generation;
}

static void drop_keys(struct decision *d, struct retain *out)
{
    const row_list *keys = facts_list(d->t, WANT_OLD_JOB_KEYS, 0);
    size_t n = 0;
    while (n < keys->n &&
           generation_is_due(d->t->row, ((const struct job_key_row *)keys->v[n])->generation,
                             d->facts->now, d->limits)) {
        n++;
    }
    const int32_t into = n > 0 ? retain_generation(d) : 0;
    for (size_t i = 0; i < n; i++) {
        struct job_key_row *key = (struct job_key_row *)keys->v[i];
        if (key_is_due(outcome_of(d->t, key->job), d->facts->now, d->limits)) {
            out->keys++;
        } else {
            move_on(d, key, into);
        }
        facts_remove(d->facts, &key->row);
    }
    const int32_t oldest = oldest_after(d, keys, n);
    if (n > 0 || oldest != d->t->row->key_oldest) {
        d->t->row->key_oldest = oldest;
        write_keys_dropped(d, keys, n, into);
    }
    out->more |= n == (size_t)d->limits->retain_cap;
}

static void drop_request_keys(struct decision *d, struct retain *out)
{
    const row_list *keys = facts_list(d->t, WANT_OLD_REQUEST_KEYS, 0);
    const struct request_key_row *last = NULL;
    for (size_t i = 0; i < keys->n; i++) {
        struct request_key_row *key = (struct request_key_row *)keys->v[i];
        if (key->at + d->limits->key_retention_us > d->facts->now) {
            break;
        }
        if (row_is_live(&key->row)) {
            facts_remove(d->facts, &key->row);
        }
        last = key;
        out->request_keys++;
    }
    if (last != NULL) {
        struct history_line line;
        struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "requests.dropped");
        JSON_INT(w, "at", last->at);
        JSON_STR(w, "key", last->key);
        (void)history_end(&line);
    }
    out->more |= out->request_keys == d->limits->retain_cap;
}

/* The results first; the record with the last of them. */
static void drop_bulk(struct decision *d, struct retain *out)
{
    const row_list *old = facts_list(d->t, WANT_OLD_BULKS, 0);
    struct bulk_action_row *bulk = old->n > 0 ? (struct bulk_action_row *)old->v[0] : NULL;
    if (bulk == NULL || !bulk_is_due(bulk, d->facts->now, d->limits)) {
        return;
    }
    const row_list *parts = facts_list(d->t, WANT_BULK_PARTS, bulk->bulk);
    const bool whole = parts->n < (size_t)d->limits->retain_cap;
    int64_t through = -1;
    for (size_t i = 0; i < parts->n; i++) {
        through = ((const struct bulk_part_row *)parts->v[i])->first;
        facts_remove(d->facts, parts->v[i]);
    }
    struct history_line line;
    struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "bulk.dropped");
    JSON_INT(w, "bulk", bulk->bulk);
    JSON_INT(w, "through", through);
    JSON_BOOL(w, "whole", whole);
    (void)history_end(&line);
    if (whole) {
        facts_remove(d->facts, &bulk->row);
        out->bulks++;
    }
    out->more = true;
}

/* ---- Payloads ---- */

typedef VEC(int64_t) job_list;

/* Worker text of the attempts before the last; false when there is more of it. */
static bool erase_texts(struct decision *d, int64_t job)
{
    const row_list *attempts = facts_list_find(d->t, WANT_TEXTS, job);
    for (size_t i = 0; attempts != NULL && i < attempts->n; i++) {
        struct attempt_row *attempt = (struct attempt_row *)attempts->v[i];
        attempt->message = STR("");
        facts_change(d->facts, &attempt->row);
    }
    return attempts == NULL || attempts->n < (size_t)d->limits->retain_cap;
}

static bool erase(struct decision *d, int64_t job)
{
    struct job_row *row = (struct job_row *)facts_find(d->t, TABLE_JOBS, job);
    struct outcome_row *outcome = (struct outcome_row *)facts_find(d->t, TABLE_OUTCOMES, job);
    CHECK(row != NULL && outcome != NULL);
    const bool logs_wait = facts_find(d->t, TABLE_LOG_HEADS, job) != NULL &&
                           facts_list_find(d->t, WANT_JOB_LOGS, job) == NULL;
    if (!erase_texts(d, job) || logs_wait) {
        return false;
    }
    job_log_erase(d, (struct job_id){job});
    row->payload = STR("");
    facts_change(d->facts, &row->row);
    outcome->result = STR("");
    outcome->carry.flags = (int16_t)((outcome->carry.flags | JOB_ERASED) & ~JOB_LATE);
    facts_change(d->facts, &outcome->row);
    return true;
}

/* True when all that were due are erased. */
static bool erase_late(struct decision *d, job_list *erased)
{
    const row_list *late = facts_list(d->t, WANT_LATE_OUTCOMES, 0);
    for (size_t i = 0; i < late->n; i++) {
        const struct outcome_row *outcome = (const struct outcome_row *)late->v[i];
        if (!row_is_live(&outcome->row)) {
            continue; /* Retried in this very tick. */
        }
        if (!payload_is_due(outcome, d->facts->now, d->limits)) {
            return true;
        }
        if (!erase(d, outcome->job)) {
            return false;
        }
        VEC_PUSH(d->facts->arena, erased, outcome->job);
    }
    return late->n < (size_t)d->limits->retain_cap;
}

/* Goes on from erased_to; true when it came to what is not to be passed yet. */
static bool pass_jobs(struct decision *d, job_list *erased, job_list *late)
{
    const row_list *jobs = facts_list(d->t, WANT_JOBS_AFTER, 0);
    for (size_t i = 0; i < jobs->n; i++) {
        const struct job_row *job = (const struct job_row *)jobs->v[i];
        if (job->submitted_at > passed_before(d->facts->now, d->limits)) {
            return true;
        }
        struct outcome_row *outcome =
            (struct outcome_row *)facts_find(d->t, TABLE_OUTCOMES, job->job);
        if (!payload_is_due(outcome, d->facts->now, d->limits)) {
            VEC_PUSH(d->facts->arena, late, job->job);
            if (outcome != NULL) {
                outcome->carry.flags |= JOB_LATE;
                facts_change(d->facts, &outcome->row);
            }
        } else if (erase(d, job->job)) {
            VEC_PUSH(d->facts->arena, erased, job->job);
        } else {
            return false;
        }
        d->t->row->erased_to = job->job;
    }
    return jobs->n < (size_t)d->limits->retain_cap;
}

static void put_jobs(struct json_writer *w, struct str name, const job_list *jobs)
{
    json_put_key(w, name);
    json_put_array(w);
    for (size_t i = 0; i < jobs->n; i++) {
        json_put_int(w, jobs->v[i]);
    }
    json_put_array_end(w);
}

static void erase_payloads(struct decision *d, struct retain *out)
{
    job_list erased = {0};
    job_list late = {0};
    out->more |= !erase_late(d, &erased);
    out->more |= !pass_jobs(d, &erased, &late);
    out->payloads = (int32_t)erased.n;
    if (erased.n + late.n > 0) {
        struct history_line line;
        struct json_writer *w = history_begin(&line, d->facts, d->t, d->actor, "payloads.erased");
        put_jobs(w, STR("jobs"), &erased);
        put_jobs(w, STR("late"), &late);
        JSON_INT(w, "through", d->t->row->erased_to);
        (void)history_end(&line);
    }
}

void retain_decide(struct command *command, struct decision *d)
{
    command->retain = (struct retain){0};
    drop_keys(d, &command->retain);
    drop_request_keys(d, &command->retain);
    drop_bulk(d, &command->retain);
    if (d->limits->payload_retention_us > 0) {
        erase_payloads(d, &command->retain);
    }
}
