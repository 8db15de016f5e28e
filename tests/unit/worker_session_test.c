/* The worker's protocol: registering, claiming, heartbeats. */
#include "lib/worker_rig.h"

#include "worker/backoff.h"

/* ---- registering and claiming ---- */

static void registers_then_claims_for_all_its_slots(void **state)
{
    (void)state;
    struct rig rig = rig_new(3);
    const uint64_t request = expect_send(&rig, "/workers/register");
    assert_string_equal(rig.sent, "{\"job_types\":[\"advisory.ingest\",\"vex.ingest\"],\"slots\":3,"
                                  "\"version\":\"1\",\"worker\":\"host/1\"}");
    expect_wait(&rig);
    reply(&rig, request, 200, "{\"heartbeat_ms\":10000,\"poll_ms\":5000,\"worker\":\"host/1\"}");
    (void)expect_send(&rig, "/leases/claim");
    expect_sent(&rig, "\"max\":3");
    expect_sent(&rig, "\"wait_ms\":5000");
    assert_true(rig.action.timeout_us > 5 * SECOND);
    expect_wait(&rig);
    session_free(rig.session);
}

static void a_registration_tells_the_clock_of_the_moment(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    session_tell_clock(rig.session, 1700000000123);
    const uint64_t request = expect_send(&rig, "/workers/register");
    expect_sent(&rig, "{\"clock_ms\":1700000000123,\"job_types\":");
    reply(&rig, request, 503, "");
    wait_over(&rig);
    session_tell_clock(rig.session, 1700000000456);
    (void)expect_send(&rig, "/workers/register");
    expect_sent(&rig, "\"clock_ms\":1700000000456");
    session_free(rig.session);
}

static void a_server_that_is_down_is_asked_again_with_growing_pauses(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    int64_t longest_us = 0;
    for (int i = 0; i < 20; i++) {
        const uint64_t request = expect_send(&rig, "/workers/register");
        reply(&rig, request, 0, "");
        const int64_t before = rig.now.us;
        wait_over(&rig);
        const int64_t pause_us = rig.now.us - before;
        longest_us = pause_us > longest_us ? pause_us : longest_us;
        assert_true(pause_us <= 20 * SECOND);
    }
    assert_true(longest_us >= 10 * SECOND);
    session_free(rig.session);
}

static void retry_after_is_respected_and_bounded(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const uint64_t request = expect_send(&rig, "/workers/register");
    const struct session_answer later = {.request = request, .status = 503, .retry_after_ms = 7000};
    session_answer(rig.session, &later, rig.now);
    const int64_t before = rig.now.us;
    wait_over(&rig);
    assert_int_equal(rig.now.us - before, 7 * SECOND);
    const uint64_t again = expect_send(&rig, "/workers/register");
    const struct session_answer never = {
        .request = again, .status = 503, .retry_after_ms = INT64_MAX};
    session_answer(rig.session, &never, rig.now);
    const int64_t then = rig.now.us;
    wait_over(&rig);
    assert_int_equal(rig.now.us - then, BACKOFF_SERVER_MAX_US);
    session_free(rig.session);
}

static void a_worker_that_is_refused_ends_and_says_why(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const uint64_t request = expect_send(&rig, "/workers/register");
    reply(&rig, request, 403, "{\"code\":\"forbidden\",\"detail\":\"needs orch:work\"}");
    assert_int_equal(next(&rig), SESSION_SAY);
    assert_int_equal(next(&rig), SESSION_DONE);
    int status = 0;
    assert_string_equal(session_failure(rig.session, &status)->code, "forbidden");
    assert_int_equal(status, 403);
    session_free(rig.session);
}

static void a_claim_without_an_answer_is_repeated_with_its_claim_id(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    const uint64_t first = expect_send(&rig, "/leases/claim");
    char lost[sizeof(rig.sent)];
    memcpy(lost, rig.sent, sizeof(lost));
    reply(&rig, first, 0, "");
    wait_over(&rig);
    const uint64_t second = expect_send(&rig, "/leases/claim");
    assert_string_equal(rig.sent, lost);
    reply(&rig, second, 503, "");
    wait_over(&rig);
    const uint64_t third = expect_send(&rig, "/leases/claim");
    assert_string_equal(rig.sent, lost);
    pass(&rig, SECOND);
    reply(&rig, third, 200, LEASES(""));
    (void)expect_send(&rig, "/leases/claim");
    assert_string_not_equal(rig.sent, lost);
    session_free(rig.session);
}

static void a_late_answer_to_an_abandoned_request_is_ignored(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    const uint64_t first = expect_send(&rig, "/leases/claim");
    reply(&rig, first, 0, "");
    reply(&rig, first, 200, LEASES(LEASE("1.1", 3, "job-1", "")));
    reply(&rig, 0, 200, LEASES(LEASE("1.1", 3, "job-1", "")));
    expect_wait(&rig);
    session_free(rig.session);
}

static void an_answer_that_is_no_json_counts_as_none(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 200, "{\"leases\":[");
    wait_over(&rig);
    claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 200, "<html>");
    expect_wait(&rig);
    session_free(rig.session);
}

static void empty_answers_at_once_do_not_make_it_spin(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    int64_t last_us = 0;
    for (int i = 0; i < 8; i++) {
        const uint64_t claim = expect_send(&rig, "/leases/claim");
        reply(&rig, claim, 200, LEASES(""));
        const int64_t before = rig.now.us;
        wait_over(&rig);
        last_us = rig.now.us - before;
    }
    assert_true(last_us >= SECOND);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    pass(&rig, 20 * SECOND);
    reply(&rig, claim, 200, LEASES(""));
    (void)expect_send(&rig, "/leases/claim"); /* It did wait: at once. */
    session_free(rig.session);
}

static void a_server_that_forgot_the_worker_is_registered_with_again(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 404, "{\"code\":\"not_found\"}");
    registered(&rig);
    wait_over(&rig);
    (void)expect_send(&rig, "/leases/claim");
    session_free(rig.session);
}

static void the_payload_arrives_as_it_was_submitted(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const struct lease *lease = usual_job(&rig);
    assert_string_equal(lease->is.payload.ptr, "{\"a\" : 1.50}");
    assert_string_equal(lease->is.type.ptr, "vex.ingest");
    assert_string_equal(lease->is.tenant.ptr, "acme");
    assert_int_equal(lease->is.grant, 3);
    assert_int_equal(lease->is.requests_allowed, -1);
    session_free(rig.session);
}

static void a_lease_that_cannot_be_read_is_failed_and_the_others_run(void **state)
{
    (void)state;
    struct rig rig = rig_new(3);
    registered(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 200,
          LEASES("{\"lease\":\"1.9\",\"grant\":4,\"job\":7}," LEASE("1.2", 5, "job-2",
                                                                    "") ",{\"lease\":[]}"));
    assert_int_equal(next(&rig), SESSION_SAY);
    assert_int_equal(next(&rig), SESSION_START);
    assert_string_equal(rig.action.lease->is.job.ptr, "job-2");
    (void)expect_send(&rig, "/leases/fail");
    expect_sent(&rig, "\"class\":\"unreadable_lease\",\"grant\":4,\"lease\":\"1.9\"");
    expect_sent(&rig, "\"permanent\":true");
    session_free(rig.session);
}

static void a_number_that_no_parser_holds_stays_in_its_payload(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const struct lease *lease =
        one_running(&rig, LEASES("{\"lease\":\"1.1\",\"grant\":1,\"job\":\"job-1\",\"type\":\"x\","
                                 "\"ttl_ms\":1000,\"payload\":[1e999,99999999999999999999]}"));
    assert_string_equal(lease->is.payload.ptr, "[1e999,99999999999999999999]");
    session_free(rig.session);
}

static void claims_no_more_than_it_has_free_slots(void **state)
{
    (void)state;
    struct rig rig = rig_new(2);
    struct lease *lease = usual_job(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    expect_sent(&rig, "\"max\":1");
    reply(&rig, claim, 200, LEASES(LEASE("1.2", 4, "job-2", "")));
    assert_int_equal(next(&rig), SESSION_START);
    expect_wait(&rig);
    complete(&rig, lease);
    (void)expect_send(&rig, "/leases/complete");
    (void)expect_send(&rig, "/leases/claim");
    session_free(rig.session);
}

static void a_claim_that_is_refused_ends_the_worker(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 422, "{\"code\":\"unprocessable\"}");
    assert_int_equal(next(&rig), SESSION_SAY);
    assert_int_equal(next(&rig), SESSION_DONE);
    int status = 0;
    assert_string_equal(session_failure(rig.session, &status)->code, "unprocessable");
    session_free(rig.session);
    session_free(NULL);
}

static void leases_beyond_what_was_asked_for_are_left_to_lapse(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 200,
          LEASES(LEASE("1.1", 1, "job-1", "") "," LEASE("1.2", 1, "job-2",
                                                        "") "," LEASE("1.3", 1, "job-3", "")));
    assert_int_equal(next(&rig), SESSION_SAY);
    assert_int_equal(next(&rig), SESSION_START);
    assert_int_equal(next(&rig), SESSION_START);
    expect_wait(&rig);
    session_free(rig.session);
}

static void answers_of_odd_forms_count_as_none(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "[]", "7", "{\"leases\":{}", "nonsense"};
    struct rig rig = rig_new(1);
    uint64_t request = expect_send(&rig, "/workers/register");
    reply(&rig, request, 200, "[]");
    wait_over(&rig);
    request = expect_send(&rig, "/workers/register");
    reply(&rig, request, 200, "nonsense");
    wait_over(&rig);
    registered(&rig);
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        request = expect_send(&rig, "/leases/claim");
        reply(&rig, request, 200, odd[i]);
        wait_over(&rig);
    }
    session_free(rig.session);
}

static void absent_texts_of_a_lease_may_be_null(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const struct lease *lease = one_running(
        &rig, LEASES(LEASE("1.1", 3, "job-1", ",\"host\":null,\"name\":\"a\\u0062\",\"new\":[1]")));
    assert_int_equal(lease->is.host.len, 0);
    assert_string_equal(lease->is.name.ptr, "ab");
    session_free(rig.session);
}

static void a_lease_whose_text_is_no_text_is_failed(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 200, LEASES(LEASE("1.1", 3, "job-1", ",\"host\":\"\\ud800\"")));
    (void)expect_send(&rig, "/leases/fail");
    session_free(rig.session);
}

static void a_heartbeat_about_nothing_that_is_left_needs_no_repeat(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = usual_job(&rig);
    wait_over(&rig);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    complete(&rig, lease);
    const uint64_t report = expect_send(&rig, "/leases/complete");
    reply(&rig, report, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    reply(&rig, beat, 0, "");
    (void)expect_send(&rig, "/leases/claim");
    expect_wait(&rig);
    session_free(rig.session);
}

/* ---- heartbeats ---- */

static void beats_after_a_third_of_the_ttl_with_progress(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = usual_job(&rig);
    session_progress(rig.session, lease, 2, 9, STR("two of nine"));
    const int64_t started = rig.now.us;
    wait_over(&rig);
    assert_int_equal(rig.now.us - started, 10 * SECOND);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    assert_string_equal(rig.sent, "{\"leases\":[{\"grant\":3,\"lease\":\"1.1\",\"progress\":{"
                                  "\"done\":2,\"text\":\"two of nine\",\"total\":9}}],"
                                  "\"worker\":\"host/1\"}");
    reply(&rig, beat, 200,
          "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"cancel\":false,\"ttl_ms\":3000}]}");
    wait_over(&rig);
    assert_int_equal(rig.now.us - started,
                     12400000); /* 0.8 of the shorter ttl, from the sending. */
    session_free(rig.session);
}

static void a_heartbeat_that_is_not_understood_is_sent_again_without_progress(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = usual_job(&rig);
    session_progress(rig.session, lease, UINT64_MAX, UINT64_MAX, STR("\xff not text"));
    wait_over(&rig);
    uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    expect_sent(&rig, "{\"done\":9007199254740991,\"total\":9007199254740991}");
    reply(&rig, beat, 422, "{\"code\":\"unprocessable\"}");
    wait_over(&rig);
    beat = expect_send(&rig, "/leases/heartbeat");
    assert_null(strstr(rig.sent, "progress"));
    reply(&rig, beat, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    expect_wait(&rig);
    session_free(rig.session);
}

static void a_long_polled_lease_is_confirmed_at_once(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    registered(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    pass(&rig, 19 * SECOND);
    reply(&rig, claim, 200, LEASES(LEASE("1.1", 3, "job-1", "")));
    assert_int_equal(next(&rig), SESSION_START);
    (void)expect_send(&rig, "/leases/heartbeat");
    session_free(rig.session);
}

static void a_lost_lease_stops_the_handler_and_is_never_reported(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = usual_job(&rig);
    wait_over(&rig);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    reply(&rig, beat, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"lease_lost\"}]}");
    assert_int_equal(next(&rig), SESSION_NOTICE);
    assert_ptr_equal(rig.action.lease, lease);
    assert_int_equal(lease->stop, STELLA_STOP_LEASE_LOST);
    expect_wait(&rig); /* The slot is still taken: no claim. */
    complete(&rig, lease);
    (void)expect_send(&rig, "/leases/claim");
    expect_wait(&rig);
    session_free(rig.session);
}

static void a_whole_409_lease_lost_counts_too(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const struct lease *lease = usual_job(&rig);
    wait_over(&rig);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    reply(&rig, beat, 409, "{\"code\":\"lease_lost\"}");
    assert_int_equal(next(&rig), SESSION_NOTICE);
    assert_int_equal(lease->stop, STELLA_STOP_LEASE_LOST);
    session_free(rig.session);
}

/* Beats without an answer until the notice comes; the time that took. */
static int64_t until_contact_is_lost(struct rig *rig)
{
    const int64_t started = rig->now.us;
    for (int i = 0; i < 1000; i++) {
        const enum session_step step = next(rig);
        if (step == SESSION_NOTICE) {
            return rig->now.us - started;
        }
        if (step == SESSION_SEND) {
            assert_string_equal(rig->action.path, "/leases/heartbeat");
            reply(rig, rig->action.request, i % 2 == 0 ? 0 : 503, "");
        } else {
            assert_int_equal(step, SESSION_WAIT);
            assert_true(rig->action.until.us > rig->now.us);
            rig->now = rig->action.until;
        }
    }
    fail_msg("contact was never lost");
    return 0;
}

static void lost_contact_is_told_and_the_handler_goes_on(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = usual_job(&rig);
    assert_int_equal(until_contact_is_lost(&rig), 24 * SECOND);
    assert_true(lease->contact_lost);
    assert_int_equal(lease->stop, STELLA_STOP_NONE);
    wait_over(&rig);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    reply(&rig, beat, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    assert_int_equal(next(&rig), SESSION_NOTICE);
    assert_false(lease->contact_lost);
    complete(&rig, lease);
    (void)expect_send(&rig, "/leases/complete");
    session_free(rig.session);
}

static void lost_contact_stops_a_type_that_asks_for_it(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    const struct lease *lease =
        one_running(&rig, LEASES(LEASE("1.1", 3, "job-1", ",\"on_lost_contact\":\"stop\"")));
    assert_int_equal(until_contact_is_lost(&rig), 24 * SECOND);
    assert_int_equal(lease->stop, STELLA_STOP_LOST_CONTACT);
    session_free(rig.session);
}

static void a_cancel_reaches_the_handler(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = usual_job(&rig);
    wait_over(&rig);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    reply(&rig, beat, 200,
          "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\",\"cancel\":true,\"ttl_ms\":30000}]}");
    assert_int_equal(next(&rig), SESSION_NOTICE);
    assert_int_equal(lease->stop, STELLA_STOP_CANCELED);
    end_as(&rig, lease, REPORT_RELEASE);
    (void)expect_send(&rig, "/leases/release");
    assert_string_equal(rig.sent,
                        "{\"reports\":[{\"grant\":3,\"lease\":\"1.1\"}],\"worker\":\"host/1\"}");
    session_free(rig.session);
}

static void an_answer_about_a_lease_that_is_over_changes_nothing(void **state)
{
    (void)state;
    struct rig rig = rig_new(1);
    struct lease *lease = usual_job(&rig);
    wait_over(&rig);
    const uint64_t beat = expect_send(&rig, "/leases/heartbeat");
    complete(&rig, lease);
    const uint64_t report = expect_send(&rig, "/leases/complete");
    reply(&rig, report, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"ok\"}]}");
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 200, LEASES(LEASE("1.1", 4, "job-1", "")));
    assert_int_equal(next(&rig), SESSION_START);
    reply(&rig, beat, 200, "{\"results\":[{\"lease\":\"1.1\",\"code\":\"lease_lost\"}]}");
    assert_int_equal(rig.action.lease->state, LEASE_RUNNING);
    expect_wait(&rig);
    session_free(rig.session);
}

static void a_job_granted_anew_ends_the_older_grant(void **state)
{
    (void)state;
    struct rig rig = rig_new(2);
    struct lease *older = usual_job(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 200, LEASES(LEASE("1.1", 4, "job-1", "")));
    assert_int_equal(next(&rig), SESSION_SAY);
    assert_int_equal(next(&rig), SESSION_NOTICE);
    assert_ptr_equal(rig.action.lease, older);
    assert_int_equal(older->stop, STELLA_STOP_LEASE_LOST);
    assert_int_equal(next(&rig), SESSION_START);
    assert_int_equal(rig.action.lease->is.grant, 4);
    session_free(rig.session);
}

static void the_same_grant_twice_is_one_lease(void **state)
{
    (void)state;
    struct rig rig = rig_new(2);
    (void)usual_job(&rig);
    const uint64_t claim = expect_send(&rig, "/leases/claim");
    reply(&rig, claim, 200, LEASES(LEASE("1.1", 3, "job-1", "")));
    (void)expect_send(&rig, "/leases/claim"); /* Nothing to start, and the slot is still free. */
    expect_wait(&rig);
    session_free(rig.session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_then_claims_for_all_its_slots),
        cmocka_unit_test(a_registration_tells_the_clock_of_the_moment),
        cmocka_unit_test(a_server_that_is_down_is_asked_again_with_growing_pauses),
        cmocka_unit_test(retry_after_is_respected_and_bounded),
        cmocka_unit_test(a_worker_that_is_refused_ends_and_says_why),
        cmocka_unit_test(a_claim_without_an_answer_is_repeated_with_its_claim_id),
        cmocka_unit_test(a_late_answer_to_an_abandoned_request_is_ignored),
        cmocka_unit_test(an_answer_that_is_no_json_counts_as_none),
        cmocka_unit_test(empty_answers_at_once_do_not_make_it_spin),
        cmocka_unit_test(a_server_that_forgot_the_worker_is_registered_with_again),
        cmocka_unit_test(the_payload_arrives_as_it_was_submitted),
        cmocka_unit_test(a_lease_that_cannot_be_read_is_failed_and_the_others_run),
        cmocka_unit_test(a_number_that_no_parser_holds_stays_in_its_payload),
        cmocka_unit_test(claims_no_more_than_it_has_free_slots),
        cmocka_unit_test(a_claim_that_is_refused_ends_the_worker),
        cmocka_unit_test(leases_beyond_what_was_asked_for_are_left_to_lapse),
        cmocka_unit_test(answers_of_odd_forms_count_as_none),
        cmocka_unit_test(absent_texts_of_a_lease_may_be_null),
        cmocka_unit_test(a_lease_whose_text_is_no_text_is_failed),
        cmocka_unit_test(a_heartbeat_about_nothing_that_is_left_needs_no_repeat),
        cmocka_unit_test(beats_after_a_third_of_the_ttl_with_progress),
        cmocka_unit_test(a_heartbeat_that_is_not_understood_is_sent_again_without_progress),
        cmocka_unit_test(a_long_polled_lease_is_confirmed_at_once),
        cmocka_unit_test(a_lost_lease_stops_the_handler_and_is_never_reported),
        cmocka_unit_test(a_whole_409_lease_lost_counts_too),
        cmocka_unit_test(lost_contact_is_told_and_the_handler_goes_on),
        cmocka_unit_test(lost_contact_stops_a_type_that_asks_for_it),
        cmocka_unit_test(a_cancel_reaches_the_handler),
        cmocka_unit_test(an_answer_about_a_lease_that_is_over_changes_nothing),
        cmocka_unit_test(a_job_granted_anew_ends_the_older_grant),
        cmocka_unit_test(the_same_grant_twice_is_one_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
