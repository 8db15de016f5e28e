/* Settings: where they come from, and what is refused. */
#include "config/settings.h"

#include <string.h>

#include "config/url.h"
#include "core/command.h"
#include "lib/cmocka.h"

struct fixture {
    struct arena arena;
    struct settings settings;
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    arena_init(&fixture.arena, SIZE_MAX);
    settings_default(&fixture.settings);
    fixture.err = (struct err){0};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_fini(&f->arena);
    return 0;
}

static enum err_code load(struct fixture *f, int argc, const char *const *argv,
                          const char *const *environment)
{
    return settings_load(&f->arena, &f->settings, argc, (char *const *)(uintptr_t)argv,
                         (char *const *)(uintptr_t)environment, &f->err);
}

static void defaults_are_the_contracts(void **state)
{
    const struct fixture *f = *state;
    const struct limits limits = limits_default();
    assert_true(str_eq(f->settings.listen, STR("127.0.0.1:8700")));
    assert_int_equal(f->settings.http_threads, 2);
    assert_false(f->settings.allow_plain_http);
    assert_int_equal(f->settings.max_lanes, limits.max_lanes);
    assert_int_equal(f->settings.submit_cap, limits.submit_cap);
    assert_int_equal(f->settings.settle_cap, limits.settle_cap);
    assert_int_equal(f->settings.due_cap, limits.due_cap);
    assert_int_equal(f->settings.log_attempt_bytes, limits.log_attempt_bytes);
    assert_int_equal(f->settings.log_tenant_bytes, limits.log_tenant_bytes);
    assert_int_equal(f->settings.key_generation_ms * 1000, limits.key_generation_us);
    assert_int_equal(f->settings.key_retention_ms * 1000, limits.key_retention_us);
    assert_int_equal(f->settings.payload_retention_ms * 1000, limits.payload_retention_us);
    assert_int_equal(f->settings.retain_cap, limits.retain_cap);
    assert_int_equal(f->settings.ageing_step_ms * 1000, limits.ageing_step_us);
    assert_int_equal(f->settings.cancel_grace_ms * 1000, limits.cancel_grace_us);
    assert_int_equal(f->settings.run_assembly_ms * 1000, limits.run_assembly_us);
    assert_int_equal(f->settings.max_throttled_ms * 1000, limits.max_throttled_us);
    assert_int_equal(f->settings.lapse_share_per_mille, limits.lapse_share_per_mille);
}

static void flags_win_over_environment_over_file(void **state)
{
    struct fixture *f = *state;
    const char *const environment[] = {"STELLA_HTTP_THREADS=5", "STELLA_QUEUE_MAX=77", "PATH=/bin",
                                       NULL};
    const char *const argv[] = {"--http-threads=7", "--allow-plain-http", "--data", "d"};
    assert_int_equal(settings_read(&f->arena, &f->settings,
                                   STR("# a file\n\n http_threads = 3 \nqueue_max=66\nwatches = 9"),
                                   "file", &f->err),
                     ERR_OK);
    assert_int_equal(f->settings.http_threads, 3);
    assert_int_equal(load(f, 4, argv, environment), ERR_OK);
    assert_int_equal(f->settings.http_threads, 7);
    assert_int_equal(f->settings.queue_max, 77);
    assert_true(f->settings.allow_plain_http);
    assert_true(str_eq(f->settings.data, STR("d")));
}

static void what_is_unknown_or_out_of_bounds_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const none[] = {NULL};
    static const char *const wrong[][2] = {
        {"--nope", "1"},          {"--http-threads", "0"},
        {"--http-threads", "65"}, {"--http-threads", ""},
        {"--http-threads", "2x"}, {"stray", "x"},
        {"--listen", NULL},       {"--allow-plain-http=maybe", NULL},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const int argc = wrong[i][1] == NULL ? 1 : 2;
        assert_int_equal(load(f, argc, wrong[i], none), ERR_USAGE);
    }
    const char *const environment[] = {"STELLA_NOPE=1", NULL};
    assert_int_equal(load(f, 0, none, environment), ERR_USAGE);
    assert_non_null(strstr(f->err.message, "nope"));
    assert_int_equal(settings_read(&f->arena, &f->settings, STR("no equals sign"), "f", &f->err),
                     ERR_USAGE);
}

static void variables_of_other_programs_are_left_alone(void **state)
{
    struct fixture *f = *state;
    const char *const environment[] = {"STELLA_SERVER=x", "STELLA_TOKEN=x", "STELLA_WORKER_TOKEN=x",
                                       "STELLA_TEST_POSTGRES=x", NULL};
    assert_int_equal(load(f, 0, environment, environment), ERR_OK);
    assert_int_equal(f->settings.worker_token.len, 0);
}

static void passwords_of_a_url_are_found_wherever_they_stand(void **state)
{
    static const struct {
        const char *url;
        const char *secrets; /* Each ended by a space. */
    } cases[] = {
        {"postgres://me:hunter2@db/x", "hunter2 "},
        {"postgres://me:p@ss@db/x", "p@ss "},
        {"postgres://me@db/x", ""},
        {"postgres://me@db:5432/x:y@z", ""},
        {"postgres://db/x?user=me&password=hunter2", "hunter2 "},
        {"postgres://me:one@db/x?sslpassword=two&sslmode=require&password=three", "one two three "},
        {"postgres://me:one@db?password=two", "one two "},
        {"postgres:///x?password=", ""},
        {"me:hunter2@db", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str found[URL_SECRETS_MAX];
        struct buf text;
        const size_t count = url_secrets(str_from(cases[i].url), found);
        buf_init(&text, 256);
        for (size_t k = 0; k < count; k++) {
            buf_str(&text, found[k]);
            buf_char(&text, ' ');
        }
        buf_char(&text, 0);
        assert_string_equal(text.ptr, cases[i].secrets);
        buf_fini(&text);
    }
}

static void what_is_printed_can_be_read_and_hides_passwords(void **state)
{
    struct fixture *f = *state;
    struct settings back;
    struct buf out;
    f->settings.database = STR("postgres://me:hunter2@db/x");
    f->settings.queue_max = 123;
    buf_init(&out, 1 << 16);
    settings_print(&f->settings, &out);
    buf_char(&out, 0);
    assert_null(strstr(out.ptr, "hunter2"));
    assert_non_null(strstr(out.ptr, "postgres://me:***@db/x"));
    settings_default(&back);
    assert_int_equal(
        settings_read(&f->arena, &back, (struct str){out.ptr, out.len - 1}, "printed", &f->err),
        ERR_OK);
    assert_int_equal(back.queue_max, 123);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_are_the_contracts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flags_win_over_environment_over_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_unknown_or_out_of_bounds_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(variables_of_other_programs_are_left_alone, set_up,
                                        tear_down),
        cmocka_unit_test(passwords_of_a_url_are_found_wherever_they_stand),
        cmocka_unit_test_setup_teardown(what_is_printed_can_be_read_and_hides_passwords, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
