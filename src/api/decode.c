#include "api/decode.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/id.h"

static enum err_code refuse(struct err *err, const char *at, const char *name, const char *why)
{
    char pointer[ERR_TEXT];
    char escaped[ERR_TEXT];
    size_t n = 0;
    for (const char *c = name; *c != 0 && n < sizeof(escaped) - 3; c++) {
        if (*c == '~' || *c == '/') {
            escaped[n++] = '~';
            escaped[n++] = *c == '~' ? '0' : '1';
        } else {
            escaped[n++] = *c;
        }
    }
    escaped[n] = 0;
    /* Cutting in the middle of a character would make the answer invalid. */
    while (!str_is_utf8(str_from(escaped)) && n > 0) {
        escaped[--n] = 0;
    }
    const int len = snprintf(pointer, sizeof(pointer), "%s%s%s", at, name[0] ? "/" : "", escaped);
    return err_at(err, ERR_UNPROCESSABLE, len < (int)sizeof(pointer) ? pointer : at, "%s", why);
}

static const struct field *field_find(const struct field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static enum err_code take_text(struct arena *arena, const struct field *field, const json_t *value,
                               const char *at, struct str *out, struct err *err)
{
    char why[120];
    const struct str text = json_text(value);
    if (!json_is_string(value)) {
        return refuse(err, at, field->name, "must be a string");
    }
    if (field->kind == FIELD_NAME && !name_is_valid(text, (size_t)field->max)) {
        (void)snprintf(why, sizeof(why),
                       "must be a name: 1 to %lld of letters, digits and ._:/@+-, beginning with a "
                       "letter or digit",
                       (long long)field->max);
        return refuse(err, at, field->name, why);
    }
    if ((int64_t)text.len < field->min || (int64_t)text.len > field->max) {
        (void)snprintf(why, sizeof(why), "must have %lld to %lld bytes", (long long)field->min,
                       (long long)field->max);
        return refuse(err, at, field->name, why);
    }
    *out = arena_str(arena, text);
    return ERR_OK;
}

static enum err_code take_int(const struct field *field, const json_t *value, const char *at,
                              int64_t *out, struct err *err)
{
    char why[120];
    const int64_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < field->min || number > field->max) {
        (void)snprintf(why, sizeof(why), "must be a whole number from %lld to %lld",
                       (long long)field->min, (long long)field->max);
        return refuse(err, at, field->name, why);
    }
    *out = number;
    return ERR_OK;
}

static enum err_code take_names(struct arena *arena, const struct field *field, const json_t *value,
                                const char *at, struct str *out, struct err *err)
{
    size_t total = 0;
    const size_t count = json_array_size(value);
    if (!json_is_array(value) || (int64_t)count < field->min || (int64_t)count > field->max) {
        return refuse(err, at, field->name, "must be an array of names, not too many");
    }
    for (size_t i = 0; i < count; i++) {
        const struct str name = json_text(json_array_get(value, i));
        if (!name_is_valid(name, 128)) {
            return refuse(err, at, field->name, "must be an array of names");
        }
        total += name.len + 1;
    }
    char *room = arena_array(arena, char, total + 1);
    *out = (struct str){room, total};
    for (size_t i = 0; i < count; i++) {
        const struct str name = json_text(json_array_get(value, i));
        memcpy(room, name.ptr, name.len);
        room += name.len;
        *room++ = '\n';
    }
    return ERR_OK;
}

static enum err_code take(struct arena *arena, const struct field *field, json_t *value,
                          const char *at, void *out, struct err *err)
{
    void *place = (char *)out + field->offset;
    if (json_is_null(value) && field->nullable) {
        return ERR_OK;
    }
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_NAME: return take_text(arena, field, value, at, place, err);
    case FIELD_INT: return take_int(field, value, at, place, err);
    case FIELD_NAMES: return take_names(arena, field, value, at, place, err);
    case FIELD_FLAG:
        if (!json_is_boolean(value)) {
            return refuse(err, at, field->name, "must be true or false");
        }
        *(bool *)place = json_is_true(value);
        return ERR_OK;
    case FIELD_ANY: *(json_t **)place = value; return ERR_OK;
    }
    UNREACHABLE();
}

enum err_code decode_object(struct arena *arena, const json_t *object, const char *at,
                            const struct field *fields, size_t count, void *out, struct err *err)
{
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(object)) {
        return refuse(err, at, "", "must be an object");
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        const struct field *field = field_find(fields, count, name);
        if (field == NULL) {
            return refuse(err, at, name, "there is no such member");
        }
        TRY(take(arena, field, value, at, out, err));
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && json_object_get(object, fields[i].name) == NULL) {
            return refuse(err, at, fields[i].name, "is missing");
        }
    }
    return ERR_OK;
}

enum err_code decode_body(struct arena *arena, struct str body, const struct field *fields,
                          size_t count, void *out, json_t **out_document, struct err *err)
{
    TRY(json_read(body, out_document, err));
    return decode_object(arena, *out_document, "", fields, count, out, err);
}
