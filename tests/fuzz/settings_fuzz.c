/* A settings file of any content: read or refused; what is in force stays within its bounds. */
#include "base/check.h"
#include "config/settings.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings;
    struct err err = {0};
    struct arena arena;
    struct buf out;
    arena_init(&arena, SIZE_MAX);
    buf_init(&out, 1 << 20);
    settings_default(&settings);
    const enum err_code code =
        settings_read(&arena, &settings, (struct str){(const char *)data, size}, "file", &err);
    CHECK(code == ERR_OK || code == ERR_USAGE);
    CHECK(settings.http_threads >= 1 && settings.http_threads <= 64);
    settings_print(&settings, &out);
    buf_fini(&out);
    arena_fini(&arena);
    return 0;
}
