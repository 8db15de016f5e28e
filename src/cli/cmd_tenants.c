/* tenants: who the installation serves, and their limits. */
#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/print.h"

static const struct cli_column COLUMNS[] = {
    {"TENANT", "name", CLI_TEXT},
    {"WEIGHT", "weight", CLI_NUMBER},
    {"RUNNING", "inflight", CLI_NUMBER},
    {"AT MOST", "max_inflight", CLI_NUMBER},
    {"WAITING", "waiting", CLI_NUMBER},
    {"LIVE", "live_jobs", CLI_NUMBER},
    {"LIVE AT MOST", "max_live_jobs", CLI_NUMBER},
};
static const struct cli_shape SHAPE = {"name", COLUMNS, CLI_COUNT(COLUMNS)};

enum { TENANT_BODY_MAX = 64 * 1024 };

static int send(struct cli_call *call, const struct cli_request *request)
{
    struct cli_reply reply;
    const int status = cli_send(call, request, &reply);
    if (status == CLI_OK) {
        cli_show(call, reply.json, &SHAPE);
        json_decref(reply.json);
    }
    return status;
}

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/tenants"), &SHAPE);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/tenants/%s", cli_argument(call, 0)), &SHAPE);
}

/* The limits that were given; `name` only for a new tenant. */
static int put_body(struct cli_call *call, struct buf *body, const char *name)
{
    struct json_writer w;
    json_begin(&w, body);
    json_put_object(&w);
    int status = cli_put_number_option(call, &w, "max_inflight", "max-inflight", 0, 1000000000);
    if (status == CLI_OK) {
        status = cli_put_number_option(call, &w, "max_live_jobs", "max-live-jobs", 1, 1000000000);
    }
    if (name != NULL) {
        JSON_STR(&w, "name", str_from(name));
    }
    if (status == CLI_OK) {
        status = cli_put_number_option(call, &w, "weight", "weight", 1, 1000);
    }
    json_put_object_end(&w);
    return status;
}

static int add(struct cli_call *call)
{
    struct buf body;
    buf_init(&body, TENANT_BODY_MAX);
    int status = put_body(call, &body, cli_argument(call, 0));
    if (status == CLI_OK) {
        status = send(call, &(struct cli_request){.method = "POST",
                                                  .path = STR("/tenants"),
                                                  .body = buf_get(&body),
                                                  .installation = true,
                                                  .creates = true});
    }
    buf_fini(&body);
    return status;
}

static int set(struct cli_call *call)
{
    const struct str path = cli_path(call, "/tenants/%s", cli_argument(call, 0));
    const char *version = cli_value(call, "if-match");
    struct cli_reply present = {0};
    struct buf body;
    int status = cli_need_reason(call);
    if (status == CLI_OK && version == NULL) {
        status = cli_get(call, path, &present);
        version = present.etag;
        json_decref(status == CLI_OK ? present.json : NULL);
    }
    buf_init(&body, TENANT_BODY_MAX);
    if (status == CLI_OK) {
        status = put_body(call, &body, NULL);
    }
    if (status == CLI_OK) {
        status = send(call, &(struct cli_request){.method = "PATCH",
                                                  .path = path,
                                                  .body = buf_get(&body),
                                                  .if_match = version,
                                                  .installation = true});
    }
    buf_fini(&body);
    return status;
}

static const struct cli_option OPTIONS[] = {
    {"weight", 0, "N", "Share of the capacity, 1 to 1000 (default 1)"},
    {"max-inflight", 0, "N", "Jobs at once; 0 = unlimited (default)"},
    {"max-live-jobs", 0, "N", "Jobs that have not ended (default 1000000)"},
    {"if-match", 0, "ETAG", "set: change only this version (default: the one that is read first)"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List tenants", "stella orchestrator tenants list", NULL, 0, list},
    {"get", NULL, "TENANT", 1, 1, "Show one tenant, its limits and what it uses",
     "stella orchestrator tenants get acme", NULL, 0, get},
    {"add", "create", "TENANT", 1, 1, "Make a tenant",
     "stella orchestrator tenants add acme\n"
     "stella orchestrator tenants add acme --weight 3 --max-inflight 200",
     OPTIONS, CLI_COUNT(OPTIONS) - 1, add},
    {"set", NULL, "TENANT", 1, 1, "Change a tenant's limits (needs --reason)",
     "stella orchestrator tenants set acme --max-inflight 50 --reason \"upstream is slow\"",
     OPTIONS, CLI_COUNT(OPTIONS), set},
};

const struct cli_noun cli_tenants = {"tenants", "tenant", "Who is served, and their limits",
                                     COMMANDS, CLI_COUNT(COMMANDS)};
