/* contexts: servers by name. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/context.h"
#include "cli/nouns.h"
#include "cli/print.h"

static const struct cli_column COLUMNS[] = {
    {"CONTEXT", "name", CLI_TEXT},          {"CURRENT", "current", CLI_TEXT},
    {"SERVER", "server", CLI_TEXT},         {"TENANT", "tenant", CLI_TEXT},
    {"TOKEN FILE", "token_file", CLI_TEXT},
};
static const struct cli_shape SHAPE = {"name", COLUMNS, CLI_COUNT(COLUMNS)};

static int list(struct cli_call *call)
{
    json_t *document = NULL;
    const int status = cli_context_read(call, &document);
    if (status != CLI_OK) {
        return status;
    }
    json_t *items = json_array();
    const char *name = NULL;
    json_t *context = NULL;
    const struct str current = json_text(json_object_get(document, "current"));
    json_object_foreach(json_object_get(document, "contexts"), name, context)
    {
        json_t *item = json_deep_copy(context);
        (void)json_object_set_new(item, "name", json_string(name));
        (void)json_object_set_new(item, "current", json_boolean(str_eq(current, str_from(name))));
        (void)json_array_append_new(items, item);
    }
    cli_print_items(call, items, &SHAPE);
    json_decref(items);
    json_decref(document);
    return CLI_OK;
}

static int use(struct cli_call *call)
{
    const char *name = cli_argument(call, 0);
    json_t *document = NULL;
    int status = cli_context_read(call, &document);
    if (status == CLI_OK && json_object_get(json_object_get(document, "contexts"), name) == NULL) {
        status = cli_context_unknown(call, document, name);
    }
    if (status == CLI_OK) {
        (void)json_object_set_new(document, "current", json_string(name));
        status = cli_context_write(call, document);
    }
    json_decref(document);
    if (status == CLI_OK) {
        cli_note(call, "Commands go to %s now.", name);
    }
    return status;
}

/* A file is named from anywhere, so the whole path is kept. */
static int add(struct cli_call *call)
{
    const char *name = cli_argument(call, 0);
    const char *token_file = cli_value(call, "token-file");
    char *whole = token_file != NULL ? realpath(token_file, NULL) : NULL;
    json_t *document = NULL;
    if (cli_value(call, "server") == NULL || (token_file != NULL && whole == NULL)) {
        free(whole);
        return cli_fail(call, CLI_USAGE, "usage", "add --help for examples",
                        token_file != NULL ? "the token file %s is not there"
                                           : "a context needs --server URL%.0s",
                        token_file != NULL ? token_file : "");
    }
    int status = cli_context_read(call, &document);
    if (status == CLI_OK) {
        json_t *context = json_pack("{s:s,s:s*,s:s*}", "server", cli_value(call, "server"),
                                    "tenant", cli_value(call, "tenant"), "token_file", whole);
        CHECK(context != NULL);
        (void)json_object_set_new(json_object_get(document, "contexts"), name, context);
        if (!json_is_string(json_object_get(document, "current"))) {
            (void)json_object_set_new(document, "current", json_string(name));
        }
        status = cli_context_write(call, document);
    }
    json_decref(document);
    free(whole);
    if (status == CLI_OK) {
        cli_note(call, "`stella orchestrator contexts use %s` makes it the one that is used.",
                 name);
    }
    return status;
}

static int remove_context(struct cli_call *call)
{
    const char *name = cli_argument(call, 0);
    json_t *document = NULL;
    int status = cli_context_read(call, &document);
    if (status == CLI_OK && json_object_del(json_object_get(document, "contexts"), name) != 0) {
        status = cli_context_unknown(call, document, name);
    }
    if (status == CLI_OK) {
        if (str_eq(json_text(json_object_get(document, "current")), str_from(name))) {
            (void)json_object_set_new(document, "current", json_null());
        }
        status = cli_context_write(call, document);
    }
    json_decref(document);
    return status;
}

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List contexts", "stella orchestrator contexts list", NULL, 0, list},
    {"add", "set", "CONTEXT", 1, 1,
     "Keep a server (--server), with a tenant (-T) and a token file (--token-file), under a name",
     "stella orchestrator contexts add test --server http://127.0.0.1:8700 "
     "--token-file .stella/data/admin.token -T acme",
     NULL, 0, add},
    {"use", NULL, "CONTEXT", 1, 1, "Use a context whenever no other is named",
     "stella orchestrator contexts use test", NULL, 0, use},
    {"remove", "delete", "CONTEXT", 1, 1, "Forget a context; the token file stays",
     "stella orchestrator contexts remove test", NULL, 0, remove_context},
};

const struct cli_noun cli_contexts = {"contexts", "context", "Servers by name", COMMANDS,
                                      CLI_COUNT(COMMANDS)};
