/* The command line: what words mean, what is printed, what the exit status says. */
#include "lib/cmocka.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/parse.h"
#include "cli/print.h"
#include "cli/table.h"
#include "cli/yaml.h"

static int nothing(struct cli_call *call)
{
    (void)call;
    return CLI_OK;
}

static const struct cli_option LIST_OPTIONS[] = {
    {"state", 's', "STATE", "Only this state"},
    {"wide", 0, NULL, "More columns"},
};
static const struct cli_command VERBS[] = {
    {"list", "ls", "", 0, 0, "List", "x", LIST_OPTIONS, CLI_COUNT(LIST_OPTIONS), nothing},
    {"get", NULL, "THING", 1, 1, "Get", "x", NULL, 0, nothing},
    {"cancel", NULL, "THING...", 1, -1, "Cancel", "x", NULL, 0, nothing},
};
static const struct cli_command SERVE[] = {
    {"", NULL, "[options]", 0, CLI_RAW, "Serve", "x", NULL, 0, nothing},
};
static const struct cli_noun NOUNS[] = {
    {"things", "thing", "Things", VERBS, CLI_COUNT(VERBS)},
    {"serve", NULL, "Serve", SERVE, 1},
};

static int begin(void **state)
{
    struct cli_call *call = calloc(1, sizeof(*call));
    assert_non_null(call);
    arena_init(&call->arena, SIZE_MAX);
    call->nouns = NOUNS;
    call->noun_count = CLI_COUNT(NOUNS);
    *state = call;
    return 0;
}

static int end(void **state)
{
    struct cli_call *call = *state;
    json_decref(call->failure.errors);
    arena_fini(&call->arena);
    free(call);
    return 0;
}

/* Parses up to eight words after the program's name. */
static int parse(struct cli_call *call, const char *line)
{
    char *words[10] = {(char *)"stella"};
    int count = 1;
    struct str rest = str_from(line);
    struct str word;
    while (count < 10 && str_split(&rest, ' ', &word)) {
        words[count++] = arena_cstr(&call->arena, word);
    }
    return cli_parse(call, count, words);
}

static void options_may_stand_anywhere(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "-T acme things --limit=5 list -sdead -o json"), CLI_OK);
    assert_string_equal(call->noun->name, "things");
    assert_string_equal(call->command->verb, "list");
    assert_string_equal(cli_value(call, "tenant"), "acme");
    assert_string_equal(cli_value(call, "limit"), "5");
    assert_string_equal(cli_value(call, "state"), "dead");
    assert_string_equal(cli_value(call, "output"), "json");
}

static void aliases_name_the_same_noun_and_verb(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "thing ls"), CLI_OK);
    assert_ptr_equal(call->command, &VERBS[0]);
}

static void the_last_of_repeated_options_counts(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "things list --state dead --state running"), CLI_OK);
    assert_string_equal(cli_value(call, "state"), "running");
}

static void options_are_never_abbreviated(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "things list --stat dead"), CLI_USAGE);
    assert_string_equal(call->failure.message.ptr, "unknown option --stat");
    assert_string_equal(call->failure.hint.ptr, "did you mean --state?");
}

static void a_mistyped_noun_or_verb_gets_a_suggestion(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "thinsg list"), CLI_USAGE);
    assert_string_equal(call->failure.hint.ptr, "did you mean things?");
    assert_int_equal(parse(call, "things lits"), CLI_USAGE);
    assert_string_equal(call->failure.hint.ptr, "did you mean list?");
}

static void a_switch_takes_no_value_and_an_option_needs_one(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "things list --wide=yes"), CLI_USAGE);
    assert_int_equal(parse(call, "things list --state"), CLI_USAGE);
    assert_string_equal(call->failure.message.ptr, "--state needs a value: --state STATE");
}

static void arguments_are_counted(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "things get"), CLI_USAGE);
    assert_string_equal(call->failure.message.ptr, "things get needs THING");
}

static void a_superfluous_argument_is_refused(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "things get a b"), CLI_USAGE);
    assert_string_equal(call->failure.message.ptr, "unexpected \"b\"");
}

static void two_dashes_end_the_options(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "things cancel -- --state -x"), CLI_OK);
    assert_int_equal(call->arguments.n, 2);
    assert_string_equal(cli_argument(call, 0), "--state");
}

static void a_lone_dash_is_an_argument(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "things get -"), CLI_OK);
    assert_string_equal(cli_argument(call, 0), "-");
}

static void help_needs_no_arguments(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "things get --help"), CLI_OK);
    assert_true(call->help);
}

static void a_raw_command_gets_its_options_untouched(void **state)
{
    struct cli_call *call = *state;
    assert_int_equal(parse(call, "serve --port 0 -x --limit=3"), CLI_OK);
    assert_int_equal(call->arguments.n, 4);
    assert_string_equal(cli_argument(call, 0), "--port");
    assert_string_equal(cli_argument(call, 3), "--limit=3");
    assert_null(cli_value(call, "limit"));
}

static void numbers_have_bounds(void **state)
{
    struct cli_call *call = *state;
    int64_t value = 7;
    assert_int_equal(parse(call, "things list --limit 12"), CLI_OK);
    assert_int_equal(cli_number(call, "limit", 1, 100, &value), CLI_OK);
    assert_int_equal(value, 12);
    assert_int_equal(cli_number(call, "limit", 1, 10, &value), CLI_USAGE);
    assert_int_equal(cli_number(call, "timeout", 1, 10, &value), CLI_OK);
    assert_int_equal(value, 12);
}

static void distances_count_edits(void **state)
{
    (void)state;
    assert_int_equal(cli_distance("runs", "runs"), 0);
    assert_int_equal(cli_distance("runs", "rusn"), 2);
    assert_int_equal(cli_distance("", "abc"), 3);
    assert_int_equal(cli_distance("job", "jobs"), 1);
}

static void paths_and_queries_are_percent_encoded(void **state)
{
    struct cli_call *call = *state;
    const struct str path = cli_path(call, "/sources/%s/x", "a/b c?d");
    assert_string_equal(path.ptr, "/sources/a%2Fb%20c%3Fd/x");
    const struct str query = cli_query(call, path, "key", "1&2=3");
    assert_string_equal(query.ptr, "/sources/a%2Fb%20c%3Fd/x?key=1%262%3D3");
    assert_string_equal(cli_query(call, query, "b", "ä").ptr,
                        "/sources/a%2Fb%20c%3Fd/x?key=1%262%3D3&b=%C3%A4");
    assert_true(str_eq(cli_query(call, query, "absent", NULL), query));
}

static void cells_follow_paths_and_formats(void **state)
{
    struct cli_call *call = *state;
    json_t *job = json_pack("{s:s,s:{s:s},s:i,s:[s,s],s:n}", "at", "2026-01-02T03:04:05.000006Z",
                            "hold", "reason", "backoff", "attempts", 3, "scopes", "a", "b", "url");
    const struct cli_column at = {"AT", "at", CLI_TIME};
    const struct cli_column hold = {"HOLD", "hold.reason", CLI_TEXT};
    const struct cli_column deeper = {"X", "hold.reason.more", CLI_TEXT};
    const struct cli_column attempts = {"N", "attempts", CLI_NUMBER};
    const struct cli_column scopes = {"S", "scopes", CLI_WORDS};
    const struct cli_column url = {"URL", "url", CLI_TEXT};
    assert_string_equal(cli_cell(&call->arena, job, &at).ptr, "2026-01-02 03:04:05Z");
    assert_string_equal(cli_cell(&call->arena, job, &hold).ptr, "backoff");
    assert_int_equal(cli_cell(&call->arena, job, &deeper).len, 0);
    assert_string_equal(cli_cell(&call->arena, job, &attempts).ptr, "3");
    assert_string_equal(cli_cell(&call->arena, job, &scopes).ptr, "a,b");
    assert_int_equal(cli_cell(&call->arena, job, &url).len, 0);
    json_decref(job);
}

static void control_characters_never_reach_the_terminal(void **state)
{
    struct cli_call *call = *state;
    assert_string_equal(cli_clean(&call->arena, STR("a\033[31mb\tc\nd\x7f")).ptr, "a [31mb c d ");
}

/* Prints items in one output mode and returns the text. */
static char *printed(struct cli_call *call, enum cli_output output, bool is_table)
{
    static const struct cli_column columns[] = {{"JOB", "id", CLI_TEXT},
                                                {"STATE", "state", CLI_STATE}};
    static const struct cli_shape shape = {"id", columns, 2};
    json_t *items = json_pack("[{s:s,s:s},{s:s,s:s}]", "id", "job-1", "state", "dead", "id",
                              "job-20", "state", "succeeded");
    char *text = NULL;
    size_t len = 0;
    call->out = open_memstream(&text, &len);
    call->output = output;
    call->is_table = is_table;
    cli_print_items(call, items, &shape);
    assert_int_equal(fclose(call->out), 0);
    json_decref(items);
    return text;
}

static void one_list_prints_in_every_format(void **state)
{
    struct cli_call *call = *state;
    char *plain = printed(call, CLI_OUTPUT_AUTO, false);
    assert_string_equal(plain, "job-1\tdead\njob-20\tsucceeded\n");
    char *table = printed(call, CLI_OUTPUT_TABLE, true);
    assert_string_equal(table, "JOB    STATE\njob-1  dead\njob-20 succeeded\n");
    char *names = printed(call, CLI_OUTPUT_NAME, false);
    assert_string_equal(names, "job-1\njob-20\n");
    char *lines = printed(call, CLI_OUTPUT_JSONL, false);
    assert_string_equal(lines, "{\"id\":\"job-1\",\"state\":\"dead\"}\n"
                               "{\"id\":\"job-20\",\"state\":\"succeeded\"}\n");
    free(plain);
    free(table);
    free(names);
    free(lines);
}

static void every_refusal_has_its_exit_status(void **state)
{
    (void)state;
    assert_int_equal(cli_failure_status(401, STR("unauthenticated")), CLI_DENIED);
    assert_int_equal(cli_failure_status(403, STR("forbidden")), CLI_DENIED);
    assert_int_equal(cli_failure_status(404, STR("not_found")), CLI_NOT_FOUND);
    assert_int_equal(cli_failure_status(409, STR("invalid_transition")), CLI_CONFLICT);
    assert_int_equal(cli_failure_status(412, STR("precondition_failed")), CLI_CONFLICT);
    assert_int_equal(cli_failure_status(429, STR("too_many_jobs")), CLI_REFUSED);
    assert_int_equal(cli_failure_status(503, STR("overloaded")), CLI_REFUSED);
    assert_int_equal(cli_failure_status(503, STR("ledger_unavailable")), CLI_UNREACHABLE);
    assert_int_equal(cli_failure_status(422, STR("dag_cycle")), CLI_FAILED);
    assert_int_equal(cli_failure_status(500, STR("internal")), CLI_FAILED);
}

static void a_problem_document_becomes_one_json_object(void **state)
{
    struct cli_call *call = *state;
    struct cli_reply reply = {.status = 503, .retry_after = "3", .request_id = "r-1"};
    reply.json = json_pack("{s:s,s:s,s:s}", "code", "overloaded", "detail", "too\nmuch", "pointer",
                           "/jobs/3");
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(cli_failure_from(call, &reply), CLI_REFUSED);
    call->output = CLI_OUTPUT_JSON;
    call->log = open_memstream(&text, &len);
    cli_failure_print(call);
    assert_int_equal(fclose(call->log), 0);
    assert_string_equal(text, "{\"code\":\"overloaded\",\"hint\":\"try again in 3 s\","
                              "\"message\":\"too much (at /jobs/3)\",\"request_id\":\"r-1\","
                              "\"retryable\":true,\"runbook\":\"overloaded\",\"status\":503}\n");
    free(text);
    json_decref(reply.json);
}

static void yaml_quotes_what_would_be_read_as_something_else(void **state)
{
    (void)state;
    static const char *const plain[] = {"a", "running", "advisory.ingest", "a/b_c-d", "nullable"};
    static const char *const quoted[] = {"",           "true", "No",  "Y",    "null", "12",
                                         "1e3",        "~",    "-",   "a: b", "a b",  "é",
                                         "2026-01-31", ".5",   "a#b", "a\nb"};
    for (size_t i = 0; i < CLI_COUNT(plain); i++) {
        assert_true(cli_yaml_is_plain(str_from(plain[i])));
    }
    for (size_t i = 0; i < CLI_COUNT(quoted); i++) {
        assert_false(cli_yaml_is_plain(str_from(quoted[i])));
    }
}

static void long_cells_are_cut_to_whole_characters(void **state)
{
    struct cli_call *call = *state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    const struct str text = STR("grün 日本 end");
    assert_int_equal(cli_table_width(text), 13);
    assert_true(str_eq(cli_table_cut(&call->arena, text, 13), text));
    assert_true(str_eq(cli_table_cut(&call->arena, text, 8), STR("grün 日…")));
    assert_true(str_eq(cli_table_cut(&call->arena, text, 7), STR("grün …")));
    assert_true(str_eq(cli_table_cut(&call->arena, STR("a\xff"), 2), STR("a\xff")));
    assert_non_null(setlocale(LC_CTYPE, "C"));
}

#define CLI_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(options_may_stand_anywhere),
        CLI_TEST(aliases_name_the_same_noun_and_verb),
        CLI_TEST(the_last_of_repeated_options_counts),
        CLI_TEST(options_are_never_abbreviated),
        CLI_TEST(a_mistyped_noun_or_verb_gets_a_suggestion),
        CLI_TEST(a_switch_takes_no_value_and_an_option_needs_one),
        CLI_TEST(arguments_are_counted),
        CLI_TEST(a_superfluous_argument_is_refused),
        CLI_TEST(two_dashes_end_the_options),
        CLI_TEST(a_lone_dash_is_an_argument),
        CLI_TEST(help_needs_no_arguments),
        CLI_TEST(a_raw_command_gets_its_options_untouched),
        CLI_TEST(numbers_have_bounds),
        CLI_TEST(distances_count_edits),
        CLI_TEST(paths_and_queries_are_percent_encoded),
        CLI_TEST(cells_follow_paths_and_formats),
        CLI_TEST(control_characters_never_reach_the_terminal),
        CLI_TEST(one_list_prints_in_every_format),
        CLI_TEST(yaml_quotes_what_would_be_read_as_something_else),
        CLI_TEST(long_cells_are_cut_to_whole_characters),
        CLI_TEST(every_refusal_has_its_exit_status),
        CLI_TEST(a_problem_document_becomes_one_json_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
