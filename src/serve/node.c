#include "serve/node.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/flight.h"
#include "api/pool.h"
#include "api/roster.h"
#include "api/watches.h"
#include "config/url.h"
#include "observe/log.h"
#include "platform/file.h"
#include "platform/random.h"
#include "serve/serve.h"

enum { PEM_MAX = 256 * 1024 };

static enum err_code read_pem(struct arena *arena, struct str path, const char **out,
                              struct err *err)
{
    struct str text;
    if (!file_read(arena, arena_cstr(arena, path), PEM_MAX, &text) || text.len == 0) {
        return err_set(err, ERR_USAGE, "%.*s cannot be read, or is not a PEM file", STR_ARG(path));
    }
    *out = text.ptr;
    return ERR_OK;
}

static enum err_code check_metrics(const struct settings *s, struct err *err)
{
    if (str_eq(s->metrics_access, STR("local")) || str_eq(s->metrics_access, STR("token")) ||
        str_eq(s->metrics_access, STR("open"))) {
        return ERR_OK;
    }
    return err_set(err, ERR_USAGE, "metrics_access is local, token or open");
}

/* Plain HTTP to other machines only when the operator said so. */
static enum err_code check_exposure(struct node *node, struct err *err)
{
    const struct settings *s = &node->settings;
    if ((s->tls_certificate.len == 0) != (s->tls_key.len == 0)) {
        return err_set(err, ERR_USAGE, "tls_certificate and tls_key go together");
    }
    if (s->tls_certificate.len > 0) {
        TRY(read_pem(&node->arena, s->tls_certificate, &node->certificate, err));
        return read_pem(&node->arena, s->tls_key, &node->key, err);
    }
    if (!s->allow_plain_http && !http_listen_is_loopback(arena_cstr(&node->arena, s->listen))) {
        return err_set(err, ERR_USAGE,
                       "%.*s is not this machine alone: give tls_certificate and tls_key, or "
                       "--allow-plain-http",
                       STR_ARG(s->listen));
    }
    return ERR_OK;
}

/* On top of core's own, so that a limit without a setting keeps its default. */
static struct limits limits_of(const struct settings *s)
{
    struct limits limits = limits_default();
    limits.max_lanes = (int32_t)s->max_lanes;
    limits.submit_cap = (int32_t)s->submit_cap;
    limits.settle_cap = (int32_t)s->settle_cap;
    limits.due_cap = (int32_t)s->due_cap;
    limits.key_generation_us = s->key_generation_ms * US_PER_MS;
    limits.key_retention_us = s->key_retention_ms * US_PER_MS;
    limits.payload_retention_us = s->payload_retention_ms * US_PER_MS;
    limits.retain_cap = (int32_t)s->retain_cap;
    limits.ageing_step_us = s->ageing_step_ms * US_PER_MS;
    limits.cancel_grace_us = s->cancel_grace_ms * US_PER_MS;
    limits.run_assembly_us = s->run_assembly_ms * US_PER_MS;
    limits.max_throttled_us = s->max_throttled_ms * US_PER_MS;
    limits.lapse_share_per_mille = (int32_t)s->lapse_share_per_mille;
    limits.log_attempt_bytes = s->log_attempt_bytes;
    limits.log_tenant_bytes = s->log_tenant_bytes;
    limits.config_versions = (int32_t)s->config_versions;
    limits.max_job_types = (int32_t)s->max_job_types;
    limits.max_sources = (int32_t)s->max_sources;
    limits.max_workers = (int32_t)s->max_workers;
    limits.breaker_ask_us = s->breaker_ask_ms * US_PER_MS;
    limits.bulk_tick_jobs = (int32_t)s->bulk_tick_jobs;
    limits.bulk_active = (int32_t)s->bulk_active;
    limits.bulk_kept = (int32_t)s->bulk_kept;
    limits.bulk_retention_us = s->bulk_retention_ms * US_PER_MS;
    limits.worker_retention_us = s->worker_retention_ms * US_PER_MS;
    return limits;
}

/* Another node changed tokens. */
static void forget_tokens(void *ctx)
{
    principals_forget_all(ctx);
}

static enum err_code start_engine(struct node *node, struct err *err)
{
    const struct settings *s = &node->settings;
    struct engine_config config = engine_config_default(node->target);
    config.limits = limits_of(s);
    config.committers = (int32_t)s->committers;
    config.group_units = (int32_t)s->group_units;
    config.queue_max = (int32_t)s->queue_max;
    config.parked_max = (int32_t)s->parked_max;
    config.read_threads = (int32_t)s->read_threads;
    config.stop_us = s->shutdown_ms * US_PER_MS;
    config.gap_us = s->gap_ms * US_PER_MS;
    config.worker_seen_us = s->worker_seen_ms * US_PER_MS;
    config.retain_us = s->retention_interval_ms * US_PER_MS;
    config.orphan_us = s->blob_orphan_ms * US_PER_MS;
    config.job_cache_bytes = (size_t)s->job_cache_bytes;
    config.hints = s->node_hints;
    config.look_us = s->node_look_ms * US_PER_MS;
    config.log = log_engine;
    config.tokens_changed = forget_tokens;
    config.tokens_ctx = node->api.principals;
    TRY(engine_open(&config, &node->api.engine, err));
    TRY(blobs_open(&node->target, &node->api.blobs, err));
    engine_sweep(node->api.engine, node->api.blobs);
    return engine_start(node->api.engine, err);
}

/* The ledger's seed: cursors and keys are the same on every node and after every start. And whether
 * it is paused. */
static enum err_code read_standing(struct node *node, struct err *err)
{
    struct reader *reader = NULL;
    struct query_result found;
    struct query_result said = {0};
    const struct query q = {.name = "ledger_meta", .arena = &node->arena};
    const struct query installation = {.name = "installation", .arena = &node->arena};
    TRY(reader_open(&node->target, &reader, err));
    enum err_code code = reader_query(reader, &q, &found, err);
    if (code == ERR_OK && found.rows > 0) {
        const struct str seed = query_text(&found, 0, "seed");
        if (seed.len == sizeof(node->api.seed)) {
            memcpy(&node->api.seed, seed.ptr, seed.len);
        }
    }
    if (code == ERR_OK) {
        code = reader_query(reader, &installation, &said, err);
    }
    node->paused = said.rows > 0 && query_int(&said, 0, "paused_since") > 0;
    reader_close(reader);
    return code;
}

/* History says who serves the ledger from here on, and how it is set. */
static enum err_code say_started(struct node *node, struct err *err)
{
    char host[256] = "";
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    /* With the seed, so that nobody can guess a password from it. */
    buf_str(&text, (struct str){(const char *)&node->api.seed, sizeof(node->api.seed)});
    settings_print(&node->settings, &text);
    (void)gethostname(host, sizeof(host) - 1);
    struct command command = {
        .kind = COMMAND_NODE_STARTED,
        .shard = SHARD_SYSTEM,
        .tenant = {TENANT_SYSTEM},
        .actor = STR("serve"),
        .arena = &node->arena,
        .node_start = {.node = arena_format(&node->arena, "%s %.*s", host,
                                            STR_ARG(node->settings.listen)),
                       .core = STR(STELLA_VERSION),
                       .settings = sha256_of(buf_get(&text))},
    };
    return serve_command(node->api.engine, &command, err);
}

static enum err_code start_http(struct node *node, struct err *err)
{
    const struct settings *s = &node->settings;
    const struct http_config config = {
        .listen = arena_cstr(&node->arena, s->listen),
        .threads = (int32_t)s->http_threads,
        .connections_max = (int32_t)s->http_connections,
        .idle_timeout_s = (int32_t)s->http_idle_timeout_s,
        .receive_timeout_s = (int32_t)s->http_receive_timeout_s,
        .header_bytes = (int32_t)s->http_header_bytes,
        .bodies_max = s->http_bodies_bytes,
        .tls_certificate = node->certificate,
        .tls_key = node->key,
        .handler = {&node->api, call_on_begin, call_on_refuse, call_on_end},
    };
    return http_open(&config, &node->api.server, err);
}

static struct metrics *new_metrics(void)
{
    const char *names[ROUTE_COUNT];
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        names[i] = route_get((enum route_id)i)->name;
    }
    return metrics_new(names, ROUTE_COUNT);
}

/* What this node knows to be secret is never stored or shown, wherever it turns up. */
static enum err_code set_rules(struct node *node, struct err *err)
{
    struct redact_rules *rules = &node->api.rules;
    struct str secrets[URL_SECRETS_MAX];
    TRY(redact_add_patterns(rules, &node->arena, node->settings.redact_patterns, err));
    TRY(log_setup(node->settings.log_level, node->settings.log_format, rules, err));
    const size_t count = url_secrets(node->settings.database, secrets);
    for (size_t i = 0; i < count; i++) {
        redact_add_value(rules, &node->arena, secrets[i]);
    }
    if (node->key != NULL) {
        redact_add_value(rules, &node->arena, str_from(node->key));
    }
    return ERR_OK;
}

static enum err_code start(struct node *node, struct err *err)
{
    struct api *api = &node->api;
    TRY(check_metrics(&node->settings, err));
    TRY(check_exposure(node, err));
    TRY(set_rules(node, err));
    api->principals = principals_new(node->settings.token_cache_ms * US_PER_MS);
    TRY(start_engine(node, err));
    TRY(read_standing(node, err));
    TRY(say_started(node, err));
    TRY(node_tokens(node, err));
    api->settings = &node->settings;
    api->metrics = new_metrics();
    api->flight = flight_new();
    api->watches = watches_new((int32_t)node->settings.watches);
    api->pool = pool_new((int32_t)node->settings.blob_threads);
    api->probes = pool_new(1);
    api->roster = roster_new();
    random_bytes(&api->salt, sizeof(api->salt));
    return start_http(node, err);
}

enum err_code node_start(struct node *node, struct err *err)
{
    const enum err_code code = start(node, err);
    if (code != ERR_OK) {
        (void)node_stop(node);
    }
    return code;
}

static void free_parts(struct api *api)
{
    if (api->pool != NULL) {
        pool_free(api->pool);
        pool_free(api->probes);
        roster_free(api->roster);
        watches_free(api->watches);
        flight_free(api->flight);
        metrics_free(api->metrics);
    }
    if (api->blobs != NULL) {
        api->blobs->close(api->blobs);
    }
    if (api->engine != NULL) {
        engine_free(api->engine);
    }
    if (api->principals != NULL) {
        principals_free(api->principals);
    }
}

bool node_stop(struct node *node)
{
    struct api *api = &node->api;
    bool clean = true;
    atomic_store(&api->stopping, true);
    if (api->server != NULL) {
        http_quiesce(api->server);
        watches_stop(api->watches);
    }
    if (api->engine != NULL) {
        engine_stop(api->engine);
    }
    if (api->server != NULL) {
        clean = http_drain(api->server, node->settings.shutdown_ms * US_PER_MS);
        pool_stop(api->pool);
        pool_stop(api->probes);
        http_free(api->server);
    }
    free_parts(api);
    return clean;
}
