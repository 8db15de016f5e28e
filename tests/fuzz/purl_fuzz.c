/* A package URL: whatever it is, it covers itself. */
#include "base/check.h"
#include "fuzz/fuzz.h"
#include "workers/lib/purl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct purl purl;
    arena_init(&arena, 1 << 24);
    if (purl_parse(&arena, (struct str){(const char *)data, size}, &purl)) {
        CHECK(purl.type.len > 0 && purl.name.len > 0);
        CHECK(purl_covers(&arena, &purl, &purl));
        (void)purl_qualifier(&arena, &purl, STR("arch"));
    }
    arena_fini(&arena);
    return 0;
}
