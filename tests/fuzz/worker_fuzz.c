/*
 * A server that says anything: each line is an answer, its first byte the status, the rest the
 * body. Whatever it says, the worker's session neither breaks nor spins, and a lease is started
 * once.
 */
#include "base/check.h"
#include "fuzz/fuzz.h"
#include "worker/session.h"

enum { STEPS = 400, IDLE_STEPS = 200 };

static void answer(struct session *session, uint64_t request, struct str *rest,
                   struct mono_time now)
{
    static const int statuses[] = {200, 0, 503, 429, 404, 409, 422, 401};
    struct str line = {NULL, 0};
    (void)str_split(rest, '\n', &line);
    const size_t kind = line.len > 0 ? (unsigned char)line.ptr[0] % 8 : 1;
    const struct session_answer given = {
        .request = request,
        .status = statuses[kind],
        .body = str_slice(line, 1, line.len),
        .retry_after_ms = line.len > 1 ? (unsigned char)line.ptr[1] : 0,
    };
    session_answer(session, &given, now);
}

static void end(struct session *session, struct lease *lease, struct mono_time now)
{
    const struct lease_report report = {
        .kind = (enum report_kind)(lease->is.grant & 3),
        .result = STR("{}"),
        .error_class = STR("class"),
        .message = STR("message"),
    };
    CHECK(lease->is.payload.len == 0 || lease->is.payload.ptr != NULL);
    session_ended(session, lease, &report, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str types[] = {{"probe", 5}};
    const struct session_config config = {
        .worker = {.name = STR("w"), .version = STR("1"), .slots = 3, .types = types, .types_n = 1},
        .seed = {{1, 2}},
        .grace_us = US_PER_S,
    };
    struct mono_time now = {US_PER_S};
    struct str rest = {(const char *)data, size};
    struct session *session = session_new(&config, now);
    struct session_action action;
    enum session_step step = SESSION_WAIT;
    int idle = 0;
    for (int i = 0; i < STEPS && step != SESSION_DONE; i++) {
        if (rest.len == 0 && idle++ == 0) {
            session_drain(session, now);
        }
        step = session_next(session, now, &action);
        if (step == SESSION_SEND) {
            answer(session, action.request, &rest, now);
        } else if (step == SESSION_START) {
            end(session, action.lease, now);
        } else if (step == SESSION_WAIT) {
            CHECK(action.until.us > now.us); /* A moment in the past would be a busy loop. */
            now = action.until;
        }
    }
    session_free(session);
    return 0;
}
