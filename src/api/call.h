/*
 * api/call - one API call on its way: who asks, for which tenant, and how it is answered.
 *
 *   route ─▶ token ─▶ scope ─▶ tenant ─▶ headers ─▶ the resource's function ─▶ answer
 *
 * Use      a resource's function gets a call with everything above checked. It answers
 *          (call_answer, call_fail …) or waits (call_engine, call_read, …) and is continued in the
 *          function that it named.
 * Owns     everything of a call lies in its exchange's arena.
 * Threads  the connection's transport thread; `read` functions run on a reader thread and touch
 *          only what they were given and call->err.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/route.h"
#include "auth/principal.h"
#include "base/json.h"
#include "config/settings.h"
#include "engine/engine.h"
#include "http/http.h"
#include "observe/metrics.h"
#include "redact/redact.h"

struct flight;
struct watches;
struct blob_pool;
struct roster;
struct upload;
struct download;

/* What all calls of a node share. */
struct api {
    const struct settings *settings;
    struct engine *engine;
    struct blobs *blobs;
    struct hash_key seed; /* Of the ledger. */
    struct hash_key salt; /* Of this process: request ids. */
    struct redact_rules rules;
    struct principals *principals;
    struct metrics *metrics;
    struct flight *flight;
    struct watches *watches;
    struct blob_pool *pool;
    struct roster *roster;
    struct blob_pool *probes; /* Tries of sources: they wait for the network. */
    _Atomic int64_t tests;    /* Handed to it and not answered. */
    struct http_server *server;
    _Atomic uint64_t requests;
    _Atomic bool stopping;
};

struct call;
typedef void call_step(struct call *call);

struct call {
    struct http_exchange *exchange;
    struct api *api;
    struct arena *arena;
    const struct route *route; /* Null when there is none. */
    int32_t scope;             /* That it needs; 0: no token. */
    struct str args[ROUTE_ARGS];
    int64_t started_us;
    struct str request_id; /* Of the answer's X-Request-Id. */
    struct str trace;      /* Trace id of the request's traceparent, or empty. */
    struct sha256 token_hash;
    struct principal who;
    struct tenant_id tenant; /* 0: none, or the installation. */
    int16_t shard;
    struct str tenant_name;
    struct str actor; /* "token:tok-3" */
    struct str reason;
    struct str ticket;
    struct str request_key;
    bool in_flight; /* Holds request_key in api->flight. */
    struct err err; /* Of the step before. */
    json_t *document;
    call_step *then;
    void (*read)(struct call *call, struct reader *reader);
    struct engine_request request;
    void *state; /* The resource's own. */
    struct upload *upload;
    struct download *download;
    void (*abandon)(struct call *call); /* Called at the end, for what is not in the arena. */
};

/* The transport's side: struct http_handler. */
void call_on_begin(void *ctx, struct http_exchange *exchange);
void call_on_refuse(void *ctx, struct http_exchange *exchange, enum err_code code,
                    const char *detail);
void call_on_end(void *ctx, struct http_exchange *exchange);

/* ---- Answers ---- */

/* Starts a JSON answer; then json_put_…, then call_answer(). */
struct json_writer call_json(struct call *call);
void call_answer(struct call *call, int status);

/* One of several things wrong in a batch. */
struct call_error {
    enum err_code code;
    struct str pointer;
    struct str detail;
};

/* A problem document of call->err. */
void call_fail(struct call *call);
void call_fail_with(struct call *call, const struct call_error *errors, size_t count);
/* err_set() and call_fail(). */
void call_refuse(struct call *call, enum err_code code, const char *detail);
/* "\"3\"" */
void call_put_etag(struct call *call, int32_t version);

/* ---- Waiting ---- */

/* A zeroed command of that kind for the call's tenant, with actor, reason and keys. */
struct command *call_command(struct call *call, enum command_kind kind);
/* Hands the commands to the engine; goes on in `then`. Each command tells in its err. */
void call_engine(struct call *call, enum engine_queue queue, struct command *commands, size_t count,
                 call_step *then);
/* Runs `read` on a reader thread; goes on in `then` when it left call->err empty, else fails. */
void call_read(struct call *call, void (*read)(struct call *call, struct reader *reader),
               call_step *then);
/* Goes on in `then` after one http_wake(). */
void call_wait(struct call *call, call_step *then);

/* ---- Input ---- */

struct query_param {
    const char *name;
    struct str *out; /* Decoded; untouched when absent. */
};

/* Reads the query string; what is not in `params` is refused. False: answered. */
bool call_query(struct call *call, const struct query_param *params, size_t count);
/* A decimal query parameter within bounds. False: answered. */
bool call_number(struct call *call, const char *name, struct str text, int64_t min, int64_t max,
                 int64_t *out);
/* The installation's own tenant: it has configuration and history, no jobs, and cannot be made. */
#define SYSTEM_NAME "system"

/* Request headers of a token that may act for any tenant: looks the tenant up. False: answered. */
bool call_find_tenant(struct call *call, struct str name);
/* The request's Idempotency-Key is no longer in flight: before the answer goes out, so that a
 * client who has it can send the same again. */
void call_leave_flight(struct call *call);
/* The digest for Idempotency-Key: method, path, body. */
struct sha256 call_digest(const struct call *call);

#endif
