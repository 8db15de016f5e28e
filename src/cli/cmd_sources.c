/* sources: where documents come from. */
#include "cli/input.h"
#include "cli/nouns.h"
#include "cli/print.h"
#include "cli/put.h"

static const struct cli_column COLUMNS[] = {
    {"SOURCE", "name", CLI_TEXT},     {"KIND", "kind", CLI_TEXT},
    {"ENABLED", "enabled", CLI_TEXT}, {"RATE/S", "rate_per_s", CLI_NUMBER},
    {"URL", "url", CLI_TEXT},
};
static const struct cli_shape SHAPE = {"name", COLUMNS, CLI_COUNT(COLUMNS)};

static int list(struct cli_call *call)
{
    return cli_list(call, STR("/sources"), &SHAPE);
}

static int get(struct cli_call *call)
{
    return cli_get_and_show(call, cli_path(call, "/sources/%s", cli_argument(call, 0)), &SHAPE);
}

static int body_from_options(struct cli_call *call, struct json_writer *w)
{
    json_put_object(w);
    int status = cli_put_number_option(call, w, "burst", "burst", 1, 1000000);
    if (cli_flag(call, "disabled")) {
        JSON_BOOL(w, "enabled", false);
    }
    cli_put_text_option(call, w, "host", "host");
    cli_put_text_option(call, w, "kind", "kind");
    if (status == CLI_OK) {
        status = cli_put_number_option(call, w, "rate_per_s", "rate", 0, 1000000);
    }
    if (cli_value(call, "settings") != NULL && status == CLI_OK) {
        struct str settings;
        status = cli_input_value(call, cli_value(call, "settings"), &settings);
        if (status == CLI_OK) {
            JSON_RAW(w, "settings", settings);
        }
    }
    cli_put_text_option(call, w, "url", "url");
    json_put_object_end(w);
    return status;
}

static int put(struct cli_call *call)
{
    if ((cli_value(call, "file") == NULL) == (cli_value(call, "kind") == NULL)) {
        return cli_fail(call, CLI_USAGE, "usage", "add --help for examples",
                        "give either --kind (and --url …) or --file");
    }
    return cli_put_named(call, cli_path(call, "/sources/%s", cli_argument(call, 0)),
                         body_from_options, &SHAPE);
}

static const struct cli_option PUT_OPTIONS[] = {
    {"kind", 0, "KIND", "advisory-osv, advisory-csaf, vex, sbom or other"},
    {"url", 0, "URL", "file:… or http(s)://…"},
    {"host", 0, "HOST", "Host whose rate is limited (default: the URL's)"},
    {"rate", 0, "N", "Requests a second that the host allows; 0 = no limit"},
    {"burst", 0, "N", "Requests that may be made at once"},
    {"settings", 0, "JSON", "What its producer reads: JSON, @FILE or @-"},
    {"disabled", 0, NULL, "Keep it, but start nothing for it"},
    {"file", 'f', "FILE", "The whole body instead of options; - for stdin"},
    {"if-match", 0, "ETAG", "Replace only this version (default: the one that is read first)"},
};

static const struct cli_command COMMANDS[] = {
    {"list", "ls", "", 0, 0, "List sources", "stella orchestrator sources list", NULL, 0, list},
    {"get", NULL, "SOURCE", 1, 1, "Show one source",
     "stella orchestrator sources get osv-debian -o json", NULL, 0, get},
    {"put", "add", "SOURCE", 1, 1, "Register a source, or replace it",
     "stella orchestrator sources put osv --kind advisory-osv --url https://osv.example.org/all "
     "--rate 5\n"
     "stella orchestrator sources put osv -f source.json",
     PUT_OPTIONS, CLI_COUNT(PUT_OPTIONS), put},
};

const struct cli_noun cli_sources = {"sources", "source", "Where documents come from", COMMANDS,
                                     CLI_COUNT(COMMANDS)};
