/*
 * The smallest useful worker: does the jobs of type "example.greet", whose payload {"name":"Ada"}
 * it answers with {"greeting":"Hello, Ada"}.
 *
 * Run   STELLA_TOKEN=stl_… ./greet http://127.0.0.1:8700
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <stella/worker.h>

static int32_t greet(void *context, struct stella_job *job)
{
    (void)context;
    size_t len = 0;
    const char *payload = stella_job_payload(job, &len);
    json_t *asked = json_loadb(payload, len, 0, NULL);
    const char *name = json_string_value(json_object_get(asked, "name"));
    char text[256];
    const int n = snprintf(text, sizeof(text), "{\"greeting\":\"Hello, %s\"}", name ? name : "you");
    json_decref(asked);
    if (n >= (int)sizeof(text) || stella_job_result(job, text, (size_t)n, NULL) != STELLA_OK) {
        return stella_job_fail(job, "bad_name", "this name cannot be greeted", 1, 0);
    }
    return STELLA_DONE;
}

int main(int argc, char **argv)
{
    struct stella_worker_options options = STELLA_WORKER_OPTIONS_INIT;
    struct stella_worker *worker = NULL;
    struct stella_error error = {0};
    options.url = argc > 1 ? argv[1] : "http://127.0.0.1:8700";
    options.token = getenv("STELLA_TOKEN");
    if (stella_worker_new(&options, &worker, &error) != STELLA_OK ||
        stella_worker_handle(worker, "example.greet", greet, NULL, &error) != STELLA_OK ||
        stella_worker_drain_on_signals(worker, &error) != STELLA_OK ||
        stella_worker_run(worker, &error) != STELLA_OK) {
        (void)fprintf(stderr, "greet: %s\n", error.message);
    }
    stella_worker_free(worker);
    return error.code == STELLA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
