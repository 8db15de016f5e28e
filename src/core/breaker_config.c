#include "core/breaker_config.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/json.h"
#include "core/members.h"

enum { BODY_MAX = 16 * 1024, CLASS_MAX = 64, DAY_MS = 24 * 3600 * 1000 };

/* By name, as the writer wants them. */
enum {
    CONSECUTIVE_FAILURES,
    DECAY,
    FAILURE_PERCENT,
    MIN_CALLS,
    OPEN_MAX,
    OPEN,
    PROBE_FAILURES,
    PROBE_SUCCESSES,
    PROBES,
    RAMP,
    SLOW,
    SLOW_PERCENT,
    WINDOW,
    INTS
};

static const struct int_member ints[INTS] = {
    [CONSECUTIVE_FAILURES] = {"consecutive_failures", 0, 1000, 5},
    [DECAY] = {"decay_ms", 1000, DAY_MS, 60000},
    [FAILURE_PERCENT] = {"failure_percent", 1, 100, 50},
    [MIN_CALLS] = {"min_calls", 1, 100000, 10},
    [OPEN_MAX] = {"open_max_ms", 100, DAY_MS, 600000},
    [OPEN] = {"open_ms", 100, DAY_MS, 30000},
    [PROBE_FAILURES] = {"probe_failures", 1, BREAKER_PROBES_MAX, 2},
    [PROBE_SUCCESSES] = {"probe_successes", 1, BREAKER_PROBES_MAX, 2},
    [PROBES] = {"probes", 1, BREAKER_PROBES_MAX, 3},
    [RAMP] = {"ramp_ms", 0, DAY_MS, 30000},
    [SLOW] = {"slow_ms", 0, DAY_MS, 0},
    [SLOW_PERCENT] = {"slow_percent", 1, 100, 80},
    [WINDOW] = {"window_ms", 1200, 3600000, 60000},
};

static const char *const others[] = {"counts", "ignored", "per_tenant"};

/* What is the input's or the worker's own fault. */
#define NAME(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }
static const struct str standard_ignored[] = {
    NAME("artifact"),  NAME("bad_outcome"),     NAME("bad_payload"),      NAME("disk"),
    NAME("io"),        NAME("missing_input"),   NAME("out_of_memory"),    NAME("parse_error"),
    NAME("too_large"), NAME("unexpected_type"), NAME("unreadable_lease"), NAME("validation"),
};
#undef NAME

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void set_ints(struct breaker_config *out, const int64_t *values)
{
    out->consecutive_failures = values[CONSECUTIVE_FAILURES];
    out->decay_ms = values[DECAY];
    out->failure_percent = values[FAILURE_PERCENT];
    out->min_calls = values[MIN_CALLS];
    out->open_max_ms = values[OPEN_MAX];
    out->open_ms = values[OPEN];
    out->probe_failures = values[PROBE_FAILURES];
    out->probe_successes = values[PROBE_SUCCESSES];
    out->probes = values[PROBES];
    out->ramp_ms = values[RAMP];
    out->slow_ms = values[SLOW];
    out->slow_percent = values[SLOW_PERCENT];
    out->window_ms = values[WINDOW];
}

const struct breaker_config *breaker_config_default(void)
{
    static const struct breaker_config standard = {
        .window_ms = 60000,
        .min_calls = 10,
        .failure_percent = 50,
        .consecutive_failures = 5,
        .slow_ms = 0,
        .slow_percent = 80,
        .open_ms = 30000,
        .open_max_ms = 600000,
        .decay_ms = 60000,
        .probes = 3,
        .probe_successes = 2,
        .probe_failures = 2,
        .ramp_ms = 30000,
        .ignored = standard_ignored,
        .ignored_count = COUNT(standard_ignored),
    };
    return &standard;
}

static void put_names(struct json_writer *w, struct str key, const struct str *names, size_t count)
{
    json_put_key(w, key);
    json_put_array(w);
    for (size_t i = 0; i < count; i++) {
        json_put_str(w, names[i]);
    }
    json_put_array_end(w);
}

static void put_int(struct json_writer *w, int which, const int64_t *values)
{
    json_put_key(w, str_from(ints[which].name));
    json_put_int(w, values[which]);
}

static struct str canonical(struct arena *arena, const struct breaker_config *config,
                            const int64_t *values)
{
    CLEANUP(buf_fini) struct buf out;
    struct json_writer w;
    buf_init(&out, BODY_MAX);
    json_begin(&w, &out);
    json_put_object(&w);
    put_int(&w, CONSECUTIVE_FAILURES, values);
    put_names(&w, STR("counts"), config->counts, config->counts_count);
    put_int(&w, DECAY, values);
    put_int(&w, FAILURE_PERCENT, values);
    put_names(&w, STR("ignored"), config->ignored, config->ignored_count);
    for (int i = MIN_CALLS; i <= OPEN; i++) {
        put_int(&w, i, values);
    }
    JSON_KEY(&w, "per_tenant");
    json_put_bool(&w, config->per_tenant);
    for (int i = PROBE_FAILURES; i < INTS; i++) {
        put_int(&w, i, values);
    }
    json_put_object_end(&w);
    CHECK(!out.overflow);
    return arena_str(arena, buf_get(&out));
}

enum err_code breaker_config_parse(struct arena *arena, const json_t *body,
                                   struct breaker_config *out, struct str *out_body,
                                   struct err *err)
{
    int64_t values[INTS];
    memset(out, 0, sizeof(*out));
    TRY(members_known(body, ints, INTS, others, COUNT(others), err));
    for (int i = 0; i < INTS; i++) {
        TRY(members_int(body, &ints[i], &values[i], err));
    }
    TRY(members_switch(body, "per_tenant", false, &out->per_tenant, err));
    TRY(members_names(arena, body, "counts", BREAKER_CLASSES_MAX, CLASS_MAX, &out->counts,
                      &out->counts_count, err));
    TRY(members_names(arena, body, "ignored", BREAKER_CLASSES_MAX, CLASS_MAX, &out->ignored,
                      &out->ignored_count, err));
    if (out->ignored == NULL) {
        out->ignored = standard_ignored;
        out->ignored_count = COUNT(standard_ignored);
    }
    if (values[OPEN_MAX] < values[OPEN]) {
        return err_at(err, ERR_UNPROCESSABLE, "/open_max_ms",
                      "open_max_ms must not be below open_ms, %lld", (long long)values[OPEN]);
    }
    set_ints(out, values);
    *out_body = canonical(arena, out, values);
    return ERR_OK;
}

struct str breaker_config_standard_body(struct arena *arena)
{
    int64_t values[INTS];
    for (int i = 0; i < INTS; i++) {
        values[i] = ints[i].standard;
    }
    return canonical(arena, breaker_config_default(), values);
}

const struct breaker_config *breaker_config_of(struct arena *arena, struct str body)
{
    struct err err;
    struct str text;
    json_t *document = NULL;
    if (body.len == 0) {
        return breaker_config_default();
    }
    struct breaker_config *config = arena_new(arena, struct breaker_config);
    CHECK(json_read(body, &document, &err) == ERR_OK); /* It was checked when it was put. */
    CHECK(breaker_config_parse(arena, document, config, &text, &err) == ERR_OK);
    json_decref(document);
    return config;
}

static bool is_among(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(names[i], name)) {
            return true;
        }
    }
    return false;
}

bool breaker_config_counts(const struct breaker_config *config, struct str class, bool permanent)
{
    if (is_among(config->counts, config->counts_count, class)) {
        return true;
    }
    return !permanent && !is_among(config->ignored, config->ignored_count, class);
}
