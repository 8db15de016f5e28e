#include "workers/ingest/ingest.h"

#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "workers/frame/frame.h"
#include "workers/lib/observation.h"

enum {
    LINES_MAX = OBSERVATION_MAX + OBSERVATION_QUARANTINE_ROOM,
    DOCUMENT_ARENA = 2000 * 1024 * 1024,
    RAW_NAME_MAX = 190,
    RAW_TAIL = 120,
    RESULT_BYTES = 8192,
    LINE_BYTES = 64 * 1024
};

/* What the payload and the source say. */
struct order {
    json_t *payload;
    json_t *source;
    const json_t *paths;
    struct str url;
    bool keep_raw;
};

struct ingest {
    struct stella_job *job;
    enum document_kind kind;
    struct order order;
    struct fetch *fetch;
    struct stella_artifact *observations;
    struct stella_artifact *outcomes;
    size_t read;
    size_t outcome_counts[OBSERVATION_QUARANTINED + 1];
    size_t quarantines[QUARANTINE_COUNT];
    struct stella_error error;
};

/* One document on its way. */
struct document {
    struct str path;
    struct arena arena;
    struct buf line; /* Its observation, then its outcome. */
    struct observation_summary summary;
    char sha256[SHA256_HEX + 1];
};

enum { GO_ON = -1 }; /* No outcome yet: an enum stella_outcome is never negative. */

static int32_t bad_order(struct stella_job *job, const char *message)
{
    return stella_job_fail(job, "bad_payload", message, 1, 0);
}

/* GO_ON, or how the job ends. */
static int32_t read_order(struct ingest *ingest)
{
    struct order *order = &ingest->order;
    struct err err = {0};
    struct str text;
    text.ptr = stella_job_payload(ingest->job, &text.len);
    if (json_read(text, &order->payload, &err) != ERR_OK) {
        return bad_order(ingest->job, err.message);
    }
    text.ptr = stella_job_source_config(ingest->job, &text.len);
    if (json_read(text, &order->source, &err) != ERR_OK) {
        return bad_order(ingest->job, "the job has no source");
    }
    order->paths = json_object_get(order->payload, "paths");
    order->url = json_text(json_object_get(order->source, "url"));
    order->keep_raw = !json_is_false(json_object_get(order->payload, "keep_raw"));
    if (order->url.len == 0) {
        return bad_order(ingest->job, "the source has no url");
    }
    const size_t n = json_array_size(order->paths);
    if (n == 0 || n > INGEST_PATHS_MAX) {
        return bad_order(ingest->job, "paths must be a list of 1 to 998 texts");
    }
    for (size_t i = 0; i < n; i++) {
        if (!json_is_string(json_array_get(order->paths, i))) {
            return bad_order(ingest->job, "paths must be a list of texts");
        }
    }
    return GO_ON;
}

/* A call to the orchestrator failed. */
static int32_t call_failed(struct ingest *ingest)
{
    const int32_t code = ingest->error.code;
    if (code == STELLA_LEASE_LOST || code == STELLA_STOPPED) {
        return STELLA_RELEASED;
    }
    return stella_job_fail(ingest->job, "artifact", ingest->error.message,
                           code == STELLA_USAGE || code == STELLA_MEMORY, 0);
}

static int32_t not_fetched(struct ingest *ingest, struct str path,
                           const struct fetch_result *result)
{
    char message[FETCH_MESSAGE + RAW_NAME_MAX];
    if (result->verdict == FETCH_THROTTLED) {
        return stella_job_throttle(ingest->job, result->host, (uint32_t)result->retry_after_ms);
    }
    if (result->is_overloaded) {
        stella_job_overload_seen(ingest->job);
    }
    (void)snprintf(message, sizeof(message), "%.*s: %s",
                   path.len < RAW_NAME_MAX ? (int)path.len : 40, path.ptr, result->message);
    return stella_job_fail(ingest->job, result->error_class, message, result->permanent, 0);
}

/* "raw/" and the path. One that cannot be an artifact's name is told apart by its hash, so that two
 * of them never become one. */
static struct str raw_name(struct arena *arena, struct str path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+-";
    char hex[SHA256_HEX + 1];
    char tail[RAW_TAIL + 1];
    const struct str end =
        path.len > RAW_TAIL ? str_slice(path, path.len - RAW_TAIL, path.len) : path;
    bool same = path.len <= RAW_NAME_MAX;
    for (size_t i = 0; i < path.len; i++) {
        same = same && path.ptr[i] != '\0' && strchr(plain, path.ptr[i]) != NULL;
    }
    if (same) {
        return arena_format(arena, "raw/%.*s", STR_ARG(path));
    }
    for (size_t i = 0; i < end.len; i++) {
        const char c = end.ptr[i];
        tail[i] = c != '\0' && c != '/' && strchr(plain, c) != NULL ? c : '_';
    }
    tail[end.len] = '\0';
    const struct sha256 digest = sha256_of(path);
    sha256_format(&digest, hex);
    return arena_format(arena, "raw/_/%.16s-%s", hex, tail);
}

static int32_t keep_raw(struct ingest *ingest, struct document *document, struct str bytes)
{
    const struct str name = raw_name(&document->arena, document->path);
    const int32_t code = stella_job_put_artifact(ingest->job, name.ptr, "application/octet-stream",
                                                 bytes.ptr, bytes.len, NULL, &ingest->error);
    return code == STELLA_OK ? GO_ON : call_failed(ingest);
}

static void put_outcome(struct document *document)
{
    const struct observation_summary *summary = &document->summary;
    struct json_writer w;
    buf_reset(&document->line);
    json_begin(&w, &document->line);
    json_put_object(&w);
    if (summary->outcome == OBSERVATION_QUARANTINED) {
        JSON_STR(&w, "class", str_from(quarantine_info(summary->quarantine)->name));
    } else {
        JSON_NULL(&w, "class");
    }
    JSON_STR(&w, "format", str_from(document_format_name(summary->format)));
    JSON_STR(&w, "outcome", str_from(observation_outcome_name(summary->outcome)));
    JSON_STR(&w, "path", document->path);
    JSON_STR(&w, "sha256", str_from(document->sha256));
    JSON_INT(&w, "warnings", (int64_t)summary->warnings);
    json_put_object_end(&w);
    buf_char(&document->line, '\n');
}

static int32_t append(struct ingest *ingest, struct stella_artifact *artifact,
                      const struct buf *line)
{
    const int32_t code = stella_artifact_write(artifact, line->ptr, line->len, &ingest->error);
    return code == STELLA_OK ? GO_ON : call_failed(ingest);
}

static int32_t observe(struct ingest *ingest, struct document *document, struct str bytes)
{
    const struct sha256 digest = sha256_of(bytes);
    sha256_format(&digest, document->sha256);
    const struct observation_source source = {
        .kind = ingest->kind,
        .path = document->path,
        .bytes = bytes,
        .sha256 = str_from(document->sha256),
    };
    observe_document(&document->arena, &source, &document->line, &document->summary);
    ingest->read++;
    ingest->outcome_counts[document->summary.outcome]++;
    if (document->summary.outcome == OBSERVATION_QUARANTINED) {
        ingest->quarantines[document->summary.quarantine]++;
    }
    int32_t end = append(ingest, ingest->observations, &document->line);
    if (end == GO_ON) {
        put_outcome(document);
        end = append(ingest, ingest->outcomes, &document->line);
    }
    if (end == GO_ON && ingest->order.keep_raw) {
        end = keep_raw(ingest, document, bytes);
    }
    return end;
}

/* What somebody who looks for a document wants to know of it. */
static void say_outcome(struct ingest *ingest, const struct document *document)
{
    const struct observation_summary *summary = &document->summary;
    if (summary->outcome == OBSERVATION_QUARANTINED) {
        frame_say(ingest->job, STELLA_WARNING, "%.*s: quarantined, %s: %.*s%s%.*s",
                  STR_ARG(document->path), quarantine_info(summary->quarantine)->name,
                  STR_ARG(summary->detail), summary->pointer.len > 0 ? " at " : "",
                  STR_ARG(summary->pointer));
    } else if (summary->warnings > 0) {
        frame_say(ingest->job, STELLA_INFO, "%.*s: accepted with %zu warnings, the first is %.*s",
                  STR_ARG(document->path), summary->warnings, STR_ARG(summary->first_rule));
    }
}

static void say_totals(struct ingest *ingest)
{
    frame_say(ingest->job, STELLA_INFO,
              "%zu documents read: %zu accepted, %zu with warnings, %zu quarantined", ingest->read,
              ingest->outcome_counts[OBSERVATION_ACCEPTED],
              ingest->outcome_counts[OBSERVATION_WARNINGS],
              ingest->outcome_counts[OBSERVATION_QUARANTINED]);
}

static int32_t one_document(struct ingest *ingest, struct str path)
{
    struct fetch_result fetched;
    struct document document = {.path = path};
    if (stella_job_take_requests(ingest->job, 1, &ingest->error) != STELLA_OK) {
        return STELLA_RELEASED;
    }
    fetch_get(ingest->fetch, ingest->order.url, path, &fetched);
    int32_t end = GO_ON;
    if (fetched.requests > 1) { /* Redirects are requests too; these have been made already. */
        (void)stella_job_take_requests(ingest->job, fetched.requests - 1, &ingest->error);
    }
    if (fetched.has_limit) {
        stella_job_limit_seen(ingest->job, (uint64_t)fetched.limit.remaining,
                              (uint32_t)fetched.limit.reset_ms);
    }
    if (fetched.verdict != FETCH_OK) {
        end = not_fetched(ingest, path, &fetched);
    } else {
        frame_say(ingest->job, STELLA_DEBUG, "%.*s: %s, %zu bytes", STR_ARG(path),
                  fetched.from_cache ? "not modified" : "fetched", fetched.body.len);
        arena_init(&document.arena, DOCUMENT_ARENA);
        buf_init(&document.line, LINES_MAX);
        end = observe(ingest, &document, buf_get(&fetched.body));
        say_outcome(ingest, &document);
        buf_fini(&document.line);
        arena_fini(&document.arena);
    }
    buf_fini(&fetched.body);
    return end;
}

static int32_t all_documents(struct ingest *ingest)
{
    const size_t n = json_array_size(ingest->order.paths);
    for (size_t i = 0; i < n; i++) {
        if (stella_job_stopped(ingest->job) != STELLA_STOP_NONE) {
            return STELLA_RELEASED;
        }
        const int32_t end = one_document(ingest, json_text(json_array_get(ingest->order.paths, i)));
        if (end != GO_ON) {
            return end;
        }
        stella_job_progress(ingest->job, i + 1, n, NULL);
    }
    return GO_ON;
}

static void put_quarantines(struct json_writer *w, const struct ingest *ingest)
{
    json_t *counts = json_object(); /* Sorted by the writer. */
    CHECK(counts != NULL);
    for (int i = QUARANTINE_NONE + 1; i < QUARANTINE_COUNT; i++) {
        if (ingest->quarantines[i] > 0) {
            (void)json_object_set_new(counts, quarantine_info((enum quarantine)i)->name,
                                      json_integer((json_int_t)ingest->quarantines[i]));
        }
    }
    JSON_KEY(w, "quarantined");
    json_put_value(w, counts);
    json_decref(counts);
}

static int32_t set_result(struct ingest *ingest)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    buf_init(&text, RESULT_BYTES);
    json_begin(&w, &text);
    json_put_object(&w);
    JSON_INT(&w, "accepted", (int64_t)ingest->outcome_counts[OBSERVATION_ACCEPTED]);
    put_quarantines(&w, ingest);
    JSON_INT(&w, "read", (int64_t)ingest->read);
    JSON_INT(&w, "warnings", (int64_t)ingest->outcome_counts[OBSERVATION_WARNINGS]);
    json_put_object_end(&w);
    say_totals(ingest);
    const int32_t code = stella_job_result(ingest->job, text.ptr, text.len, &ingest->error);
    return code == STELLA_OK ? STELLA_DONE : call_failed(ingest);
}

/* Uploads one of the two; the handle is gone afterwards. */
static int32_t close_artifact(struct ingest *ingest, struct stella_artifact **artifact)
{
    const int32_t code = stella_artifact_close(*artifact, NULL, &ingest->error);
    *artifact = NULL;
    return code == STELLA_OK ? GO_ON : call_failed(ingest);
}

static int32_t work(struct ingest *ingest)
{
    struct stella_job *job = ingest->job;
    struct stella_error *error = &ingest->error;
    if (stella_artifact_open(job, "observations.jsonl", "application/jsonl", &ingest->observations,
                             error) != STELLA_OK ||
        stella_artifact_open(job, "outcomes.jsonl", "application/jsonl", &ingest->outcomes,
                             error) != STELLA_OK) {
        return call_failed(ingest);
    }
    int32_t end = all_documents(ingest);
    end = end == GO_ON ? close_artifact(ingest, &ingest->observations) : end;
    end = end == GO_ON ? close_artifact(ingest, &ingest->outcomes) : end;
    return end == GO_ON ? set_result(ingest) : end;
}

int32_t ingest_run(void *context, struct stella_job *job)
{
    const struct frame *frame = context;
    struct ingest ingest = {.job = job, .kind = *(const enum document_kind *)frame->data};
    char message[FETCH_MESSAGE];
    int32_t end = read_order(&ingest);
    if (end == GO_ON) {
        ingest.fetch = fetch_new(&frame->fetch, message);
        if (ingest.fetch == NULL) {
            end = stella_job_fail(job, "io", message, 0, 0);
        } else {
            fetch_keep_to_host(ingest.fetch, stella_job_host(job));
            end = work(&ingest);
        }
    }
    stella_artifact_discard(ingest.observations);
    stella_artifact_discard(ingest.outcomes);
    fetch_free(ingest.fetch);
    json_decref(ingest.order.payload);
    json_decref(ingest.order.source);
    return end;
}
