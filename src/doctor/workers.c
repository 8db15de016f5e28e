/* Those who work, as far as they were seen lately: their clocks and versions. */
#include <stdlib.h>

#include "base/json.h"
#include "doctor/doctor.h"
#include "platform/clock.h"

enum { OFFSET_MAX_MS = 5000, LATELY_S = 3600 };

static bool was_seen_lately(const json_t *worker)
{
    struct wall_time seen = {0};
    const bool known = time_parse(json_text(json_object_get(worker, "seen_at")), &seen);
    return known && seen.us > clock_wall().us - LATELY_S * US_PER_S;
}

static int64_t offset_of(const json_t *worker)
{
    return json_integer_value(json_object_get(worker, "clock_offset_ms"));
}

static void check_clocks(struct doctor *doctor, const json_t *workers, size_t lately)
{
    const json_t *worst = NULL;
    size_t wrong = 0;
    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);
        if (was_seen_lately(worker) && llabs(offset_of(worker)) > OFFSET_MAX_MS) {
            wrong++;
            const bool is_worse =
                worst == NULL || llabs(offset_of(worker)) > llabs(offset_of(worst));
            worst = is_worse ? worker : worst;
        }
    }
    if (worst == NULL) {
        doctor_ok(doctor, "worker clocks", "%zu workers were seen within the hour", lately);
        return;
    }
    const struct str name = json_text(json_object_get(worst, "name"));
    doctor_warn(doctor, "worker clocks",
                "set them from one time source (chrony, ntp), restart the workers: "
                "docs/operate/workers.md",
                "of %zu workers, %.*s is %.1f s off the most", wrong, STR_ARG(name),
                (double)offset_of(worst) / 1000);
}

static bool does(const json_t *worker, struct str type)
{
    const json_t *types = json_object_get(worker, "job_types");
    for (size_t i = 0; i < json_array_size(types); i++) {
        if (str_eq(json_text(json_array_get(types, i)), type)) {
            return true;
        }
    }
    return false;
}

/* A worker of another version that does one of the same types; null: none. */
static const json_t *another_version(const json_t *workers, const json_t *worker, struct str *type)
{
    const json_t *types = json_object_get(worker, "job_types");
    const struct str version = json_text(json_object_get(worker, "version"));
    for (size_t t = 0; t < json_array_size(types); t++) {
        *type = json_text(json_array_get(types, t));
        for (size_t i = 0; i < json_array_size(workers); i++) {
            const json_t *other = json_array_get(workers, i);
            const struct str theirs = json_text(json_object_get(other, "version"));
            if (was_seen_lately(other) && theirs.len > 0 && !str_eq(theirs, version) &&
                does(other, *type)) {
                return other;
            }
        }
    }
    return NULL;
}

static void check_versions(struct doctor *doctor, const json_t *workers)
{
    for (size_t i = 0; i < json_array_size(workers); i++) {
        const json_t *worker = json_array_get(workers, i);
        const struct str version = json_text(json_object_get(worker, "version"));
        struct str type;
        const json_t *other = version.len > 0 && was_seen_lately(worker)
                                  ? another_version(workers, worker, &type)
                                  : NULL;
        if (other != NULL) {
            const struct str theirs = json_text(json_object_get(other, "version"));
            doctor_warn(doctor, "worker versions",
                        "finish the update; `workers list` shows who is of which version",
                        "jobs of type %.*s are done by versions %.*s and %.*s", STR_ARG(type),
                        STR_ARG(version), STR_ARG(theirs));
            return;
        }
    }
    doctor_ok(doctor, "worker versions", "each type is done by one version");
}

void doctor_workers(struct doctor *doctor)
{
    struct cli_reply reply;
    if (doctor_ask(doctor, "/workers?limit=1000", false, &reply) != CLI_OK) {
        return; /* The token's finding says why, or it may not see workers. */
    }
    const json_t *workers = json_object_get(reply.json, "items");
    size_t lately = 0;
    for (size_t i = 0; i < json_array_size(workers); i++) {
        lately += was_seen_lately(json_array_get(workers, i));
    }
    check_clocks(doctor, workers, lately);
    check_versions(doctor, workers);
    json_decref(reply.json);
}
