/* policy.merge: the findings, outcomes and sums of a whole run. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "workers/frame/frame.h"
#include "workers/lib/finding.h"
#include "workers/policy/inputs.h"
#include "workers/policy/jobs.h"

enum { ARENA_BYTES = 1024 * 1024 * 1024, SUMMARY_BYTES = 8192 };

enum { GO_ON = -1 }; /* No outcome yet: an enum stella_outcome is never negative. */

/* One document's line, to be sorted by its path. */
struct outcome_line {
    struct str path;
    struct str line; /* With its newline. */
};

struct merge {
    struct stella_job *job;
    struct arena arena;
    VEC(struct str) parts;
    VEC(struct outcome_line) outcomes;
    struct stella_artifact *out; /* The one that is being written. */
    json_t *quarantined;         /* Class to count. */
    size_t accepted, warned;
    size_t findings;
    size_t verdicts[VERDICT_COUNT];
    size_t affected[AFFECTED_COUNT];
    struct stella_error error;
    struct err err;
};

static int32_t call_failed(struct merge *merge)
{
    const int32_t code = merge->error.code;
    if (code == STELLA_LEASE_LOST || code == STELLA_STOPPED) {
        return STELLA_RELEASED;
    }
    return stella_job_fail(merge->job, "artifact", merge->error.message,
                           code == STELLA_USAGE || code == STELLA_MEMORY, 0);
}

static int32_t not_merged(struct merge *merge)
{
    return stella_job_fail(merge->job, err_info(merge->err.code)->name, merge->err.message,
                           !err_info(merge->err.code)->retryable, 0);
}

/* Calls `take` with each artifact of that name; its bytes stay in the arena. */
static int32_t each_input(struct merge *merge, const char *name,
                          int32_t (*take)(struct merge *merge, struct str bytes))
{
    struct inputs inputs;
    if (inputs_list(merge->job, &merge->arena, name, &inputs, &merge->error) != STELLA_OK) {
        return call_failed(merge);
    }
    for (size_t i = 0; i < inputs.items.n; i++) {
        CLEANUP(buf_fini) struct buf bytes;
        if (stella_job_stopped(merge->job) != STELLA_STOP_NONE) {
            return STELLA_RELEASED;
        }
        if (inputs_load(merge->job, &inputs, i, &bytes, &merge->error) != STELLA_OK) {
            return call_failed(merge);
        }
        if (arena_used(&merge->arena) + bytes.len > ARENA_BYTES / 2) {
            return stella_job_fail(merge->job, "too_large", "the run has too many findings", 1, 0);
        }
        const int32_t end = take(merge, arena_str(&merge->arena, buf_get(&bytes)));
        if (end != GO_ON) {
            return end;
        }
    }
    return GO_ON;
}

static int32_t open_out(struct merge *merge, const char *name, const char *media_type)
{
    const int32_t code =
        stella_artifact_open(merge->job, name, media_type, &merge->out, &merge->error);
    return code == STELLA_OK ? GO_ON : call_failed(merge);
}

static int32_t close_out(struct merge *merge)
{
    const int32_t code = stella_artifact_close(merge->out, NULL, &merge->error);
    merge->out = NULL;
    return code == STELLA_OK ? GO_ON : call_failed(merge);
}

/* ---- findings ---- */

static int32_t take_part(struct merge *merge, struct str bytes)
{
    VEC_PUSH(&merge->arena, &merge->parts, bytes);
    return GO_ON;
}

static enum err_code count_finding(struct merge *merge, struct str line, struct err *err)
{
    json_t *finding = NULL;
    enum verdict verdict = VERDICT_FAIL;
    enum affected affected = AFFECTED_YES;
    TRY(json_read(line, &finding, err));
    const bool known = verdict_find(json_text(json_object_get(finding, "verdict")), &verdict) &&
                       affected_find(json_text(json_object_get(finding, "affected")), &affected);
    json_decref(finding);
    if (!known) {
        return err_set(err, ERR_UNPROCESSABLE, "a line is no finding");
    }
    merge->findings++;
    merge->verdicts[verdict]++;
    merge->affected[affected]++;
    return ERR_OK;
}

static enum err_code on_finding(void *context, struct str line, struct err *err)
{
    struct merge *merge = context;
    TRY(count_finding(merge, line, err));
    if (stella_artifact_write(merge->out, line.ptr, line.len, &merge->error) != STELLA_OK) {
        return err_set(err, ERR_IO, "%s", merge->error.message);
    }
    return ERR_OK;
}

static int32_t merge_findings(struct merge *merge)
{
    int32_t end = each_input(merge, "findings.part.jsonl", take_part);
    end = end == GO_ON ? open_out(merge, "findings.jsonl", "application/jsonl") : end;
    if (end != GO_ON) {
        return end;
    }
    const struct finding_sink sink = {merge, on_finding};
    if (finding_merge(merge->parts.v, merge->parts.n, sink, &merge->err) != ERR_OK) {
        return not_merged(merge);
    }
    return close_out(merge);
}

/* ---- outcomes ---- */

static int32_t take_outcomes(struct merge *merge, struct str bytes)
{
    struct str rest = bytes;
    struct str line;
    while (str_split(&rest, '\n', &line)) {
        json_t *outcome = NULL;
        if (line.len == 0) {
            continue;
        }
        if (json_read(line, &outcome, &merge->err) != ERR_OK) {
            return not_merged(merge);
        }
        const struct outcome_line item = {
            arena_str(&merge->arena, json_text(json_object_get(outcome, "path"))),
            {line.ptr, line.len + 1},
        };
        json_decref(outcome);
        VEC_PUSH(&merge->arena, &merge->outcomes, item);
    }
    return GO_ON;
}

static int by_path(const void *a, const void *b)
{
    const struct outcome_line *left = a;
    const struct outcome_line *right = b;
    const int order = str_cmp(left->path, right->path);
    return order != 0 ? order : str_cmp(left->line, right->line);
}

static int32_t count_outcome(struct merge *merge, struct str line)
{
    json_t *outcome = NULL;
    if (json_read(line, &outcome, &merge->err) != ERR_OK) {
        return not_merged(merge);
    }
    const struct str word = json_text(json_object_get(outcome, "outcome"));
    const char *class = json_string_value(json_object_get(outcome, "class"));
    merge->accepted += str_eq(word, STR("accepted"));
    merge->warned += str_eq(word, STR("warnings"));
    if (class != NULL) {
        const json_int_t n = json_integer_value(json_object_get(merge->quarantined, class));
        (void)json_object_set_new(merge->quarantined, class, json_integer(n + 1));
    }
    json_decref(outcome);
    return GO_ON;
}

/* By path; what was said twice (a job that ran again) counts once. */
static void sort_outcomes(struct merge *merge)
{
    if (merge->outcomes.n < 2) {
        return;
    }
    struct outcome_line *v = merge->outcomes.v;
    qsort(v, merge->outcomes.n, sizeof(*v), by_path);
    size_t kept = 1;
    for (size_t i = 1; i < merge->outcomes.n; i++) {
        if (by_path(&v[i], &v[kept - 1]) != 0) {
            v[kept++] = v[i];
        }
    }
    merge->outcomes.n = kept;
}

static int32_t merge_outcomes(struct merge *merge)
{
    int32_t end = each_input(merge, "outcomes.jsonl", take_outcomes);
    end = end == GO_ON ? open_out(merge, "outcomes.jsonl", "application/jsonl") : end;
    sort_outcomes(merge);
    for (size_t i = 0; i < merge->outcomes.n && end == GO_ON; i++) {
        const struct str line = merge->outcomes.v[i].line;
        end = count_outcome(merge, line);
        if (end == GO_ON &&
            stella_artifact_write(merge->out, line.ptr, line.len, &merge->error) != STELLA_OK) {
            end = call_failed(merge);
        }
    }
    return end == GO_ON ? close_out(merge) : end;
}

/* ---- summary ---- */

static void put_counts(struct json_writer *w, const struct merge *merge)
{
    JSON_KEY(w, "affected");
    json_put_object(w);
    JSON_INT(w, "no", (int64_t)merge->affected[AFFECTED_NO]);
    JSON_INT(w, "unknown", (int64_t)merge->affected[AFFECTED_UNKNOWN]);
    JSON_INT(w, "yes", (int64_t)merge->affected[AFFECTED_YES]);
    json_put_object_end(w);
    JSON_INT(w, "total", (int64_t)merge->findings);
    JSON_KEY(w, "verdicts");
    json_put_object(w);
    JSON_INT(w, "fail", (int64_t)merge->verdicts[VERDICT_FAIL]);
    JSON_INT(w, "pass", (int64_t)merge->verdicts[VERDICT_PASS]);
    JSON_INT(w, "suppressed", (int64_t)merge->verdicts[VERDICT_SUPPRESSED]);
    JSON_INT(w, "warn", (int64_t)merge->verdicts[VERDICT_WARN]);
    json_put_object_end(w);
}

static void put_summary(struct buf *out, const struct merge *merge)
{
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    JSON_KEY(&w, "documents");
    json_put_object(&w);
    JSON_INT(&w, "accepted", (int64_t)merge->accepted);
    JSON_KEY(&w, "quarantined");
    json_put_value(&w, merge->quarantined);
    JSON_INT(&w, "read", (int64_t)merge->outcomes.n);
    JSON_INT(&w, "warnings", (int64_t)merge->warned);
    json_put_object_end(&w);
    JSON_KEY(&w, "findings");
    json_put_object(&w);
    put_counts(&w, merge);
    json_put_object_end(&w);
    json_put_object_end(&w);
}

static int32_t write_summary(struct merge *merge)
{
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, SUMMARY_BYTES);
    put_summary(&text, merge);
    frame_say(merge->job, STELLA_INFO,
              "%zu documents read, %zu accepted, %zu with warnings; %zu findings, %zu of them fail",
              merge->outcomes.n, (size_t)merge->accepted, (size_t)merge->warned,
              (size_t)merge->findings, (size_t)merge->verdicts[VERDICT_FAIL]);
    if (stella_job_result(merge->job, text.ptr, text.len, &merge->error) != STELLA_OK) {
        return call_failed(merge);
    }
    buf_char(&text, '\n');
    if (stella_job_put_artifact(merge->job, "summary.json", "application/json", text.ptr, text.len,
                                NULL, &merge->error) != STELLA_OK) {
        return call_failed(merge);
    }
    return STELLA_DONE;
}

int32_t policy_merge(void *context, struct stella_job *job)
{
    struct merge merge = {.job = job, .quarantined = json_object()};
    (void)context;
    arena_init(&merge.arena, ARENA_BYTES);
    int32_t end = merge_findings(&merge);
    end = end == GO_ON ? merge_outcomes(&merge) : end;
    end = end == GO_ON ? write_summary(&merge) : end;
    stella_artifact_discard(merge.out);
    json_decref(merge.quarantined);
    arena_fini(&merge.arena);
    return end;
}
