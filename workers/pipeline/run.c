#include "workers/pipeline/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "platform/clock.h"

enum { PATH_BYTES = 512, WATCH_MS = 200, BODY_MAX = 64 * 1024 * 1024 };

const char *const run_states[RUN_STATES] = {"blocked",   "pending", "leased",  "running",
                                            "succeeded", "dead",    "canceled"};

static bool say(const char *what, const char *detail)
{
    (void)fprintf(stderr, "stella-pipeline: %s: %s\n", what, detail);
    return false;
}

/* Calls and parses the answer; null, and said, when that failed. The caller owns it. */
static json_t *call_json(struct api *api, const struct api_call *call)
{
    struct api_answer answer;
    struct err err = {0};
    json_t *root = NULL;
    if (api_call(api, call, &answer) && json_read(buf_get(&answer.body), &root, &err) != ERR_OK) {
        (void)say(call->path, err.message);
    }
    buf_fini(&answer.body);
    return root;
}

/* ---- set up ---- */

enum { PUT_TRIES = 5 };

/* Puts a thing whose ETag is `etag`, or that is not there. False when that failed; `out_stale` when
 * it is another one by now, perhaps by our own earlier try whose answer was lost. */
static bool put_once(struct api *api, const char *path, struct str body, const char *etag,
                     bool *out_stale)
{
    struct api_answer answer;
    const struct api_call put = {
        .method = "PUT", .path = path, .body = body, .if_match = etag, .stale_is_fine = true};
    const bool fine = api_call(api, &put, &answer);
    *out_stale = fine && (answer.status < 200 || answer.status > 299);
    buf_fini(&answer.body);
    return fine;
}

/* Puts a thing by its name: made when it is not there, replaced when `replace`. */
static bool put_named(struct api *api, const char *path, struct str body, bool replace)
{
    for (int tries = 0; tries < PUT_TRIES; tries++) {
        struct api_answer found;
        bool stale = false;
        const struct api_call get = {.method = "GET", .path = path, .missing_is_fine = true};
        bool fine = api_call(api, &get, &found);
        const bool there = found.status == 200;
        if (fine && (!there || replace)) {
            fine = put_once(api, path, body, there ? found.etag : NULL, &stale);
        }
        buf_fini(&found.body);
        if (!fine || !stale) {
            return fine;
        }
    }
    return say(path, "is being changed by somebody else");
}

bool run_prepare(struct api *api, const struct plan *plan, const char *url, const json_t *subjects)
{
    static const char *const types[] = {"advisory.ingest", "vex.ingest", "sbom.ingest",
                                        "policy.evaluate", "policy.merge"};
    char path[PATH_BYTES];
    bool fine = true;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types) && fine; i++) {
        (void)snprintf(path, sizeof(path), "/job-types/%s", types[i]);
        fine = put_named(api, path, STR("{}"), false);
    }
    for (int i = 0; i < PLAN_SOURCES && fine; i++) {
        const struct plan_source *source = &plan->sources[i];
        CLEANUP(buf_fini) struct buf body;
        buf_init(&body, BODY_MAX);
        plan_put_source(&body, source, url, source == plan->sboms ? subjects : NULL);
        (void)snprintf(path, sizeof(path), "/sources/%s", source->name);
        fine = put_named(api, path, buf_get(&body), true);
    }
    return fine;
}

bool run_submit(struct api *api, struct plan *plan, const struct plan_options *options,
                struct run *out)
{
    CLEANUP(buf_fini) struct buf body;
    memset(out, 0, sizeof(*out));
    buf_init(&body, BODY_MAX);
    plan_put_run(&body, plan, options);
    if (body.overflow) {
        return say("the run", "is too large; use larger batches");
    }
    const struct api_call call = {
        .method = "POST", .path = "/runs", .body = buf_get(&body), .idempotent = true};
    json_t *answer = call_json(api, &call);
    const char *id = json_string_value(json_object_get(answer, "id"));
    (void)snprintf(out->id, sizeof(out->id), "%s", id != NULL ? id : "");
    json_decref(answer);
    return out->id[0] != '\0';
}

/* ---- watching ---- */

static bool look(struct api *api, struct run *run)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/runs/%s", run->id);
    const struct api_call call = {.method = "GET", .path = path};
    json_t *answer = call_json(api, &call);
    if (answer == NULL) {
        return false;
    }
    const json_t *counts = json_object_get(answer, "counts");
    const char *state = json_string_value(json_object_get(answer, "state"));
    run->total = json_integer_value(json_object_get(answer, "total"));
    (void)snprintf(run->state, sizeof(run->state), "%s", state != NULL ? state : "");
    for (int i = 0; i < RUN_STATES; i++) {
        run->counts[i] = json_integer_value(json_object_get(counts, run_states[i]));
    }
    json_decref(answer);
    return run->state[0] != '\0' || say(path, "the answer names no state");
}

static void show(const struct run *run, bool terminal)
{
    (void)fprintf(stderr, terminal ? "\r%s" : "%s", run->id);
    for (int i = 0; i < RUN_STATES; i++) {
        (void)fprintf(stderr, "  %s %" PRId64, run_states[i], run->counts[i]);
    }
    (void)fprintf(stderr, terminal ? "   " : "\n");
    (void)fflush(stderr);
}

bool run_watch(struct api *api, struct run *run)
{
    const bool terminal = isatty(STDERR_FILENO) == 1;
    struct run before = {0};
    bool fine = true;
    do {
        fine = look(api, run);
        if (fine && memcmp(before.counts, run->counts, sizeof(run->counts)) != 0) {
            show(run, terminal);
            before = *run;
        }
        if (fine && strcmp(run->state, "active") == 0) {
            clock_pause(WATCH_MS * US_PER_MS); /* Only politeness: the next look decides. */
        }
    } while (fine && strcmp(run->state, "active") == 0);
    if (terminal) {
        (void)fprintf(stderr, "\n");
    }
    return fine;
}

/* ---- listings ---- */

bool run_each(struct api *api, const char *list, void *context,
              bool (*each)(void *context, const json_t *item))
{
    char cursor[PATH_BYTES] = "";
    bool fine = true;
    do {
        char path[2 * PATH_BYTES + 16];
        const char joint = strchr(list, '?') != NULL ? '&' : '?';
        (void)snprintf(path, sizeof(path), "%s%climit=1000%s%s", list, joint,
                       cursor[0] != '\0' ? "&cursor=" : "", cursor);
        const struct api_call call = {.method = "GET", .path = path};
        json_t *page = call_json(api, &call);
        const json_t *items = json_object_get(page, "items");
        const char *next = json_string_value(json_object_get(page, "next_cursor"));
        fine = page != NULL;
        for (size_t i = 0; fine && i < json_array_size(items); i++) {
            fine = each(context, json_array_get(items, i));
        }
        (void)snprintf(cursor, sizeof(cursor), "%s", next != NULL ? next : "");
        json_decref(page);
    } while (fine && cursor[0] != '\0');
    return fine;
}

static const char *text_of(const json_t *item, const char *key)
{
    const char *value = json_string_value(json_object_get(item, key));
    return value != NULL ? value : "";
}

struct explain {
    struct api *api;
    size_t shown;
};

static bool show_failure(void *context, const json_t *line)
{
    (void)context;
    const char *type = text_of(line, "type");
    if (strstr(type, "fail") == NULL && strstr(type, "dead") == NULL &&
        strstr(type, "lapse") == NULL) {
        return true;
    }
    char *facts = json_dumps(json_object_get(line, "facts"), JSON_COMPACT | JSON_SORT_KEYS);
    (void)fprintf(stderr, "    %s %s %.500s\n", text_of(line, "at"), type,
                  facts != NULL ? facts : "");
    free(facts);
    return true;
}

static bool explain_job(void *context, const json_t *job)
{
    struct explain *explain = context;
    const char *state = text_of(job, "state");
    if (strcmp(state, "succeeded") == 0 || explain->shown >= 10) {
        return true;
    }
    explain->shown++;
    (void)fprintf(stderr, "  %s %s %s: %s\n", text_of(job, "id"), text_of(job, "name"),
                  text_of(job, "type"), state);
    char list[PATH_BYTES];
    (void)snprintf(list, sizeof(list), "/jobs/%s/history", text_of(job, "id"));
    return run_each(explain->api, list, NULL, show_failure);
}

bool run_explain(struct api *api, const struct run *run)
{
    char list[PATH_BYTES];
    struct explain explain = {.api = api};
    (void)fprintf(stderr, "stella-pipeline: %s ended as %s; jobs that did not succeed:\n", run->id,
                  run->state);
    (void)snprintf(list, sizeof(list), "/runs/%s/jobs", run->id);
    return run_each(api, list, &explain, explain_job);
}
