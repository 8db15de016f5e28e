/* Small texts of outsiders: what is read as a time, an id, a path or a cursor is written as such
 * again. */
#include "api/cursor.h"
#include "base/id.h"
#include "base/time.h"
#include "fuzz/fuzz.h"
#include "http/uri.h"

enum { ARENA_MAX = 1 << 24 };

static void times(struct str text)
{
    struct wall_time at;
    struct wall_time again;
    char shown[TIME_TEXT];
    if (time_parse(text, &at)) {
        time_format(at, shown);
        CHECK(time_parse(str_from(shown), &again) && again.us == at.us);
    }
}

static void ids(struct str text)
{
    char shown[ID_TEXT];
    struct job_id job;
    struct run_id run;
    if (job_id_parse(text, &job)) {
        job_id_format(job, shown);
        CHECK(str_eq(str_from(shown), text));
    }
    if (run_id_parse(text, &run)) {
        run_id_format(run, shown);
        CHECK(str_eq(str_from(shown), text));
    }
    CHECK(!name_is_valid(text, 10) || (text.len >= 1 && text.len <= 10 && str_is_utf8(text)));
}

static void cursors(struct str text, struct arena *arena)
{
    const struct hash_key key = {{1, 2}};
    struct cursor cursor;
    struct err err = {0};
    if (cursor_parse(arena, &key, STR("jobs"), text, &cursor, &err) == ERR_OK) {
        CHECK(str_eq(cursor_format(arena, &key, STR("jobs"), &cursor), text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    struct arena arena;
    struct str decoded;
    arena_init(&arena, ARENA_MAX);
    times(text);
    ids(text);
    cursors(text, &arena);
    if (uri_decode(&arena, text, &decoded)) {
        CHECK(decoded.len <= text.len && str_is_utf8(decoded));
    }
    arena_fini(&arena);
    return 0;
}
