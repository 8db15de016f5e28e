/* The span scanner takes what the general parser takes, and nothing else. */
#include "api/scan.h"
#include "base/check.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    struct err err = {0};
    struct arena arena;
    struct scan s;
    json_t *document = NULL;
    arena_init(&arena, SIZE_MAX);
    scan_begin(&s, text, &arena);
    const struct str raw = scan_raw(&s);
    const bool taken = scan_end(&s, &err) == ERR_OK;
    const bool read = json_read(text, &document, &err) == ERR_OK;
    /* Numbers past the range of jansson's are JSON all the same. */
    CHECK(!read || taken);
    CHECK(!taken || (raw.len <= size && raw.len > 0));
    json_decref(document);
    arena_fini(&arena);
    return 0;
}
