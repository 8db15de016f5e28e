#include "cli/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/check.h"
#include "base/json.h"

/* One container that is being written: an object's next member, or an array's next item. */
struct level {
    json_t *container;
    void *member;
    size_t item;
};

struct yaml {
    yaml_emitter_t emitter;
    struct level levels[JSON_DEPTH_MAX];
    size_t depth;
};

bool cli_yaml_is_plain(struct str text)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n"};
    const unsigned char first = text.len > 0 ? (unsigned char)text.ptr[0] : ' ';
    if (!((first | 0x20) >= 'a' && (first | 0x20) <= 'z')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./",
                   text.ptr[i]) == NULL ||
            text.ptr[i] == '\0') {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_eq_nocase(text, str_from(words[i]))) {
            return false;
        }
    }
    return true;
}

static void emit(struct yaml *yaml, yaml_event_t *event)
{
    /* Only a failing stream makes it fail; cli_main() looks at that when it flushes. */
    (void)yaml_emitter_emit(&yaml->emitter, event);
}

static void emit_scalar(struct yaml *yaml, struct str text, bool quoted)
{
    yaml_event_t event;
    CHECK(yaml_scalar_event_initialize(
        &event, NULL, NULL, (const yaml_char_t *)(text.ptr != NULL ? text.ptr : ""), (int)text.len,
        1, 1, quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE));
    emit(yaml, &event);
}

static void emit_text(struct yaml *yaml, struct str text)
{
    emit_scalar(yaml, text, !cli_yaml_is_plain(text));
}

static void emit_atom(struct yaml *yaml, const json_t *value)
{
    if (json_is_string(value)) {
        emit_text(yaml, json_text(value));
        return;
    }
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    CHECK(text != NULL);
    emit_scalar(yaml, str_from(text), false);
    free(text);
}

/* Writes an atom whole; of a container the beginning, and goes into it. */
static void begin(struct yaml *yaml, json_t *value)
{
    yaml_event_t event;
    const bool is_empty =
        (json_is_object(value) ? json_object_size(value) : json_array_size(value)) == 0;
    if (yaml->depth == JSON_DEPTH_MAX) {
        emit_scalar(yaml, STR("null"), false);
        return;
    }
    if (json_is_object(value)) {
        CHECK(yaml_mapping_start_event_initialize(
            &event, NULL, NULL, 1, is_empty ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE));
    } else if (json_is_array(value)) {
        CHECK(yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                                   is_empty ? YAML_FLOW_SEQUENCE_STYLE
                                                            : YAML_BLOCK_SEQUENCE_STYLE));
    } else {
        emit_atom(yaml, value);
        return;
    }
    emit(yaml, &event);
    yaml->levels[yaml->depth++] =
        (struct level){value, json_is_object(value) ? json_object_iter(value) : NULL, 0};
}

/* The next member or item of the innermost container, or its end. */
static void step(struct yaml *yaml)
{
    struct level *level = &yaml->levels[yaml->depth - 1];
    yaml_event_t event;
    if (json_is_object(level->container)) {
        void *member = level->member;
        if (member != NULL) {
            level->member = json_object_iter_next(level->container, member);
            emit_text(yaml, str_from(json_object_iter_key(member)));
            begin(yaml, json_object_iter_value(member));
            return;
        }
        CHECK(yaml_mapping_end_event_initialize(&event));
    } else {
        json_t *item = json_array_get(level->container, level->item);
        if (item != NULL) {
            level->item++;
            begin(yaml, item);
            return;
        }
        CHECK(yaml_sequence_end_event_initialize(&event));
    }
    emit(yaml, &event);
    yaml->depth--;
}

void cli_yaml_print(const json_t *value, FILE *out)
{
    struct yaml yaml = {.depth = 0};
    yaml_event_t event;
    CHECK(yaml_emitter_initialize(&yaml.emitter));
    yaml_emitter_set_output_file(&yaml.emitter, out);
    yaml_emitter_set_unicode(&yaml.emitter, 1);
    yaml_emitter_set_width(&yaml.emitter, -1);
    CHECK(yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(&yaml, &event);
    CHECK(yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    emit(&yaml, &event);
    begin(&yaml, (json_t *)(uintptr_t)value);
    while (yaml.depth > 0) {
        step(&yaml);
    }
    CHECK(yaml_document_end_event_initialize(&event, 1));
    emit(&yaml, &event);
    CHECK(yaml_stream_end_event_initialize(&event));
    emit(&yaml, &event);
    yaml_emitter_delete(&yaml.emitter);
}
