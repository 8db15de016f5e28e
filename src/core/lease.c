#include "core/lease.h"

#include "base/time.h"

void lease_id_format(struct lease_id id, char out[LEASE_TEXT])
{
    out = str_put_i64(out, id.tenant.v);
    *out++ = '.';
    out = str_put_i64(out, id.job.v);
    *out++ = '.';
    *str_put_i64(out, id.lane) = '\0';
}

/* A positive decimal of at most `max` without a leading zero. */
static bool part(struct str *rest, int64_t max, int64_t *out)
{
    struct str digits;
    return str_split(rest, '.', &digits) && digits.len > 0 && digits.ptr[0] >= '1' &&
           digits.ptr[0] <= '9' && str_parse_i64(digits, out) && *out <= max;
}

bool lease_id_parse(struct str text, struct lease_id *out_id)
{
    int64_t tenant = 0;
    int64_t job = 0;
    int64_t lane = 0;
    if (!part(&text, INT32_MAX, &tenant) || !part(&text, INT64_MAX, &job) ||
        !part(&text, INT32_MAX, &lane) || text.ptr != NULL) {
        return false;
    }
    *out_id = (struct lease_id){{(int32_t)tenant}, {job}, (int32_t)lane};
    return true;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return b > 0 && b < a ? b : a;
}

void lease_set_due(struct leased_row *lease)
{
    int64_t due = sooner(lease->until, lease->run_until);
    due = sooner(due, lease->cancel_at);
    if (lease->no_progress_ms > 0) {
        due = sooner(due, lease->progress_at + lease->no_progress_ms * US_PER_MS);
    }
    lease->due_at = due;
}
