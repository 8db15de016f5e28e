#include "core/breaker.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/time.h"

enum { TEXT_MAX = 8 * 1024, RAMP_STEPS = 8, OPENS_MAX = 30 };

static const char *const state_names[] = {"closed", "open", "half_open"};
static const char *const mode_names[] = {"automatic", "forced_open", "disabled", "shadow"};
static const char *const change_names[] = {"stays",  "opens",    "reopens", "probes",
                                           "closes", "suspects", "forced",  "reset"};

const char *breaker_state_name(enum breaker_state state)
{
    return state_names[state];
}

const char *breaker_mode_name(enum breaker_mode mode)
{
    return mode_names[mode];
}

const char *breaker_change_name(enum breaker_change change)
{
    return change_names[change];
}

bool breaker_mode_find(struct str name, enum breaker_mode *out_mode)
{
    for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
        if (str_eq(str_from(mode_names[i]), name)) {
            *out_mode = (enum breaker_mode)i;
            return true;
        }
    }
    return false;
}

/* ---- Rows ---- */

/* The next number of a list that core wrote itself. */
static int64_t take_number(struct str *rest)
{
    struct str part;
    int64_t value = 0;
    CHECK(str_split(rest, ' ', &part) && str_parse_i64(part, &value));
    return value;
}

static void read_window(struct str text, struct breaker *out)
{
    if (text.len == 0) {
        return;
    }
    out->head = take_number(&text);
    for (int i = 0; i < BREAKER_BUCKETS; i++) {
        out->buckets[i].calls = take_number(&text);
        out->buckets[i].failures = take_number(&text);
        out->buckets[i].slow = take_number(&text);
    }
}

static void read_workers(struct str text, struct breaker *out)
{
    while (text.len > 0) {
        CHECK(out->worker_count < BREAKER_WORKERS);
        struct breaker_worker *worker = &out->workers[out->worker_count++];
        CHECK(str_split(&text, ' ', &worker->name));
        worker->called_at = take_number(&text);
        worker->failed_at = take_number(&text);
    }
}

static void read_probes(struct str text, struct breaker *out)
{
    while (text.len > 0) {
        CHECK(out->probe_count < BREAKER_PROBES_MAX);
        struct breaker_probe *probe = &out->probes[out->probe_count++];
        probe->tenant = (int32_t)take_number(&text);
        probe->job = take_number(&text);
        probe->grant = take_number(&text);
    }
}

void breaker_read(const struct breaker_row *row, struct breaker *out)
{
    *out = (struct breaker){
        .state = (enum breaker_state)row->state,
        .mode = (enum breaker_mode)row->mode,
        .mode_until = row->mode_until,
        .changed_at = row->changed_at,
        .until = row->until,
        .opens = row->opens,
        .in_a_row = row->in_a_row,
        .probes_well = row->probes_well,
        .probes_ill = row->probes_ill,
    };
    read_window(row->evidence, out);
    read_workers(row->workers, out);
    read_probes(row->probes, out);
}

static void put_number(struct buf *text, int64_t value)
{
    char digits[24];
    if (text->len > 0) {
        buf_char(text, ' ');
    }
    buf_str(text, (struct str){digits, (size_t)(str_put_i64(digits, value) - digits)});
}

static struct str finish(struct arena *arena, struct buf *text)
{
    CHECK(!text->overflow);
    const struct str made = arena_str(arena, buf_get(text));
    buf_fini(text);
    return made;
}

static struct str write_window(const struct breaker *breaker, struct arena *arena)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    put_number(&text, breaker->head);
    for (int i = 0; i < BREAKER_BUCKETS; i++) {
        put_number(&text, breaker->buckets[i].calls);
        put_number(&text, breaker->buckets[i].failures);
        put_number(&text, breaker->buckets[i].slow);
    }
    return finish(arena, &text);
}

static struct str write_workers(const struct breaker *breaker, struct arena *arena)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < breaker->worker_count; i++) {
        if (i > 0) {
            buf_char(&text, ' ');
        }
        buf_str(&text, breaker->workers[i].name);
        put_number(&text, breaker->workers[i].called_at);
        put_number(&text, breaker->workers[i].failed_at);
    }
    return finish(arena, &text);
}

static struct str write_probes(const struct breaker *breaker, struct arena *arena)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < breaker->probe_count; i++) {
        put_number(&text, breaker->probes[i].tenant);
        put_number(&text, breaker->probes[i].job);
        put_number(&text, breaker->probes[i].grant);
    }
    return finish(arena, &text);
}

void breaker_write(const struct breaker *breaker, struct arena *arena, struct breaker_row *row)
{
    row->state = (int16_t)breaker->state;
    row->mode = (int16_t)breaker->mode;
    row->mode_until = breaker->mode_until;
    row->changed_at = breaker->changed_at;
    row->until = breaker->until;
    row->opens = breaker->opens;
    row->in_a_row = breaker->in_a_row;
    row->probes_well = breaker->probes_well;
    row->probes_ill = breaker->probes_ill;
    row->evidence = write_window(breaker, arena);
    row->workers = write_workers(breaker, arena);
    row->probes = write_probes(breaker, arena);
}

/* ---- The window ---- */

static int64_t bucket_us(const struct breaker_config *config)
{
    return config->window_ms * US_PER_MS / BREAKER_BUCKETS;
}

/* Moves the window on to `now`; a clock that steps back, or a longer window, moves nothing back. */
static struct breaker_bucket *bucket_now(struct breaker *breaker,
                                         const struct breaker_config *config, int64_t now)
{
    const int64_t at = now / bucket_us(config);
    if (at - breaker->head >= BREAKER_BUCKETS || at < breaker->head - BREAKER_BUCKETS) {
        memset(breaker->buckets, 0, sizeof(breaker->buckets));
        breaker->head = at;
    }
    while (breaker->head < at) {
        breaker->head++;
        breaker->buckets[breaker->head % BREAKER_BUCKETS] = (struct breaker_bucket){0};
    }
    return &breaker->buckets[breaker->head % BREAKER_BUCKETS];
}

struct breaker_bucket breaker_window(const struct breaker *breaker,
                                     const struct breaker_config *config, int64_t now)
{
    struct breaker copy = *breaker;
    struct breaker_bucket sum = {0};
    (void)bucket_now(&copy, config, now);
    for (int i = 0; i < BREAKER_BUCKETS; i++) {
        sum.calls += copy.buckets[i].calls;
        sum.failures += copy.buckets[i].failures;
        sum.slow += copy.buckets[i].slow;
    }
    return sum;
}

/* ---- Workers ---- */

size_t breaker_workers_failing(const struct breaker *breaker, const struct breaker_config *config,
                               int64_t now)
{
    size_t count = 0;
    for (size_t i = 0; i < breaker->worker_count; i++) {
        const int64_t at = breaker->workers[i].failed_at;
        count += at > 0 && now - at < config->window_ms * US_PER_MS;
    }
    return count;
}

size_t breaker_workers_calling(const struct breaker *breaker, const struct breaker_config *config,
                               int64_t now)
{
    size_t count = 0;
    for (size_t i = 0; i < breaker->worker_count; i++) {
        count += now - breaker->workers[i].called_at < config->window_ms * US_PER_MS;
    }
    return count;
}

/* The worker's place; the one heard of longest ago makes room. */
static struct breaker_worker *worker_of(struct breaker *breaker, struct str name)
{
    struct breaker_worker *oldest = &breaker->workers[0];
    for (size_t i = 0; i < breaker->worker_count; i++) {
        struct breaker_worker *worker = &breaker->workers[i];
        if (str_eq(worker->name, name)) {
            return worker;
        }
        oldest = worker->called_at < oldest->called_at ? worker : oldest;
    }
    if (breaker->worker_count < BREAKER_WORKERS) {
        oldest = &breaker->workers[breaker->worker_count++];
    }
    *oldest = (struct breaker_worker){.name = name};
    return oldest;
}

static void note_worker(struct breaker *breaker, const struct breaker_call *call, int64_t now)
{
    if (call->worker.len == 0) {
        return;
    }
    struct breaker_worker *worker = worker_of(breaker, call->worker);
    worker->called_at = now;
    if (call->verdict == BREAKER_ILL || call->verdict == BREAKER_SLOW) {
        worker->failed_at = now;
    }
}

/* ---- Asking ---- */

enum breaker_mode breaker_mode_now(const struct breaker *breaker, int64_t now)
{
    return breaker->mode_until > 0 && breaker->mode_until <= now ? BREAKER_AUTOMATIC
                                                                 : breaker->mode;
}

/* As many as may be out, and no more than can still decide something. */
int64_t breaker_probes_left(const struct breaker *breaker, const struct breaker_config *config)
{
    const int64_t out = (int64_t)breaker->probe_count;
    const int64_t known = breaker->probes_well + breaker->probes_ill;
    const int64_t useful = config->probe_successes + config->probe_failures - 1 - known - out;
    const int64_t free = config->probes - out;
    const int64_t left = useful < free ? useful : free;
    return left > 0 ? left : 0;
}

struct breaker_answer breaker_ask(const struct breaker *breaker,
                                  const struct breaker_config *config, int64_t now)
{
    const enum breaker_mode mode = breaker_mode_now(breaker, now);
    if (mode == BREAKER_FORCED_OPEN) {
        return (struct breaker_answer){BREAKER_HOLDS,
                                       breaker->mode_until > 0 ? breaker->mode_until : INT64_MAX};
    }
    if (mode != BREAKER_AUTOMATIC || breaker->state == BREAKER_CLOSED) {
        return (struct breaker_answer){BREAKER_PASSES, 0};
    }
    if (breaker->state == BREAKER_OPEN) {
        return now < breaker->until ? (struct breaker_answer){BREAKER_HOLDS, breaker->until}
                                    : (struct breaker_answer){BREAKER_PROBE, 0};
    }
    return breaker_probes_left(breaker, config) > 0
               ? (struct breaker_answer){BREAKER_PROBE, 0}
               : (struct breaker_answer){BREAKER_HOLDS, INT64_MAX};
}

int64_t breaker_ramp(const struct breaker *breaker, const struct breaker_config *config,
                     int64_t now, int64_t *out_grows_at)
{
    const int64_t ramp_us = config->ramp_ms * US_PER_MS;
    const int64_t since = now - breaker->changed_at;
    *out_grows_at = 0;
    if (breaker->state != BREAKER_CLOSED || breaker->changed_at == 0 || since >= ramp_us ||
        breaker_mode_now(breaker, now) != BREAKER_AUTOMATIC) {
        return 0;
    }
    const int64_t step = since <= 0 ? 0 : since * RAMP_STEPS / ramp_us;
    /* The first moment of the next step. */
    *out_grows_at = breaker->changed_at + ((step + 1) * ramp_us + RAMP_STEPS - 1) / RAMP_STEPS;
    return config->probes << step;
}

bool breaker_is_alert(const struct breaker *breaker, int64_t now)
{
    return breaker->state != BREAKER_CLOSED || breaker->in_a_row > 0 ||
           breaker_mode_now(breaker, now) != breaker->mode;
}

static size_t probe_at(const struct breaker *breaker, const struct breaker_probe *probe)
{
    for (size_t i = 0; i < breaker->probe_count; i++) {
        const struct breaker_probe *out = &breaker->probes[i];
        if (out->tenant == probe->tenant && out->job == probe->job && out->grant == probe->grant) {
            return i;
        }
    }
    return SIZE_MAX;
}

bool breaker_is_probe(const struct breaker *breaker, const struct breaker_probe *probe)
{
    return probe_at(breaker, probe) != SIZE_MAX;
}

/* ---- Telling ---- */

int64_t breaker_open_us(const struct breaker_config *config, int32_t opens, uint64_t jitter)
{
    int64_t open_ms = config->open_ms;
    for (int32_t i = 0; i < opens && open_ms < config->open_max_ms; i++) {
        open_ms *= 2;
    }
    const int64_t open_us =
        (open_ms < config->open_max_ms ? open_ms : config->open_max_ms) * US_PER_MS;
    const int64_t spread = open_us / 5;
    return open_us - spread + (int64_t)(jitter % (uint64_t)(2 * spread + 1));
}

int32_t breaker_decayed(const struct breaker_config *config, int32_t opens, int64_t closed_us)
{
    const int64_t less = closed_us <= 0 ? 0 : closed_us / (config->decay_ms * US_PER_MS);
    return less >= opens ? 0 : opens - (int32_t)less;
}

static void forget_probes(struct breaker *breaker)
{
    breaker->probe_count = 0;
    breaker->probes_well = 0;
    breaker->probes_ill = 0;
}

static void forget_window(struct breaker *breaker)
{
    memset(breaker->buckets, 0, sizeof(breaker->buckets));
    breaker->in_a_row = 0;
    for (size_t i = 0; i < breaker->worker_count; i++) {
        breaker->workers[i].failed_at = 0;
    }
}

static enum breaker_change open(struct breaker *breaker, const struct breaker_config *config,
                                uint64_t jitter, int64_t now)
{
    const bool again = breaker->state == BREAKER_HALF_OPEN;
    if (!again) {
        breaker->opens = breaker_decayed(config, breaker->opens, now - breaker->changed_at);
    }
    breaker->state = BREAKER_OPEN;
    breaker->changed_at = now;
    breaker->until = now + breaker_open_us(config, breaker->opens, jitter);
    breaker->opens += breaker->opens < OPENS_MAX;
    forget_probes(breaker);
    return again ? BREAKER_REOPENS : BREAKER_OPENS;
}

static enum breaker_change close(struct breaker *breaker, int64_t now)
{
    breaker->state = BREAKER_CLOSED;
    breaker->changed_at = now;
    breaker->until = 0;
    forget_probes(breaker);
    forget_window(breaker);
    return BREAKER_CLOSES;
}

static bool is_too_bad(const struct breaker *breaker, const struct breaker_config *config,
                       int64_t now)
{
    const struct breaker_bucket sum = breaker_window(breaker, config, now);
    if (config->consecutive_failures > 0 && breaker->in_a_row >= config->consecutive_failures) {
        return true;
    }
    return sum.calls >= config->min_calls &&
           (sum.failures * 100 >= config->failure_percent * sum.calls ||
            (config->slow_ms > 0 && sum.slow * 100 >= config->slow_percent * sum.calls));
}

static enum breaker_change told_closed(struct breaker *breaker, const struct breaker_config *config,
                                       const struct breaker_call *call, int64_t now)
{
    if ((call->verdict != BREAKER_ILL && call->verdict != BREAKER_SLOW) ||
        !is_too_bad(breaker, config, now)) {
        return BREAKER_STAYS;
    }
    const size_t calling = breaker_workers_calling(breaker, config, now);
    const bool is_alone = call->others <= 1 && calling <= 1;
    return is_alone || breaker_workers_failing(breaker, config, now) >= 2
               ? open(breaker, config, call->jitter, now)
               : BREAKER_SUSPECTS;
}

/* The result of a probe; in shadow any lease is one. */
static enum breaker_change told_probe(struct breaker *breaker, const struct breaker_config *config,
                                      const struct breaker_call *call, int64_t now)
{
    breaker->probes_well += call->verdict == BREAKER_WELL;
    breaker->probes_ill += call->verdict == BREAKER_ILL || call->verdict == BREAKER_SLOW;
    if (breaker->probes_well >= config->probe_successes) {
        return close(breaker, now);
    }
    return breaker->probes_ill >= config->probe_failures ? open(breaker, config, call->jitter, now)
                                                         : BREAKER_STAYS;
}

static enum breaker_change told_shadow(struct breaker *breaker, const struct breaker_config *config,
                                       const struct breaker_call *call, int64_t now)
{
    if (breaker->state == BREAKER_OPEN && now < breaker->until) {
        return BREAKER_STAYS;
    }
    const bool begins = breaker->state == BREAKER_OPEN;
    breaker->changed_at = begins ? now : breaker->changed_at;
    breaker->state = BREAKER_HALF_OPEN;
    const enum breaker_change change = told_probe(breaker, config, call, now);
    return change == BREAKER_STAYS && begins ? BREAKER_PROBES : change;
}

static void count(struct breaker *breaker, const struct breaker_config *config,
                  const struct breaker_call *call, int64_t now)
{
    struct breaker_bucket *bucket = bucket_now(breaker, config, now);
    bucket->calls += call->before;
    if (call->before > 0 || call->verdict == BREAKER_WELL || call->verdict == BREAKER_SLOW) {
        breaker->in_a_row = 0;
    }
    if (call->verdict == BREAKER_SAYS_NOTHING) {
        return;
    }
    note_worker(breaker, call, now);
    bucket->calls++;
    bucket->slow += call->verdict == BREAKER_SLOW;
    bucket->failures += call->verdict == BREAKER_ILL;
    breaker->in_a_row += call->verdict == BREAKER_ILL && breaker->in_a_row < INT32_MAX;
}

enum breaker_change breaker_told(struct breaker *breaker, const struct breaker_config *config,
                                 const struct breaker_call *call, int64_t now)
{
    const size_t at = probe_at(breaker, &call->lease);
    const enum breaker_mode mode = breaker_mode_now(breaker, now);
    if (at != SIZE_MAX) {
        breaker->probes[at] = breaker->probes[--breaker->probe_count];
    }
    if (mode != breaker->mode) {
        breaker_set_mode(breaker, mode, 0);
    }
    if (mode == BREAKER_DISABLED) {
        return BREAKER_STAYS;
    }
    count(breaker, config, call, now);
    if (breaker->state == BREAKER_CLOSED) {
        return told_closed(breaker, config, call, now);
    }
    if (call->verdict == BREAKER_SAYS_NOTHING) {
        return BREAKER_STAYS;
    }
    if (mode == BREAKER_SHADOW) {
        return told_shadow(breaker, config, call, now);
    }
    return at == SIZE_MAX ? BREAKER_STAYS : told_probe(breaker, config, call, now);
}

enum breaker_change breaker_probe_take(struct breaker *breaker, const struct breaker_probe *lease,
                                       int64_t now)
{
    CHECK(breaker->state != BREAKER_CLOSED && breaker->probe_count < BREAKER_PROBES_MAX);
    const bool begins = breaker->state == BREAKER_OPEN;
    if (begins) {
        CHECK(now >= breaker->until);
        forget_probes(breaker);
        breaker->state = BREAKER_HALF_OPEN;
        breaker->changed_at = now;
    }
    breaker->probes[breaker->probe_count++] = *lease;
    return begins ? BREAKER_PROBES : BREAKER_STAYS;
}

void breaker_reset(struct breaker *breaker, int64_t now)
{
    if (breaker->state != BREAKER_CLOSED) {
        (void)close(breaker, now);
    }
    breaker->opens = 0;
    breaker->worker_count = 0;
    forget_window(breaker);
    breaker_set_mode(breaker, BREAKER_AUTOMATIC, 0);
}

void breaker_set_mode(struct breaker *breaker, enum breaker_mode mode, int64_t until)
{
    breaker->mode = mode;
    breaker->mode_until = mode == BREAKER_AUTOMATIC ? 0 : until;
}
