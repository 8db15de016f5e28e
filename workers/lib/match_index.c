#include "workers/lib/match_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "workers/lib/match.h"

/*
 * The most that a line can cost in the index: so much for each of its bytes, for each of its values
 * (the dearest is a name of a vulnerability: a list and a hash entry), and at least so much.
 */
enum { COST_OF_BYTE = 8, COST_OF_VALUE = 256, COST_LEAST = 64 * 1024 };

struct match_index *match_index_new(size_t max_bytes)
{
    struct match_index *index = calloc(1, sizeof(*index));
    CHECK(index != NULL);
    arena_init(&index->arena, max_bytes);
    index->max_bytes = max_bytes;
    return index;
}

void match_index_free(struct match_index *index)
{
    if (index != NULL) {
        arena_fini(&index->arena);
        free(index);
    }
}

size_t match_index_bytes(const struct match_index *index)
{
    return arena_used(&index->arena);
}

struct str match_package_key(struct arena *arena, enum ecosystem ecosystem, struct str name)
{
    const struct str normal = ecosystem_normal_name(arena, ecosystem, name);
    return arena_format(arena, "%d/%.*s", (int)ecosystem, STR_ARG(normal));
}

struct index_purl match_purl(struct arena *arena, struct str text)
{
    struct index_purl out = {0};
    out.usable = text.len > 0 && purl_parse(arena, text, &out.purl);
    if (out.usable) {
        out.key = purl_package_key(arena, &out.purl);
    }
    return out;
}

bool match_covers(const struct index_purl *wide, const struct index_purl *narrow)
{
    if (!wide->usable || !narrow->usable || !str_eq(wide->key, narrow->key)) {
        return false;
    }
    return wide->purl.version.len == 0 ||
           purl_same_version(wide->purl.version, narrow->purl.version);
}

struct str match_bom_key(struct arena *arena, const json_t *bom)
{
    const struct str serial = json_text(json_object_get(bom, "serial"));
    const json_t *version = json_object_get(bom, "version");
    if (serial.len == 0) {
        return (struct str){NULL, 0};
    }
    struct str key =
        arena_format(arena, "%.*s/%lld", STR_ARG(serial), (long long)json_integer_value(version));
    char *text = arena_cstr(arena, key);
    for (size_t i = 0; i < key.len; i++) {
        text[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    }
    return (struct str){text, key.len};
}

/* ---- advisories ---- */

static struct str keep(struct match_index *index, const json_t *text)
{
    return arena_str(&index->arena, json_text(text));
}

static const struct str *keep_texts(struct match_index *index, const json_t *array)
{
    const size_t n = json_array_size(array);
    struct str *texts = arena_array(&index->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        texts[i] = keep(index, json_array_get(array, i));
    }
    return texts;
}

static void add_events(struct match_index *index, const json_t *events, struct affects_range *out)
{
    static const struct {
        const char *key;
        enum affects_kind kind;
    } kinds[] = {{"introduced", AFFECTS_INTRODUCED},
                 {"fixed", AFFECTS_FIXED},
                 {"last_affected", AFFECTS_LAST_AFFECTED},
                 {"limit", AFFECTS_LIMIT}};

    const size_t n = json_array_size(events);
    out->events = arena_array(&index->arena, struct affects_event, n + 1);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            const json_t *version = json_object_get(json_array_get(events, i), kinds[k].key);
            if (version != NULL) {
                out->events[out->n++] = (struct affects_event){
                    .kind = kinds[k].kind, .version = keep(index, version), .position = i};
                break;
            }
        }
    }
}

static const struct affects_range *add_ranges(struct match_index *index, const json_t *ranges,
                                              enum version_scheme scheme)
{
    const size_t n = json_array_size(ranges);
    struct affects_range *out = arena_array(&index->arena, struct affects_range, n + 1);
    for (size_t i = 0; i < n; i++) {
        add_events(index, json_object_get(json_array_get(ranges, i), "events"), &out[i]);
        affects_sort(scheme, &out[i]);
    }
    return out;
}

static void add_affected(struct match_index *index, const struct index_advisory *advisory,
                         const json_t *affected)
{
    const enum ecosystem ecosystem =
        ecosystem_from_osv(json_text(json_object_get(affected, "ecosystem")));
    if (ecosystem == ECOSYSTEM_NONE) {
        return;
    }
    const json_t *ranges = json_object_get(affected, "ranges");
    const json_t *versions = json_object_get(affected, "versions");
    const struct str key =
        match_package_key(&index->arena, ecosystem, keep(index, json_object_get(affected, "name")));
    struct index_package *package = map_find_str(&index->packages, key);
    if (package == NULL) {
        package = arena_new(&index->arena, struct index_package);
        package->ecosystem = ecosystem;
        map_put_str(&index->arena, &index->packages, key, package);
    }
    const struct index_entry entry = {
        .advisory = advisory,
        .affects = {.ranges = add_ranges(index, ranges, ecosystem_info(ecosystem)->scheme),
                    .ranges_count = json_array_size(ranges),
                    .versions = keep_texts(index, versions),
                    .versions_count = json_array_size(versions)},
        .informational = json_is_string(json_object_get(affected, "informational"))};
    VEC_PUSH(&index->arena, &package->entries, entry);
}

static struct str first_cve(const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_starts(names[i], STR("CVE-"))) {
            return names[i];
        }
    }
    return (struct str){NULL, 0};
}

static void add_advisory(struct match_index *index, const json_t *body)
{
    const json_t *aliases = json_object_get(body, "aliases");
    const json_t *affected = json_object_get(body, "affected");
    const size_t names_count = json_array_size(aliases) + 1;
    struct str *names = arena_array(&index->arena, struct str, names_count);
    names[0] = keep(index, json_object_get(body, "id"));
    for (size_t i = 1; i < names_count; i++) {
        names[i] = keep(index, json_array_get(aliases, i - 1));
    }
    struct index_advisory *advisory = arena_new(&index->arena, struct index_advisory);
    *advisory =
        (struct index_advisory){.id = names[0],
                                .cve = first_cve(names, names_count),
                                .names = names,
                                .names_count = names_count,
                                .withdrawn = json_is_string(json_object_get(body, "withdrawn"))};
    for (size_t i = 0; i < json_array_size(affected); i++) {
        add_affected(index, advisory, json_array_get(affected, i));
    }
}

/* ---- VEX ---- */

static const struct index_link *add_link(struct match_index *index, const json_t *link)
{
    if (!json_is_object(link)) {
        return NULL;
    }
    struct index_link *out = arena_new(&index->arena, struct index_link);
    out->bom = match_bom_key(&index->arena, link);
    out->element = keep(index, json_object_get(link, "element"));
    return out;
}

static void add_product(struct match_index *index, const json_t *value, struct index_product *out)
{
    const json_t *subcomponents = json_object_get(value, "subcomponents");
    const json_t *versions = json_object_get(value, "versions");
    const size_t n = json_array_size(subcomponents);
    struct index_purl *purls = arena_array(&index->arena, struct index_purl, n + 1);
    for (size_t i = 0; i < n; i++) {
        purls[i] = match_purl(&index->arena, keep(index, json_array_get(subcomponents, i)));
    }
    *out = (struct index_product){
        .purl = match_purl(&index->arena, keep(index, json_object_get(value, "purl"))),
        .link = add_link(index, json_object_get(value, "link")),
        .subcomponents = purls,
        .subcomponents_count = n,
        .versions = keep_texts(index, versions),
        .versions_count = json_array_size(versions),
        .versions_open = json_is_true(json_object_get(value, "versions_open"))};
}

static void add_statement(struct match_index *index, const json_t *value, struct str document)
{
    const json_t *products = json_object_get(value, "products");
    const json_t *names = json_object_get(value, "vulnerability");
    const size_t n = json_array_size(products);
    struct index_product *list = arena_array(&index->arena, struct index_product, n + 1);
    struct index_statement *statement = arena_new(&index->arena, struct index_statement);
    for (size_t i = 0; i < n; i++) {
        add_product(index, json_array_get(products, i), &list[i]);
    }
    *statement = (struct index_statement){
        .vex = {.justification = keep(index, json_object_get(value, "justification")),
                .document = document,
                .statement = (size_t)json_integer_value(json_object_get(value, "index"))},
        .issued = keep(index, json_object_get(value, "issued")),
        .products = list,
        .products_count = n};
    if (!vex_status_find(json_text(json_object_get(value, "status")), &statement->vex.status)) {
        return;
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const struct str name = keep(index, json_array_get(names, i));
        struct index_statements *of_name = map_find_str(&index->vulnerabilities, name);
        if (of_name == NULL) {
            of_name = arena_new(&index->arena, struct index_statements);
            map_put_str(&index->arena, &index->vulnerabilities, name, of_name);
        }
        VEC_PUSH(&index->arena, &of_name->list, statement);
    }
}

/* A CycloneDX VEX document is a BOM too, which BOM links may lead into. */
static void add_bom(struct match_index *index, const json_t *body)
{
    const struct str key = match_bom_key(&index->arena, json_object_get(body, "bom"));
    const json_t *elements = json_object_get(body, "elements");
    const json_t *subject = json_array_get(json_object_get(body, "subjects"), 0);
    if (key.len == 0) {
        return;
    }
    struct index_bom *bom = arena_new(&index->arena, struct index_bom);
    bom->subject = match_purl(&index->arena, keep(index, json_object_get(subject, "purl")));
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const json_t *element = json_array_get(elements, i);
        struct index_purl *purl = arena_new(&index->arena, struct index_purl);
        *purl = match_purl(&index->arena, keep(index, json_object_get(element, "purl")));
        map_put_str(&index->arena, &bom->elements, keep(index, json_object_get(element, "ref")),
                    purl);
    }
    struct index_boms *boms = map_find_str(&index->boms, key);
    if (boms == NULL) {
        boms = arena_new(&index->arena, struct index_boms);
        map_put_str(&index->arena, &index->boms, key, boms);
    }
    VEC_PUSH(&index->arena, &boms->list, bom);
}

static void add_vex(struct match_index *index, const json_t *body, const json_t *path)
{
    const json_t *statements = json_object_get(body, "statements");
    const struct str document = keep(index, path);
    for (size_t i = 0; i < json_array_size(statements); i++) {
        add_statement(index, json_array_get(statements, i), document);
    }
    add_bom(index, body);
}

/* ---- lines ---- */

/* No fewer than the values of the line. */
static size_t values_at_most(struct str line)
{
    size_t n = 1;
    for (size_t i = 0; i < line.len; i++) {
        n += line.ptr[i] == ',' || line.ptr[i] == '[' || line.ptr[i] == '{';
    }
    return n;
}

/*
 * Tables and lists double when they are full: all of them together may ask for as much as is in
 * use. A line is taken only while that fits too, so that the arena never ends within one.
 */
static bool room_for(const struct match_index *index, struct str line)
{
    const size_t needed =
        COST_LEAST + line.len * COST_OF_BYTE + values_at_most(line) * COST_OF_VALUE;
    const size_t used = arena_used(&index->arena);
    return used <= index->max_bytes / 2 && needed <= index->max_bytes - 2 * used;
}

static enum err_code add_observation(struct match_index *index, const json_t *line, struct err *err)
{
    const json_t *body = json_object_get(line, "body");
    const struct str kind = json_text(json_object_get(line, "kind"));
    const struct str sha256 = json_text(json_object_get(line, "sha256"));
    if (kind.len == 0 || json_text(json_object_get(line, "outcome")).len == 0) {
        return err_set(err, ERR_UNPROCESSABLE, "a line is no observation");
    }
    if (!json_is_object(body)) {
        return ERR_OK; /* Quarantined. */
    }
    if (str_eq(kind, STR("vex"))) {
        add_vex(index, body, json_object_get(line, "path"));
    } else if (str_eq(kind, STR("advisory")) && json_object_get(body, "affected") != NULL) {
        if (sha256.len > 0 && map_find_str(&index->seen, sha256) != NULL) {
            return ERR_OK;
        }
        map_put_str(&index->arena, &index->seen, arena_str(&index->arena, sha256), index);
        add_advisory(index, body);
    }
    return ERR_OK;
}

enum err_code match_add_line(struct match_index *index, struct str line, struct err *err)
{
    json_t *value = NULL;
    const struct str text = str_trim(line);
    if (!room_for(index, text)) {
        return err_set(err, ERR_OUT_OF_BOUNDS, "the index of advisories is full at %zu bytes",
                       arena_used(&index->arena));
    }
    TRY(json_read(text, &value, err));
    const enum err_code code = add_observation(index, value, err);
    json_decref(value);
    return code;
}

enum err_code match_add_lines(struct match_index *index, struct str lines, struct err *err)
{
    struct str line = {NULL, 0};
    while (str_split(&lines, '\n', &line)) {
        if (str_trim(line).len > 0) {
            TRY(match_add_line(index, line, err));
        }
    }
    return ERR_OK;
}
