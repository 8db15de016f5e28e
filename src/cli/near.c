#include "cli/near.h"

#include <string.h>

#include "base/json.h"
#include "cli/client.h"
#include "cli/parse.h"

static const struct cli_kind KINDS[] = {
    {"JOB", "/jobs", "id", "job-", "jobs", false},
    {"RUN", "/runs", "id", "run-", "runs", false},
    {"SOURCE", "/sources", "name", NULL, "sources", false},
    {"TYPE", "/job-types", "name", NULL, "job-types", false},
    {"TENANT", "/tenants", "name", NULL, "tenants", true},
    {"TOKEN", "/tokens", "id", "tok-", "tokens", true},
    {"WORKER", "/workers", "name", NULL, "workers", true},
    {"SERVICE", "/breakers", "service", NULL, "breakers", true},
    {"CONTEXT", NULL, "name", NULL, "contexts", true},
};

const struct cli_kind *cli_kind_of(const char *placeholder)
{
    const char *word = placeholder + strspn(placeholder, "[");
    const size_t len = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (size_t i = 0; i < CLI_COUNT(KINDS); i++) {
        if (strlen(KINDS[i].placeholder) == len && memcmp(KINDS[i].placeholder, word, len) == 0) {
            return &KINDS[i];
        }
    }
    return NULL;
}

/* The name of the list that is nearest to `word`, or null. The failure stays as it was. */
static const char *nearest_name(struct cli_call *call, const struct cli_kind *kind,
                                const char *word)
{
    const struct cli_failure failure = call->failure;
    struct cli_nearest nearest = {.word = word};
    struct cli_reply reply = {0};
    size_t i = 0;
    json_t *item = NULL;
    call->failure = (struct cli_failure){0};
    const int status = cli_send(call,
                                &(struct cli_request){.method = "GET",
                                                      .path = str_from(kind->path),
                                                      .installation = kind->installation},
                                &reply);
    json_array_foreach(json_object_get(reply.json, "items"), i, item)
    {
        const struct str name = json_text(json_object_get(item, kind->member));
        cli_nearest_add(&nearest, arena_cstr(&call->arena, name));
    }
    json_decref(status == CLI_OK ? reply.json : NULL);
    json_decref(call->failure.errors);
    call->failure = failure;
    return nearest.best;
}

void cli_near(struct cli_call *call)
{
    const struct cli_kind *kind =
        call->command != NULL ? cli_kind_of(call->command->arguments) : NULL;
    if (kind == NULL || kind->path == NULL || call->arguments.n == 0 ||
        call->failure.status != 404 || strcmp(kind->noun, call->noun->name) != 0) {
        return;
    }
    const char *word = cli_argument(call, 0);
    if (kind->prefix != NULL) {
        const char *form =
            arena_format(&call->arena,
                         "an id looks like %s17; `%s list` shows them, of the tenant "
                         "that -T names",
                         kind->prefix, kind->noun)
                .ptr;
        call->failure.hint = str_starts(str_from(word), str_from(kind->prefix)) ? call->failure.hint
                                                                                : str_from(form);
        return;
    }
    const char *best = nearest_name(call, kind, word);
    if (best != NULL) {
        call->failure.hint = arena_format(&call->arena, "did you mean %s?", best);
    }
}
