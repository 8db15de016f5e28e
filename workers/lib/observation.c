#include "workers/lib/observation.h"

#include "base/check.h"
#include "base/json.h"
#include "workers/lib/csaf.h"
#include "workers/lib/cyclonedx.h"
#include "workers/lib/openvex.h"
#include "workers/lib/osv.h"
#include "workers/lib/spdx.h"

static const struct place root = {NULL, NULL, 0};

/* Writes the body of one document: an object value. It may stop anywhere once it has refused. */
typedef void (*observer)(struct reading *reading, const json_t *document, struct json_writer *out);

struct format_row {
    observer observers[DOCUMENT_ANY]; /* By kind; null where the format does not belong. */
    enum document_kind natural;       /* What it is when any kind is asked for. */
    bool yaml;                        /* YAML is a usual form of it. */
};

static const struct format_row formats[DOCUMENT_READ_COUNT] = {
    [DOCUMENT_OSV] = {.observers = {[DOCUMENT_ADVISORY] = osv_observe},
                      .natural = DOCUMENT_ADVISORY,
                      .yaml = true},
    [DOCUMENT_CSAF] =
        {.observers = {[DOCUMENT_ADVISORY] = csaf_observe, [DOCUMENT_VEX] = csaf_observe},
         .natural = DOCUMENT_ADVISORY},
    [DOCUMENT_OPENVEX] = {.observers = {[DOCUMENT_VEX] = openvex_observe}, .natural = DOCUMENT_VEX},
    [DOCUMENT_CYCLONEDX] =
        {.observers =
             {[DOCUMENT_VEX] = cyclonedx_observe_vex, [DOCUMENT_SBOM] = cyclonedx_observe_sbom},
         .natural = DOCUMENT_SBOM},
    [DOCUMENT_SPDX_2] = {.observers = {[DOCUMENT_SBOM] = spdx_observe}, .natural = DOCUMENT_SBOM},
};

static const char *const outcome_names[] = {
    [OBSERVATION_ACCEPTED] = "accepted",
    [OBSERVATION_WARNINGS] = "warnings",
    [OBSERVATION_QUARANTINED] = "quarantined",
};

const char *observation_outcome_name(enum observation_outcome outcome)
{
    CHECK(outcome <= OBSERVATION_QUARANTINED);
    return outcome_names[outcome];
}

/* The version that a document says its format has; empty when it says none. */
static struct str format_version(enum document_format format, const json_t *document)
{
    if (format == DOCUMENT_OSV) {
        return json_text(json_object_get(document, "schema_version"));
    }
    if (format == DOCUMENT_CSAF) {
        return json_text(json_object_get(json_object_get(document, "document"), "csaf_version"));
    }
    if (format == DOCUMENT_OPENVEX) {
        return json_text(json_object_get(document, "@context"));
    }
    if (format == DOCUMENT_CYCLONEDX) {
        return json_text(json_object_get(document, "specVersion"));
    }
    return json_text(json_object_get(document, "spdxVersion"));
}

/* What is known of a document while its line is being made. */
struct draft {
    const struct observation_source *source;
    struct reading reading;
    enum document_format format;
    enum document_kind kind;
    struct str version; /* Of the format. */
    struct buf body;
};

/* Writes the body, or refuses. */
static void observe_value(struct draft *draft, const json_t *document, bool is_yaml)
{
    draft->format = document_format(document);
    if (draft->format == DOCUMENT_UNKNOWN) {
        reading_refuse(&draft->reading, QUARANTINE_UNKNOWN_FORMAT, &root,
                       "the document has the marks of no known format");
        return;
    }
    if (draft->format >= DOCUMENT_READ_COUNT) {
        reading_refuse(&draft->reading, QUARANTINE_UNSUPPORTED_FORMAT, &root,
                       "documents of the format %s are not read",
                       document_format_name(draft->format));
        return;
    }
    const struct format_row *row = &formats[draft->format];
    draft->kind = draft->kind == DOCUMENT_ANY ? row->natural : draft->kind;
    if (row->observers[draft->kind] == NULL) {
        reading_refuse(&draft->reading, QUARANTINE_WRONG_FOLDER, &root,
                       "a document of the format %s is no %s", document_format_name(draft->format),
                       document_kind_name(draft->kind));
        return;
    }
    if (is_yaml && !row->yaml) {
        reading_warn(&draft->reading, RULE_DOCUMENT_YAML, &root);
    }
    draft->version =
        arena_str(draft->reading.arena, reading_cut(format_version(draft->format, document), 128));
    struct json_writer writer;
    json_begin(&writer, &draft->body);
    row->observers[draft->kind](&draft->reading, document, &writer);
    if (draft->body.overflow) {
        reading_refuse(&draft->reading, QUARANTINE_TOO_LARGE, &root,
                       "the observation would be larger than %d bytes", OBSERVATION_MAX);
    }
}

static void put_warnings(struct json_writer *w, const struct reading *reading)
{
    JSON_KEY(w, "warnings");
    json_put_array(w);
    for (size_t i = 0; i < reading->warnings_kept; i++) {
        json_put_object(w);
        JSON_STR(w, "pointer", reading->warnings[i].pointer);
        JSON_STR(w, "rule", str_from(rule_info(reading->warnings[i].rule)->name));
        json_put_object_end(w);
    }
    json_put_array_end(w);
    JSON_INT(w, "warnings_total", (int64_t)reading->warnings_total);
}

static enum observation_outcome outcome_of(const struct reading *reading)
{
    if (reading_refused(reading)) {
        return OBSERVATION_QUARANTINED;
    }
    return reading->warnings_total > 0 ? OBSERVATION_WARNINGS : OBSERVATION_ACCEPTED;
}

static void put_line(struct buf *out, const struct draft *draft)
{
    const struct reading *reading = &draft->reading;
    const bool refused = reading_refused(reading);
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    if (!refused) {
        JSON_RAW(&w, "body", buf_get(&draft->body));
    }
    JSON_STR(&w, "format", str_from(document_format_name(draft->format)));
    JSON_KEY(&w, "format_version");
    if (draft->version.len > 0) {
        json_put_str(&w, draft->version);
    } else {
        json_put_null(&w);
    }
    JSON_STR(&w, "kind", str_from(document_kind_name(draft->kind)));
    JSON_STR(&w, "outcome", str_from(observation_outcome_name(outcome_of(reading))));
    JSON_STR(&w, "path", draft->source->path);
    if (refused) {
        JSON_KEY(&w, "quarantine");
        json_put_object(&w);
        JSON_STR(&w, "class", str_from(quarantine_info(reading->quarantine)->name));
        JSON_STR(&w, "detail", reading->detail);
        JSON_STR(&w, "pointer", reading->pointer);
        json_put_object_end(&w);
    }
    JSON_INT(&w, "schema", OBSERVATION_SCHEMA);
    JSON_STR(&w, "sha256", draft->source->sha256);
    put_warnings(&w, reading);
    json_put_object_end(&w);
    buf_char(out, '\n');
}

/* Appends the line; a line that does not fit becomes that of a quarantined document. */
static void append_line(struct buf *out_lines, struct draft *draft)
{
    const size_t before = out_lines->len;
    const size_t body = draft->body.len;
    if (body + OBSERVATION_QUARANTINE_ROOM > out_lines->max - before) {
        reading_refuse(&draft->reading, QUARANTINE_TOO_LARGE, &root,
                       "the artifact has no room for an observation of %zu bytes", body);
    }
    put_line(out_lines, draft);
}

void observe_document(struct arena *arena, const struct observation_source *source,
                      struct buf *out_lines, struct observation_summary *out_summary)
{
    struct draft *draft = arena_new(arena, struct draft);
    bool is_yaml = false;
    draft->source = source;
    draft->format = DOCUMENT_UNKNOWN;
    draft->kind = source->kind;
    reading_init(&draft->reading, arena, source->path);
    buf_init(&draft->body, OBSERVATION_MAX);
    json_t *document = document_read(&draft->reading, source->bytes, &is_yaml);
    if (document != NULL) {
        observe_value(draft, document, is_yaml);
    }
    const size_t before = out_lines->len;
    append_line(out_lines, draft);
    json_decref(document);
    buf_fini(&draft->body);
    const struct reading *reading = &draft->reading;
    *out_summary = (struct observation_summary){
        .outcome = outcome_of(reading),
        .format = draft->format,
        .quarantine = reading->quarantine,
        .detail = reading->detail,
        .pointer = reading->pointer,
        .warnings = reading->warnings_total,
        .first_rule = reading->warnings_kept > 0
                          ? str_from(rule_info(reading->warnings[0].rule)->name)
                          : STR(""),
        .line_bytes = out_lines->len - before,
    };
}
