/* tokens: who may do what. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/print.h"

static const struct cli_column COLUMNS[] = {
    {"TOKEN", "id", CLI_TEXT},           {"NAME", "name", CLI_TEXT},
    {"TENANT", "tenant", CLI_TEXT},      {"SCOPES", "scopes", CLI_WORDS},
    {"CREATED", "created_at", CLI_TIME},
};
static const struct cli_shape SHAPE = {"id", COLUMNS, CLI_COUNT(COLUMNS)};

enum { TOKEN_BODY_MAX = 64 * 1024 };

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/tokens"), &SHAPE);
}

/* Into a new file that only its owner can read. */
static int keep_secret(struct cli_call *call, const char *path, struct str token)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return cli_fail(call, CLI_USAGE, "io", "choose a file that does not exist",
                        "%s cannot be made: %s", path, strerror(errno));
    }
    const struct str line = arena_format(&call->arena, "%.*s\n", STR_ARG(token));
    const bool is_written = write(fd, line.ptr, line.len) == (ssize_t)line.len;
    if (close(fd) != 0 || !is_written) {
        return cli_fail(call, CLI_FAILED, "io", "revoke the token and make another",
                        "%s could not be written", path);
    }
    return CLI_OK;
}

static int show_new(struct cli_call *call, json_t *made)
{
    const char *path = cli_value(call, "out");
    int status = CLI_OK;
    if (path != NULL) {
        status = keep_secret(call, path, json_text(json_object_get(made, "token")));
        (void)json_object_del(made, "token");
    }
    if (status == CLI_OK) {
        cli_show(call, made, &SHAPE);
        cli_note(call, path != NULL ? "The token is in %s." : "The token is shown only this once.",
                 path);
    }
    return status;
}

static int add(struct cli_call *call)
{
    struct buf body;
    struct json_writer w;
    if (cli_value(call, "scopes") == NULL) {
        return cli_fail(call, CLI_USAGE, "usage",
                        "scopes are orch:read orch:submit orch:operate orch:quota orch:backfill "
                        "orch:admin orch:work",
                        "tokens add needs --scopes");
    }
    buf_init(&body, TOKEN_BODY_MAX);
    json_begin(&w, &body);
    json_put_object(&w);
    cli_put_words_option(call, &w, "job_types", "job-types");
    JSON_STR(&w, "name", str_from(cli_argument(call, 0)));
    cli_put_words_option(call, &w, "scopes", "scopes");
    if (cli_tenant(call) != NULL) {
        JSON_STR(&w, "tenant", str_from(cli_tenant(call)));
    } else {
        JSON_NULL(&w, "tenant");
    }
    json_put_object_end(&w);
    struct cli_reply reply;
    int status = cli_send(call,
                          &(struct cli_request){.method = "POST",
                                                .path = STR("/tokens"),
                                                .body = buf_get(&body),
                                                .installation = true,
                                                .creates = true},
                          &reply);
    buf_fini(&body);
    if (status == CLI_OK) {
        status = show_new(call, reply.json);
        json_decref(reply.json);
    }
    return status;
}

static int revoke_token(struct cli_call *call)
{
    const char *id = cli_argument(call, 0);
    int status = cli_need_reason(call);
    if (status == CLI_OK) {
        status = cli_confirm(call, arena_format(&call->arena, "Revoke %s", id).ptr);
    }
    struct cli_reply reply = {0};
    if (status == CLI_OK) {
        status = cli_send(call,
                          &(struct cli_request){.method = "DELETE",
                                                .path = cli_path(call, "/tokens/%s", id),
                                                .installation = true},
                          &reply);
    }
    if (status == CLI_OK) {
        json_decref(reply.json);
        cli_note(call, "Revoked %s.", id);
    }
    return status;
}

static const struct cli_option ADD_OPTIONS[] = {
    {"scopes", 0, "A,B",
     "orch:read orch:submit orch:operate orch:quota orch:backfill orch:admin orch:work"},
    {"job-types", 0, "A,B", "With orch:work: only these job types"},
    {"out", 0, "FILE", "Write the token into a new file (mode 0600) instead of printing it"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List tokens, without their secrets",
     "stella orchestrator tokens list", NULL, 0, list},
    {"add", "create", "NAME", 1, 1, "Make a token: for the tenant of -T, else for the installation",
     "stella orchestrator tokens add ci -T acme --scopes orch:read,orch:submit --out ci.token\n"
     "stella orchestrator tokens add workers --scopes orch:work --out worker.token",
     ADD_OPTIONS, CLI_COUNT(ADD_OPTIONS), add},
    {"revoke", "delete", "TOKEN", 1, 1, "Revoke a token (needs --reason)",
     "stella orchestrator tokens revoke tok-3 --reason \"left the team\" --yes", NULL, 0,
     revoke_token},
};

const struct cli_noun cli_tokens = {"tokens", "token", "Who may do what", COMMANDS,
                                    CLI_COUNT(COMMANDS)};
