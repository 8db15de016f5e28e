/*
 * lib/worker_rig - a worker session driven by hand: no network, no threads, no clock.
 */
#ifndef TESTS_LIB_WORKER_RIG_H
#define TESTS_LIB_WORKER_RIG_H

#include <stdio.h>
#include <string.h>

#include "lib/cmocka.h"
#include "worker/session.h"

#define SECOND US_PER_S

static const struct str types[] = {{"advisory.ingest", 15}, {"vex.ingest", 10}};

/* A session, its clock, and the last thing it said. */
struct rig {
    struct session *session;
    struct mono_time now;
    struct session_action action;
    char sent[8192]; /* Body of the last request. */
};

static inline struct rig rig_new(uint32_t slots)
{
    const struct session_config config = {
        .worker = {.name = STR("host/1"),
                   .version = STR("1"),
                   .slots = slots,
                   .types = types,
                   .types_n = 2},
        .seed = {{7, 11}},
        .grace_us = 10 * SECOND,
    };
    struct rig rig = {.now = {1000 * SECOND}};
    rig.session = session_new(&config, rig.now);
    return rig;
}

static inline enum session_step next(struct rig *rig)
{
    return session_next(rig->session, rig->now, &rig->action);
}

/* The next step, which must be a request to `path`. Returns its id. */
static inline uint64_t expect_send(struct rig *rig, const char *path)
{
    assert_int_equal(next(rig), SESSION_SEND);
    assert_string_equal(rig->action.path, path);
    assert_true(rig->action.body.len < sizeof(rig->sent));
    (void)snprintf(rig->sent, sizeof(rig->sent), "%.*s", STR_ARG(rig->action.body));
    return rig->action.request;
}

static inline void expect_sent(const struct rig *rig, const char *part)
{
    if (strstr(rig->sent, part) == NULL) {
        fail_msg("%s is not in %s", part, rig->sent);
    }
}

static inline void reply(struct rig *rig, uint64_t request, int status, const char *body)
{
    const struct session_answer answer = {
        .request = request, .status = status, .body = str_from(body)};
    session_answer(rig->session, &answer, rig->now);
}

static inline void pass(struct rig *rig, int64_t us)
{
    rig->now.us += us;
}

/* Goes on to the moment that the session waits for. */
static inline void expect_wait(struct rig *rig)
{
    assert_int_equal(next(rig), SESSION_WAIT);
    assert_true(rig->action.until.us > rig->now.us);
}

static inline void wait_over(struct rig *rig)
{
    expect_wait(rig);
    rig->now = rig->action.until;
}

static inline void registered(struct rig *rig)
{
    const uint64_t request = expect_send(rig, "/workers/register");
    reply(rig, request, 200, "{\"heartbeat_ms\":10000,\"poll_ms\":20000,\"worker\":\"host/1\"}");
}

#define LEASE(lease, grant, job, more)                                               \
    "{\"lease\":\"" lease "\",\"grant\":" #grant ",\"job\":\"" job                   \
    "\",\"type\":\"vex.ingest\",\"tenant\":\"acme\",\"ttl_ms\":30000,\"attempt\":1," \
    "\"max_attempts\":5,\"payload\":{\"a\" : 1.50},\"requests_allowed\":null" more "}"

#define LEASES(list) "{\"leases\":[" list "]}"

/* Registers, claims and starts one job. */
static inline struct lease *one_running(struct rig *rig, const char *leases)
{
    registered(rig);
    const uint64_t claim = expect_send(rig, "/leases/claim");
    reply(rig, claim, 200, leases);
    assert_int_equal(next(rig), SESSION_START);
    return rig->action.lease;
}

static inline struct lease *usual_job(struct rig *rig)
{
    return one_running(rig, LEASES(LEASE("1.1", 3, "job-1", "")));
}

static inline void complete(struct rig *rig, struct lease *lease)
{
    const struct lease_report report = {.kind = REPORT_COMPLETE, .result = STR("{\"read\":1}")};
    session_ended(rig->session, lease, &report, rig->now);
}

static inline void end_as(struct rig *rig, struct lease *lease, enum report_kind kind)
{
    const struct lease_report report = {.kind = kind,
                                        .error_class = STR("parse_error"),
                                        .message = STR("why"),
                                        .retry_after_ms = 1500,
                                        .host = STR("api.example.org")};
    session_ended(rig->session, lease, &report, rig->now);
}

#endif
