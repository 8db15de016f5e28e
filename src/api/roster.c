#include "api/roster.h"

#include <stdlib.h>

#include "base/check.h"
#include "platform/clock.h"

#define NOTE_BYTES_MAX ((size_t)1 << 16)
#define MS_MASK        ((UINT64_C(1) << 48) - 1)

struct note {
    struct arena arena;
    struct command command;
    struct engine_request request;
};

struct roster *roster_new(void)
{
    struct roster *roster = calloc(1, sizeof(*roster));
    CHECK(roster != NULL);
    return roster;
}

void roster_free(struct roster *roster)
{
    free(roster);
}

const char *worker_state_name(enum worker_state state)
{
    static const char *const names[] = {"active", "draining", "quarantined"};
    return names[state];
}

static void note_free(struct engine_request *request)
{
    struct note *note = request->ctx;
    arena_fini(&note->arena);
    free(note);
}

static void send_note(struct call *call, struct str worker, struct str types)
{
    struct note *note = calloc(1, sizeof(*note));
    struct err err;
    CHECK(note != NULL);
    arena_init(&note->arena, NOTE_BYTES_MAX);
    const bool is_shared = call->who.for_tenant == 0;
    note->command = (struct command){
        .kind = COMMAND_WORKER_SEEN,
        .tenant = {is_shared ? TENANT_SYSTEM : call->who.for_tenant},
        .shard = is_shared ? SHARD_SYSTEM : call->shard,
        .actor = arena_format(&note->arena, "worker:%.*s", STR_ARG(worker)),
        .arena = &note->arena,
        .worker = {.name = arena_str(&note->arena, worker),
                   .job_types = arena_str(&note->arena, types)},
    };
    note->request = (struct engine_request){
        .queue = QUEUE_CONTROL,
        .commands = &note->command,
        .count = 1,
        .done = note_free,
        .ctx = note,
    };
    if (engine_submit(call->api->engine, &note->request, &err) != ERR_OK) {
        note_free(&note->request); /* The next claim or heartbeat says it again. */
    }
}

/* Claims the right to note it; false when that was done lately. */
static bool is_due(struct call *call, struct str worker)
{
    const struct str text =
        arena_format(call->arena, "%d\n%.*s", call->who.for_tenant, STR_ARG(worker));
    const uint64_t hash = hash_keyed(&call->api->salt, text);
    const uint64_t tag = hash & ~MS_MASK;
    _Atomic uint64_t *slot = &call->api->roster->seen[hash % ROSTER_SLOTS];
    const uint64_t now = (uint64_t)(clock_mono().us / US_PER_MS) & MS_MASK;
    uint64_t last = atomic_load_explicit(slot, memory_order_relaxed);
    const bool is_fresh = last != 0 && (last & ~MS_MASK) == tag &&
                          now - (last & MS_MASK) < (uint64_t)call->api->settings->worker_note_ms;
    return !is_fresh && atomic_compare_exchange_strong(slot, &last, tag | now);
}

void roster_saw(struct call *call, struct str worker, struct str types)
{
    if (is_due(call, worker)) {
        send_note(call, worker, types);
    }
}

void roster_registers(struct call *call, struct str worker)
{
    (void)is_due(call, worker);
}
