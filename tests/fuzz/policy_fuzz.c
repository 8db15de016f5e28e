/* A policy, or a list of subjects. */
#include "fuzz/fuzz.h"
#include "workers/lib/policy.h"
#include "workers/lib/subjects.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    struct arena arena;
    struct subjects subjects;
    const struct str text = {(const char *)data, size};
    arena_init(&arena, (size_t)1 << 30);
    struct policy *policy = arena_new(&arena, struct policy);
    if (policy_read(&arena, text, policy, &err) == ERR_OK) {
        (void)policy_decide(policy, &(struct policy_facts){.affected = AFFECTED_YES});
    }
    if (subjects_read(&arena, text, &subjects, &err) == ERR_OK) {
        (void)subjects_find(&subjects, STR("sbom/x"));
    }
    arena_fini(&arena);
    return 0;
}
