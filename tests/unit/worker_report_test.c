/* The worker's protocol: reports, draining, request tokens. */
#include "lib/worker_rig.h"

/* ---- reports ---- */

static void jobs_that_finish_together_are_reported_together(void **state)
{
    (void)state;
    struct rig rig = rig_new(3);
    struct lease *leases[3];
    leases[0] = one_running(&rig, LEASES(LEASE("1.1", 3, "job-1", "") "," LEASE(
                                      "1.2", 4, "job-2", "") "," LEASE("1.3", 5, "job-3", "")));
    for (int i = 1; i < 3; i++) {
        assert_int_equal(next(&rig), SESSION_START);
        leases[i] = rig.action.lease;
    }
    complete(&rig, leases[0]);
    complete(&rig, leases[2]);
    const uint64_t report = expect_send(&rig, "/leases/complete");
    assert_string_equal(rig.sent,
                        "{\"reports\":[{\"grant\":3,\"lease\":\"1.1\",\"result\":{\"read\""
                        ":1}},{\"grant\":5,\"lease\":\"1.3\",\"result\":{\"read\":1}}],"
                        "\"worker\":\"host/1\"}");
    reply(&rig, report, 200,
          "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"state\":\"succeeded\"},"
          "{\"lease\":\"1.3\",\"code\":\"lease_lost\"}]}");
    assert_int_equal(next(&rig), SESSION_SAY);
    (void)expect_send(&rig, "/leases/claim");
    expect_sent(&rig, "\"max\":2");
    session_free(rig.session);
}

static void a_report_without_an_answer_is_kept_and_sent_again(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    complete(&rig, usual_job(&rig));
    uint64_t report = expect_send(&rig, "/leases/complete");
    char first[sizeof(rig.sent)];
    memcpy(first, rig.sent, sizeof(first));
    (void)expect_send(&rig, "/leases/claim");
    reply(&rig, report, 0, "");
    for (int i = 0; i < 5; i++) {
        wait_over(&rig);
        report = expect_send(&rig, "/leases/complete");
        assert_string_equal(rig.sent, first);
        reply(&rig, report, 503, "");
    }
    wait_over(&rig);
    report = expect_send(&rig, "/leases/complete");
    reply(&rig, report, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    expect_wait(&rig);
    session_free(rig.session);
}

static void a_single_item_that_may_be_retried_is_retried(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    complete(&rig, usual_job(&rig));
    uint64_t report = expect_send(&rig, "/leases/complete");
    (void)expect_send(&rig, "/leases/claim");
    reply(&rig, report, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ledger_unavailable\"}]}");
    wait_over(&rig);
    (void)expect_send(&rig, "/leases/complete");
    session_free(rig.session);
}

static void an_unreported_job_is_kept_alive(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    complete(&rig, usual_job(&rig));
    const uint64_t report = expect_send(&rig, "/leases/complete");
    (void)expect_send(&rig, "/leases/claim");
    const struct session_answer later = {.request = report, .status = 503, .retry_after_ms = 60000};
    session_answer(rig.session, &later, rig.now);
    wait_over(&rig);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    reply(&rig, beat, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"lease_lost\"}]}");
    while (next(&rig) == SESSION_WAIT) { /* The report decides, not the heartbeat. */
        rig.now = rig.action.until;
    }
    assert_string_equal(rig.action.path, "/leases/complete");
    session_free(rig.session);
}

static void a_refused_result_becomes_a_failure(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    complete(&rig, usual_job(&rig));
    const uint64_t report = expect_send(&rig, "/leases/complete");
    reply(&rig, report, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"unknown_artifact\"}]}");
    assert_int_equal(next(&rig), SESSION_SAY);
    (void)expect_send(&rig, "/leases/fail");
    expect_sent(&rig, "\"class\":\"unknown_artifact\"");
    assert_null(strstr(rig.sent, "permanent"));
    session_free(rig.session);
}

static void one_bad_report_does_not_hold_up_the_others(void **state)
{
    (void)state;
    struct rig rig = rig_new(2);
    struct lease *first =
        one_running(&rig, LEASES(LEASE("1.1", 3, "job-1", "") "," LEASE("1.2", 4, "job-2", "")));
    assert_int_equal(next(&rig), SESSION_START);
    struct lease *second = rig.action.lease;
    complete(&rig, first);
    complete(&rig, second);
    uint64_t report = expect_send(&rig, "/leases/complete");
    (void)expect_send(&rig, "/leases/claim");
    reply(&rig, report, 422, "{\"code\":\"unprocessable\"}");
    report = expect_send(&rig, "/leases/complete");
    assert_null(strstr(rig.sent, "1.2"));
    reply(&rig, report, 422, "{\"code\":\"unprocessable\"}");
    assert_int_equal(next(&rig), SESSION_SAY);
    report = expect_send(&rig, "/leases/complete");
    expect_sent(&rig, "1.2");
    (void)expect_send(&rig, "/leases/fail");
    expect_sent(&rig, "\"class\":\"unprocessable\"");
    expect_sent(&rig, "\"permanent\":true");
    reply(&rig, report, 200, "{\"results\":[{\"lease\":\"1.2\",\"code\":\"ok\"}]}");
    session_free(rig.session);
}

static void failures_and_throttles_say_what_they_know(void **state)
{
    (void)state;
    struct rig rig = rig_new(2);
    struct lease *first =
        one_running(&rig, LEASES(LEASE("1.1", 3, "job-1", "") "," LEASE("1.2", 4, "job-2", "")));
    assert_int_equal(next(&rig), SESSION_START);
    end_as(&rig, first, REPORT_FAIL);
    end_as(&rig, rig.action.lease, REPORT_THROTTLED);
    (void)expect_send(&rig, "/leases/fail");
    assert_string_equal(rig.sent, "{\"reports\":[{\"class\":\"parse_error\",\"grant\":3,\"lease\":"
                                  "\"1.1\",\"message\":\"why\",\"retry_after_ms\":1500}],"
                                  "\"worker\":\"host/1\"}");
    (void)expect_send(&rig, "/leases/throttled");
    assert_string_equal(rig.sent,
                        "{\"reports\":[{\"grant\":4,\"host\":\"api.example.org\",\"lease\""
                        ":\"1.2\",\"retry_after_ms\":1500}],\"worker\":\"host/1\"}");
    session_free(rig.session);
}

static void what_was_logged_travels_with_every_kind_of_report(void **state)
{
    (void)state;
    static const char *const paths[REPORT_KINDS] = {
        [REPORT_COMPLETE] = "/leases/complete",
        [REPORT_FAIL] = "/leases/fail",
        [REPORT_THROTTLED] = "/leases/throttled",
        [REPORT_RELEASE] = "/leases/release",
    };
    for (int kind = 0; kind < REPORT_KINDS; kind++) {
        struct rig rig = rig_new(1);
        struct lease *lease = usual_job(&rig);
        (void)session_log(lease, STELLA_INFO, STR("hello"), rig.now);
        end_as(&rig, lease, (enum report_kind)kind);
        const uint64_t report = expect_send(&rig, paths[kind]);
        expect_sent(&rig, "\"log\":{\"first\":0,\"lines\":[{\"ago_ms\":0,\"level\":\"info\","
                          "\"text\":\"hello\"}]}");
        (void)expect_send(&rig, "/leases/claim");
        /* A server that takes no logs gets the report without. */
        reply(&rig, report, 422, "{\"code\":\"unprocessable\"}");
        (void)expect_send(&rig, paths[kind]);
        assert_null(strstr(rig.sent, "\"log\""));
        session_free(rig.session);
    }
}

static void artifacts_travel_with_the_result(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = usual_job(&rig);
    struct lease_artifact artifact = {.name = STR("out.jsonl"), .size = 5};
    (void)snprintf(artifact.sha256, sizeof(artifact.sha256), "%064d", 7);
    const struct lease_report report = {
        .kind = REPORT_COMPLETE, .artifacts = &artifact, .artifacts_n = 1};
    session_ended(rig.session, lease, &report, rig.now);
    artifact.name = STR("gone"); /* It was copied. */
    (void)expect_send(&rig, "/leases/complete");
    expect_sent(&rig,
                "\"artifacts\":[{\"name\":\"out.jsonl\",\"role\":\"output\",\"sha256\":\"000");
    session_free(rig.session);
}

/* ---- draining ---- */

static void an_idle_worker_learns_what_its_claim_was_given_and_gives_it_back(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    char claim_id[64];
    (void)snprintf(claim_id, sizeof(claim_id), "%.40s", rig.sent);
    session_drain(rig.session, rig.now);
    assert_int_equal(next(&rig), SESSION_ABORT);
    assert_int_equal(rig.action.request, claim);
    const uint64_t again = expect_send(&rig, "/leases/claim");
    expect_sent(&rig, claim_id);
    expect_sent(&rig, "\"wait_ms\":0");
    reply(&rig, again, 200, LEASES(LEASE("1.1", 3, "job-1", "")));
    const uint64_t release = expect_send(&rig, "/leases/release");
    reply(&rig, release, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    assert_int_equal(next(&rig), SESSION_DONE);
    session_free(rig.session);
}

static void a_drain_gives_up_on_a_claim_that_nobody_answers(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    (void)expect_send(&rig, "/leases/claim");
    session_drain(rig.session, rig.now);
    assert_int_equal(next(&rig), SESSION_ABORT);
    for (int i = 0; i < 3; i++) {
        const uint64_t again = expect_send(&rig, "/leases/claim");
        reply(&rig, again, 0, "");
        if (i < 2) {
            wait_over(&rig);
        }
    }
    assert_int_equal(next(&rig), SESSION_DONE);
    session_free(rig.session);
}

/* One slot with a running job, so no claim is in flight; then a drain. */
static struct lease *draining_job(struct rig *rig)
{
    struct lease *lease = usual_job(rig);
    session_drain(rig->session, rig->now);
    expect_wait(rig);
    return lease;
}

static void a_drain_lets_handlers_finish(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = draining_job(&rig);
    pass(&rig, 5 * SECOND);
    complete(&rig, lease);
    const uint64_t report = expect_send(&rig, "/leases/complete");
    expect_wait(&rig);
    reply(&rig, report, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    assert_int_equal(next(&rig), SESSION_DONE);
    session_free(rig.session);
}

static void a_drain_stops_handlers_when_the_grace_time_is_over(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = draining_job(&rig);
    pass(&rig, 10 * SECOND);
    assert_int_equal(next(&rig), SESSION_NOTICE);
    assert_int_equal(lease->stop, STELLA_STOP_DRAINING);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat"); /* Kept until it has returned. */
    reply(&rig, beat, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    end_as(&rig, lease, REPORT_RELEASE);
    const uint64_t release = expect_send(&rig, "/leases/release");
    reply(&rig, release, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    assert_int_equal(next(&rig), SESSION_DONE);
    session_free(rig.session);
}

static void a_second_drain_ends_the_grace_time(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const struct lease *lease = draining_job(&rig);
    session_drain(rig.session, rig.now);
    assert_int_equal(next(&rig), SESSION_NOTICE);
    assert_int_equal(lease->stop, STELLA_STOP_DRAINING);
    session_free(rig.session);
}

static void a_drain_ends_even_when_nobody_takes_the_reports(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    complete(&rig, draining_job(&rig));
    const int64_t started = rig.now.us;
    enum session_step step = SESSION_WAIT;
    for (int i = 0; i < 200 && step != SESSION_DONE; i++) {
        step = next(&rig);
        if (step == SESSION_SEND) {
            reply(&rig, rig.action.request, 0, "");
        } else if (step == SESSION_WAIT) {
            assert_true(rig.action.until.us > rig.now.us);
            rig.now = rig.action.until;
        }
    }
    assert_int_equal(step, SESSION_DONE);
    assert_int_equal(rig.now.us - started, 15 * SECOND);
    session_free(rig.session);
}

static void a_handler_that_does_not_return_is_waited_for_without_spinning(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    (void)draining_job(&rig);
    for (int i = 0; i < 60; i++) {
        const enum session_step step = next(&rig);
        assert_int_not_equal(step, SESSION_DONE);
        if (step == SESSION_SEND) {
            reply(&rig, rig.action.request, 200,
                  "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"ttl_ms\":30000}]}");
        } else if (step == SESSION_WAIT) {
            assert_true(rig.action.until.us > rig.now.us);
            rig.now = rig.action.until;
        }
    }
    session_free(rig.session);
}

static void a_node_that_stops_is_not_asked_for_work_and_jobs_go_on(void **state)
{
    (void)state;
    struct rig rig = rig_new(2);
    struct lease *lease = usual_job(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    pass(&rig, 10 * SECOND);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    reply(&rig, beat, 200,
          "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"drain\":true,\"ttl_ms\":30000}]}");
    assert_int_equal(lease->stop, STELLA_STOP_NONE);
    reply(&rig, claim, 200, LEASES(""));
    expect_wait(&rig);
    complete(&rig, lease);
    const uint64_t report = expect_send(&rig, "/leases/complete");
    reply(&rig, report, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    const int64_t before = rig.now.us;
    wait_over(&rig);
    assert_true(rig.now.us - before >= SECOND);
    (void)expect_send(&rig, "/leases/claim");
    session_free(rig.session);
}

static void an_older_grant_whose_report_is_unsent_is_dropped_when_the_job_comes_again(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    complete(&rig, usual_job(&rig));
    uint64_t report = expect_send(&rig, "/leases/complete");
    uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 200, LEASES(LEASE("1.1", 4, "job-1", "")));
    assert_int_equal(next(&rig), SESSION_SAY);
    assert_int_equal(next(&rig), SESSION_START); /* The older report is under way: kept. */
    complete(&rig, rig.action.lease);
    reply(&rig, report, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"lease_lost\"}]}");
    assert_int_equal(next(&rig), SESSION_SAY);
    report = expect_send(&rig, "/leases/complete");
    expect_sent(&rig, "\"grant\":4");
    claim = expect_send(&rig, "/leases/claim");
    reply(&rig, report, 0, "");
    reply(&rig, claim, 200, LEASES(LEASE("1.1", 5, "job-1", "")));
    assert_int_equal(next(&rig), SESSION_SAY);
    assert_int_equal(next(&rig), SESSION_START); /* This one was waiting: dropped. */
    expect_wait(&rig);
    session_free(rig.session);
}

static void large_reports_travel_in_several_requests(void **state)
{
    (void)state;
    static struct lease_artifact artifacts[1500];
    struct rig rig = rig_new(2);
    struct lease *leases[2];
    leases[0] =
        one_running(&rig, LEASES(LEASE("1.1", 3, "job-1", "") "," LEASE("1.2", 4, "job-2", "")));
    assert_int_equal(next(&rig), SESSION_START);
    leases[1] = rig.action.lease;
    for (size_t i = 0; i < 1500; i++) {
        artifacts[i] = (struct lease_artifact){.name = STR("n"), .media_type = STR("text/plain")};
    }
    const struct lease_report report = {
        .kind = REPORT_COMPLETE, .artifacts = artifacts, .artifacts_n = 1500};
    session_ended(rig.session, leases[0], &report, rig.now);
    session_ended(rig.session, leases[1], &report, rig.now);
    assert_int_equal(next(&rig), SESSION_SEND);
    const size_t one = rig.action.body.len;
    reply(&rig, rig.action.request, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    assert_int_equal(next(&rig), SESSION_SEND);
    assert_string_equal(rig.action.path, "/leases/complete");
    assert_int_equal(rig.action.body.len, one);
    session_free(rig.session);
}

static void a_last_claim_that_is_refused_ends_the_drain(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    (void)expect_send(&rig, "/leases/claim");
    session_drain(rig.session, rig.now);
    assert_int_equal(next(&rig), SESSION_ABORT);
    const uint64_t again = expect_send(&rig, "/leases/claim");
    reply(&rig, again, 422, "{}");
    assert_int_equal(next(&rig), SESSION_DONE);
    session_free(rig.session);
}

/* ---- held by the operator ---- */

#define HELD "\"heartbeat_ms\":10000,\"poll_ms\":20000,\"worker\":\"host/1\",\"worker_state\""

/* Asks, SESSION_HOLD_US after the last answer, and hears `state`. */
static void asks_again(struct rig *rig, const char *state)
{
    char body[256];
    const int64_t before = rig->now.us;
    wait_over(rig);
    assert_int_equal(rig->now.us - before, SESSION_HOLD_US);
    const uint64_t request = expect_send(rig, "/workers/register");
    (void)snprintf(body, sizeof(body), "{" HELD ":\"%s\"}", state);
    reply(rig, request, 200, body);
}

static void a_worker_that_is_held_stays_and_claims_again_when_resumed(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const uint64_t request = expect_send(&rig, "/workers/register");
    reply(&rig, request, 200, "{" HELD ":\"draining\"}");
    assert_int_equal(next(&rig), SESSION_SAY);
    asks_again(&rig, "draining");
    asks_again(&rig, "quarantined"); /* Said once: nothing new to do. */
    asks_again(&rig, "active");
    assert_int_equal(next(&rig), SESSION_SAY);
    (void)expect_send(&rig, "/leases/claim");
    session_free(rig.session);
}

static void a_job_goes_on_while_its_worker_is_held(void **state)
{
    (void)state;
    struct rig rig = rig_new(2);
    struct lease *lease = usual_job(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    wait_over(&rig);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    reply(&rig, beat, 200,
          "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"ttl_ms\":30000}],"
          "\"worker_state\":\"draining\"}");
    assert_int_equal(next(&rig), SESSION_SAY);
    reply(&rig, claim, 200, "{\"leases\":[],\"worker_state\":\"active\"}"); /* Older. */
    int asked = 0;
    for (int i = 0; i < 40; i++) { /* Much longer than the grace time of a drain. */
        const enum session_step step = next(&rig);
        if (step == SESSION_WAIT) {
            rig.now = rig.action.until;
            continue;
        }
        assert_int_equal(step, SESSION_SEND);
        const bool beats = strcmp(rig.action.path, "/leases/heartbeat") == 0;
        assert_true(beats || strcmp(rig.action.path, "/workers/register") == 0);
        asked += !beats;
        reply(&rig, rig.action.request, 200,
              beats ? "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"ttl_ms\":30000}],"
                      "\"worker_state\":\"draining\"}"
                    : "{" HELD ":\"draining\"}");
    }
    assert_int_equal(lease->stop, STELLA_STOP_NONE);
    assert_true(asked >= 5);
    complete(&rig, lease);
    (void)expect_send(&rig, "/leases/complete");
    session_free(rig.session);
}

static void a_held_worker_ends_on_a_signal(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const uint64_t request = expect_send(&rig, "/workers/register");
    reply(&rig, request, 200, "{" HELD ":\"draining\"}");
    assert_int_equal(next(&rig), SESSION_SAY);
    expect_wait(&rig);
    session_drain(rig.session, rig.now);
    assert_int_equal(next(&rig), SESSION_DONE);
    session_free(rig.session);
}

static void a_drain_before_the_registration_ends_at_once(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    (void)expect_send(&rig, "/workers/register");
    session_drain(rig.session, rig.now);
    assert_int_equal(next(&rig), SESSION_ABORT);
    assert_int_equal(next(&rig), SESSION_DONE);
    session_free(rig.session);
}

/* ---- request tokens ---- */

static struct lease *throttled_job(struct rig *rig)
{
    return one_running(rig,
                       LEASES("{\"lease\":\"1.1\",\"grant\":3,\"job\":\"job-1\",\"type\":\"x\","
                              "\"ttl_ms\":30000,\"requests_allowed\":8}"));
}

static void requests_are_counted_and_more_are_asked_for_in_time(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = throttled_job(&rig);
    assert_true(session_take_requests(rig.session, lease, 6, rig.now));
    expect_wait(&rig);
    assert_true(session_take_requests(rig.session, lease, 1, rig.now));
    wait_over(&rig); /* Only low: the ordinary heartbeat asks. */
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    expect_sent(&rig, "\"requests_wanted\":4");
    reply(&rig, beat, 200,
          "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"requests_allowed\":12}]}");
    assert_int_equal(next(&rig), SESSION_NOTICE);
    /* The one that was left has lain for long: it is given back for fresh ones. */
    assert_false(session_take_requests(rig.session, lease, 5, rig.now));
    const uint64_t fresh = expect_send(&rig, "/leases/heartbeat");
    expect_sent(&rig, "\"requests_used\":7,\"requests_wanted\":6");
    reply(&rig, fresh, 200,
          "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"requests_allowed\":12,"
          "\"requests_granted\":5}]}");
    assert_int_equal(next(&rig), SESSION_NOTICE);
    assert_true(session_take_requests(rig.session, lease, 5, rig.now));
    complete(&rig, lease);
    (void)expect_send(&rig, "/leases/complete");
    expect_sent(&rig, "\"requests_used\":12");
    session_free(rig.session);
}

static void a_handler_that_waits_for_requests_is_heard_at_once(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = throttled_job(&rig);
    assert_false(session_take_requests(rig.session, lease, 20, rig.now));
    uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    expect_sent(&rig, "\"requests_wanted\":12");
    reply(&rig, beat, 200,
          "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"requests_allowed\":8}]}");
    assert_false(session_take_requests(rig.session, lease, 20, rig.now));
    const int64_t refused = rig.now.us;
    wait_over(&rig); /* Refused: asked again after a pause. */
    assert_int_equal(rig.now.us - refused, SECOND);
    beat = expect_send(&rig, "/leases/heartbeat");
    reply(&rig, beat, 200,
          "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"requests_allowed\":null}]}");
    assert_int_equal(next(&rig), SESSION_NOTICE);
    assert_true(session_take_requests(rig.session, lease, 20, rig.now));
    session_free(rig.session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_that_finish_together_are_reported_together),
        cmocka_unit_test(a_report_without_an_answer_is_kept_and_sent_again),
        cmocka_unit_test(a_single_item_that_may_be_retried_is_retried),
        cmocka_unit_test(an_unreported_job_is_kept_alive),
        cmocka_unit_test(a_refused_result_becomes_a_failure),
        cmocka_unit_test(one_bad_report_does_not_hold_up_the_others),
        cmocka_unit_test(failures_and_throttles_say_what_they_know),
        cmocka_unit_test(what_was_logged_travels_with_every_kind_of_report),
        cmocka_unit_test(artifacts_travel_with_the_result),
        cmocka_unit_test(an_idle_worker_learns_what_its_claim_was_given_and_gives_it_back),
        cmocka_unit_test(a_drain_gives_up_on_a_claim_that_nobody_answers),
        cmocka_unit_test(a_drain_lets_handlers_finish),
        cmocka_unit_test(a_drain_stops_handlers_when_the_grace_time_is_over),
        cmocka_unit_test(a_second_drain_ends_the_grace_time),
        cmocka_unit_test(a_drain_ends_even_when_nobody_takes_the_reports),
        cmocka_unit_test(a_handler_that_does_not_return_is_waited_for_without_spinning),
        cmocka_unit_test(a_node_that_stops_is_not_asked_for_work_and_jobs_go_on),
        cmocka_unit_test(an_older_grant_whose_report_is_unsent_is_dropped_when_the_job_comes_again),
        cmocka_unit_test(large_reports_travel_in_several_requests),
        cmocka_unit_test(a_last_claim_that_is_refused_ends_the_drain),
        cmocka_unit_test(a_worker_that_is_held_stays_and_claims_again_when_resumed),
        cmocka_unit_test(a_job_goes_on_while_its_worker_is_held),
        cmocka_unit_test(a_held_worker_ends_on_a_signal),
        cmocka_unit_test(a_drain_before_the_registration_ends_at_once),
        cmocka_unit_test(requests_are_counted_and_more_are_asked_for_in_time),
        cmocka_unit_test(a_handler_that_waits_for_requests_is_heard_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
