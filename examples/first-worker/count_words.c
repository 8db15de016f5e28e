/*
 * A first worker: does the jobs of type "text.count", whose payload {"text":"…"} it answers with
 * {"words":N}. docs/guide/your-first-worker.md walks through it.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <stella/worker.h>

static int count_words(const char *text)
{
    int words = 0;
    bool inside = false;
    for (; *text != '\0'; text++) {
        const bool is_space = *text == ' ' || *text == '\n' || *text == '\t';
        words += !is_space && !inside ? 1 : 0;
        inside = !is_space;
    }
    return words;
}

/* Called on a thread of its own for each job, as often at once as the worker has slots. */
static int32_t count(void *context, struct stella_job *job)
{
    (void)context;
    size_t len = 0;
    const char *payload = stella_job_payload(job, &len);
    json_t *asked = json_loadb(payload, len, 0, NULL);
    const char *text = json_string_value(json_object_get(asked, "text"));
    char result[64];
    if (text == NULL) {
        json_decref(asked);
        /* Permanent: the same payload would fail again, so there is no second try. */
        return stella_job_fail(job, "bad_payload", "the payload has no text", 1, 0);
    }
    const int n = snprintf(result, sizeof(result), "{\"words\":%d}", count_words(text));
    json_decref(asked);
    return stella_job_result(job, result, (size_t)n, NULL) == STELLA_OK ? STELLA_DONE
                                                                        : STELLA_FAILED;
}

int main(void)
{
    struct stella_worker_options options = STELLA_WORKER_OPTIONS_INIT;
    struct stella_worker *worker = NULL;
    struct stella_error error = {0};
    options.url = getenv("STELLA_URL");
    options.token = getenv("STELLA_TOKEN");
    if (stella_worker_new(&options, &worker, &error) != STELLA_OK ||
        stella_worker_handle(worker, "text.count", count, NULL, &error) != STELLA_OK ||
        stella_worker_drain_on_signals(worker, &error) != STELLA_OK ||
        stella_worker_run(worker, &error) != STELLA_OK) { /* Returns when it was told to end. */
        (void)fprintf(stderr, "count_words: %s\n", error.message);
    }
    stella_worker_free(worker);
    return error.code == STELLA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
