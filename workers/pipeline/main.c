/*
 * stella-pipeline: a feed folder through the orchestrator, from the documents to the findings.
 *
 * It starts nothing: the orchestrator and the workers run already. It makes the sources and job
 * types that are missing, submits one run, watches it, brings its artifacts home and prints a
 * summary.
 */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "platform/clock.h"
#include "workers/pipeline/run.h"

enum { EXIT_NOT_WELL = 1, EXIT_USAGE = 2, EXIT_BROKEN = 3 };

enum { ARENA_BYTES = 1024 * 1024 * 1024, FILE_BYTES = 16 * 1024 * 1024, TOKEN_BYTES = 512 };

struct options {
    const char *url, *token_file, *tenant;
    const char *feeds, *out, *source_url, *policy;
    struct plan_options plan;
};

struct pipeline {
    struct options options;
    struct arena arena;
    struct api api;
    struct plan plan;
    struct run run;
    json_t *policy;
    json_t *subjects;
    char feeds[PATH_MAX]; /* Absolute. */
    size_t files;
};

static const char help_text[] =
    "stella-pipeline - a feed folder through the orchestrator, to its findings\n\n"
    "usage: stella-pipeline --feeds DIR [options]\n"
    "  --url URL          the orchestrator (STELLA_SERVER; http://127.0.0.1:8700)\n"
    "  --token-file FILE  file with a token that may submit, operate and read\n"
    "                     (STELLA_TOKEN_FILE)\n"
    "  --tenant NAME      with an installation token: for this tenant\n"
    "  --feeds DIR        advisories-osv/ advisories-csaf/ vex/ sbom/ and perhaps subjects.json\n"
    "  --source-url URL   where the workers find the feed; else file: and the folder\n"
    "  --out DIR          write the run's artifacts here\n"
    "  --policy FILE      a policy document instead of the one that is shipped\n"
    "  --batch N          documents of an ingest job; else 25\n"
    "  --sbom-batch N     SBOMs of a policy job; else 4\n"
    "  --no-raw           do not keep the documents themselves as artifacts\n"
    "\nexit status: 0 every job ended well, 1 not, 2 wrong command line, 3 no answer\n";

static bool say(const char *what, const char *detail)
{
    (void)fprintf(stderr, "stella-pipeline: %s: %s\n", what, detail);
    return false;
}

/* ---- the command line ---- */

enum option_code {
    URL = 256,
    TOKEN_FILE,
    TENANT,
    FEEDS,
    SOURCE_URL,
    OUT,
    POLICY,
    BATCH,
    SBOM_BATCH,
    NO_RAW,
    HELP
};

static bool take_batch(const char *text, size_t *out)
{
    int64_t n = 0;
    const bool fine = str_parse_i64(str_from(text), &n) && n >= 1 && n <= 500;
    *out = fine ? (size_t)n : *out;
    return fine;
}

static bool take_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case URL: options->url = value; return true;
    case TOKEN_FILE: options->token_file = value; return true;
    case TENANT: options->tenant = value; return true;
    case FEEDS: options->feeds = value; return true;
    case SOURCE_URL: options->source_url = value; return true;
    case OUT: options->out = value; return true;
    case POLICY: options->policy = value; return true;
    case BATCH: return take_batch(value, &options->plan.batch);
    case SBOM_BATCH: return take_batch(value, &options->plan.sbom_batch);
    case NO_RAW: options->plan.keep_raw = false; return true;
    default: return false;
    }
}

static bool read_options(struct options *options, int argc, char **argv)
{
    static const struct option longs[] = {{"url", required_argument, NULL, URL},
                                          {"token-file", required_argument, NULL, TOKEN_FILE},
                                          {"tenant", required_argument, NULL, TENANT},
                                          {"feeds", required_argument, NULL, FEEDS},
                                          {"source-url", required_argument, NULL, SOURCE_URL},
                                          {"out", required_argument, NULL, OUT},
                                          {"policy", required_argument, NULL, POLICY},
                                          {"batch", required_argument, NULL, BATCH},
                                          {"sbom-batch", required_argument, NULL, SBOM_BATCH},
                                          {"no-raw", no_argument, NULL, NO_RAW},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (option == HELP) {
            (void)fputs(help_text, stdout);
            exit(EXIT_SUCCESS);
        }
        if (!take_option(options, option, optarg)) {
            return say("the command line", "is not understood; see --help");
        }
    }
    if (optind < argc || options->feeds == NULL) {
        return say("the command line", "--feeds must be given; see --help");
    }
    return true;
}

/* ---- files ---- */

static bool read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t got = 0;
    do {
        char *room = buf_reserve(out, 1 << 16);
        got = room == NULL ? 0 : fread(room, 1, 1 << 16, file);
        out->len += got;
    } while (got > 0);
    const bool fine = ferror(file) == 0 && !out->overflow;
    (void)fclose(file); /* Only read. */
    return fine;
}

/* Null stays in *out when there is no such file and it may be missing. */
static bool read_json(const char *path, bool may_be_missing, json_t **out)
{
    CLEANUP(buf_fini) struct buf text;
    struct err err = {0};
    buf_init(&text, FILE_BYTES);
    if (!read_file(path, &text)) {
        return may_be_missing || say(path, "cannot be read");
    }
    return json_read(buf_get(&text), out, &err) == ERR_OK || say(path, err.message);
}

static bool read_token(const struct options *options, char out[TOKEN_BYTES])
{
    CLEANUP(buf_fini) struct buf text;
    buf_init(&text, 1 << 17);
    if (options->token_file == NULL) {
        return say("the command line", "--token-file must be given; see --help");
    }
    if (!read_file(options->token_file, &text)) {
        return say(options->token_file, "cannot be read");
    }
    const struct str token = str_trim(buf_get(&text));
    (void)snprintf(out, TOKEN_BYTES, "%.*s", STR_ARG(token));
    return (token.len > 0 && token.len < TOKEN_BYTES) || say(options->token_file, "holds no token");
}

/* ---- the work ---- */

static bool prepare(struct pipeline *pipeline)
{
    char path[PATH_MAX + 32];
    const struct options *options = &pipeline->options;
    if (realpath(options->feeds, pipeline->feeds) == NULL) {
        return say(options->feeds, "is no folder");
    }
    if (options->policy != NULL && !read_json(options->policy, false, &pipeline->policy)) {
        return false;
    }
    (void)snprintf(path, sizeof(path), "%s/subjects.json", pipeline->feeds);
    if (!read_json(path, true, &pipeline->subjects) ||
        !plan_list(&pipeline->plan, &pipeline->arena, pipeline->feeds)) {
        return false;
    }
    pipeline->options.plan.policy = pipeline->policy;
    return true;
}

static bool carry_out(struct pipeline *pipeline)
{
    char url[PATH_MAX + 32];
    const struct options *options = &pipeline->options;
    (void)snprintf(url, sizeof(url), "file:%s", pipeline->feeds);
    if (!run_prepare(&pipeline->api, &pipeline->plan,
                     options->source_url != NULL ? options->source_url : url, pipeline->subjects) ||
        !run_submit(&pipeline->api, &pipeline->plan, &options->plan, &pipeline->run)) {
        return false;
    }
    (void)fprintf(stderr, "stella-pipeline: %zu documents in %zu ingest and %zu policy jobs: %s\n",
                  pipeline->plan.documents, pipeline->plan.ingest_jobs, pipeline->plan.policy_jobs,
                  pipeline->run.id);
    if (!run_watch(&pipeline->api, &pipeline->run)) {
        return false;
    }
    return options->out == NULL ||
           run_download(&pipeline->api, &pipeline->run, options->out, &pipeline->files);
}

/* ---- the summary ---- */

static void print_counts(const char *title, const json_t *counts)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_t *mutable = (json_t *)(uintptr_t)counts; /* jansson iterates non-const only. */
    (void)printf("%-12s", title);
    if (json_object_size(counts) == 0) {
        (void)printf(" none");
    }
    json_object_foreach(mutable, key, value)
    {
        (void)printf(" %s %" JSON_INTEGER_FORMAT, key, json_integer_value(value));
    }
    (void)printf("\n");
}

/* The merge's summary, fetched as the result of its job would be, from its artifact in --out. */
static void print_summary(const struct pipeline *pipeline, const json_t *summary)
{
    const json_t *documents = json_object_get(summary, "documents");
    const json_t *findings = json_object_get(summary, "findings");
    (void)printf("documents    read %" JSON_INTEGER_FORMAT " accepted %" JSON_INTEGER_FORMAT
                 " with warnings %" JSON_INTEGER_FORMAT "\n",
                 json_integer_value(json_object_get(documents, "read")),
                 json_integer_value(json_object_get(documents, "accepted")),
                 json_integer_value(json_object_get(documents, "warnings")));
    print_counts("quarantined", json_object_get(documents, "quarantined"));
    (void)printf("jobs        ");
    for (int i = 0; i < RUN_STATES; i++) {
        if (pipeline->run.counts[i] > 0) {
            (void)printf(" %s %" PRId64, run_states[i], pipeline->run.counts[i]);
        }
    }
    (void)printf("\n");
    print_counts("findings", json_object_get(findings, "verdicts"));
}

static bool same_name(const json_t *job, const char *name)
{
    const char *value = json_string_value(json_object_get(job, "name"));
    return value != NULL && strcmp(value, name) == 0;
}

/* Keeps the result of the merge; ends the listing there. */
static bool take_merge(void *context, const json_t *job)
{
    json_t **summary = context;
    if (!same_name(job, "merge")) {
        return true;
    }
    *summary = json_deep_copy(json_object_get(job, "result"));
    return false;
}

static void finish(struct pipeline *pipeline, double seconds)
{
    char list[RUN_ID + 32];
    json_t *summary = NULL;
    (void)snprintf(list, sizeof(list), "/runs/%s/jobs", pipeline->run.id);
    (void)run_each(&pipeline->api, list, &summary, take_merge); /* False means found. */
    print_summary(pipeline, summary);
    json_decref(summary);
    if (pipeline->options.out != NULL) {
        (void)printf("artifacts    %zu in %s\n", pipeline->files, pipeline->options.out);
    }
    (void)printf("seconds      %.1f\n", seconds);
}

static int run_all(struct pipeline *pipeline)
{
    char token[TOKEN_BYTES];
    const struct mono_time from = clock_mono();
    if (!read_token(&pipeline->options, token) || !prepare(pipeline)) {
        return EXIT_USAGE;
    }
    if (!api_open(&pipeline->api, pipeline->options.url, token, pipeline->options.tenant) ||
        !carry_out(pipeline)) {
        return EXIT_BROKEN;
    }
    finish(pipeline, (double)(clock_mono().us - from.us) / 1e6);
    const bool well = strcmp(pipeline->run.state, "succeeded") == 0 &&
                      pipeline->run.counts[4] == pipeline->run.total;
    if (!well) {
        (void)run_explain(&pipeline->api, &pipeline->run);
    }
    return well ? EXIT_SUCCESS : EXIT_NOT_WELL;
}

int main(int argc, char **argv)
{
    struct pipeline pipeline = {0};
    const char *url = getenv("STELLA_SERVER");
    pipeline.options = (struct options){
        .url = url != NULL ? url : "http://127.0.0.1:8700",
        .token_file = getenv("STELLA_TOKEN_FILE"),
        .plan = {.batch = 25, .sbom_batch = 4, .keep_raw = true},
    };
    if (!read_options(&pipeline.options, argc, argv)) {
        return EXIT_USAGE;
    }
    arena_init(&pipeline.arena, ARENA_BYTES);
    const int status = run_all(&pipeline);
    if (pipeline.api.easy != NULL) {
        api_close(&pipeline.api);
    }
    json_decref(pipeline.policy);
    json_decref(pipeline.subjects);
    arena_fini(&pipeline.arena);
    return status;
}
