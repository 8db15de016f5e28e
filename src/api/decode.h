/*
 * api/decode - small JSON bodies into structs, by table.
 *
 * Use      static const struct field fields[] = {{"name", FIELD_NAME, .required = true, .max = 64,
 *                                              .offset = offsetof(struct body, name)}, …};
 *          decode_body(arena, body, fields, count, &out, err);
 *          Members that are absent or null leave what `out` held: set defaults before.
 * Owns     texts lie in the arena; json_t values belong to the document, which the arena's owner
 *          must json_decref(): *out_document.
 * Errors   400 malformed_json; 422 unprocessable with the JSON pointer of the member.
 */
#ifndef API_DECODE_H
#define API_DECODE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

enum field_kind {
    FIELD_TEXT,  /* struct str; min..max bytes. */
    FIELD_NAME,  /* struct str; name_is_valid() of at most max bytes. */
    FIELD_INT,   /* int64_t; min..max. */
    FIELD_FLAG,  /* bool */
    FIELD_NAMES, /* struct str: names, each ended by '\n'; min..max of them. */
    FIELD_ANY,   /* json_t * */
};

struct field {
    const char *name;
    enum field_kind kind;
    bool required;
    bool nullable; /* null counts as absent; else it is of the wrong type. */
    int64_t min;
    int64_t max;
    size_t offset;
};

enum err_code decode_body(struct arena *arena, struct str body, const struct field *fields,
                          size_t count, void *out, json_t **out_document, struct err *err);
/* An object inside a document; `at` is its pointer. */
enum err_code decode_object(struct arena *arena, const json_t *object, const char *at,
                            const struct field *fields, size_t count, void *out, struct err *err);

#endif
