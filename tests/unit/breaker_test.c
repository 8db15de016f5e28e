/* Circuit breakers: one event at a time, and by property over random events. */
#include "lib/cmocka.h"

#include <string.h>

#include "base/json.h"
#include "base/time.h"
#include "core/breaker.h"

#define BEGIN (1000 * US_PER_S)

static uint64_t draw(uint64_t *state, uint64_t bound)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (z ^ z >> 31) % bound;
}

static struct breaker_call call_of(enum breaker_verdict verdict, const char *worker)
{
    return (struct breaker_call){.verdict = verdict, .worker = str_from(worker), .jitter = 7};
}

static enum breaker_change tell(struct breaker *b, enum breaker_verdict verdict, const char *worker,
                                int64_t now)
{
    const struct breaker_call call = call_of(verdict, worker);
    return breaker_told(b, breaker_config_default(), &call, now);
}

static void fail_until_open(struct breaker *b, int64_t now)
{
    for (int i = 0; i < 4; i++) {
        assert_int_equal(tell(b, BREAKER_ILL, i % 2 == 0 ? "w1" : "w2", now), BREAKER_STAYS);
    }
    assert_int_equal(tell(b, BREAKER_ILL, "w1", now), BREAKER_OPENS);
}

static void it_opens_after_five_failures_in_a_row(void **state)
{
    (void)state;
    struct breaker b = {0};
    fail_until_open(&b, BEGIN);
    assert_int_equal(b.state, BREAKER_OPEN);
    assert_true(b.until >= BEGIN + 24 * US_PER_S && b.until <= BEGIN + 36 * US_PER_S);
    const struct breaker_answer answer = breaker_ask(&b, breaker_config_default(), b.until - 1);
    assert_int_equal(answer.pass, BREAKER_HOLDS);
    assert_int_equal(answer.ask_at, b.until);
    assert_int_equal(breaker_ask(&b, breaker_config_default(), b.until).pass, BREAKER_PROBE);
}

static void it_opens_when_half_of_ten_calls_fail(void **state)
{
    (void)state;
    struct breaker b = {0};
    for (int i = 0; i < 9; i++) {
        assert_int_equal(tell(&b, i % 2 == 0 ? BREAKER_ILL : BREAKER_WELL, "w1", BEGIN),
                         BREAKER_STAYS);
    }
    assert_int_equal(tell(&b, BREAKER_ILL, "w1", BEGIN), BREAKER_OPENS);
}

static void failures_that_have_left_the_window_do_not_count(void **state)
{
    (void)state;
    struct breaker b = {0};
    for (int i = 0; i < 9; i++) {
        (void)tell(&b, i % 2 == 0 ? BREAKER_ILL : BREAKER_WELL, "w1", BEGIN);
    }
    assert_int_equal(tell(&b, BREAKER_ILL, "w1", BEGIN + 61 * US_PER_S), BREAKER_STAYS);
    const struct breaker_bucket sum =
        breaker_window(&b, breaker_config_default(), BEGIN + 61 * US_PER_S);
    assert_int_equal(sum.calls, 1);
    assert_int_equal(sum.failures, 1);
}

static void slow_calls_open_it_when_the_service_has_an_objective(void **state)
{
    (void)state;
    struct breaker_config config = *breaker_config_default();
    struct breaker b = {0};
    config.slow_ms = 100;
    const struct breaker_call slow = call_of(BREAKER_SLOW, "w1");
    for (int i = 0; i < 9; i++) {
        assert_int_equal(breaker_told(&b, &config, &slow, BEGIN), BREAKER_STAYS);
    }
    assert_int_equal(breaker_told(&b, &config, &slow, BEGIN), BREAKER_OPENS);
}

static void one_of_several_workers_does_not_open_it(void **state)
{
    (void)state;
    struct breaker b = {0};
    (void)tell(&b, BREAKER_WELL, "good", BEGIN);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(tell(&b, BREAKER_ILL, "faulty", BEGIN), BREAKER_STAYS);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(tell(&b, BREAKER_ILL, "faulty", BEGIN), BREAKER_SUSPECTS);
    }
    assert_int_equal(tell(&b, BREAKER_ILL, "good", BEGIN), BREAKER_OPENS);
}

static void one_of_several_registered_workers_does_not_open_it(void **state)
{
    (void)state;
    struct breaker b = {0};
    struct breaker_call call = call_of(BREAKER_ILL, "faulty");
    call.others = 2;
    for (int i = 0; i < 20; i++) {
        const enum breaker_change change = breaker_told(&b, breaker_config_default(), &call, BEGIN);
        assert_true(change == BREAKER_STAYS || change == BREAKER_SUSPECTS);
    }
}

static void two_probes_that_succeed_close_it_and_it_ramps_up(void **state)
{
    (void)state;
    const struct breaker_config *config = breaker_config_default();
    struct breaker b = {0};
    fail_until_open(&b, BEGIN);
    int64_t now = b.until;
    const struct breaker_probe probes[] = {{2, 1, 1}, {2, 2, 1}, {3, 1, 1}};
    assert_int_equal(breaker_probe_take(&b, &probes[0], now), BREAKER_PROBES);
    assert_int_equal(breaker_probe_take(&b, &probes[1], now), BREAKER_STAYS);
    assert_int_equal(breaker_probe_take(&b, &probes[2], now), BREAKER_STAYS);
    assert_int_equal(breaker_ask(&b, config, now).pass, BREAKER_HOLDS);
    struct breaker_call call = call_of(BREAKER_WELL, "w1");
    assert_int_equal(breaker_told(&b, config, &call, now), BREAKER_STAYS); /* Not a probe. */
    call.lease = probes[1];
    assert_int_equal(breaker_told(&b, config, &call, now), BREAKER_STAYS);
    call.lease = probes[2];
    assert_int_equal(breaker_told(&b, config, &call, now), BREAKER_CLOSES);
    int64_t grows_at = 0;
    assert_int_equal(breaker_ramp(&b, config, now, &grows_at), 3);
    assert_int_equal(breaker_ramp(&b, config, grows_at - 1, &grows_at), 3);
    assert_int_equal(breaker_ramp(&b, config, grows_at, &grows_at), 6);
    assert_int_equal(breaker_ramp(&b, config, now + 30 * US_PER_S, &grows_at), 0);
}

static void two_probes_that_fail_open_it_for_longer(void **state)
{
    (void)state;
    const struct breaker_config *config = breaker_config_default();
    struct breaker b = {0};
    fail_until_open(&b, BEGIN);
    struct breaker_call call = call_of(BREAKER_ILL, "w1");
    const int64_t now = b.until;
    for (int64_t job = 1; job <= 2; job++) {
        call.lease = (struct breaker_probe){2, job, 1};
        (void)breaker_probe_take(&b, &call.lease, now);
        assert_int_equal(breaker_told(&b, config, &call, now),
                         job == 1 ? BREAKER_STAYS : BREAKER_REOPENS);
    }
    assert_true(b.until >= now + 48 * US_PER_S && b.until <= now + 72 * US_PER_S);
}

static void the_open_time_doubles_to_its_most_and_decays(void **state)
{
    (void)state;
    const struct breaker_config *config = breaker_config_default();
    uint64_t random = 1;
    for (int32_t opens = 0; opens < 40; opens++) {
        const int64_t plain = opens < 5 ? 30 * US_PER_S << opens : 600 * US_PER_S;
        for (int i = 0; i < 50; i++) {
            const int64_t open_us = breaker_open_us(config, opens, draw(&random, UINT64_MAX));
            assert_true(open_us >= plain * 8 / 10 && open_us <= plain * 12 / 10);
        }
    }
    assert_int_equal(breaker_decayed(config, 3, 0), 3);
    assert_int_equal(breaker_decayed(config, 3, 119 * US_PER_S), 2);
    assert_int_equal(breaker_decayed(config, 3, 1000 * US_PER_S), 0);
}

static void modes_hold_or_pass_until_they_expire(void **state)
{
    (void)state;
    const struct breaker_config *config = breaker_config_default();
    struct breaker b = {0};
    breaker_set_mode(&b, BREAKER_FORCED_OPEN, BEGIN + 10);
    assert_int_equal(breaker_ask(&b, config, BEGIN).pass, BREAKER_HOLDS);
    assert_int_equal(breaker_ask(&b, config, BEGIN).ask_at, BEGIN + 10);
    assert_int_equal(breaker_ask(&b, config, BEGIN + 10).pass, BREAKER_PASSES);
    breaker_reset(&b, BEGIN);
    fail_until_open(&b, BEGIN);
    breaker_set_mode(&b, BREAKER_DISABLED, 0);
    assert_int_equal(breaker_ask(&b, config, BEGIN).pass, BREAKER_PASSES);
    assert_int_equal(tell(&b, BREAKER_ILL, "w1", BEGIN), BREAKER_STAYS);
    breaker_set_mode(&b, BREAKER_SHADOW, 0);
    assert_int_equal(breaker_ask(&b, config, BEGIN).pass, BREAKER_PASSES);
    assert_int_equal(tell(&b, BREAKER_WELL, "w1", b.until), BREAKER_PROBES);
    assert_int_equal(tell(&b, BREAKER_WELL, "w1", b.until), BREAKER_CLOSES);
}

/* ---- Properties ---- */

static void assert_same(const struct breaker *a, const struct breaker *b)
{
    struct arena arena;
    struct breaker_row left = {0};
    struct breaker_row right = {0};
    arena_init(&arena, 1 << 20);
    breaker_write(a, &arena, &left);
    breaker_write(b, &arena, &right);
    assert_int_equal(left.state, right.state);
    assert_int_equal(left.until, right.until);
    assert_true(str_eq(left.evidence, right.evidence) && str_eq(left.workers, right.workers) &&
                str_eq(left.probes, right.probes));
    arena_fini(&arena);
}

/* As a node does that has just started. */
static void store_and_read_again(struct breaker *b, struct arena *arena)
{
    struct breaker_row row = {0};
    struct breaker again;
    breaker_write(b, arena, &row);
    breaker_read(&row, &again);
    assert_same(b, &again);
    *b = again;
}

static void check_step(const struct breaker *before, const struct breaker *after,
                       const struct breaker_config *config)
{
    assert_false(before->state == BREAKER_CLOSED && after->state == BREAKER_HALF_OPEN);
    assert_true((int64_t)after->probe_count <= config->probes);
    assert_true(after->state == BREAKER_HALF_OPEN || after->probe_count == 0 ||
                after->mode != BREAKER_AUTOMATIC);
}

static void random_call(struct breaker_call *call, const struct breaker *b, uint64_t *random)
{
    static const char *const workers[] = {"w1", "w2", "w3", "w4", "w5",
                                          "w6", "w7", "w8", "w9", "w10"};
    *call = call_of((enum breaker_verdict)draw(random, 4), workers[draw(random, 10)]);
    call->before = (int64_t)draw(random, 3) * (int64_t)draw(random, 3);
    call->jitter = draw(random, UINT64_MAX);
    if (b->probe_count > 0 && draw(random, 3) > 0) {
        call->lease = b->probes[draw(random, b->probe_count)];
    }
}

static void whatever_happens_it_keeps_its_promises(void **state)
{
    (void)state;
    const struct breaker_config *config = breaker_config_default();
    struct arena arena;
    arena_init(&arena, 64 << 20);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t random = seed;
        struct breaker b = {0};
        int64_t now = BEGIN;
        for (int64_t i = 1; i <= 2000; i++) {
            const struct breaker before = b;
            now += (int64_t)draw(&random, 4) * (int64_t)draw(&random, 8) * US_PER_S;
            const struct breaker_answer answer = breaker_ask(&b, config, now);
            if (answer.pass == BREAKER_PROBE && draw(&random, 2) == 0) {
                assert_int_not_equal(b.state, BREAKER_CLOSED);
                const struct breaker_probe lease = {2, i, 1};
                (void)breaker_probe_take(&b, &lease, now);
            } else {
                struct breaker_call call;
                random_call(&call, &b, &random);
                (void)breaker_told(&b, config, &call, now);
            }
            check_step(&before, &b, config);
            if (i % 7 == 0) {
                store_and_read_again(&b, &arena);
            }
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

/* ---- Parameters ---- */

static enum err_code parse(struct arena *arena, const char *text, struct breaker_config *config,
                           struct str *body, struct err *err)
{
    json_t *document = NULL;
    assert_int_equal(json_read(str_from(text), &document, err), ERR_OK);
    const enum err_code code = breaker_config_parse(arena, document, config, body, err);
    json_decref(document);
    return code;
}

static void parameters_out_of_bounds_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"{\"probes\": 11}", "/probes"},
        {"{\"failure_percent\": 0}", "/failure_percent"},
        {"{\"open_ms\": 1000, \"open_max_ms\": 999}", "/open_max_ms"},
        {"{\"counts\": [\"a\", \"a\"]}", "/counts"},
        {"{\"ignored\": [\"a b\"]}", "/ignored"},
        {"{\"per_tenant\": 1}", "/per_tenant"},
        {"{\"window\": 1}", "/window"},
        {"{\"min_calls\": 1.5}", "/min_calls"},
    };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct breaker_config config;
        struct str body;
        struct err err;
        assert_int_equal(parse(&arena, wrong[i][0], &config, &body, &err), ERR_UNPROCESSABLE);
        assert_string_equal(err.pointer, wrong[i][1]);
    }
    arena_fini(&arena);
}

static void the_canonical_body_means_the_same(void **state)
{
    (void)state;
    struct arena arena;
    struct breaker_config config;
    struct str body;
    struct str again;
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_int_equal(parse(&arena, "{}", &config, &body, &err), ERR_OK);
    const struct breaker_config *standard = breaker_config_default();
    assert_int_equal(config.open_max_ms, standard->open_max_ms);
    assert_int_equal(config.min_calls, standard->min_calls);
    assert_int_equal(config.window_ms, standard->window_ms);
    assert_int_equal(config.probe_failures, standard->probe_failures);
    assert_int_equal(config.ramp_ms, standard->ramp_ms);
    assert_int_equal(config.decay_ms, standard->decay_ms);
    assert_int_equal(config.slow_percent, standard->slow_percent);
    assert_int_equal(config.consecutive_failures, standard->consecutive_failures);
    assert_int_equal(parse(&arena, arena_cstr(&arena, body), &config, &again, &err), ERR_OK);
    assert_true(str_eq(body, again));
    assert_true(breaker_config_counts(&config, STR("timeout"), false));
    assert_false(breaker_config_counts(&config, STR("http_4xx"), true));
    assert_false(breaker_config_counts(&config, STR("disk"), false));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_after_five_failures_in_a_row),
        cmocka_unit_test(it_opens_when_half_of_ten_calls_fail),
        cmocka_unit_test(failures_that_have_left_the_window_do_not_count),
        cmocka_unit_test(slow_calls_open_it_when_the_service_has_an_objective),
        cmocka_unit_test(one_of_several_workers_does_not_open_it),
        cmocka_unit_test(one_of_several_registered_workers_does_not_open_it),
        cmocka_unit_test(two_probes_that_succeed_close_it_and_it_ramps_up),
        cmocka_unit_test(two_probes_that_fail_open_it_for_longer),
        cmocka_unit_test(the_open_time_doubles_to_its_most_and_decays),
        cmocka_unit_test(modes_hold_or_pass_until_they_expire),
        cmocka_unit_test(whatever_happens_it_keeps_its_promises),
        cmocka_unit_test(parameters_out_of_bounds_are_refused_by_name),
        cmocka_unit_test(the_canonical_body_means_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
