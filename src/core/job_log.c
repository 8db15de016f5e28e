#include "core/job_log.h"

#include "base/check.h"

/* Rows of the logs of one job; each grant has few. */
enum { ROWS_MAX = 1000000 };

static const struct job_id of_tenant = {0};

bool job_log_want(struct facts *facts, struct tenant_facts *t, struct job_id job,
                  const struct log_batch *batch)
{
    if (batch->count == 0) {
        return true;
    }
    const bool known = want(facts, t, WANT_LOG_HEAD, of_tenant.v);
    return want(facts, t, WANT_LOG_HEAD, job.v) && known;
}

/* The head, made when there is none. */
static struct log_head_row *head_of(struct decision *d, struct job_id job)
{
    struct log_head_row *head = (struct log_head_row *)facts_find(d->t, TABLE_LOG_HEADS, job.v);
    if (head == NULL) {
        head = (struct log_head_row *)facts_add(d->facts, d->t, TABLE_LOG_HEADS);
        head->job = job.v;
        facts_index(d->facts, d->t, &head->row);
    }
    facts_change(d->facts, &head->row);
    return head;
}

static bool has_room(const struct decision *d, const struct log_head_row *head,
                     const struct log_head_row *total, const struct log_batch *batch)
{
    return head->bytes + batch->raw_len <= d->limits->log_attempt_bytes &&
           total->stored + batch->raw_len <= d->limits->log_tenant_bytes;
}

static struct job_log_row *add_row(struct decision *d, const struct log_head_row *head,
                                   const struct log_batch *batch)
{
    struct job_log_row *row = (struct job_log_row *)facts_add(d->facts, d->t, TABLE_JOB_LOGS);
    row->job = head->job;
    row->grant = head->grant;
    row->first = head->lines > batch->first ? head->lines : batch->first;
    row->at = d->facts->now;
    facts_index(d->facts, d->t, &row->row);
    return row;
}

void job_log_take(struct decision *d, const struct leased_row *lease, const struct log_batch *batch)
{
    const struct log_head_row *known =
        (const struct log_head_row *)facts_find(d->t, TABLE_LOG_HEADS, lease->job);
    const bool is_same = known != NULL && known->grant == lease->carry.grant;
    if (batch->count == 0 ||
        (is_same && (known->cut || batch->first + batch->count <= known->lines))) {
        return;
    }
    struct log_head_row *head = head_of(d, (struct job_id){lease->job});
    struct log_head_row *total = head_of(d, of_tenant);
    if (!is_same) {
        head->grant = lease->carry.grant;
        head->lines = 0;
        head->bytes = 0;
        head->cut = false;
    }
    struct job_log_row *row = add_row(d, head, batch);
    if (!has_room(d, head, total, batch)) {
        head->cut = true;
        return;
    }
    row->skip = (int32_t)(row->first - batch->first);
    row->count = batch->count;
    row->raw_len = batch->raw_len;
    row->lines = batch->lines;
    head->lines = batch->first + batch->count;
    head->bytes += batch->raw_len;
    head->stored += batch->raw_len;
    total->stored += batch->raw_len;
}

bool job_log_erase_want(struct facts *facts, struct tenant_facts *t, struct job_id job)
{
    bool known = want(facts, t, WANT_LOG_HEAD, of_tenant.v);
    known &= want(facts, t, WANT_LOG_HEAD, job.v);
    known &= want_list_of(facts, t, WANT_JOB_LOGS, job.v, 0, ROWS_MAX);
    return known;
}

void job_log_erase(struct decision *d, struct job_id job)
{
    struct log_head_row *head = (struct log_head_row *)facts_find(d->t, TABLE_LOG_HEADS, job.v);
    if (head == NULL) {
        return;
    }
    const row_list *rows = facts_list(d->t, WANT_JOB_LOGS, job.v);
    for (size_t i = 0; i < rows->n; i++) {
        facts_remove(d->facts, rows->v[i]);
    }
    struct log_head_row *total = head_of(d, of_tenant);
    total->stored -= head->stored;
    CHECK(total->stored >= 0);
    facts_remove(d->facts, &head->row);
}
