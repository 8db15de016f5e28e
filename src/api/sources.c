/* api/sources - what operators do with a source: switch it, start it, try it. */
#include <stdatomic.h>
#include <string.h>

#include "api/decode.h"
#include "api/manners.h"
#include "api/pool.h"
#include "api/readiness.h"
#include "api/views.h"

enum { TESTS_MAX = 8 };

/* The document of `name` as it is now, read with what its readiness depends on. */
struct source_read {
    struct str name;
    struct str body; /* Empty when there is no such source. */
    int32_t version;
    const struct readiness *readiness;
};

static void read_source(struct call *call, struct reader *reader)
{
    struct source_read *read = call->state;
    struct known_types types;
    struct query_result found;
    struct query q = tenant_query(call, "sources_of");
    if (reader_query(reader, &q, &found, &call->err) != ERR_OK ||
        readiness_types(call, reader, &types) != ERR_OK) {
        return;
    }
    for (size_t i = 0; i < found.rows; i++) {
        if (str_eq(query_text(&found, i, "name"), read->name)) {
            read->body = query_text(&found, i, "body");
            read->version = (int32_t)query_int(&found, i, "version");
            read->readiness = readiness_of(call, &types, read->name, read->body);
        }
    }
}

static bool is_absent(struct call *call, const struct source_read *read)
{
    if (read->body.len > 0 && read->readiness != NULL) {
        return false;
    }
    call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
    return true;
}

/* Parses what is stored; the document is the call's. */
static bool parse(struct call *call, const struct source_read *read, json_t **out_document,
                  struct source *out)
{
    struct str canonical;
    if (json_read(read->body, out_document, &call->err) == ERR_OK &&
        source_parse(call->arena, read->name, *out_document, out, &canonical, &call->err) ==
            ERR_OK) {
        return true;
    }
    call_refuse(call, ERR_INTERNAL, err_info(ERR_INTERNAL)->title);
    return false;
}

/* ---- On and off ---- */

static void source_is_switched(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        manners_write_failed(call, command->put.version);
        return;
    }
    api_get_source(call);
}

static void switch_source(struct call *call, bool enabled)
{
    struct condition condition;
    struct command *command = call_command(call, COMMAND_SOURCE_SWITCH);
    if (!manners_condition(call, &condition)) {
        return;
    }
    command->put.name = call->args[0];
    command->put.if_version = condition.version;
    command->put.enabled = enabled;
    call_engine(call, QUEUE_CONTROL, command, 1, source_is_switched);
}

void api_enable_source(struct call *call)
{
    switch_source(call, true);
}

void api_disable_source(struct call *call)
{
    switch_source(call, false);
}

/* ---- Trigger ---- */

struct trigger {
    struct source_read read; /* First. */
    json_t *payload;         /* Null: made of the source's paths. */
    json_t *paths;
    int64_t priority;
};

static void job_is_submitted(struct call *call)
{
    const struct command *command = call->request.commands;
    if (command->err.code != ERR_OK) {
        call->err = command->err;
        call_fail(call);
        return;
    }
    manners_live_jobs(call, command->live_max, command->live_left);
    answer_job(call, command->submit.items[0].id, 201);
}

/* What its producer wants: {"paths":[…],"source":NAME}. */
static struct str payload_of(struct call *call, const struct trigger *trigger,
                             const json_t *document)
{
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    const json_t *paths =
        trigger->paths != NULL ? trigger->paths : json_object_get(document, "paths");
    buf_init(&text, 2 * (size_t)call->api->settings->body_bytes);
    json_begin(&w, &text);
    if (trigger->payload != NULL) {
        json_put_value(&w, trigger->payload);
    } else {
        json_put_object(&w);
        if (paths != NULL) {
            JSON_KEY(&w, "paths");
            json_put_value(&w, paths);
        }
        JSON_STR(&w, "source", trigger->read.name);
        json_put_object_end(&w);
    }
    return arena_str(call->arena, buf_get(&text));
}

static void submit(struct call *call, const struct trigger *trigger, const json_t *document,
                   const struct source *source)
{
    struct submit_item *item = arena_new(call->arena, struct submit_item);
    *item = (struct submit_item){
        .job_type = source->job_type,
        .source = trigger->read.name,
        .payload = payload_of(call, trigger, document),
        .priority = (int16_t)trigger->priority,
    };
    submit_digest(item, 1);
    struct command *command = call_command(call, COMMAND_SUBMIT);
    command->request_key = call->request_key;
    if (call->request_key.len > 0) {
        command->request_digest = call_digest(call);
    }
    command->submit =
        (struct submit){.items = item, .count = 1, .error_at = 1, .trigger = trigger->read.name};
    call_engine(call, QUEUE_SUBMITS, command, 1, job_is_submitted);
}

static void trigger_is_read(struct call *call)
{
    const struct trigger *trigger = call->state;
    struct source source;
    json_t *document = NULL;
    if (is_absent(call, &trigger->read)) {
        return;
    }
    const struct readiness *readiness = trigger->read.readiness;
    const struct finding *first = &readiness->findings.v[0];
    /* For want of a worker the job only waits. */
    const bool waits = readiness->state == SOURCE_BLOCKED && readiness->findings.n == 1 &&
                       strcmp(first->code, "no_worker") == 0;
    if (readiness->state != SOURCE_READY && !waits) {
        (void)err_at(&call->err, ERR_SOURCE_NOT_READY, arena_cstr(call->arena, first->pointer),
                     "%s: %.*s. %.*s", first->code, STR_ARG(first->detail), STR_ARG(first->fix));
        call_fail(call);
        return;
    }
    if (parse(call, &trigger->read, &document, &source)) {
        submit(call, trigger, document, &source);
    }
    json_decref(document);
}

void api_trigger_source(struct call *call)
{
    static const struct field fields[] = {
        {"paths", FIELD_ANY, .offset = offsetof(struct trigger, paths)},
        {"payload", FIELD_ANY, .offset = offsetof(struct trigger, payload)},
        {"priority", FIELD_INT, .min = -100, .max = 100,
         .offset = offsetof(struct trigger, priority)},
    };
    struct trigger *trigger = arena_new(call->arena, struct trigger);
    if (decode_body(call->arena, call->exchange->body, fields, sizeof(fields) / sizeof(fields[0]),
                    trigger, &call->document, &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    if (trigger->paths != NULL && !json_is_array(trigger->paths)) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/paths", "must be an array");
        call_fail(call);
        return;
    }
    trigger->read.name = call->args[0];
    call->state = trigger;
    call_read(call, read_source, trigger_is_read);
}

/* ---- Test ---- */

struct test {
    struct source_read read; /* First. */
    struct str path;
    struct str url;
    struct source source;
    struct trial trial;
    bool was_tried;
};

/* On a thread of its own kind. */
static void run_test(struct call *call)
{
    struct test *test = call->state;
    const struct probe_config config = readiness_config(call);
    probe_try(&config, &test->source, test->url, test->path, call->arena, &test->trial);
    test->was_tried = true;
}

static void put_answers(struct json_writer *w, const struct trial *trial)
{
    json_put_array(w);
    for (size_t i = 0; i < trial->answers_n; i++) {
        const struct trial_answer *answer = &trial->answers[i];
        json_put_object(w);
        JSON_STR(w, "content_type", answer->type);
        JSON_BOOL(w, "etag", answer->has_etag);
        JSON_BOOL(w, "last_modified", answer->has_last_modified);
        JSON_INT(w, "status", answer->status);
        JSON_STR(w, "url", answer->url);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_trial(struct json_writer *w, const struct test *test)
{
    const struct trial *trial = &test->trial;
    json_put_object(w);
    JSON_KEY(w, "answers");
    put_answers(w, trial);
    JSON_INT(w, "bytes", trial->bytes);
    JSON_KEY(w, "class");
    if (trial->error_class == NULL) {
        json_put_null(w);
    } else {
        json_put_str(w, str_from(trial->error_class));
    }
    JSON_STR(w, "detail", trial->detail);
    JSON_STR(w, "format", trial->format);
    JSON_STR(w, "host", trial->host);
    JSON_STR(w, "looks_like", trial->type);
    JSON_STR(w, "path", test->path);
    JSON_INT(w, "requests", trial->requests);
    JSON_INT(w, "retry_after_ms", trial->retry_after_ms);
    json_put_object_end(w);
}

static void answer_test(struct call *call)
{
    const struct test *test = call->state;
    if (test->was_tried) {
        (void)atomic_fetch_sub(&call->api->tests, 1);
    }
    if (call->err.code != ERR_OK) {
        call_fail(call);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_BOOL(&w, "ok", test->was_tried && test->trial.reached);
    JSON_KEY(&w, "readiness");
    readiness_put(&w, test->read.readiness);
    JSON_KEY(&w, "trial");
    if (test->was_tried) {
        put_trial(&w, test);
    } else {
        json_put_null(&w);
    }
    JSON_INT(&w, "version", test->read.version);
    json_put_object_end(&w);
    call_answer(call, 200);
}

/* What its first document is called, unless the request says. */
static void take_place(struct call *call, struct test *test, const json_t *document)
{
    const json_t *paths = json_object_get(document, "paths");
    if (test->path.len == 0) {
        test->path = arena_str(call->arena, json_text(json_array_get(paths, 0)));
    }
    test->url = arena_str(call->arena, json_text(json_object_get(document, "url")));
}

static void test_is_read(struct call *call)
{
    struct test *test = call->state;
    json_t *document = NULL;
    if (is_absent(call, &test->read)) {
        return;
    }
    const bool sound = parse(call, &test->read, &document, &test->source);
    if (sound) {
        take_place(call, test, document);
    }
    json_decref(document);
    if (!sound) {
        return;
    }
    if (test->path.len == 0 || test->url.len == 0) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/path",
                     "nothing says which document to try: give path, or paths of the source");
        call_fail(call);
    } else if (atomic_fetch_add(&call->api->tests, 1) >= TESTS_MAX) {
        (void)atomic_fetch_sub(&call->api->tests, 1);
        call_refuse(call, ERR_OVERLOADED, "too many tests of sources are waiting");
    } else {
        pool_run_on(call->api->probes, call, run_test, answer_test);
    }
}

void api_test_source(struct call *call)
{
    static const struct field fields[] = {
        {"path", FIELD_TEXT, .min = 1, .max = 2048, .offset = offsetof(struct test, path)},
    };
    struct test *test = arena_new(call->arena, struct test);
    if (decode_body(call->arena, call->exchange->body, fields, 1, test, &call->document,
                    &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    test->read.name = call->args[0];
    call->state = test;
    call_read(call, read_source, test_is_read);
}
