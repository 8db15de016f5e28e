#include "cli/failure.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/print.h"

enum { MESSAGE_MAX = 4096, PRINTED_ERRORS = 10 };

struct advice {
    const char *code;
    const char *hint;
};

static const struct advice ADVICE[] = {
    {"unauthenticated", "check --token-file; a revoked token needs a new one (tokens add)"},
    {"forbidden", "ask for a token with that scope; `whoami` shows the scopes of this one"},
    {"tenant_required", "name the tenant with -T NAME or STELLA_TENANT; `tenants list` shows them"},
    {"not_found", "check the id and the tenant (-T); lists show what there is"},
    {"reason_required", "say why with --reason TEXT"},
    {"unsupported_filter", "use one of the combinations that the message names"},
    {"bad_cursor", "begin the listing again without a cursor"},
    {"job_key_conflict", "use another key, or submit exactly what was submitted before"},
    {"idempotency_key_reused", "use another Idempotency-Key"},
    {"idempotency_in_flight", "the first request is still handled; try again in a moment"},
    {"invalid_transition", "look at its state with `jobs get`"},
    {"precondition_failed", "somebody changed it meanwhile; look again and repeat"},
    {"precondition_required", "read it first, then pass its version with --if-match"},
    {"payload_too_large", "store large inputs as artifacts and submit their digests"},
    {"unknown_job_type", "register it with `job-types put NAME`; `job-types list` shows them"},
    {"unknown_source", "register it with `sources put NAME`; `sources list` shows them"},
    {"dangling_edge", "every `needs` must name a job of the same run"},
    {"dag_cycle", "remove one edge of the cycle"},
    {"too_many_jobs", "wait until jobs end, or raise the tenant's max_live_jobs"},
    {"too_many_lanes", "use fewer combinations of job type and source"},
    {"overloaded", "try again after the time that it names"},
    {"ledger_unavailable", "try again; `doctor` shows whether the ledger is back"},
    {"shutting_down", "try again in a moment, or ask another node"},
    {"internal", "see the server's log; the request id finds the line"},
};

static const char *advice_for(struct str code)
{
    for (size_t i = 0; i < CLI_COUNT(ADVICE); i++) {
        if (str_eq(code, str_from(ADVICE[i].code))) {
            return ADVICE[i].hint;
        }
    }
    return "";
}

int cli_failure_status(int http_status, struct str code)
{
    if (str_eq(code, STR("ledger_unavailable")) || str_eq(code, STR("shutting_down"))) {
        return CLI_UNREACHABLE;
    }
    switch (http_status) {
    case 401:
    case 403: return CLI_DENIED;
    case 404: return CLI_NOT_FOUND;
    case 409:
    case 412:
    case 428: return CLI_CONFLICT;
    case 429:
    case 503: return CLI_REFUSED;
    case 502:
    case 504: return CLI_UNREACHABLE;
    default: return CLI_FAILED;
    }
}

int cli_failure_from(struct cli_call *call, const struct cli_reply *reply)
{
    struct cli_failure *failure = &call->failure;
    const json_t *problem = reply->json;
    const struct str code = json_text(json_object_get(problem, "code"));
    struct str message = json_text(json_object_get(problem, "detail"));
    if (message.len == 0) {
        message = json_text(json_object_get(problem, "title"));
    }
    if (message.len == 0) {
        message = arena_format(&call->arena, "the server answered with status %d", reply->status);
    }
    const struct str pointer = json_text(json_object_get(problem, "pointer"));
    failure->code = arena_str(&call->arena, code.len > 0 ? code : STR("internal"));
    failure->message = pointer.len > 0 ? arena_format(&call->arena, "%.*s (at %.*s)",
                                                      STR_ARG(message), STR_ARG(pointer))
                                       : message;
    failure->message = cli_clean(&call->arena, failure->message);
    failure->hint = str_from(advice_for(code));
    if (reply->status == 401 && call->context.name != NULL) {
        failure->hint =
            arena_format(&call->arena,
                         "the token of context %s is not valid any more: have a new one "
                         "made (tokens add) and repeat `contexts add %s --server %s "
                         "--token-file FILE`",
                         call->context.name, call->context.name, call->context.server);
    }
    failure->request_id = arena_str(&call->arena, str_from(reply->request_id));
    failure->status = reply->status;
    enum err_code known = ERR_INTERNAL;
    failure->retryable = err_find(failure->code.ptr, &known) && err_info(known)->retryable;
    if (reply->retry_after[0] != '\0') {
        failure->hint = arena_format(&call->arena, "try again in %s s", reply->retry_after);
    }
    failure->errors = json_incref(json_object_get(problem, "errors"));
    return cli_failure_status(reply->status, code);
}

int cli_fail(struct cli_call *call, int status, const char *code, const char *hint,
             const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    json_decref(call->failure.errors);
    call->failure = (struct cli_failure){
        .code = str_from(code),
        .message = arena_str(&call->arena, str_from(message)),
        .hint = arena_str(&call->arena, str_from(hint)),
    };
    return status;
}

/* The page that says what to do about it, or nothing. */
static const char *runbook_of(struct str code)
{
    enum err_code known = ERR_OK;
    return code.ptr != NULL && err_find(code.ptr, &known) ? err_info(known)->runbook : "";
}

static void print_json(const struct cli_call *call)
{
    const struct cli_failure *failure = &call->failure;
    struct buf out;
    buf_init(&out, 1024 * 1024);
    struct json_writer w;
    json_begin(&w, &out);
    json_put_object(&w);
    JSON_STR(&w, "code", failure->code);
    if (failure->errors != NULL) {
        JSON_KEY(&w, "errors");
        json_put_value(&w, failure->errors);
    }
    JSON_STR(&w, "hint", failure->hint);
    JSON_STR(&w, "message", failure->message);
    if (failure->request_id.len > 0) {
        JSON_STR(&w, "request_id", failure->request_id);
    }
    JSON_BOOL(&w, "retryable", failure->retryable);
    const char *runbook = runbook_of(failure->code);
    if (runbook[0] != '\0') {
        JSON_STR(&w, "runbook", str_from(runbook));
    }
    JSON_INT(&w, "status", failure->status);
    json_put_object_end(&w);
    fprintf(call->log, "%.*s\n", STR_ARG(buf_get(&out)));
    buf_fini(&out);
}

/* Each of several things that are wrong; a single one was said already. */
static void print_items(const struct cli_call *call)
{
    const json_t *errors = call->failure.errors;
    if (json_array_size(errors) == 1) {
        return;
    }
    for (size_t i = 0; i < json_array_size(errors) && i < PRINTED_ERRORS; i++) {
        const json_t *item = json_array_get(errors, i);
        fprintf(call->log, "  %.*s  %.*s\n", STR_ARG(json_text(json_object_get(item, "pointer"))),
                STR_ARG(json_text(json_object_get(item, "detail"))));
    }
    if (json_array_size(errors) > PRINTED_ERRORS) {
        fprintf(call->log, "  … and %zu more (-o json shows all)\n",
                json_array_size(errors) - PRINTED_ERRORS);
    }
}

void cli_failure_print(const struct cli_call *call)
{
    const struct cli_failure *failure = &call->failure;
    if (failure->code.len == 0) {
        return;
    }
    if (call->output == CLI_OUTPUT_JSON || call->output == CLI_OUTPUT_JSONL) {
        print_json(call);
        return;
    }
    fprintf(call->log, "error: %.*s [%.*s]\n", STR_ARG(failure->message), STR_ARG(failure->code));
    print_items(call);
    if (failure->hint.len > 0) {
        fprintf(call->log, "hint: %.*s\n", STR_ARG(failure->hint));
    }
    const char *runbook = runbook_of(failure->code);
    if (runbook[0] != '\0') {
        fprintf(call->log, "see: docs/operate/%s.md\n", runbook);
    }
    if (failure->request_id.len > 0) {
        fprintf(call->log, "request: %.*s\n", STR_ARG(failure->request_id));
    }
}
