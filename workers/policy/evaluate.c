/* policy.evaluate: some SBOMs against everything that the run knows. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "workers/frame/frame.h"
#include "workers/lib/match.h"
#include "workers/policy/inputs.h"
#include "workers/policy/jobs.h"

enum { INDEX_BYTES = 1024 * 1024 * 1024, ARENA_BYTES = 1024 * 1024 * 1024, RESULT_BYTES = 8192 };

enum { GO_ON = -1 }; /* No outcome yet: an enum stella_outcome is never negative. */

struct evaluate {
    struct stella_job *job;
    struct arena arena;
    struct map wanted; /* SBOM path to where its observation line goes. */
    VEC(struct str *) sboms;
    struct policy policy;
    struct subjects subjects;
    struct match_index *index;
    struct match_counts counts;
    VEC(struct str) findings;
    struct stella_error error;
    struct err err;
};

static int32_t bad_order(struct evaluate *evaluate, const char *message)
{
    return stella_job_fail(evaluate->job, "bad_payload", message, 1, 0);
}

static int32_t call_failed(struct evaluate *evaluate)
{
    const int32_t code = evaluate->error.code;
    if (code == STELLA_LEASE_LOST || code == STELLA_STOPPED) {
        return STELLA_RELEASED;
    }
    return stella_job_fail(evaluate->job, "artifact", evaluate->error.message,
                           code == STELLA_USAGE || code == STELLA_MEMORY, 0);
}

static int32_t not_evaluated(struct evaluate *evaluate)
{
    return stella_job_fail(evaluate->job, err_info(evaluate->err.code)->name, evaluate->err.message,
                           !err_info(evaluate->err.code)->retryable, 0);
}

/* ---- what is asked ---- */

static struct str canonical(struct arena *arena, const json_t *value)
{
    struct json_writer w;
    struct buf text;
    buf_init(&text, ARENA_BYTES / 4);
    json_begin(&w, &text);
    json_put_value(&w, value);
    const struct str kept = arena_str(arena, buf_get(&text));
    buf_fini(&text);
    return kept;
}

static int32_t take_sboms(struct evaluate *evaluate, const json_t *list)
{
    const size_t n = json_array_size(list);
    if (n == 0 || n > POLICY_SBOMS_MAX) {
        return bad_order(evaluate, "sboms must be a list of 1 to 1000 texts");
    }
    for (size_t i = 0; i < n; i++) {
        const struct str path = json_text(json_array_get(list, i));
        struct str *line = arena_new(&evaluate->arena, struct str);
        if (path.len == 0) {
            return bad_order(evaluate, "sboms must be a list of texts");
        }
        map_put_str(&evaluate->arena, &evaluate->wanted, arena_str(&evaluate->arena, path), line);
        VEC_PUSH(&evaluate->arena, &evaluate->sboms, line);
    }
    return GO_ON;
}

static int32_t take_policy(struct evaluate *evaluate, const json_t *document)
{
    const bool shipped = document == NULL || json_is_null(document);
    const struct str text = shipped ? policy_default_text() : canonical(&evaluate->arena, document);
    const enum err_code code =
        policy_read(&evaluate->arena, text, &evaluate->policy, &evaluate->err);
    return code == ERR_OK ? GO_ON : bad_order(evaluate, evaluate->err.message);
}

static int32_t take_subjects(struct evaluate *evaluate)
{
    struct str text;
    json_t *source = NULL;
    text.ptr = stella_job_source_config(evaluate->job, &text.len);
    if (text.len > 0 && json_read(text, &source, &evaluate->err) != ERR_OK) {
        return bad_order(evaluate, evaluate->err.message);
    }
    const json_t *subjects = json_object_get(source, "subjects");
    const struct str list =
        json_is_object(subjects) ? canonical(&evaluate->arena, subjects) : STR("");
    json_decref(source);
    const enum err_code code =
        subjects_read(&evaluate->arena, list, &evaluate->subjects, &evaluate->err);
    return code == ERR_OK ? GO_ON : bad_order(evaluate, evaluate->err.message);
}

static int32_t read_order(struct evaluate *evaluate)
{
    struct str text;
    json_t *payload = NULL;
    text.ptr = stella_job_payload(evaluate->job, &text.len);
    if (json_read(text, &payload, &evaluate->err) != ERR_OK) {
        return bad_order(evaluate, evaluate->err.message);
    }
    int32_t end = take_sboms(evaluate, json_object_get(payload, "sboms"));
    end = end == GO_ON ? take_policy(evaluate, json_object_get(payload, "policy")) : end;
    end = end == GO_ON ? take_subjects(evaluate) : end;
    json_decref(payload);
    return end;
}

/* ---- what is known ---- */

/* Keeps the line of an SBOM that is wanted. False when the line is no observation. */
static bool keep_sbom(struct evaluate *evaluate, struct str line, bool *out_is_sbom)
{
    json_t *observation = NULL;
    if (json_read(line, &observation, &evaluate->err) != ERR_OK) {
        return false;
    }
    *out_is_sbom = str_eq(json_text(json_object_get(observation, "kind")), STR("sbom"));
    struct str *wanted =
        map_find_str(&evaluate->wanted, json_text(json_object_get(observation, "path")));
    if (*out_is_sbom && wanted != NULL) {
        *wanted = arena_str(&evaluate->arena, line);
    }
    json_decref(observation);
    return true;
}

/* One artifact is of one kind: its job read one kind of documents. */
static int32_t take_observations(struct evaluate *evaluate, struct str lines)
{
    struct str rest = lines;
    struct str line;
    bool are_sboms = true;
    while (are_sboms && str_split(&rest, '\n', &line)) {
        if (line.len > 0 && !keep_sbom(evaluate, line, &are_sboms)) {
            return not_evaluated(evaluate);
        }
    }
    if (!are_sboms && match_add_lines(evaluate->index, lines, &evaluate->err) != ERR_OK) {
        return not_evaluated(evaluate);
    }
    return GO_ON;
}

static int32_t load_observations(struct evaluate *evaluate)
{
    struct inputs inputs;
    if (inputs_list(evaluate->job, &evaluate->arena, "observations.jsonl", &inputs,
                    &evaluate->error) != STELLA_OK) {
        return call_failed(evaluate);
    }
    for (size_t i = 0; i < inputs.items.n; i++) {
        CLEANUP(buf_fini) struct buf lines;
        if (stella_job_stopped(evaluate->job) != STELLA_STOP_NONE) {
            return STELLA_RELEASED;
        }
        if (inputs_load(evaluate->job, &inputs, i, &lines, &evaluate->error) != STELLA_OK) {
            return call_failed(evaluate);
        }
        const int32_t end = take_observations(evaluate, buf_get(&lines));
        if (end != GO_ON) {
            return end;
        }
    }
    for (size_t i = 0; i < evaluate->sboms.n; i++) {
        if (evaluate->sboms.v[i]->len == 0) {
            return stella_job_fail(evaluate->job, "missing_input",
                                   "an SBOM of the payload was not ingested in this run", 1, 0);
        }
    }
    return GO_ON;
}

/* ---- the answer ---- */

static enum err_code collect(void *context, struct str line, struct err *err)
{
    struct evaluate *evaluate = context;
    if (arena_used(&evaluate->arena) + line.len > ARENA_BYTES / 2) {
        return err_set(err, ERR_OUT_OF_BOUNDS, "too many findings in one job");
    }
    const struct str kept = arena_str(&evaluate->arena, line);
    VEC_PUSH(&evaluate->arena, &evaluate->findings, kept);
    return ERR_OK;
}

static enum err_code write_line(void *context, struct str line, struct err *err)
{
    struct stella_error error = {0};
    if (stella_artifact_write(context, line.ptr, line.len, &error) != STELLA_OK) {
        return err_set(err, ERR_IO, "%s", error.message);
    }
    return ERR_OK;
}

static int32_t match_all(struct evaluate *evaluate)
{
    const struct finding_sink sink = {evaluate, collect};
    for (size_t i = 0; i < evaluate->sboms.n; i++) {
        if (stella_job_stopped(evaluate->job) != STELLA_STOP_NONE) {
            return STELLA_RELEASED;
        }
        if (match_sbom(evaluate->index, *evaluate->sboms.v[i], &evaluate->policy,
                       &evaluate->subjects, sink, &evaluate->counts, &evaluate->err) != ERR_OK) {
            return not_evaluated(evaluate);
        }
        stella_job_progress(evaluate->job, i + 1, evaluate->sboms.n, NULL);
    }
    return GO_ON;
}

static int32_t write_findings(struct evaluate *evaluate)
{
    struct stella_artifact *artifact = NULL;
    if (stella_artifact_open(evaluate->job, "findings.part.jsonl", "application/jsonl", &artifact,
                             &evaluate->error) != STELLA_OK) {
        return call_failed(evaluate);
    }
    const struct finding_sink sink = {artifact, write_line};
    if (finding_sort(evaluate->findings.v, evaluate->findings.n, sink, &evaluate->err) != ERR_OK) {
        stella_artifact_discard(artifact);
        return not_evaluated(evaluate);
    }
    const int32_t code = stella_artifact_close(artifact, NULL, &evaluate->error);
    return code == STELLA_OK ? GO_ON : call_failed(evaluate);
}

static void put_result(struct buf *out, const struct evaluate *evaluate)
{
    static const enum verdict sorted[VERDICT_COUNT] = {VERDICT_FAIL, VERDICT_PASS,
                                                       VERDICT_SUPPRESSED, VERDICT_WARN};

    char digest[SHA256_HEX + 1];
    struct json_writer w;
    sha256_format(&evaluate->policy.digest, digest);
    json_begin(&w, out);
    json_put_object(&w);
    JSON_INT(&w, "components", (int64_t)evaluate->counts.components);
    JSON_INT(&w, "evaluated", (int64_t)evaluate->counts.evaluated);
    JSON_INT(&w, "findings", (int64_t)evaluate->counts.findings);
    JSON_KEY(&w, "policy");
    json_put_object(&w);
    JSON_STR(&w, "id", evaluate->policy.id);
    JSON_STR(&w, "sha256", str_from(digest));
    JSON_STR(&w, "version", evaluate->policy.version);
    json_put_object_end(&w);
    JSON_INT(&w, "sboms", (int64_t)evaluate->sboms.n);
    JSON_KEY(&w, "verdicts");
    json_put_object(&w);
    for (int i = 0; i < VERDICT_COUNT; i++) {
        json_put_key(&w, str_from(verdict_name(sorted[i])));
        json_put_int(&w, (int64_t)evaluate->counts.verdicts[sorted[i]]);
    }
    json_put_object_end(&w);
    json_put_object_end(&w);
}

static int32_t set_result(struct evaluate *evaluate)
{
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, RESULT_BYTES);
    put_result(&text, evaluate);
    frame_say(evaluate->job, STELLA_INFO,
              "policy %.*s %.*s: %zu SBOMs, %zu components, %zu findings, %zu of them fail",
              STR_ARG(evaluate->policy.id), STR_ARG(evaluate->policy.version), evaluate->sboms.n,
              (size_t)evaluate->counts.components, (size_t)evaluate->counts.findings,
              (size_t)evaluate->counts.verdicts[VERDICT_FAIL]);
    const int32_t code = stella_job_result(evaluate->job, text.ptr, text.len, &evaluate->error);
    return code == STELLA_OK ? STELLA_DONE : call_failed(evaluate);
}

int32_t policy_evaluate(void *context, struct stella_job *job)
{
    struct evaluate evaluate = {.job = job};
    (void)context;
    arena_init(&evaluate.arena, ARENA_BYTES);
    evaluate.index = match_index_new(INDEX_BYTES);
    int32_t end = read_order(&evaluate);
    end = end == GO_ON ? load_observations(&evaluate) : end;
    end = end == GO_ON ? match_all(&evaluate) : end;
    end = end == GO_ON ? write_findings(&evaluate) : end;
    end = end == GO_ON ? set_result(&evaluate) : end;
    match_index_free(evaluate.index);
    arena_fini(&evaluate.arena);
    return end;
}
