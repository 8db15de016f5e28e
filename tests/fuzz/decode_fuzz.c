/* Bodies of any kind: decoded or refused with a pointer that is text, never fatal. */
#include <stddef.h>

#include "api/decode.h"
#include "base/check.h"
#include "fuzz/fuzz.h"

struct thing {
    struct str name;
    struct str text;
    struct str names;
    int64_t count;
    bool flag;
    json_t *any;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, .required = true, .max = 8, .offset = offsetof(struct thing, name)},
        {"text", FIELD_TEXT, .nullable = true, .max = 9, .offset = offsetof(struct thing, text)},
        {"names", FIELD_NAMES, .max = 3, .offset = offsetof(struct thing, names)},
        {"count", FIELD_INT, .min = -5, .max = 5, .offset = offsetof(struct thing, count)},
        {"flag", FIELD_FLAG, .offset = offsetof(struct thing, flag)},
        {"any", FIELD_ANY, .offset = offsetof(struct thing, any)},
    };
    struct thing thing = {0};
    struct err err = {0};
    struct arena arena;
    json_t *document = NULL;
    arena_init(&arena, SIZE_MAX);
    const enum err_code code =
        decode_body(&arena, (struct str){(const char *)data, size}, fields,
                    sizeof(fields) / sizeof(fields[0]), &thing, &document, &err);
    CHECK(code == ERR_OK || code == ERR_MALFORMED_JSON || code == ERR_UNPROCESSABLE);
    CHECK(str_is_utf8(str_from(err.pointer)));
    CHECK(code != ERR_OK || (thing.name.len > 0 && thing.count >= -5 && thing.count <= 5));
    json_decref(document);
    arena_fini(&arena);
    return 0;
}
