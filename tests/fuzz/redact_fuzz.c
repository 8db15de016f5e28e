/* Redaction: a known value never survives, twice is once, UTF-8 and JSON stay what they are. */
#include "base/check.h"
#include "base/json.h"
#include "fuzz/fuzz.h"
#include "redact/redact.h"

#include <string.h>

static bool holds(struct str text, struct str part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

static void check_text(const struct redact_rules *rules, struct str text, struct arena *arena)
{
    const struct str once = redact_copy(rules, arena, text);
    const struct str twice = redact_copy(rules, arena, once);
    CHECK(str_eq(once, twice));
    CHECK(!str_is_utf8(text) || str_is_utf8(once));
    for (size_t i = 0; rules != NULL && i < rules->value_count; i++) {
        CHECK(!holds(once, rules->values[i]));
    }
}

static void check_json(const struct redact_rules *rules, struct str text, struct arena *arena)
{
    struct err err;
    json_t *before = NULL;
    json_t *after = NULL;
    const struct str made = redact_json_copy(rules, arena, text);
    if (json_read(text, &before, &err) == ERR_OK) {
        CHECK(json_read(made, &after, &err) == ERR_OK);
        CHECK(json_typeof(before) == json_typeof(after));
        json_decref(after);
    }
    json_decref(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    struct redact_rules rules = {.value_count = 0};
    struct redact_state state = {.in_key = size % 2 == 1};
    struct arena arena;
    struct buf out;
    struct err err;
    arena_init(&arena, SIZE_MAX);
    check_text(NULL, text, &arena);
    redact_add_value(&rules, &arena, STR("hunter2-\"canary\""));
    CHECK(redact_add_patterns(&rules, &arena, STR("acme-* zz{*}"), &err) == ERR_OK);
    check_text(&rules, text, &arena);
    check_json(&rules, text, &arena);
    buf_init(&out, size * REDACT_GROWTH + 64);
    (void)redact_text(&rules, &state, text, &out);
    CHECK(!out.overflow);
    buf_fini(&out);
    arena_fini(&arena);
    return 0;
}
