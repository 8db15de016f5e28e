/* Lines that claim to be observations: refused or used, never fatal. */
#include "base/check.h"
#include "fuzz/fuzz.h"
#include "workers/lib/match.h"

static enum err_code ignore(void *ctx, struct str line, struct err *err)
{
    (void)ctx;
    (void)line;
    (void)err;
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    struct arena arena;
    struct str rest = {(const char *)data, size};
    struct str line = {NULL, 0};
    struct match_counts counts = {0};
    arena_init(&arena, 1 << 24);
    struct policy *policy = arena_new(&arena, struct policy);
    CHECK(policy_read(&arena, policy_default_text(), policy, &err) == ERR_OK);
    struct match_index *index = match_index_new((size_t)1 << 28);
    while (size > 0 && str_split(&rest, '\n', &line)) {
        const enum err_code added = match_add_line(index, line, &err);
        const enum err_code matched = match_sbom(
            index, line, policy, NULL, (struct finding_sink){NULL, ignore}, &counts, &err);
        CHECK(added != ERR_OK || matched == ERR_OK || matched == ERR_UNPROCESSABLE);
    }
    match_index_free(index);
    arena_fini(&arena);
    return 0;
}
