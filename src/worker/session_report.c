/* Reports: kept until the server has answered them. */
#include <string.h>

#include "base/check.h"
#include "base/err.h"
#include "base/json.h"
#include "worker/session_parts.h"

#define REPORT_TIMEOUT_US (INT64_C(30) * US_PER_S)
#define REPORT_BASE_US    (INT64_C(200) * US_PER_MS)
#define REPORT_MAX_US     (INT64_C(10) * US_PER_S)

enum { ARTIFACT_BYTES = 256, REPORT_BYTES = 512 };

static bool waits(const struct lease *lease, enum report_kind kind)
{
    return lease->state == LEASE_ENDED && lease->report.kind == kind && !lease->report_in_flight;
}

bool report_waits(const struct session *session, enum report_kind kind)
{
    for (size_t i = 0; i < session->leases_n; i++) {
        if (waits(&session->leases[i], kind)) {
            return true;
        }
    }
    return false;
}

/* About how many bytes it takes. */
static size_t report_bytes(const struct lease_report *report, const struct log_buffer *log)
{
    return REPORT_BYTES + report->result.len + 2 * report->message.len +
           report->artifacts_n * ARTIFACT_BYTES + log_buffer_bytes(log);
}

bool report_next(struct session *session, enum report_kind kind, struct mono_time now,
                 struct session_action *out)
{
    static const char *const paths[REPORT_KINDS] = {
        [REPORT_COMPLETE] = "/leases/complete",
        [REPORT_FAIL] = "/leases/fail",
        [REPORT_THROTTLED] = "/leases/throttled",
        [REPORT_RELEASE] = "/leases/release",
    };
    struct channel *channel = &session->channels[kind];
    if (!channel_free(channel, now) || !report_waits(session, kind)) {
        return false;
    }
    size_t bytes = 0;
    channel->members_n = 0;
    for (size_t i = 0; i < session->leases_n && channel->members_n < channel->batch_max; i++) {
        struct lease *lease = &session->leases[i];
        if (!waits(lease, kind)) {
            continue;
        }
        bytes += report_bytes(&lease->report, &lease->log);
        if (bytes > SESSION_BATCH_BYTES && channel->members_n > 0) {
            break;
        }
        lease->report_in_flight = true;
        lease->log_through = log_buffer_plan(&lease->log, NULL);
        channel->members_grant[channel->members_n] = lease->is.grant;
        channel->members[channel->members_n++] = lease;
    }
    buf_reset(&channel->body);
    wire_put_reports(&channel->body, kind, session->config.worker.name, channel->members,
                     channel->members_n, now);
    channel_send(session, (enum channel_kind)kind, paths[kind], REPORT_TIMEOUT_US, now, out);
    return true;
}

/* A result that the server does not take becomes a failure, so that the job does not just lapse. */
static void refuse_result(struct lease *lease, const char *code)
{
    const bool again = strcmp(code, "unknown_artifact") == 0; /* An upload can be repeated. */
    lease->report = (struct lease_report){
        .kind = REPORT_FAIL,
        .error_class = arena_str(&lease->arena, str_from(code[0] != '\0' ? code : "refused")),
        .message = STR("the server refused the result of this job"),
        .permanent = !again,
    };
}

/* One report was answered. True when it has to be sent again. */
static bool settle(struct session *session, struct lease *lease, const char *code)
{
    enum err_code known = ERR_OK;
    lease->report_in_flight = false;
    if (strcmp(code, "ok") == 0) {
        lease_free(lease);
        return false;
    }
    if (err_find(code, &known) && err_info(known)->retryable) {
        return true;
    }
    session_say(session, "%.*s: report refused: %s", STR_ARG(lease->is.job), code);
    const bool over = known == ERR_LEASE_LOST || known == ERR_RESULT_CONFLICT ||
                      known == ERR_NOT_FOUND || known == ERR_INVALID_TRANSITION;
    if (lease->report.kind == REPORT_COMPLETE && !over) {
        refuse_result(lease, code);
    } else {
        lease_free(lease);
    }
    return false;
}

static bool unauthorised(int status)
{
    return status == 401 || status == 403;
}

/* The request as a whole was not answered with results. */
static void reports_failed(struct session *session, struct channel *channel,
                           const struct session_answer *answer, struct mono_time now)
{
    const bool refused =
        answer_kind_of(answer->status) == ANSWER_NO && !unauthorised(answer->status);
    for (size_t i = 0; i < channel->members_n; i++) {
        channel->members[i]->report_in_flight = false;
    }
    if (refused && channel->members_n == 1) {
        struct lease *lease = channel->members[0];
        if (lease->log_through > lease->log.number) {
            /* Perhaps what it logged is what is refused: the report matters more. */
            log_buffer_settle(&lease->log, lease->log_through);
            return;
        }
        struct wire_problem problem;
        wire_get_problem(answer->body, &problem);
        if (!settle(session, channel->members[0], problem.code)) {
            return;
        }
    } else if (refused && channel->batch_max > 1) {
        channel->batch_max = 1; /* One bad report must not hold up the others. */
        return;
    }
    channel_failed(session, channel, now, REPORT_BASE_US, REPORT_MAX_US, answer->retry_after_ms);
}

void report_answered(struct session *session, enum report_kind kind,
                     const struct session_answer *answer, struct mono_time now)
{
    struct channel *channel = &session->channels[kind];
    struct wire_result results[SESSION_BATCH_MAX];
    if (answer_kind_of(answer->status) != ANSWER_OK ||
        !wire_get_results(answer->body, results, channel->members_n)) {
        reports_failed(session, channel, answer, now);
        return;
    }
    bool again = false;
    for (size_t i = 0; i < channel->members_n; i++) {
        struct lease *lease = channel->members[i];
        CHECK(lease->state == LEASE_ENDED && lease->is.grant == channel->members_grant[i]);
        const bool matches = channel_matches(channel, i, &results[i]);
        again = settle(session, lease, matches ? results[i].code : "internal") || again;
    }
    if (again) {
        channel_failed(session, channel, now, REPORT_BASE_US, REPORT_MAX_US, 0);
        return;
    }
    backoff_reset(&channel->backoff);
    channel->batch_max = SESSION_BATCH_MAX;
}

void report_release(struct lease *lease)
{
    CHECK(lease->state == LEASE_RUNNING);
    lease->state = LEASE_ENDED;
    lease->report = (struct lease_report){.kind = REPORT_RELEASE};
}

static struct lease_report copy_report(struct arena *arena, const struct lease_report *from)
{
    struct lease_report copy = *from;
    copy.result = arena_str(arena, from->result);
    copy.error_class = arena_str(arena, from->error_class);
    copy.message = arena_str(arena, from->message);
    copy.host = arena_str(arena, from->host);
    struct lease_artifact *artifacts =
        arena_array(arena, struct lease_artifact, from->artifacts_n + 1);
    for (size_t i = 0; i < from->artifacts_n; i++) {
        artifacts[i] = from->artifacts[i];
        artifacts[i].name = arena_str(arena, from->artifacts[i].name);
        artifacts[i].media_type = arena_str(arena, from->artifacts[i].media_type);
    }
    copy.artifacts = artifacts;
    return copy;
}

void session_ended(struct session *session, struct lease *lease, const struct lease_report *report,
                   struct mono_time now)
{
    (void)session;
    (void)now;
    CHECK(lease->start_told);
    if (lease->state == LEASE_LOST) {
        lease_free(lease);
        return;
    }
    CHECK(lease->state == LEASE_RUNNING);
    lease->report = copy_report(&lease->arena, report);
    lease->state = LEASE_ENDED;
}
