#include "workers/lib/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/time.h"

static const struct quarantine_info quarantines[QUARANTINE_COUNT] = {
    [QUARANTINE_NONE] = {"none", "The document is used."},
    [QUARANTINE_DOES_NOT_PARSE] = {"does-not-parse", "The bytes are neither JSON nor YAML."},
    [QUARANTINE_TOO_LARGE] = {"too-large", "The document or its observation is too large."},
    [QUARANTINE_TOO_COMPLEX] = {"too-complex", "Nesting, aliases or counts pass the bounds."},
    [QUARANTINE_UNKNOWN_FORMAT] = {"unknown-format", "The document is of no known format."},
    [QUARANTINE_UNSUPPORTED_FORMAT] = {"unsupported-format",
                                       "The format or its version is known but not read."},
    [QUARANTINE_WRONG_FOLDER] = {"wrong-folder", "The feed folder is for other documents."},
    [QUARANTINE_MISSING_FIELD] = {"missing-field", "A needed member is absent or empty."},
    [QUARANTINE_WRONG_TYPE] = {"wrong-type", "A needed member has another type."},
};

const struct quarantine_info *quarantine_info(enum quarantine quarantine)
{
    CHECK(quarantine < QUARANTINE_COUNT);
    return &quarantines[quarantine];
}

void reading_init(struct reading *reading, struct arena *arena, struct str path)
{
    memset(reading, 0, sizeof(*reading));
    reading->arena = arena;
    reading->path = path;
}

static void put_token(struct buf *out, const char *key)
{
    for (const char *c = key; *c != '\0'; c++) {
        if (*c == '~') {
            buf_str(out, STR("~0"));
        } else if (*c == '/') {
            buf_str(out, STR("~1"));
        } else {
            buf_char(out, *c);
        }
    }
}

struct str reading_cut(struct str text, size_t max)
{
    if (text.len <= max) {
        return text;
    }
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xC0U) == 0x80U) {
        max--;
    }
    return str_slice(text, 0, max);
}

struct str place_pointer(struct arena *arena, const struct place *at)
{
    enum { CHAIN_MAX = 2100 }; /* Above the deepest nesting that parses. */
    const struct place *chain[CHAIN_MAX];
    size_t n = 0;
    for (; at != NULL && at->up != NULL && n < CHAIN_MAX; at = at->up) {
        chain[n++] = at;
    }
    struct buf text;
    buf_init(&text, (size_t)64 * 1024);
    while (n > 0 && text.len <= READING_POINTER_MAX) {
        const struct place *step = chain[--n];
        buf_char(&text, '/');
        if (step->key != NULL) {
            put_token(&text, step->key);
        } else {
            buf_u64(&text, step->index);
        }
    }
    const struct str pointer = arena_str(arena, reading_cut(buf_get(&text), READING_POINTER_MAX));
    buf_fini(&text);
    return pointer;
}

void reading_warn(struct reading *reading, enum rule rule, const struct place *at)
{
    reading->warnings_total++;
    if (reading->warnings_kept < READING_WARNINGS_MAX) {
        reading->warnings[reading->warnings_kept++] =
            (struct reading_warning){rule, place_pointer(reading->arena, at)};
    }
}

void reading_refuse(struct reading *reading, enum quarantine quarantine, const struct place *at,
                    const char *format, ...)
{
    if (reading_refused(reading)) {
        return;
    }
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const struct str cut = reading_cut(str_from(text), sizeof(text) - 8);
    reading->quarantine = quarantine;
    reading->detail = arena_str(reading->arena, str_is_utf8(cut) ? cut : STR("(not UTF-8)"));
    reading->pointer = place_pointer(reading->arena, at);
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a text";
    case JSON_INTEGER:
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "a boolean";
    case JSON_NULL: break;
    }
    return "null";
}

/* The member, null when it is absent or JSON null. */
static const json_t *member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static void refuse_type(struct reading *reading, const json_t *value, const struct place *at,
                        const char *wanted)
{
    reading_refuse(reading, QUARANTINE_WRONG_TYPE, at, "%s stands where %s is needed",
                   type_name(value), wanted);
}

struct str reading_take_text(struct reading *reading, const json_t *object, const struct place *at,
                             const char *key)
{
    const json_t *value = member(object, key);
    const struct place here = PLACE_KEY(at, key);
    if (value != NULL && !json_is_string(value)) {
        refuse_type(reading, value, &here, "a text");
    }
    return json_text(value);
}

struct str reading_need_text(struct reading *reading, const json_t *object, const struct place *at,
                             const char *key)
{
    const struct str text = reading_take_text(reading, object, at, key);
    if (text.len == 0) {
        const struct place here = PLACE_KEY(at, key);
        reading_refuse(reading, QUARANTINE_MISSING_FIELD, &here, "\"%s\" is absent or empty", key);
    }
    return text;
}

struct str reading_want_text(struct reading *reading, const json_t *object, const struct place *at,
                             const char *key, enum rule rule)
{
    const struct str text = json_text(member(object, key));
    if (text.len == 0) {
        const struct place here = PLACE_KEY(at, key);
        reading_warn(reading, rule, &here);
    }
    return text;
}

const json_t *reading_take_array(struct reading *reading, const json_t *object,
                                 const struct place *at, const char *key)
{
    const json_t *value = member(object, key);
    if (value == NULL || json_is_array(value)) {
        return value;
    }
    const struct place here = PLACE_KEY(at, key);
    refuse_type(reading, value, &here, "an array");
    return NULL;
}

const json_t *reading_take_object(struct reading *reading, const json_t *object,
                                  const struct place *at, const char *key)
{
    const json_t *value = member(object, key);
    if (value == NULL || json_is_object(value)) {
        return value;
    }
    const struct place here = PLACE_KEY(at, key);
    refuse_type(reading, value, &here, "an object");
    return NULL;
}

const json_t *reading_want_array(struct reading *reading, const json_t *object,
                                 const struct place *at, const char *key, enum rule rule)
{
    const json_t *value = member(object, key);
    if (value == NULL || json_is_array(value)) {
        return value;
    }
    const struct place here = PLACE_KEY(at, key);
    reading_warn(reading, rule, &here);
    return NULL;
}

const json_t *reading_want_object(struct reading *reading, const json_t *object,
                                  const struct place *at, const char *key, enum rule rule)
{
    const json_t *value = member(object, key);
    if (value == NULL || json_is_object(value)) {
        return value;
    }
    const struct place here = PLACE_KEY(at, key);
    reading_warn(reading, rule, &here);
    return NULL;
}

const json_t *reading_need_element(struct reading *reading, const json_t *array,
                                   const struct place *at, size_t index)
{
    const json_t *value = json_array_get(array, index);
    if (json_is_object(value)) {
        return value;
    }
    const struct place here = PLACE_INDEX(at, index);
    refuse_type(reading, value, &here, "an object");
    return NULL;
}

void reading_check_time(struct reading *reading, const json_t *object, const struct place *at,
                        const char *key, enum rule rule)
{
    struct wall_time when;
    const json_t *value = member(object, key);
    if (value != NULL && !time_parse(json_text(value), &when)) {
        const struct place here = PLACE_KEY(at, key);
        reading_warn(reading, rule, &here);
    }
}

bool reading_knows_word(struct str word, const char *const *allowed)
{
    for (size_t i = 0; allowed[i] != NULL; i++) {
        if (str_eq(word, str_from(allowed[i]))) {
            return true;
        }
    }
    return false;
}

void reading_check_word(struct reading *reading, struct str word, const char *const *allowed,
                        const struct place *at, enum rule rule)
{
    if (word.len > 0 && !reading_knows_word(word, allowed)) {
        reading_warn(reading, rule, at);
    }
}
