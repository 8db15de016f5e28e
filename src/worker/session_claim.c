/* Claims: asking for work, and taking in what comes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "worker/scan.h"
#include "worker/session_parts.h"

#define CLAIM_SLACK_US   (INT64_C(10) * US_PER_S)
#define CLAIM_BASE_US    (INT64_C(250) * US_PER_MS)
#define CLAIM_MAX_US     (INT64_C(20) * US_PER_S)
#define CLAIM_INSTANT_US (INT64_C(50) * US_PER_MS)

/* How many more jobs can be started. */
static uint32_t claim_room(const struct session *session)
{
    size_t busy = 0;
    size_t unused = 0;
    for (size_t i = 0; i < session->leases_n; i++) {
        const enum lease_state state = session->leases[i].state;
        busy += state == LEASE_RUNNING || state == LEASE_LOST;
        unused += state == LEASE_FREE;
    }
    const size_t slots = session->config.worker.slots;
    const size_t free_slots = busy >= slots ? 0 : slots - busy;
    return (uint32_t)(free_slots < unused ? free_slots : unused);
}

/* While draining only a claim of unknown outcome is asked again, until the grace time ends. */
static bool claim_wanted(const struct session *session)
{
    if (session->draining) {
        return session->claim_id[0] != '\0';
    }
    return session->registered && claim_room(session) > 0;
}

bool claim_due(const struct session *session, struct mono_time *out_due)
{
    const struct channel *channel = &session->channels[CHANNEL_CLAIM];
    *out_due = channel->backoff.not_before;
    if (!session->draining && out_due->us < session->claims_held.us) {
        *out_due = session->claims_held;
    }
    return channel->request == 0 && claim_wanted(session);
}

bool claim_next(struct session *session, struct mono_time now, struct session_action *out)
{
    struct channel *channel = &session->channels[CHANNEL_CLAIM];
    struct mono_time due;
    if (!claim_due(session, &due) || due.us > now.us) {
        return false;
    }
    if (session->claim_id[0] == '\0') {
        const uint64_t serial = ++session->counter;
        const struct str seed = {(const char *)&serial, sizeof(serial)};
        (void)snprintf(session->claim_id, sizeof(session->claim_id), "%016" PRIx64 "-%" PRIu64,
                       hash_keyed(&session->config.seed, seed), serial);
        session->claim_first_sent = now;
    }
    session->claim_hurried = session->draining;
    const int64_t wait_us = session->claim_hurried ? 0 : session->poll_us;
    const uint32_t room = claim_room(session);
    const struct wire_claim claim = {
        .claim_id = str_from(session->claim_id),
        .max = room > 0 ? room : 1,
        .wait_ms = wait_us / US_PER_MS,
    };
    buf_reset(&channel->body);
    wire_put_claim(&channel->body, &session->config.worker, &claim);
    channel_send(session, CHANNEL_CLAIM, "/leases/claim", wait_us + CLAIM_SLACK_US, now, out);
    return true;
}

/* The same job under another grant: ours is over. The same grant twice is one lease. */
static bool already_held(struct session *session, const struct lease_grant *grant)
{
    for (size_t i = 0; i < session->leases_n; i++) {
        struct lease *held = &session->leases[i];
        if (held->state == LEASE_FREE || !str_eq(held->is.lease, grant->lease)) {
            continue;
        }
        if (held->is.grant >= grant->grant) {
            return true;
        }
        if (lease_is_live(held)) {
            session_say(session, "%.*s: granted anew, the older grant is over",
                        STR_ARG(held->is.job));
            lease_lose(held);
        }
    }
    return false;
}

static struct lease *unused_lease(struct session *session)
{
    for (size_t i = 0; i < session->leases_n; i++) {
        if (session->leases[i].state == LEASE_FREE) {
            return &session->leases[i];
        }
    }
    return NULL;
}

/* A lease that was granted but cannot be read is failed for good: it would come again. */
static void refuse_unreadable(struct session *session, struct lease *lease)
{
    if (lease->is.lease.len == 0 || lease->is.lease.len >= WIRE_CODE_MAX || lease->is.grant <= 0) {
        session_say(session, "the server sent a lease that cannot be read");
        lease_free(lease);
        return;
    }
    lease->state = LEASE_ENDED;
    lease->report = (struct lease_report){
        .kind = REPORT_FAIL,
        .error_class = STR("unreadable_lease"),
        .message = STR("the worker library cannot read this lease"),
        .permanent = true,
    };
}

static void accept(struct session *session, struct str text, struct mono_time sent,
                   struct mono_time now)
{
    struct lease *lease = unused_lease(session);
    if (lease == NULL) {
        session_say(session, "the server sent more leases than were asked for");
        return;
    }
    lease->state = LEASE_RUNNING;
    arena_init(&lease->arena, LEASE_TEXT_CAP);
    const bool readable = wire_get_lease(text, &lease->arena, &lease->is);
    if (!readable) {
        refuse_unreadable(session, lease);
        return;
    }
    lease->state = LEASE_FREE; /* Not to be found by the search for others of this job. */
    const bool held = already_held(session, &lease->is);
    lease->state = LEASE_RUNNING;
    if (held) {
        lease_free(lease);
        return;
    }
    /* A long poll is answered long after it was sent. Then the grant is younger than the request,
     * nobody knows by how much, and a heartbeat at once makes the deadline certain. */
    lease->requests_at = now;
    const bool fresh = now.us - sent.us <= lease->is.ttl_us / 3;
    lease->contact = fresh ? sent : now;
    lease->beat_due.us = fresh ? sent.us + lease_beat_interval_us(session, lease) : now.us;
}

static void claim_taken(struct session *session, struct str list, struct mono_time now)
{
    struct channel *channel = &session->channels[CHANNEL_CLAIM];
    const struct mono_time sent = session->claim_first_sent;
    const bool waited = now.us - channel->sent.us >= CLAIM_INSTANT_US || session->poll_us == 0;
    struct scan scan;
    struct str item;
    size_t n = 0;
    session->claim_id[0] = '\0';
    backoff_reset(&channel->backoff);
    (void)scan_array(&scan, list); /* A broken start ends the loop. */
    while (scan_item(&scan, &item)) {
        accept(session, item, sent, now);
        n++;
    }
    if (n > 0 || waited) {
        session->idle_answers = 0;
        return;
    }
    /* A server that does not let us wait must not be asked without a pause. */
    channel->backoff.failures = session->idle_answers++;
    channel_failed(session, channel, now, CLAIM_BASE_US, CLAIM_MAX_US, 0);
    channel->backoff.failures = 0;
}

void claim_answered(struct session *session, const struct session_answer *answer,
                    struct mono_time now)
{
    struct channel *channel = &session->channels[CHANNEL_CLAIM];
    struct str list;
    const enum answer_kind kind = answer_kind_of(answer->status);
    if (kind == ANSWER_OK && wire_get_leases(answer->body, &list)) {
        claim_taken(session, list, now);
        session_heed(session, answer->body, now);
        return;
    }
    if (kind == ANSWER_NO) {
        session->claim_id[0] = '\0';
        if (session->draining) {
            return;
        }
        if (answer->status != 404 && answer->status != 409) {
            session_fail(session, answer, now);
            return;
        }
        session->registered = false; /* A server that lost its list of workers. */
    }
    channel_failed(session, channel, now, CLAIM_BASE_US, CLAIM_MAX_US, answer->retry_after_ms);
    if (session->draining && ++session->last_claims >= SESSION_LAST_CLAIMS) {
        session->claim_id[0] = '\0'; /* What it was given, if anything, lapses. */
    }
}
