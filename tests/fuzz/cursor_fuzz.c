/* Cursors that somebody made up are refused; those that were given come back. */
#include "api/cursor.h"
#include "base/check.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hash_key key = {{0x243f6a8885a308d3u, 0x13198a2e03707344u}};
    const struct str text = {(const char *)data, size};
    struct cursor out = {0};
    struct err err = {0};
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    if (cursor_parse(&arena, &key, STR("listing"), text, &out, &err) == ERR_OK) {
        CHECK(str_eq(cursor_format(&arena, &key, STR("listing"), &out), text));
    }
    const struct cursor mine = {.keys = {(int64_t)size, 1, -1},
                                .name = str_slice(text, 0, CURSOR_NAME)};
    const struct str given = cursor_format(&arena, &key, STR("listing"), &mine);
    CHECK(cursor_parse(&arena, &key, STR("listing"), given, &out, &err) == ERR_OK);
    CHECK(str_eq(out.name, mine.name) && out.keys[2] == -1);
    arena_fini(&arena);
    return 0;
}
