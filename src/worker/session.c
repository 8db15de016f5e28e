#include "worker/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "worker/session_parts.h"

#define REGISTER_TIMEOUT_US (INT64_C(10) * US_PER_S)
#define REGISTER_BASE_US    (INT64_C(250) * US_PER_MS)
#define REGISTER_MAX_US     (INT64_C(20) * US_PER_S)
#define POLL_DEFAULT_US     (INT64_C(20) * US_PER_S)
#define IDLE_WAIT_US        (INT64_C(3600) * US_PER_S)
/* Handlers hear of lost contact after this share of the ttl, before others can have the job. */
#define LOST_CONTACT_TENTHS 8

struct session *session_new(const struct session_config *config, struct mono_time now)
{
    CHECK(config->worker.slots > 0 && config->worker.slots <= STELLA_SLOTS_MAX);
    CHECK(config->worker.types_n > 0);
    struct session *session = calloc(1, sizeof(*session));
    CHECK(session != NULL);
    session->config = *config;
    session->leases_n = (size_t)config->worker.slots * 2;
    session->leases = calloc(session->leases_n, sizeof(*session->leases));
    CHECK(session->leases != NULL);
    session->poll_us = POLL_DEFAULT_US;
    for (int i = 0; i < CHANNELS; i++) {
        buf_init(&session->channels[i].body, SESSION_BODY_MAX);
        session->channels[i].backoff.not_before = now;
        session->channels[i].batch_max = SESSION_BATCH_MAX;
    }
    return session;
}

void session_free(struct session *session)
{
    if (session == NULL) {
        return;
    }
    for (size_t i = 0; i < session->leases_n; i++) {
        if (session->leases[i].state != LEASE_FREE) {
            lease_free(&session->leases[i]);
        }
    }
    for (int i = 0; i < CHANNELS; i++) {
        buf_fini(&session->channels[i].body);
    }
    free(session->leases);
    free(session);
}

/* ---- shared with the other files of the session ---- */

enum answer_kind answer_kind_of(int status)
{
    if (status >= 200 && status < 300) {
        return ANSWER_OK;
    }
    const bool later = status == 408 || status == 425 || status == 429;
    return status == 0 || status >= 500 || later ? ANSWER_AGAIN : ANSWER_NO;
}

bool channel_free(const struct channel *channel, struct mono_time now)
{
    return channel->request == 0 && channel->backoff.not_before.us <= now.us;
}

void channel_send(struct session *session, enum channel_kind kind, const char *path,
                  int64_t timeout_us, struct mono_time now, struct session_action *out)
{
    struct channel *channel = &session->channels[kind];
    CHECK(channel->request == 0 && !channel->body.overflow);
    channel->request = ++session->counter;
    channel->sent = now;
    out->request = channel->request;
    out->path = path;
    out->body = buf_get(&channel->body);
    out->timeout_us = timeout_us;
}

void channel_failed(struct session *session, struct channel *channel, struct mono_time now,
                    int64_t base_us, int64_t max_us, int64_t retry_after_ms)
{
    const int64_t delay_us = backoff_delay_us(&session->config.seed, ++session->counter,
                                              channel->backoff.failures, base_us, max_us);
    const int64_t asked_ms = retry_after_ms > BACKOFF_SERVER_MAX_US / US_PER_MS
                                 ? BACKOFF_SERVER_MAX_US / US_PER_MS
                                 : retry_after_ms;
    backoff_failed(&channel->backoff, now, delay_us, asked_ms * US_PER_MS);
}

void session_say(struct session *session, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(session->said, sizeof(session->said), format, args);
    va_end(args);
    session->has_said = true;
}

void session_fail(struct session *session, const struct session_answer *answer,
                  struct mono_time now)
{
    if (session->failure_status == 0) {
        wire_get_problem(answer->body, &session->failure);
        session->failure_status = answer->status;
        session_say(session, "the server refuses this worker: HTTP %d %s", answer->status,
                    session->failure.code);
    }
    if (!session->draining) {
        session_drain(session, now);
    }
}

bool lease_is_live(const struct lease *lease)
{
    return lease->state == LEASE_RUNNING || lease->state == LEASE_ENDED;
}

void lease_free(struct lease *lease)
{
    CHECK(lease->state != LEASE_FREE);
    log_buffer_free(&lease->log);
    arena_fini(&lease->arena);
    memset(lease, 0, sizeof(*lease));
}

void lease_lose(struct lease *lease)
{
    if (lease->state == LEASE_ENDED && lease->report_in_flight) {
        return; /* The answer to the report says the same. */
    }
    if (lease->state == LEASE_ENDED || !lease->start_told) {
        lease_free(lease);
        return;
    }
    lease->state = LEASE_LOST;
    lease->stop = STELLA_STOP_LEASE_LOST;
}

bool channel_matches(const struct channel *channel, size_t i, const struct wire_result *result)
{
    return str_eq(channel->members[i]->is.lease, str_from(result->lease));
}

int64_t lease_beat_interval_us(const struct session *session, const struct lease *lease)
{
    const int64_t third_us = lease->is.ttl_us / 3;
    const bool shorter = session->heartbeat_us > 0 && session->heartbeat_us < third_us;
    return shorter ? session->heartbeat_us : third_us;
}

/* ---- timers ---- */

static int64_t lost_contact_at_us(const struct lease *lease)
{
    return lease->contact.us + lease->is.ttl_us / 10 * LOST_CONTACT_TENTHS;
}

/* What time alone changes: lost contact, the end of the grace time. */
static void expire(struct session *session, struct mono_time now)
{
    const bool grace_over = session->draining && now.us >= session->drain_deadline.us;
    for (size_t i = 0; i < session->leases_n; i++) {
        struct lease *lease = &session->leases[i];
        if (lease->state != LEASE_RUNNING) {
            continue;
        }
        if (session->draining && !lease->start_told) {
            report_release(lease);
            continue;
        }
        if (now.us >= lost_contact_at_us(lease)) {
            lease->contact_lost = true;
            if (lease->is.stop_on_lost_contact && lease->stop == STELLA_STOP_NONE) {
                lease->stop = STELLA_STOP_LOST_CONTACT;
            }
        }
        if (grace_over && lease->stop == STELLA_STOP_NONE) {
            lease->stop = STELLA_STOP_DRAINING;
        }
    }
}

static void earlier(struct mono_time *until, int64_t us)
{
    until->us = us < until->us ? us : until->us;
}

/* The first moment at which session_next() would have something new to say. */
static struct mono_time next_timer(const struct session *session, struct mono_time now)
{
    struct mono_time until = {now.us + IDLE_WAIT_US};
    struct mono_time due;
    bool live = false;
    for (size_t i = 0; i < session->leases_n; i++) {
        const struct lease *lease = &session->leases[i];
        if (lease->state == LEASE_RUNNING && !lease->contact_lost) {
            earlier(&until, lost_contact_at_us(lease));
        }
        const struct channel *beat = &session->channels[CHANNEL_HEARTBEAT];
        if (beat_wanted(lease) && beat->request == 0) {
            const int64_t open_us = beat->backoff.not_before.us;
            earlier(&until, lease->beat_due.us > open_us ? lease->beat_due.us : open_us);
        }
        live = live || lease->state == LEASE_RUNNING;
    }
    for (int kind = 0; kind < REPORT_KINDS; kind++) {
        const struct channel *channel = &session->channels[kind];
        if (channel->request == 0 && report_waits(session, (enum report_kind)kind)) {
            earlier(&until, channel->backoff.not_before.us);
        }
    }
    if (claim_due(session, &due)) {
        earlier(&until, due.us);
    }
    const bool unknown = !session->registered && !session->draining;
    if (unknown && session->channels[CHANNEL_REGISTER].request == 0) {
        earlier(&until, session->channels[CHANNEL_REGISTER].backoff.not_before.us);
    }
    const int64_t linger_us = session->drain_deadline.us + SESSION_LINGER_US;
    if (session->draining && live && now.us < session->drain_deadline.us) {
        earlier(&until, session->drain_deadline.us);
    } else if (session->draining && now.us < linger_us) {
        earlier(&until, linger_us);
    }
    return until;
}

/* ---- steps ---- */

static bool notice_next(struct session *session, struct session_action *out)
{
    for (size_t i = 0; i < session->leases_n; i++) {
        struct lease *lease = &session->leases[i];
        const bool runs = lease->state == LEASE_RUNNING || lease->state == LEASE_LOST;
        const bool changed = lease->stop != lease->stop_told || lease->requests_changed ||
                             lease->contact_lost != lease->contact_lost_told;
        if (runs && lease->start_told && changed) {
            lease->stop_told = lease->stop;
            lease->contact_lost_told = lease->contact_lost;
            lease->requests_changed = false;
            out->lease = lease;
            return true;
        }
    }
    return false;
}

static bool start_next(struct session *session, struct session_action *out)
{
    for (size_t i = 0; i < session->leases_n; i++) {
        struct lease *lease = &session->leases[i];
        if (lease->state == LEASE_RUNNING && !lease->start_told) {
            lease->start_told = true;
            out->lease = lease;
            return true;
        }
    }
    return false;
}

static bool register_next(struct session *session, struct mono_time now, struct session_action *out)
{
    struct channel *channel = &session->channels[CHANNEL_REGISTER];
    if (session->registered || session->draining || !channel_free(channel, now)) {
        return false;
    }
    buf_reset(&channel->body);
    wire_put_register(&channel->body, &session->config.worker, session->wall_ms);
    channel_send(session, CHANNEL_REGISTER, "/workers/register", REGISTER_TIMEOUT_US, now, out);
    return true;
}

static void register_answered(struct session *session, const struct session_answer *answer,
                              struct mono_time now)
{
    struct channel *channel = &session->channels[CHANNEL_REGISTER];
    int64_t heartbeat_ms = 0;
    int64_t poll_ms = session->poll_us / US_PER_MS;
    const enum answer_kind kind = answer_kind_of(answer->status);
    if (kind == ANSWER_NO) {
        session_fail(session, answer, now);
        return;
    }
    if (kind == ANSWER_AGAIN || !wire_get_register(answer->body, &heartbeat_ms, &poll_ms)) {
        channel_failed(session, channel, now, REGISTER_BASE_US, REGISTER_MAX_US,
                       answer->retry_after_ms);
        return;
    }
    backoff_reset(&channel->backoff);
    if (session->held && !wire_says_hold(answer->body)) {
        session_say(session, "the operator resumed this worker");
        session->held = false;
    }
    session->registered = true;
    session_heed(session, answer->body, now);
    const bool sane = poll_ms >= 0 && poll_ms <= POLL_DEFAULT_US / US_PER_MS;
    session->poll_us = sane ? poll_ms * US_PER_MS : POLL_DEFAULT_US;
    session->heartbeat_us = heartbeat_ms > 0 && heartbeat_ms < 3600000 ? heartbeat_ms * 1000 : 0;
}

static bool abort_next(struct session *session, struct session_action *out)
{
    struct channel *claim = &session->channels[CHANNEL_CLAIM];
    struct channel *registering = &session->channels[CHANNEL_REGISTER];
    if (!session->draining) {
        return false;
    }
    struct channel *dropped = registering->request != 0 ? registering : NULL;
    if (dropped == NULL && claim->request != 0 && !session->claim_hurried) {
        dropped = claim; /* It is asked again without waiting, to learn what it was given. */
    }
    if (dropped == NULL) {
        return false;
    }
    out->request = dropped->request;
    dropped->request = 0;
    return true;
}

static bool is_done(const struct session *session, struct mono_time now)
{
    bool handlers = false;
    bool reports = false;
    for (size_t i = 0; i < session->leases_n; i++) {
        const enum lease_state state = session->leases[i].state;
        handlers = handlers || state == LEASE_RUNNING || state == LEASE_LOST;
        reports = reports || state == LEASE_ENDED;
    }
    if (!session->draining || handlers) {
        return false;
    }
    const bool settled = !reports && session->claim_id[0] == '\0';
    return settled || now.us >= session->drain_deadline.us + SESSION_LINGER_US;
}

enum session_step session_next(struct session *session, struct mono_time now,
                               struct session_action *out)
{
    memset(out, 0, sizeof(*out));
    expire(session, now);
    if (session->has_said) {
        session->has_said = false;
        out->text = session->said;
        return SESSION_SAY;
    }
    if (notice_next(session, out)) {
        return SESSION_NOTICE;
    }
    if (start_next(session, out)) {
        return SESSION_START;
    }
    if (abort_next(session, out)) {
        return SESSION_ABORT;
    }
    for (int kind = 0; kind < REPORT_KINDS; kind++) {
        if (report_next(session, (enum report_kind)kind, now, out)) {
            return SESSION_SEND;
        }
    }
    if (beat_next(session, now, out) || register_next(session, now, out) ||
        claim_next(session, now, out)) {
        return SESSION_SEND;
    }
    if (is_done(session, now)) {
        return SESSION_DONE;
    }
    out->until = next_timer(session, now);
    return SESSION_WAIT;
}

/* ---- what happens ---- */

void session_answer(struct session *session, const struct session_answer *answer,
                    struct mono_time now)
{
    int kind = 0;
    while (kind < CHANNELS && session->channels[kind].request != answer->request) {
        kind++;
    }
    if (kind == CHANNELS || answer->request == 0) {
        return;
    }
    session->channels[kind].request = 0;
    if (kind == CHANNEL_REGISTER) {
        register_answered(session, answer, now);
    } else if (kind == CHANNEL_CLAIM) {
        claim_answered(session, answer, now);
    } else if (kind == CHANNEL_HEARTBEAT) {
        beat_answered(session, answer, now);
    } else {
        report_answered(session, (enum report_kind)kind, answer, now);
    }
}

void session_heed(struct session *session, struct str body, struct mono_time now)
{
    if (session->draining || !wire_says_hold(body)) {
        return;
    }
    if (!session->held) {
        session_say(session, "the operator holds this worker: it claims nothing until resumed");
    }
    if (session->registered) { /* Heartbeats of what still runs do not put it off. */
        session->channels[CHANNEL_REGISTER].backoff.not_before.us = now.us + SESSION_HOLD_US;
    }
    session->held = true;
    session->registered = false;
}

void session_tell_clock(struct session *session, int64_t wall_ms)
{
    session->wall_ms = wall_ms;
}

void session_drain(struct session *session, struct mono_time now)
{
    if (!session->draining) {
        session->draining = true;
        session->drain_deadline.us = now.us + session->config.grace_us;
        return;
    }
    if (session->drain_deadline.us > now.us) {
        session->drain_deadline = now;
    }
}

const struct wire_problem *session_failure(const struct session *session, int *out_status)
{
    *out_status = session->failure_status;
    return &session->failure;
}
