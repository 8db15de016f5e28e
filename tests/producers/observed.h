/*
 * observed - test support: one document as text in, its summary and its line as a JSON value out.
 */
#ifndef TESTS_PRODUCERS_OBSERVED_H
#define TESTS_PRODUCERS_OBSERVED_H

#include "lib/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "workers/lib/observation.h"

struct observed {
    struct arena arena;
    struct buf line;
    struct observation_summary summary;
    json_t *value; /* The line, read back. */
};

static inline void observed_init(struct observed *o, enum document_kind kind, const char *path,
                                 struct str text)
{
    struct err err = {0};
    const struct observation_source source = {
        .kind = kind, .path = str_from(path), .bytes = text, .sha256 = STR("5a")};
    memset(o, 0, sizeof(*o));
    arena_init(&o->arena, OBSERVATION_ARENA_MAX);
    buf_init(&o->line, OBSERVATION_MAX);
    observe_document(&o->arena, &source, &o->line, &o->summary);
    assert_int_equal(json_read(buf_get(&o->line), &o->value, &err), ERR_OK);
}

static inline void observed_fini(struct observed *o)
{
    json_decref(o->value);
    buf_fini(&o->line);
    arena_fini(&o->arena);
}

static inline bool observed_warned(const struct observed *o, const char *rule, const char *pointer)
{
    const json_t *warnings = json_object_get(o->value, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const json_t *warning = json_array_get(warnings, i);
        if (str_eq(json_text(json_object_get(warning, "rule")), str_from(rule)) &&
            str_eq(json_text(json_object_get(warning, "pointer")), str_from(pointer))) {
            return true;
        }
    }
    return false;
}

static inline void observed_show(const struct observed *o)
{
    print_error("%.*s", STR_ARG(buf_get(&o->line)));
}

/* Observes, and expects to be accepted without a warning. */
static inline void assert_accepted(enum document_kind kind, const char *text)
{
    struct observed o;
    observed_init(&o, kind, "", str_from(text));
    if (o.summary.outcome != OBSERVATION_ACCEPTED) {
        observed_show(&o);
    }
    assert_int_equal(o.summary.outcome, OBSERVATION_ACCEPTED);
    observed_fini(&o);
}

/* Observes, and expects this warning at this place, the document being used. */
static inline void assert_warned(enum document_kind kind, const char *text, const char *rule,
                                 const char *pointer)
{
    struct observed o;
    observed_init(&o, kind, "", str_from(text));
    if (!observed_warned(&o, rule, pointer)) {
        print_error("wanted %s at \"%s\"\n", rule, pointer);
        observed_show(&o);
    }
    assert_int_equal(o.summary.outcome, OBSERVATION_WARNINGS);
    assert_true(observed_warned(&o, rule, pointer));
    assert_non_null(json_object_get(o.value, "body"));
    observed_fini(&o);
}

/* Observes, and expects a quarantine of this class at this place. */
static inline void assert_quarantined(enum document_kind kind, struct str text,
                                      enum quarantine quarantine, const char *pointer)
{
    struct observed o;
    observed_init(&o, kind, "", text);
    if (o.summary.quarantine != quarantine || !str_eq(o.summary.pointer, str_from(pointer))) {
        observed_show(&o);
    }
    assert_int_equal(o.summary.outcome, OBSERVATION_QUARANTINED);
    assert_int_equal(o.summary.quarantine, quarantine);
    assert_true(str_eq(o.summary.pointer, str_from(pointer)));
    assert_null(json_object_get(o.value, "body"));
    observed_fini(&o);
}

/* Observes, and expects this body, canonical, character by character. */
static inline void assert_body(enum document_kind kind, const char *text, const char *expected)
{
    struct observed o;
    struct buf body;
    struct json_writer writer;
    observed_init(&o, kind, "", str_from(text));
    buf_init(&body, OBSERVATION_MAX);
    json_begin(&writer, &body);
    assert_non_null(json_object_get(o.value, "body"));
    json_put_value(&writer, json_object_get(o.value, "body"));
    if (!str_eq(buf_get(&body), str_from(expected))) {
        print_error("%.*s\ninstead of\n%s\n", STR_ARG(buf_get(&body)), expected);
    }
    assert_true(str_eq(buf_get(&body), str_from(expected)));
    buf_fini(&body);
    observed_fini(&o);
}

#endif
