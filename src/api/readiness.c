#include "api/readiness.h"

#include "platform/clock.h"

enum { SEEN_ROUNDS = 12 }; /* Of worker_note_ms: then a worker counts as gone. */

static const char *const states[] = {"ready", "blocked", "disabled"};

struct probe_config readiness_config(const struct call *call)
{
    const struct settings *s = call->api->settings;
    return (struct probe_config){
        .roots = s->source_roots,
        .secrets = s->secrets,
        .secret_env = s->secret_env,
        .allow_private = s->source_private_addresses,
        .max_bytes = s->source_test_bytes,
        .timeout_ms = s->source_test_ms,
    };
}

static enum err_code types_of(struct call *call, struct reader *reader, int16_t shard,
                              struct tenant_id tenant, struct query_result *out)
{
    struct query q = {.name = "job_types_of", .tenant = tenant, .arena = call->arena};
    query_arg_int(&q, shard);
    query_arg_int(&q, tenant.v);
    return reader_query(reader, &q, out, &call->err);
}

static bool serves(struct call *call, const struct known_types *types, struct str job_type)
{
    const int64_t since =
        clock_wall().us - SEEN_ROUNDS * call->api->settings->worker_note_ms * US_PER_MS;
    return seen_last(call, &types->workers, job_type) > since;
}

enum err_code readiness_types(struct call *call, struct reader *reader, struct known_types *out)
{
    const struct tenant_id system = {TENANT_SYSTEM};
    *out = (struct known_types){.workers = {.is_loaded = false}};
    TRY(seen_load(call, reader, &out->workers));
    TRY(types_of(call, reader, call->shard, call->tenant, &out->own));
    return types_of(call, reader, SHARD_SYSTEM, system, &out->inherited);
}

static bool has_name(const struct query_result *found, struct str name)
{
    for (size_t i = 0; i < found->rows; i++) {
        if (str_eq(query_text(found, i, "name"), name)) {
            return true;
        }
    }
    return false;
}

const struct readiness *readiness_of(struct call *call, const struct known_types *types,
                                     struct str name, struct str body)
{
    struct source source;
    struct str canonical;
    struct err err;
    json_t *document = NULL;
    struct readiness *out = arena_new(call->arena, struct readiness);
    const struct probe_config config = readiness_config(call);
    if (json_read(body, &document, &err) != ERR_OK ||
        source_parse(call->arena, name, document, &source, &canonical, &err) != ERR_OK) {
        json_decref(document);
        return NULL;
    }
    struct findings *findings = &out->findings;
    if (!source.enabled) {
        findings_add(findings, "disabled", STR("/enabled"), STR("its operator switched it off"),
                     STR("Enable the source."));
    }
    probe_findings(&config, call->tenant_name, &source, document, call->arena, findings);
    json_decref(document);
    if (source.job_type.len > 0 && !has_name(&types->own, source.job_type) &&
        !has_name(&types->inherited, source.job_type)) {
        findings_add(
            findings, "unknown_job_type", STR("/job_type"),
            arena_format(call->arena, "job type %.*s is not registered", STR_ARG(source.job_type)),
            STR("Register the job type, or correct job_type."));
    } else if (source.job_type.len > 0 && !serves(call, types, source.job_type)) {
        findings_add(findings, "no_worker", STR("/job_type"),
                     arena_format(call->arena, "no worker for %.*s was seen lately",
                                  STR_ARG(source.job_type)),
                     STR("Start a worker for it, or resume the one that is drained."));
    }
    out->state = !source.enabled   ? SOURCE_DISABLED
                 : findings->n > 0 ? SOURCE_BLOCKED
                                   : SOURCE_READY;
    return out;
}

void readiness_put(struct json_writer *w, const struct readiness *readiness)
{
    json_put_object(w);
    JSON_KEY(w, "reasons");
    json_put_array(w);
    for (size_t i = 0; i < readiness->findings.n; i++) {
        const struct finding *finding = &readiness->findings.v[i];
        json_put_object(w);
        JSON_STR(w, "code", str_from(finding->code));
        JSON_STR(w, "detail", finding->detail);
        JSON_STR(w, "fix", finding->fix);
        JSON_STR(w, "pointer", finding->pointer);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    JSON_STR(w, "state", str_from(states[readiness->state]));
    json_put_object_end(w);
}
