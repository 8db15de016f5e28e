#include "cli/versions.h"

#include "cli/shapes.h"

static const struct cli_column VERSION_COLUMNS[] = {
    {"VERSION", "version", CLI_NUMBER},
    {"AT", "at", CLI_TIME},
    {"BY", "actor", CLI_TEXT},
    {"REASON", "reason", CLI_TEXT},
};
static const struct cli_shape VERSIONS = {"version", VERSION_COLUMNS, CLI_COUNT(VERSION_COLUMNS)};

static const struct cli_column BODY_COLUMNS[] = {
    {"VERSION", "version", CLI_NUMBER},
    {"AT", "at", CLI_TIME},
    {"BY", "actor", CLI_TEXT},
    {"BODY", "body", CLI_JSON},
};
static const struct cli_shape BODY = {"version", BODY_COLUMNS, CLI_COUNT(BODY_COLUMNS)};

static const struct cli_column CHANGE_COLUMNS[] = {
    {"OP", "op", CLI_TEXT},
    {"PATH", "path", CLI_TEXT},
    {"WAS", "was", CLI_JSON},
    {"IS", "value", CLI_JSON},
};
const struct cli_shape cli_change_shape = {"path", CHANGE_COLUMNS, CLI_COUNT(CHANGE_COLUMNS)};

const struct cli_option cli_diff_options[2] = {
    {"from", 0, "VERSION", "The older one (default: the one before --to)"},
    {"to", 0, "VERSION", "The newer one (default: the current one)"},
};

int cli_versions_list(struct cli_call *call)
{
    const char *name = cli_argument(call, 0);
    return cli_list(call, cli_path(call, "/%s/%s/versions", call->noun->name, name), &VERSIONS);
}

int cli_versions_get(struct cli_call *call)
{
    return cli_get_and_show(call,
                            cli_path(call, "/%s/%s/versions/%s", call->noun->name,
                                     cli_argument(call, 0), cli_argument(call, 1)),
                            &BODY);
}

int cli_versions_diff(struct cli_call *call)
{
    struct str path = cli_path(call, "/%s/%s/diff", call->noun->name, cli_argument(call, 0));
    path = cli_query(call, path, "from", cli_value(call, "from"));
    path = cli_query(call, path, "to", cli_value(call, "to"));
    return cli_list_whole(call, path, "changes", &cli_change_shape);
}
