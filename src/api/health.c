/* api/health - what probes and scrapers ask. */
#include "api/call.h"
#include "contract/job_states.h"
#include "contract/openapi.h"
#include "core/breaker.h"
#include "platform/clock.h"
#include "platform/process.h"

enum { METRIC_TYPES_MAX = 100 };

static void answer_ok(struct call *call)
{
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_STR(&w, "status", STR("ok"));
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_get_livez(struct call *call)
{
    answer_ok(call);
}

void api_get_readyz(struct call *call)
{
    if (engine_is_ready(call->api->engine)) {
        answer_ok(call);
    } else {
        call_refuse(call, ERR_LEDGER_UNAVAILABLE, err_info(ERR_LEDGER_UNAVAILABLE)->title);
    }
}

void api_get_openapi(struct call *call)
{
    buf_str(&call->exchange->reply, (struct str){openapi_text, sizeof(openapi_text) - 1});
    call_answer(call, 200);
}

void api_get_well_known_openapi(struct call *call)
{
    api_get_openapi(call);
}

/* RFC 9727: where a program finds the rest. */
void api_get_api_catalog(struct call *call)
{
    static const char catalog[] =
        "{\"linkset\":[{\"anchor\":\"/api/v1\",\"service-desc\":[{\"href\":\"/openapi.json\","
        "\"type\":\"application/json\"}],\"status\":[{\"href\":\"/readyz\","
        "\"type\":\"application/json\"}]}]}";
    buf_str(&call->exchange->reply, str_from(catalog));
    http_header(call->exchange, "Link", STR("</.well-known/api-catalog>; rel=\"api-catalog\""));
    http_answer(call->exchange, 200,
                "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"");
}

/* ---- Metrics ---- */

struct scrape {
    bool has_queues;
    int64_t now;
    struct query_result queues;
    bool has_installation;
    struct query_result installation;
    struct query_result throttles;
    struct query_result breakers;
    struct query_result groups; /* Of tenants that share slots; few. */
};

struct figure {
    const char *name;
    const char *kind;
    const char *about;
    double value;
};

static void put_figures(struct buf *out, const struct figure *figures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        metrics_put_family(out, figures[i].name, figures[i].kind, figures[i].about);
        metrics_put(out, figures[i].name, NULL, STR(""), figures[i].value);
    }
}

static void put_engine(struct buf *out, const struct engine_figures *f)
{
    const struct figure figures[] = {
        {"stella_commit_groups_total", "counter", "Commit groups committed.", (double)f->groups},
        {"stella_ticks_total", "counter", "Ticks of shards in those groups.", (double)f->ticks},
        {"stella_group_units_total", "counter", "Units of work in those groups.", (double)f->units},
        {"stella_jobs_submitted_total", "counter", "Jobs submitted.", (double)f->submitted},
        {"stella_leases_claimed_total", "counter", "Leases granted.", (double)f->claimed},
        {"stella_jobs_succeeded_total", "counter", "Jobs that succeeded.", (double)f->succeeded},
        {"stella_attempts_failed_total", "counter", "Attempts reported as failed.",
         (double)f->failed},
        {"stella_jobs_dead_total", "counter", "Jobs that ended dead.", (double)f->dead},
        {"stella_attempts_throttled_total", "counter", "Attempts throttled by an upstream.",
         (double)f->throttled},
        {"stella_leases_returned_total", "counter", "Leases given back.", (double)f->returned},
        {"stella_leases_lapsed_total", "counter", "Leases that lapsed.", (double)f->lapsed},
        {"stella_jobs_retried_total", "counter", "Jobs set to run again.", (double)f->retried},
        {"stella_refused_for_load_total", "counter", "Requests refused for load.",
         (double)f->refused},
        {"stella_unknown_commits_total", "counter", "Commits whose outcome had to be looked up.",
         (double)f->unknown_commits},
        {"stella_groups_widened_total", "counter",
         "Commit groups decided anew under the lock of what tenants share.", (double)f->widened},
        {"stella_hints_told_total", "counter", "Notices sent to other nodes.",
         (double)f->hints_told},
        {"stella_hints_heard_total", "counter", "Notices of other nodes.", (double)f->hints_heard},
        {"stella_retention_job_keys_total", "counter", "Job keys that retention removed.",
         (double)f->retained_keys},
        {"stella_retention_request_keys_total", "counter",
         "Idempotency-Keys that retention removed.", (double)f->retained_requests},
        {"stella_retention_payloads_total", "counter", "Payloads that retention erased.",
         (double)f->erased_payloads},
        {"stella_retention_blobs_total", "counter", "Blobs without an artifact that were swept.",
         (double)f->swept_blobs},
        {"stella_retention_runs_total", "counter", "Whole runs of retention.",
         (double)f->retain_runs},
        {"stella_retention_failures_total", "counter", "Runs of retention that were cut short.",
         (double)f->retain_failed},
        {"stella_retention_last_run_timestamp_seconds", "gauge",
         "End of the last whole run of retention; 0 before the first.",
         (double)f->retain_last_at / 1e6},
        {"stella_retention_last_run_seconds", "gauge", "How long it took.",
         (double)f->retain_last_us / 1e6},
        {"stella_claims_parked", "gauge", "Claims that wait for jobs.", (double)f->parked},
    };
    put_figures(out, figures, sizeof(figures) / sizeof(figures[0]));
    static const char *const queues[] = {"reports", "control", "submits"};
    metrics_put_family(out, "stella_queue_requests", "gauge", "Requests before the committers.");
    for (size_t i = 0; i < 3; i++) {
        metrics_put(out, "stella_queue_requests", "queue", str_from(queues[i]),
                    (double)f->queued[i]);
    }
    metrics_put_family(out, "stella_group_units", "histogram", "Units of work of a commit group.");
    metrics_put_histogram(out, "stella_group_units", f->group_size, 1, (double)f->units);
    metrics_put_family(out, "stella_commit_seconds", "histogram", "From begin to committed.");
    metrics_put_histogram(out, "stella_commit_seconds", f->commit_ms, 0.001,
                          (double)f->commit_us / 1e6);
}

static void put_queue_metric(struct buf *out, const struct scrape *scrape, const char *name,
                             const char *about,
                             double (*value)(const struct scrape *scrape, size_t row))
{
    double rest = 0;
    const size_t rows = scrape->queues.rows;
    metrics_put_family(out, name, "gauge", about);
    for (size_t i = 0; i < rows; i++) {
        if (i < METRIC_TYPES_MAX) {
            metrics_put(out, name, "type", query_text(&scrape->queues, i, "job_type"),
                        value(scrape, i));
        } else {
            rest += value(scrape, i);
        }
    }
    if (rows > METRIC_TYPES_MAX) {
        metrics_put(out, name, "type", STR("(other)"), rest);
    }
}

static double depth_of(const struct scrape *scrape, size_t row)
{
    return (double)query_int(&scrape->queues, row, "waiting");
}

static double leases_of(const struct scrape *scrape, size_t row)
{
    return (double)query_int(&scrape->queues, row, "inflight");
}

static double age_of(const struct scrape *scrape, size_t row)
{
    const int64_t since = query_int(&scrape->queues, row, "eligible_at");
    return since > 0 && scrape->now > since ? (double)(scrape->now - since) / 1e6 : 0;
}

/* What the node is and may be; the names without "stella" are those that others use too. */
static void put_node(struct call *call, struct buf *out)
{
    const struct figure figures[] = {
        {"process_open_fds", "gauge", "Files and sockets open.", (double)process_open_files()},
        {"process_max_fds", "gauge", "Files and sockets that may be.", (double)process_max_files()},
        {"stella_http_connections", "gauge", "Connections open.",
         (double)http_connections(call->api->server)},
        {"stella_http_connections_max", "gauge", "Connections that may be, by the setting.",
         (double)call->api->settings->http_connections},
        {"stella_ready", "gauge", "1 when the ledger answers and ticks run.",
         engine_is_ready(call->api->engine) ? 1 : 0},
        {"stella_retention_interval_seconds", "gauge",
         "From one run of retention to the next; 0: this node makes none.",
         (double)call->api->settings->retention_interval_ms / 1e3},
    };
    put_figures(out, figures, sizeof(figures) / sizeof(figures[0]));
}

static void put_throttles(struct buf *out, const struct query_result *found)
{
    static const char *const states[] = {"blocked", "slowed", "overridden"};
    metrics_put_family(out, "stella_throttle_hosts", "gauge",
                       "Buckets of {tenant, host}; and those that are blocked, slower than "
                       "configured, or set by an operator.");
    metrics_put(out, "stella_throttle_hosts", "state", STR("all"),
                (double)query_int(found, 0, "hosts"));
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        metrics_put(out, "stella_throttle_hosts", "state", str_from(states[i]),
                    (double)query_int(found, 0, states[i]));
    }
    metrics_put_family(out, "stella_throttle_incidents_total", "counter",
                       "Throttles and overloads; what several workers heard at a time is one.");
    metrics_put(out, "stella_throttle_incidents_total", NULL, STR(""),
                (double)query_int(found, 0, "incidents"));
}

static void put_breakers(struct buf *out, const struct engine_figures *figures,
                         const struct scrape *scrape)
{
    static const enum breaker_change told[] = {BREAKER_OPENS,   BREAKER_REOPENS,  BREAKER_PROBES,
                                               BREAKER_CLOSES,  BREAKER_SUSPECTS, BREAKER_IS_FORCED,
                                               BREAKER_IS_RESET};

    static const char *const verdicts[] = {"well", "slow", "failed", "ignored"};
    static const char *const states[] = {"closed", "open", "half_open", "forced"};
    metrics_put_family(out, "stella_breaker_transitions_total", "counter",
                       "What circuit breakers did at this node.");
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        metrics_put(out, "stella_breaker_transitions_total", "change",
                    str_from(breaker_change_name(told[i])), (double)figures->breaker_did[told[i]]);
    }
    metrics_put_family(out, "stella_breaker_calls_total", "counter",
                       "Ends of leases that circuit breakers were told of at this node.");
    for (size_t i = 0; i < FACTS_BREAKER_VERDICTS; i++) {
        metrics_put(out, "stella_breaker_calls_total", "verdict", str_from(verdicts[i]),
                    (double)figures->breaker_told[i]);
    }
    if (!scrape->has_queues) {
        return;
    }
    metrics_put_family(out, "stella_breakers", "gauge",
                       "Circuit breakers by state; forced: those in a mode of an operator.");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        metrics_put(out, "stella_breakers", "state", str_from(states[i]),
                    (double)query_int(&scrape->breakers, 0, states[i]));
    }
    metrics_put_family(out, "stella_breaker_held_jobs", "gauge",
                       "Waiting jobs of lanes that a circuit breaker held when they last asked.");
    metrics_put(out, "stella_breaker_held_jobs", NULL, STR(""),
                (double)query_int(&scrape->breakers, 0, "held"));
}

/* One column of the groups, by name. */
static void put_groups(struct buf *out, const struct query_result *groups, const char *name,
                       const char *about, const char *column)
{
    metrics_put_family(out, name, "gauge", about);
    for (size_t i = 0; i < groups->rows; i++) {
        metrics_put(out, name, "group", query_text(groups, i, "name"),
                    (double)query_int(groups, i, column));
    }
}

static void put_quotas(struct buf *out, const struct query_result *groups)
{
    put_groups(out, groups, "stella_quota_slots", "Slots of a quota group.", "capacity");
    put_groups(out, groups, "stella_quota_slots_in_use", "Those that its members' jobs hold.",
               "in_use");
    put_groups(out, groups, "stella_quota_slots_reserved_idle",
               "Those that are idle and kept for the member whose nominal they are.", "unlent");
}

static void answer_metrics(struct call *call)
{
    const struct scrape *scrape = call->state;
    struct buf *out = &call->exchange->reply;
    struct engine_figures figures;
    engine_figures(call->api->engine, &figures);
    buf_reset(out);
    metrics_put_requests(call->api->metrics, out);
    put_node(call, out);
    put_engine(out, &figures);
    put_breakers(out, &figures, scrape);
    if (scrape->has_installation) {
        const struct query_result *said = &scrape->installation;
        metrics_put_family(out, "stella_paused", "gauge",
                           "1 while the installation is paused: nothing new is leased.");
        metrics_put(out, "stella_paused", NULL, STR(""),
                    said->rows > 0 && query_int(said, 0, "paused_since") > 0 ? 1 : 0);
    }
    if (scrape->has_queues) {
        put_queue_metric(out, scrape, "stella_jobs_waiting", "Jobs that wait to be claimed.",
                         depth_of);
        put_queue_metric(out, scrape, "stella_jobs_leased", "Jobs held by workers.", leases_of);
        put_queue_metric(out, scrape, "stella_oldest_waiting_seconds",
                         "Age of the job that has waited longest.", age_of);
        put_throttles(out, &scrape->throttles);
        put_quotas(out, &scrape->groups);
    }
    http_answer(call->exchange, 200, "text/plain; version=0.0.4; charset=utf-8");
}

static void read_queues(struct call *call, struct reader *reader)
{
    struct scrape *scrape = call->state;
    struct err err;
    const struct query q = {.name = "queue_by_type", .arena = call->arena};
    /* Without the ledger the node's own figures are still worth having. */
    struct query throttles = {.name = "throttle_states", .arena = call->arena};
    query_arg_int(&throttles, scrape->now);
    struct query breakers = {.name = "breaker_states", .arena = call->arena};
    query_arg_int(&breakers, scrape->now);
    query_arg_int(&breakers, HOLD_BREAKER_OPEN);
    query_arg_int(&breakers, HOLD_BREAKER_RAMP);
    const struct query groups = {.name = "dump_quota_groups", .arena = call->arena};
    scrape->has_queues = reader_query(reader, &q, &scrape->queues, &err) == ERR_OK &&
                         reader_query(reader, &throttles, &scrape->throttles, &err) == ERR_OK &&
                         reader_query(reader, &breakers, &scrape->breakers, &err) == ERR_OK &&
                         reader_query(reader, &groups, &scrape->groups, &err) == ERR_OK;
    const struct query said = {.name = "installation", .arena = call->arena};
    scrape->has_installation =
        scrape->has_queues && reader_query(reader, &said, &scrape->installation, &err) == ERR_OK;
}

void api_get_metrics(struct call *call)
{
    struct scrape *scrape = arena_new(call->arena, struct scrape);
    scrape->now = clock_wall().us;
    call->state = scrape;
    call_read(call, read_queues, answer_metrics);
}
