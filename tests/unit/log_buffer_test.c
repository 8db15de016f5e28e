/* Lines that a worker holds until the server has them: none twice, none lost without a word. */
#include "lib/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "stella/worker.h"
#include "worker/log_buffer.h"

static const struct mono_time early = {1000000};
static const struct mono_time later = {3500000};

static void expect(const struct log_buffer *log, int64_t through, const char *wanted)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1 << 20);
    json_begin(&w, &out);
    json_put_object(&w);
    log_buffer_put(log, &w, through, later);
    json_put_object_end(&w);
    assert_true(str_eq(buf_get(&out), str_from(wanted)));
    buf_fini(&out);
}

static void lines_stay_until_they_are_confirmed(void **state)
{
    (void)state;
    struct log_buffer log = {0};
    expect(&log, 0, "{}");
    log_buffer_add(&log, STELLA_INFO, STR("one"), early);
    log_buffer_add(&log, STELLA_ERROR, STR("two"), later);
    const char *both = "{\"log\":{\"first\":0,\"lines\":["
                       "{\"ago_ms\":2500,\"level\":\"info\",\"text\":\"one\"},"
                       "{\"ago_ms\":0,\"level\":\"error\",\"text\":\"two\"}]}}";
    expect(&log, log_buffer_plan(&log, NULL), both);
    expect(&log, log_buffer_plan(&log, NULL), both);
    log_buffer_settle(&log, 1);
    expect(&log, log_buffer_plan(&log, NULL),
           "{\"log\":{\"first\":1,\"lines\":["
           "{\"ago_ms\":0,\"level\":\"error\",\"text\":\"two\"}]}}");
    log_buffer_settle(&log, 2);
    expect(&log, log_buffer_plan(&log, NULL), "{}");
    log_buffer_free(&log);
}

static void a_batch_keeps_to_its_budget(void **state)
{
    (void)state;
    struct log_buffer log = {0};
    for (int i = 0; i < 10; i++) {
        log_buffer_add(&log, STELLA_INFO, STR("0123456789"), early);
    }
    size_t budget = 4 * (64 + 10) + 5;
    assert_int_equal(log_buffer_plan(&log, &budget), 4);
    assert_int_equal(budget, 5);
    assert_int_equal(log_buffer_plan(&log, &budget), 0);
    log_buffer_free(&log);
}

static void dropped_lines_are_marked_and_the_mark_goes_when_it_was_sent(void **state)
{
    (void)state;
    struct log_buffer log = {0};
    for (int i = 0; i < LOG_LINES_MAX + 3; i++) {
        log_buffer_add(&log, STELLA_INFO, STR("x"), early);
    }
    assert_int_equal(log.number, 3);
    expect(
        &log, 4,
        "{\"log\":{\"first\":2,\"lines\":["
        "{\"ago_ms\":2500,\"level\":\"warning\",\"text\":\"3 lines were dropped here: the buffer "
        "was full\"},{\"ago_ms\":2500,\"level\":\"info\",\"text\":\"x\"}]}}");
    log_buffer_settle(&log, 4);
    expect(&log, 5,
           "{\"log\":{\"first\":4,\"lines\":["
           "{\"ago_ms\":2500,\"level\":\"info\",\"text\":\"x\"}]}}");
    log_buffer_free(&log);
}

static void memory_is_bounded_by_bytes_too(void **state)
{
    (void)state;
    static char text[STELLA_MESSAGE_MAX];
    struct log_buffer log = {0};
    memset(text, 'y', sizeof(text));
    for (int i = 0; i < 200; i++) {
        log_buffer_add(&log, STELLA_INFO, (struct str){text, sizeof(text)}, early);
    }
    assert_true(log.bytes <= LOG_BYTES_MAX);
    assert_true(log.dropped > 0 && log.dropped == log.number);
    log_buffer_free(&log);
}

static void what_is_no_text_becomes_question_marks(void **state)
{
    (void)state;
    struct log_buffer log = {0};
    log_buffer_add(&log, 99, STR("a\xff\xc3\xa9\x01\n\xe2\x82"), later);
    expect(&log, 1,
           "{\"log\":{\"first\":0,\"lines\":[{\"ago_ms\":0,\"level\":\"info\","
           "\"text\":\"a?\xc3\xa9?\\n??\"}]}}");
    log_buffer_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_stay_until_they_are_confirmed),
        cmocka_unit_test(a_batch_keeps_to_its_budget),
        cmocka_unit_test(dropped_lines_are_marked_and_the_mark_goes_when_it_was_sent),
        cmocka_unit_test(memory_is_bounded_by_bytes_too),
        cmocka_unit_test(what_is_no_text_becomes_question_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
