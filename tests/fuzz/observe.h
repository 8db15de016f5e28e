/*
 * observe - one document through the whole pure half: observed, read back, indexed, matched.
 */
#ifndef TESTS_FUZZ_OBSERVE_H
#define TESTS_FUZZ_OBSERVE_H

#include "base/check.h"
#include "base/json.h"
#include "workers/lib/match.h"
#include "workers/lib/observation.h"

enum { OBSERVE_MAX = 128 * 1024 * 1024 };

static inline enum err_code observe_ignore(void *ctx, struct str line, struct err *err)
{
    (void)ctx;
    (void)line;
    (void)err;
    return ERR_OK;
}

/* The line of any document is one canonical line that reads back and can be used. */
static inline void observe_use(struct arena *arena, enum document_kind kind, struct str line)
{
    struct err err = {0};
    json_t *value = NULL;
    struct buf again;
    struct json_writer writer;
    CHECK(line.len > 0 && line.ptr[line.len - 1] == '\n');
    CHECK(json_read(line, &value, &err) == ERR_OK);
    buf_init(&again, OBSERVE_MAX);
    json_begin(&writer, &again);
    json_put_value(&writer, value);
    CHECK(str_eq(buf_get(&again), str_slice(line, 0, line.len - 1)));
    buf_fini(&again);
    json_decref(value);
    struct match_index *index = match_index_new((size_t)1 << 31);
    CHECK(match_add_line(index, line, &err) == ERR_OK);
    if (kind == DOCUMENT_SBOM) {
        struct policy *policy = arena_new(arena, struct policy);
        struct match_counts counts = {0};
        CHECK(policy_read(arena, policy_default_text(), policy, &err) == ERR_OK);
        CHECK(match_sbom(index, line, policy, NULL, (struct finding_sink){NULL, observe_ignore},
                         &counts, &err) == ERR_OK);
    }
    match_index_free(index);
}

static inline void observe(enum document_kind kind, const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf lines;
    struct observation_summary summary;
    const struct observation_source source = {.kind = kind,
                                              .path = STR("sbom/fuzz.json"),
                                              .bytes = {(const char *)data, size},
                                              .sha256 = STR("00")};
    arena_init(&arena, OBSERVATION_ARENA_MAX);
    buf_init(&lines, OBSERVE_MAX);
    observe_document(&arena, &source, &lines, &summary);
    CHECK(!lines.overflow);
    observe_use(&arena, kind, buf_get(&lines));
    buf_fini(&lines);
    arena_fini(&arena);
}

#endif
