/* doctor/breakers - circuit breakers that hold jobs, or that an operator has set. */
#include "doctor/doctor.h"

#include "base/json.h"
#include "cli/client.h"

static bool says(const json_t *breaker, const char *member, struct str value)
{
    return str_eq(json_text(json_object_get(breaker, member)), value);
}

void doctor_breakers(struct doctor *doctor)
{
    struct cli_reply reply;
    if (doctor_ask(doctor, "/breakers?limit=1000", false, &reply) != CLI_OK) {
        return; /* The token's finding says why. */
    }
    const json_t *breakers = json_object_get(reply.json, "items");
    const json_t *held = NULL;
    size_t set = 0;
    size_t i = 0;
    json_t *breaker = NULL;
    json_array_foreach(breakers, i, breaker)
    {
        const bool is_automatic = says(breaker, "mode", STR("automatic"));
        const bool is_open = is_automatic && !says(breaker, "state", STR("closed"));
        held = is_open || says(breaker, "mode", STR("forced_open")) ? breaker : held;
        set += !is_automatic;
    }
    const struct str name = json_text(json_object_get(held, "service"));
    if (held != NULL) {
        doctor_warn(doctor, "breakers", "docs/operate/breaker-open.md",
                    "jobs wait for the service %.*s: its circuit breaker is not closed",
                    STR_ARG(name));
    } else if (set > 0) {
        doctor_warn(doctor, "breakers", "docs/operate/breaker-open.md",
                    "%zu circuit breakers are in a mode that an operator has set", set);
    } else {
        doctor_ok(doctor, "breakers", "no circuit breaker holds a job");
    }
    json_decref(reply.json);
}
