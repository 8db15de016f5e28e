/* Heartbeats: keeping leases, and hearing what the server wants of them. */
#include <string.h>

#include "base/check.h"
#include "worker/session_parts.h"

#define BEAT_TIMEOUT_MIN_US (INT64_C(200) * US_PER_MS)
#define BEAT_BASE_MAX_US    (INT64_C(200) * US_PER_MS)
/* What the server takes. */
#define PROGRESS_MAX        ((UINT64_C(1) << 53) - 1)
#define REQUESTS_WANTED_MAX INT64_C(1000000)
/* How often an unmet wish for requests is repeated. */
#define ASK_AGAIN_US     (INT64_C(1) * US_PER_S)
#define ASK_AGAIN_MIN_US (INT64_C(20) * US_PER_MS)
/* Lines wait that long for others to go with; a request carries about so many bytes of them. */
#define LOG_DELAY_US    (INT64_C(2) * US_PER_S)
#define LOG_BATCH_BYTES ((size_t)1 << 20)
/* How long a node that stops is not asked for work. */
#define HOLD_CLAIMS_US (INT64_C(2) * US_PER_S)

bool beat_wanted(const struct lease *lease)
{
    return lease_is_live(lease) && !lease->report_in_flight && !lease->given_away;
}

static bool any_due(const struct session *session, struct mono_time now)
{
    for (size_t i = 0; i < session->leases_n; i++) {
        const struct lease *lease = &session->leases[i];
        if (beat_wanted(lease) && lease->beat_due.us <= now.us) {
            return true;
        }
    }
    return false;
}

bool beat_next(struct session *session, struct mono_time now, struct session_action *out)
{
    struct channel *channel = &session->channels[CHANNEL_HEARTBEAT];
    if (!channel_free(channel, now) || !any_due(session, now)) {
        return false;
    }
    int64_t shortest_us = INT64_MAX;
    size_t log_budget = LOG_BATCH_BYTES;
    channel->members_n = 0;
    for (size_t i = 0; i < session->leases_n; i++) {
        struct lease *lease = &session->leases[i];
        if (!beat_wanted(lease)) {
            continue; /* One that is due takes all others along: one request, one rhythm. */
        }
        const int64_t interval_us = lease_beat_interval_us(session, lease);
        lease->beat_due.us = now.us + interval_us;
        shortest_us = interval_us < shortest_us ? interval_us : shortest_us;
        lease->log_through = log_buffer_plan(&lease->log, &log_budget);
        lease->told_sent = lease->told_count;
        if (lease->log_through < lease->log.number + (int64_t)lease->log.n &&
            interval_us > LOG_DELAY_US) {
            lease->beat_due.us = now.us + LOG_DELAY_US; /* The rest did not fit. */
        }
        channel->members_grant[channel->members_n] = lease->is.grant;
        channel->members[channel->members_n++] = lease;
    }
    buf_reset(&channel->body);
    wire_put_heartbeat(&channel->body, session->config.worker.name, channel->members,
                       channel->members_n, now);
    const bool tiny = shortest_us < BEAT_TIMEOUT_MIN_US;
    channel_send(session, CHANNEL_HEARTBEAT, "/leases/heartbeat",
                 tiny ? BEAT_TIMEOUT_MIN_US : shortest_us, now, out);
    return true;
}

/* Nothing was granted: when the server thinks it worth asking again, but not late. */
static void ask_again(struct lease *lease, const struct wire_result *result, struct mono_time now)
{
    const int64_t after_us = result->requests_after_ms * US_PER_MS;
    const int64_t wait_us = after_us <= 0 || after_us > ASK_AGAIN_US ? ASK_AGAIN_US
                            : after_us < ASK_AGAIN_MIN_US            ? ASK_AGAIN_MIN_US
                                                                     : after_us;
    if (lease->beat_due.us > now.us + wait_us) {
        lease->beat_due.us = now.us + wait_us;
    }
}

static void take_allowance(struct lease *lease, const struct wire_result *result,
                           struct mono_time now)
{
    if (!result->has_requests_allowed) {
        return;
    }
    const bool unlimited = result->requests_allowed < 0;
    const bool more = unlimited || result->requests_granted > 0 ||
                      result->requests_allowed > lease->is.requests_allowed;
    if (lease->is.requests_allowed >= 0 && more) {
        if (lease->requests_stale || lease->requests_used >= lease->is.requests_allowed) {
            lease->requests_at = now; /* Nothing older is left. */
        }
        lease->requests_stale = false;
        lease->requests_wanted = 0;
        lease->requests_changed = true;
    } else if (lease->requests_wanted > 0) {
        ask_again(lease, result, now);
    }
    lease->is.requests_allowed = result->requests_allowed;
}

static void renew(struct session *session, struct lease *lease, const struct wire_result *result,
                  struct mono_time now)
{
    lease->contact = session->channels[CHANNEL_HEARTBEAT].sent;
    lease->contact_lost = false;
    log_buffer_settle(&lease->log, lease->log_through);
    if (result->ttl_ms > 0) {
        lease->is.ttl_us = result->ttl_ms * US_PER_MS;
    }
    if (result->cancel && lease->stop == STELLA_STOP_NONE) {
        lease->stop = STELLA_STOP_CANCELED;
    }
    lease->has_told = lease->has_told && lease->told_count != lease->told_sent;
    take_allowance(lease, result, now);
    if (result->drain) {
        /* This node is stopping: jobs go on and are reported, to it or to the next, but nothing new
         * is asked for until the heartbeats hear otherwise. */
        session->claims_held.us = now.us + HOLD_CLAIMS_US;
    }
}

/* True while the slot still holds what the request spoke of. */
static bool still_member(const struct channel *channel, size_t i)
{
    const struct lease *lease = channel->members[i];
    return lease_is_live(lease) && lease->is.grant == channel->members_grant[i];
}

static void beat_failed(struct session *session, const struct session_answer *answer,
                        struct mono_time now)
{
    struct channel *channel = &session->channels[CHANNEL_HEARTBEAT];
    const bool refused = answer->status == 400 || answer->status == 413 || answer->status == 422;
    int64_t ttl_us = INT64_MAX;
    for (size_t i = 0; i < channel->members_n; i++) {
        if (still_member(channel, i)) {
            struct lease *lease = channel->members[i];
            lease->beat_due = now;
            /* A heartbeat that the server does not understand must not cost all their leases: what
             * a handler put into it is left out. */
            lease->has_progress = lease->has_progress && !refused;
            if (refused) {
                log_buffer_settle(&lease->log, lease->log_through);
            }
            ttl_us = lease->is.ttl_us < ttl_us ? lease->is.ttl_us : ttl_us;
        }
    }
    if (ttl_us == INT64_MAX) {
        return;
    }
    const int64_t base_us = ttl_us / 20 < BEAT_BASE_MAX_US ? ttl_us / 20 + 1 : BEAT_BASE_MAX_US;
    const int64_t max_us = ttl_us / 6 > base_us ? ttl_us / 6 : base_us;
    channel_failed(session, channel, now, base_us, max_us, answer->retry_after_ms);
}

void beat_answered(struct session *session, const struct session_answer *answer,
                   struct mono_time now)
{
    static const struct wire_result no_result;
    struct channel *channel = &session->channels[CHANNEL_HEARTBEAT];
    struct wire_result results[SESSION_LEASES_MAX];
    const size_t n = channel->members_n;
    struct wire_problem problem = {0};
    if (answer_kind_of(answer->status) == ANSWER_NO && n == 1 && still_member(channel, 0)) {
        wire_get_problem(answer->body, &problem);
    }
    if (strcmp(problem.code, "lease_lost") == 0) {
        results[0] = no_result;
        memcpy(results[0].lease, channel->members[0]->is.lease.ptr,
               channel->members[0]->is.lease.len);
        memcpy(results[0].code, problem.code, sizeof(problem.code));
    } else if (answer_kind_of(answer->status) != ANSWER_OK ||
               !wire_get_results(answer->body, results, n)) {
        beat_failed(session, answer, now);
        return;
    }
    backoff_reset(&channel->backoff);
    session_heed(session, answer->body, now);
    for (size_t i = 0; i < n; i++) {
        struct lease *lease = channel->members[i];
        if (!still_member(channel, i) || !channel_matches(channel, i, &results[i])) {
            continue;
        }
        if (strcmp(results[i].code, "ok") == 0) {
            renew(session, lease, &results[i], now);
        } else if (strcmp(results[i].code, "lease_lost") == 0 && lease->state == LEASE_RUNNING) {
            lease_lose(lease);
        } else if (strcmp(results[i].code, "lease_lost") == 0) {
            lease->given_away = true; /* Perhaps by the very report whose answer was lost. */
        }
    }
}

bool session_log(struct lease *lease, int32_t level, struct str text, struct mono_time now)
{
    if (!lease_is_live(lease)) {
        return false; /* Nobody would take it. */
    }
    log_buffer_add(&lease->log, level, text, now);
    const bool sooner = lease->beat_due.us > now.us + LOG_DELAY_US;
    if (sooner) {
        lease->beat_due.us = now.us + LOG_DELAY_US;
    }
    return sooner;
}

void session_progress(struct session *session, struct lease *lease, uint64_t done, uint64_t total,
                      struct str text)
{
    (void)session;
    CHECK(lease->state != LEASE_FREE);
    lease->has_progress = true;
    lease->done = done < PROGRESS_MAX ? done : PROGRESS_MAX;
    lease->total = total < PROGRESS_MAX ? total : PROGRESS_MAX;
    size_t len = text.len < LEASE_PROGRESS_TEXT - 1 ? text.len : LEASE_PROGRESS_TEXT - 1;
    while (len > 0 && !str_is_utf8(str_slice(text, 0, len))) {
        len--; /* Not through the middle of a character. */
    }
    memcpy(lease->progress_text, len > 0 ? text.ptr : "", len);
    lease->progress_text[len] = '\0';
}

/* Asks with the next heartbeat; at once when somebody waits already. */
static void want_requests(struct lease *lease, int64_t n, bool somebody_waits, struct mono_time now)
{
    const int64_t wanted = n < REQUESTS_WANTED_MAX ? n : REQUESTS_WANTED_MAX;
    if (somebody_waits && lease->requests_wanted < wanted) {
        lease->beat_due = now;
    }
    lease->requests_wanted = lease->requests_wanted > wanted ? lease->requests_wanted : wanted;
}

bool session_take_requests(struct session *session, struct lease *lease, int64_t n,
                           struct mono_time now)
{
    (void)session;
    CHECK(lease->state != LEASE_FREE && n >= 0);
    const int64_t allowed = lease->is.requests_allowed;
    const int64_t left = allowed - lease->requests_used;
    lease->requests_counted = true;
    if (allowed >= 0 && left > 0 && n > 0 && now.us - lease->requests_at.us > SESSION_FRESH_US) {
        lease->requests_stale = true;
    }
    const bool granted = allowed < 0 || (!lease->requests_stale && n <= left);
    if (granted) {
        lease->requests_used += n;
    }
    if (allowed < 0 || (granted && left - n >= allowed / 4)) {
        return granted;
    }
    const int64_t missing = granted ? 0 : lease->requests_stale ? n : n - left;
    const int64_t ahead = allowed / 2 > 0 ? allowed / 2 : 1;
    want_requests(lease, missing > ahead ? missing : ahead, !granted, now);
    return granted;
}

void session_told(struct lease *lease, int64_t remaining, struct mono_time reset)
{
    CHECK(lease->state != LEASE_FREE);
    lease->has_told = true;
    lease->told_remaining = remaining;
    lease->told_reset = reset;
    lease->told_count++;
}
