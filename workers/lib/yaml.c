#include "workers/lib/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/check.h"
#include "base/json.h"
#include "base/map.h"

/* A collection that is being filled. */
struct frame {
    json_t *value;     /* Owned by the parent, or by the reader at the root. */
    struct str key;    /* In the arena: the key whose value comes next. */
    bool has_key;      /* `key` is set. */
    struct str anchor; /* To register when the collection ends; empty when none. */
    size_t nodes_from; /* Node count when it began. */
};

/* A finished value that an alias may name. */
struct anchor {
    json_t *value; /* Held by the loader. */
    size_t nodes;  /* Values in it. */
};

struct loader {
    struct reading *reading;
    struct frame stack[JSON_DEPTH_MAX];
    size_t depth;
    json_t *root; /* Owned until it is handed out. */
    size_t nodes; /* Values so far, aliases counted with all they hold. */
    struct map anchors;
    json_t *held; /* Array: keeps anchored values alive even if a duplicate key drops them. */
    bool ended;   /* One document is complete. */
};

static const struct place nowhere = {NULL, NULL, 0};

static bool is_canonical_integer(struct str s)
{
    const struct str digits = str_starts(s, STR("-")) ? str_slice(s, 1, s.len) : s;
    if (digits.len == 0 || digits.len > 15 || (digits.len > 1 && digits.ptr[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9') {
            return false;
        }
    }
    return digits.len == s.len || digits.ptr[0] != '0'; /* Not -0. */
}

/* The value of a plain scalar by the core schema, but for reals; see the header. */
static json_t *plain(struct str s)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    int64_t integer = 0;
    if (reading_knows_word(s, nulls)) {
        return json_null();
    }
    if (reading_knows_word(s, trues)) {
        return json_true();
    }
    if (reading_knows_word(s, falses)) {
        return json_false();
    }
    if (is_canonical_integer(s) && str_parse_i64(s, &integer)) {
        return json_integer(integer);
    }
    return json_stringn(s.ptr, s.len);
}

static json_t *scalar(const yaml_event_t *event)
{
    const struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (memchr(text.ptr, '\0', text.len) != NULL) {
        return NULL;
    }
    if (event->data.scalar.plain_implicit) {
        return plain(text);
    }
    return json_stringn(text.ptr, text.len);
}

static void remember(struct loader *loader, struct str anchor, json_t *value, size_t nodes)
{
    struct arena *arena = loader->reading->arena;
    if (anchor.len == 0) {
        return;
    }
    if (json_array_size(loader->held) == YAML_ANCHORS_MAX) {
        reading_refuse(loader->reading, QUARANTINE_TOO_COMPLEX, &nowhere,
                       "more than %d YAML anchors", YAML_ANCHORS_MAX);
        return;
    }
    struct anchor *kept = arena_new(arena, struct anchor);
    *kept = (struct anchor){value, nodes};
    CHECK(json_array_append(loader->held, value) == 0);
    map_put_str(arena, &loader->anchors, anchor, kept);
}

/* Takes `value` over and puts it where the next value belongs. */
static bool place_value(struct loader *loader, json_t *value, size_t nodes)
{
    loader->nodes += nodes;
    if (value == NULL || loader->nodes > YAML_NODES_MAX) {
        json_decref(value);
        reading_refuse(loader->reading,
                       value == NULL ? QUARANTINE_DOES_NOT_PARSE : QUARANTINE_TOO_COMPLEX, &nowhere,
                       value == NULL ? "a YAML scalar holds a NUL" : "too many values");
        return false;
    }
    if (loader->depth == 0) {
        CHECK(loader->root == NULL);
        loader->root = value;
        return true;
    }
    struct frame *top = &loader->stack[loader->depth - 1];
    if (json_is_array(top->value)) {
        return json_array_append_new(top->value, value) == 0;
    }
    if (!top->has_key) {
        const struct str text = json_text(value);
        const bool usable = json_is_string(value);
        top->key = arena_str(loader->reading->arena, text);
        top->has_key = usable;
        json_decref(value);
        if (!usable) {
            reading_refuse(loader->reading, QUARANTINE_DOES_NOT_PARSE, &nowhere,
                           "a YAML mapping has a key that is no text");
        }
        return usable;
    }
    top->has_key = false;
    if (json_object_get(top->value, top->key.ptr) != NULL) {
        const struct place here = PLACE_KEY(&nowhere, top->key.ptr);
        reading_warn(loader->reading, RULE_DOCUMENT_DUPLICATE_KEY, &here);
    }
    return json_object_set_new(top->value, top->key.ptr, value) == 0;
}

static struct str anchor_of(struct loader *loader, const yaml_char_t *name)
{
    return arena_str(loader->reading->arena, str_from((const char *)name));
}

static bool begin(struct loader *loader, json_t *value, const yaml_char_t *anchor)
{
    if (loader->depth == JSON_DEPTH_MAX) {
        json_decref(value);
        reading_refuse(loader->reading, QUARANTINE_TOO_COMPLEX, &nowhere,
                       "YAML nests deeper than %d levels", JSON_DEPTH_MAX);
        return false;
    }
    const size_t nodes_from = loader->nodes;
    if (!place_value(loader, value, 1)) {
        return false;
    }
    struct frame *frame = &loader->stack[loader->depth++];
    *frame = (struct frame){
        .value = value, .anchor = anchor_of(loader, anchor), .nodes_from = nodes_from};
    return true;
}

static bool end(struct loader *loader)
{
    CHECK(loader->depth > 0);
    const struct frame *frame = &loader->stack[--loader->depth];
    remember(loader, frame->anchor, frame->value, loader->nodes - frame->nodes_from);
    return !reading_refused(loader->reading);
}

static bool alias(struct loader *loader, const yaml_char_t *name)
{
    const struct anchor *anchor = map_find_str(&loader->anchors, str_from((const char *)name));
    if (anchor == NULL) {
        reading_refuse(loader->reading, QUARANTINE_DOES_NOT_PARSE, &nowhere,
                       "a YAML alias names no finished anchor");
        return false;
    }
    return place_value(loader, json_incref(anchor->value), anchor->nodes);
}

static bool take_scalar(struct loader *loader, const yaml_event_t *event)
{
    struct frame *top = loader->depth > 0 ? &loader->stack[loader->depth - 1] : NULL;
    json_t *value = NULL;
    if (top != NULL && json_is_object(top->value) && !top->has_key) {
        const char *text = (const char *)event->data.scalar.value;
        const size_t len = event->data.scalar.length;
        value = memchr(text, '\0', len) == NULL ? json_stringn(text, len) : NULL;
    } else {
        value = scalar(event);
    }
    if (!place_value(loader, value, 1)) {
        return false;
    }
    if (event->data.scalar.anchor != NULL && (top == NULL || !top->has_key)) {
        remember(loader, anchor_of(loader, event->data.scalar.anchor), value, 1);
    }
    return !reading_refused(loader->reading);
}

/* One event; false when nothing more is to be read. */
static bool handle(struct loader *loader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: return take_scalar(loader, event);
    case YAML_SEQUENCE_START_EVENT:
        return begin(loader, json_array(), event->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return begin(loader, json_object(), event->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return end(loader);
    case YAML_ALIAS_EVENT: return alias(loader, event->data.alias.anchor);
    case YAML_DOCUMENT_START_EVENT:
        if (loader->ended) {
            reading_refuse(loader->reading, QUARANTINE_DOES_NOT_PARSE, &nowhere,
                           "there is more than one YAML document");
        }
        return !loader->ended;
    case YAML_DOCUMENT_END_EVENT: loader->ended = true; return true;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT: return true;
    case YAML_STREAM_END_EVENT: break;
    }
    return false;
}

json_t *yaml_read(struct reading *reading, struct str bytes)
{
    yaml_parser_t parser;
    struct loader loader = {.reading = reading};
    if (bytes.len == 0 || yaml_parser_initialize(&parser) == 0) {
        reading_refuse(reading, QUARANTINE_DOES_NOT_PARSE, &nowhere, "the document is empty");
        return NULL;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes.ptr, bytes.len);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    loader.held = json_array();
    for (bool more = true; more;) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) == 0) {
            reading_refuse(reading, QUARANTINE_DOES_NOT_PARSE, &nowhere,
                           "not valid YAML at line %zu: %s", parser.problem_mark.line + 1,
                           parser.problem != NULL ? parser.problem : "unreadable");
            break;
        }
        more = handle(&loader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    json_decref(loader.held);
    if (!reading_refused(reading) && !json_is_object(loader.root)) {
        reading_refuse(reading, QUARANTINE_DOES_NOT_PARSE, &nowhere,
                       "neither a JSON nor a YAML object");
    }
    if (reading_refused(reading)) {
        json_decref(loader.root);
        return NULL;
    }
    return loader.root;
}
