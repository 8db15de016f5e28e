/*
 * A worker whose jobs do what their payload says, for the tests beside it: {"do":"...", ...}.
 *
 * Usage   probe URL TOKEN SLOTS GRACE_MS. Every line on standard output is "WORD JOB DETAIL".
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <stella/worker.h>

static void say(const char *word, const struct stella_job *job, const char *detail)
{
    (void)printf("%s %s %s\n", word, stella_job_id(job), detail);
    (void)fflush(stdout);
}

static const char *stop_name(int32_t stop)
{
    static const char *const names[] = {"none", "canceled", "lease_lost", "lost_contact",
                                        "draining"};
    return names[stop];
}

static int32_t done(struct stella_job *job, const json_t *asked)
{
    (void)asked;
    stella_job_progress(job, 1, 2, "half");
    return stella_job_result(job, "{\"did\":\"it\"}", 12, NULL) == STELLA_OK ? STELLA_DONE
                                                                             : STELLA_FAILED;
}

static int32_t fail(struct stella_job *job, const json_t *asked)
{
    (void)asked;
    return stella_job_fail(job, "parse_error", "line 3", 1, 2500);
}

static int32_t throttle(struct stella_job *job, const json_t *asked)
{
    (void)asked;
    return stella_job_throttle(job, "api.example.org", 4000);
}

/* Waits until it is asked to stop. */
static int32_t hang(struct stella_job *job, const json_t *asked)
{
    (void)asked;
    say("hanging", job, "-");
    int32_t stop = STELLA_STOP_NONE;
    int32_t lost = 0;
    while (stop == STELLA_STOP_NONE) {
        stop = stella_job_wait(job, 20);
        if (stella_job_contact_lost(job) != lost) {
            lost = stella_job_contact_lost(job);
            say("contact", job, lost ? "lost" : "back");
        }
    }
    say("stopped", job, stop_name(stop));
    return STELLA_RELEASED;
}

/* Burns its processor without ever calling the library: must not starve the heartbeats. */
static int32_t burn(struct stella_job *job, const json_t *asked)
{
    const json_int_t ms = json_integer_value(json_object_get(asked, "ms"));
    struct timespec from, now;
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    do {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
    return done(job, asked);
}

static int32_t upload(struct stella_job *job, const json_t *asked)
{
    struct stella_artifact *artifact = NULL;
    struct stella_error error = {0};
    char sha256[STELLA_SHA256_TEXT] = "-";
    json_int_t left = json_integer_value(json_object_get(asked, "bytes"));
    char chunk[1000];
    memset(chunk, 'x', sizeof(chunk));
    int32_t code = stella_artifact_open(job, "out.bin", "text/plain", &artifact, &error);
    while (code == STELLA_OK && left > 0) {
        const size_t len = left < (json_int_t)sizeof(chunk) ? (size_t)left : sizeof(chunk);
        code = stella_artifact_write(artifact, chunk, len, &error);
        left -= (json_int_t)len;
    }
    code = code == STELLA_OK ? stella_artifact_close(artifact, sha256, &error) : code;
    say("uploaded", job, code == STELLA_OK ? sha256 : stella_code_name(code));
    return code == STELLA_OK ? STELLA_DONE : stella_job_fail(job, "upload", error.message, 0, 0);
}

static int32_t count(void *context, const void *bytes, size_t len)
{
    (void)bytes;
    *(size_t *)context += len;
    return 0;
}

static int32_t download(struct stella_job *job, const json_t *asked)
{
    const char *sha256 = json_string_value(json_object_get(asked, "sha256"));
    size_t len = 0;
    const int32_t code = stella_job_get_artifact(job, sha256, count, &len, NULL);
    char detail[64];
    (void)snprintf(detail, sizeof(detail), "%s/%zu", stella_code_name(code), len);
    say("downloaded", job, detail);
    if (code == STELLA_OK) {
        (void)stella_job_use_artifact(job, "in.bin", sha256, len, NULL);
    }
    return STELLA_DONE;
}

static int32_t list_one(void *context, const struct stella_artifact_info *info)
{
    say("listed", context, info->name);
    return 0;
}

static int32_t list(struct stella_job *job, const json_t *asked)
{
    (void)asked;
    struct stella_error error = {0};
    const int32_t code = stella_job_run_artifacts(job, list_one, job, &error);
    say("list", job, code == STELLA_OK ? "ok" : error.message);
    return STELLA_DONE;
}

static int32_t take(struct stella_job *job, const json_t *asked)
{
    const json_int_t n = json_integer_value(json_object_get(asked, "n"));
    for (json_int_t i = 0; i < n; i++) {
        if (stella_job_take_requests(job, 1, NULL) != STELLA_OK) {
            return STELLA_RELEASED;
        }
    }
    return STELLA_DONE;
}

static int32_t nonsense(struct stella_job *job, const json_t *asked)
{
    (void)job, (void)asked;
    return 77;
}

static int32_t run(void *context, struct stella_job *job)
{
    static const struct {
        const char *name;
        int32_t (*act)(struct stella_job *job, const json_t *asked);
    } acts[] = {{"done", done}, {"fail", fail},        {"throttle", throttle}, {"hang", hang},
                {"burn", burn}, {"upload", upload},    {"download", download}, {"list", list},
                {"take", take}, {"nonsense", nonsense}};

    (void)context;
    size_t len = 0;
    const char *payload = stella_job_payload(job, &len);
    json_t *asked = json_loadb(payload, len, 0, NULL);
    const char *what = json_string_value(json_object_get(asked, "do"));
    int32_t outcome = STELLA_RELEASED;
    for (size_t i = 0; what != NULL && i < sizeof(acts) / sizeof(*acts); i++) {
        if (strcmp(acts[i].name, what) == 0) {
            outcome = acts[i].act(job, asked);
        }
    }
    json_decref(asked);
    return outcome;
}

static void on_log(void *context, int32_t level, const char *job, const char *text, size_t len)
{
    (void)context;
    (void)printf("log %s %d %.*s\n", job != NULL ? job : "-", level, (int)len, text);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    struct stella_worker_options options = STELLA_WORKER_OPTIONS_INIT;
    struct stella_worker *worker = NULL;
    struct stella_error error = {0};
    if (argc != 5) {
        return 2;
    }
    options.url = argv[1];
    options.token = argv[2];
    options.slots = (uint32_t)strtoul(argv[3], NULL, 10);
    options.grace_ms = (uint32_t)strtoul(argv[4], NULL, 10);
    options.name = "probe/1";
    options.on_log = on_log;
    if (stella_worker_new(&options, &worker, &error) == STELLA_OK &&
        stella_worker_handle(worker, "probe", run, NULL, &error) == STELLA_OK &&
        stella_worker_drain_on_signals(worker, &error) == STELLA_OK) {
        (void)stella_worker_run(worker, &error);
    }
    stella_worker_free(worker);
    (void)printf("ended - %s %s\n", stella_code_name(error.code), error.message);
    return error.code == STELLA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
