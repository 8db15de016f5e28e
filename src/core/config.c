#include "core/config.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/id.h"
#include "base/json.h"
#include "core/facts.h"
#include "core/members.h"
#include "core/secret.h"
#include "core/tables.h"

enum {
    CONFIG_BODY_MAX = 64 * 1024,
    CONFIG_LINE_MAX = 13 * 1024, /* With the rest of its line below HISTORY_LINE_MAX. */
    RETRIES_MAX = 32,
    CLASS_NAME_MAX = 64,
    URL_MAX = 2048,
    SECRETS_MAX = 16,
    PATHS_MAX = 200,
};

enum { DAY_MS = 24 * 3600 * 1000, YEAR_MS_IN_DAYS = 365 };

#define YEAR_MS ((int64_t)YEAR_MS_IN_DAYS * DAY_MS)

enum {
    TYPE_BACKOFF_BASE,
    TYPE_BACKOFF_MAX,
    TYPE_ESTIMATE,
    TYPE_MAX_ATTEMPTS,
    TYPE_MAX_INFLIGHT,
    TYPE_MAX_PAYLOAD,
    TYPE_MAX_RUN,
    TYPE_NO_PROGRESS,
    TYPE_REQUESTS,
    TYPE_START_DEADLINE,
    TYPE_TTL,
    TYPE_INTS
};

static const struct int_member type_ints[TYPE_INTS] = {
    [TYPE_BACKOFF_BASE] = {"backoff_base_ms", 0, DAY_MS, 1000},
    [TYPE_BACKOFF_MAX] = {"backoff_max_ms", 0, DAY_MS, 300000},
    [TYPE_ESTIMATE] = {"estimate_ms", 1, DAY_MS, 1000},
    [TYPE_MAX_ATTEMPTS] = {"max_attempts", 1, 100, 5},
    [TYPE_MAX_INFLIGHT] = {"max_inflight", 0, 1000000, 0},
    [TYPE_MAX_PAYLOAD] = {"max_payload_bytes", 2, 16 * 1024 * 1024, 262144},
    [TYPE_MAX_RUN] = {"max_run_ms", 0, YEAR_MS, 3600000},
    [TYPE_NO_PROGRESS] = {"no_progress_ms", 0, DAY_MS, 0},
    [TYPE_REQUESTS] = {"requests_per_job", 0, 1000000, 0},
    [TYPE_START_DEADLINE] = {"start_deadline_ms", 0, YEAR_MS, 0},
    [TYPE_TTL] = {"ttl_ms", 200, 3600000, 30000},
};

enum { SOURCE_BLOCK, SOURCE_BLOCK_MAX, SOURCE_BURST, SOURCE_INTS, RATE_MIN_SHARE = 16 };

static const struct int_member source_ints[SOURCE_INTS] = {
    [SOURCE_BLOCK] = {"block_ms", 100, DAY_MS, 60000},
    [SOURCE_BLOCK_MAX] = {"block_max_ms", 100, DAY_MS, DAY_MS},
    [SOURCE_BURST] = {"burst", 1, 1000000, 0},
};

static const char *const class_names[] = {"critical", "normal", "batch", "backfill"};

static const char *const type_members[] = {"class", "on_lost_contact", "retry", "services"};
static const char *const source_members[] = {
    "enabled",        "host",       "job_type", "kind",     "paths",    "rate_max_per_s",
    "rate_min_per_s", "rate_per_s", "secrets",  "settings", "subjects", "url"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum err_code read_retries(struct arena *arena, const json_t *body, struct job_type *out,
                                  struct err *err)
{
    static const struct int_member members[] = {{"backoff_base_ms", 0, DAY_MS, 1000},
                                                {"max_attempts", 1, 100, 5}};
    json_t *retries = json_object_get(body, "retry");
    const char *class = NULL;
    json_t *rule = NULL;
    if (retries == NULL) {
        return ERR_OK;
    }
    if (!json_is_object(retries) || json_object_size(retries) > RETRIES_MAX) {
        return members_refuse(err, "retry", "must be an object of at most 32 error classes");
    }
    struct retry_rule *rules = arena_array(arena, struct retry_rule, json_object_size(retries) + 1);
    json_object_foreach(retries, class, rule)
    {
        int64_t base = 0;
        int64_t attempts = 0;
        TRY(members_known(rule, members, COUNT(members), NULL, 0, err));
        TRY(members_int(rule, &members[0], &base, err));
        TRY(members_int(rule, &members[1], &attempts, err));
        if (!name_is_valid(str_from(class), CLASS_NAME_MAX)) {
            return members_refuse(err, "retry", "has a class that is not a name");
        }
        rules[out->retry_count++] = (struct retry_rule){
            .class = arena_str(arena, str_from(class)),
            .max_attempts = (int32_t)attempts,
            .backoff_base_ms = base,
        };
    }
    out->retries = rules;
    return ERR_OK;
}

/* Writes what was read, with every default, keys sorted. */
static struct str job_type_body(struct arena *arena, const struct job_type *type,
                                const int64_t *ints, const json_t *body)
{
    CLEANUP(buf_fini) struct buf out;
    struct json_writer w;
    buf_init(&out, CONFIG_BODY_MAX);
    json_begin(&w, &out);
    json_put_object(&w);
    JSON_INT(&w, "backoff_base_ms", ints[TYPE_BACKOFF_BASE]);
    JSON_INT(&w, "backoff_max_ms", ints[TYPE_BACKOFF_MAX]);
    JSON_STR(&w, "class", str_from(class_names[type->class]));
    for (int i = TYPE_ESTIMATE; i <= TYPE_NO_PROGRESS; i++) {
        json_put_key(&w, str_from(type_ints[i].name));
        json_put_int(&w, ints[i]);
    }
    JSON_STR(&w, "on_lost_contact", type->stop_on_lost_contact ? STR("stop") : STR("continue"));
    JSON_INT(&w, "requests_per_job", ints[TYPE_REQUESTS]);
    JSON_KEY(&w, "retry");
    const json_t *retries = json_object_get(body, "retry");
    if (retries != NULL) {
        json_put_value(&w, retries);
    } else {
        json_put_object(&w);
        json_put_object_end(&w);
    }
    json_put_key(&w, STR("services"));
    json_put_array(&w);
    for (size_t i = 0; i < type->service_count; i++) {
        json_put_str(&w, type->services[i]);
    }
    json_put_array_end(&w);
    JSON_INT(&w, "start_deadline_ms", ints[TYPE_START_DEADLINE]);
    JSON_INT(&w, "ttl_ms", ints[TYPE_TTL]);
    json_put_object_end(&w);
    CHECK(!out.overflow);
    return arena_str(arena, buf_get(&out));
}

enum err_code job_type_parse(struct arena *arena, struct str name, const json_t *body,
                             struct job_type *out, struct str *out_body, struct err *err)
{
    static const char *const lost_contact[] = {"continue", "stop"};
    int64_t ints[TYPE_INTS];
    int choice = 0;
    memset(out, 0, sizeof(*out));
    TRY(members_known(body, type_ints, TYPE_INTS, type_members, COUNT(type_members), err));
    for (int i = 0; i < TYPE_INTS; i++) {
        TRY(members_int(body, &type_ints[i], &ints[i], err));
    }
    TRY(members_choice(body, "class", class_names, COUNT(class_names), CLASS_NORMAL, &choice, err));
    out->class = (enum job_class)choice;
    TRY(members_choice(body, "on_lost_contact", lost_contact, COUNT(lost_contact), 0, &choice,
                       err));
    out->stop_on_lost_contact = choice == 1;
    TRY(read_retries(arena, body, out, err));
    TRY(members_names(arena, body, "services", SERVICES_MAX, CLASS_NAME_MAX, &out->services,
                      &out->service_count, err));
    out->name = arena_str(arena, name);
    out->backoff_base_ms = ints[TYPE_BACKOFF_BASE];
    out->backoff_max_ms = ints[TYPE_BACKOFF_MAX];
    out->estimate_ms = (int32_t)ints[TYPE_ESTIMATE];
    out->max_attempts = (int32_t)ints[TYPE_MAX_ATTEMPTS];
    out->max_inflight = (int32_t)ints[TYPE_MAX_INFLIGHT];
    out->max_payload_bytes = (int32_t)ints[TYPE_MAX_PAYLOAD];
    out->max_run_ms = ints[TYPE_MAX_RUN];
    out->no_progress_ms = (int32_t)ints[TYPE_NO_PROGRESS];
    out->requests_per_job = (int32_t)ints[TYPE_REQUESTS];
    out->start_deadline_ms = ints[TYPE_START_DEADLINE];
    out->ttl_ms = (int32_t)ints[TYPE_TTL];
    *out_body = job_type_body(arena, out, ints, body);
    return ERR_OK;
}

/* Tokens per second, perhaps with a fraction, as tokens per 1000 s. */
static enum err_code read_rate(const json_t *body, const char *name, int64_t standard,
                               int64_t *out_milli, struct err *err)
{
    const json_t *value = json_object_get(body, name);
    *out_milli = standard;
    if (value == NULL) {
        return ERR_OK;
    }
    const double rate = json_number_value(value);
    if (!json_is_number(value) || !(rate >= 0 && rate <= 1000000)) {
        return members_refuse(err, name, "must be a number between 0 and 1000000");
    }
    *out_milli = (int64_t)(rate * 1000 + 0.5);
    return rate > 0 && *out_milli == 0 ? members_refuse(err, name, "must be 0 or at least 0.001")
                                       : ERR_OK;
}

/* How the source's host is paced; the bounds within which its rate adapts. */
static enum err_code read_pace(const json_t *body, struct pace *out, struct err *err)
{
    int64_t ints[SOURCE_INTS];
    for (int i = 0; i < SOURCE_INTS; i++) {
        TRY(members_int(body, &source_ints[i], &ints[i], err));
    }
    TRY(read_rate(body, "rate_per_s", 0, &out->rate_milli, err));
    const int64_t rate = out->rate_milli;
    const int64_t low = rate / RATE_MIN_SHARE > 0 ? rate / RATE_MIN_SHARE : rate > 0;
    TRY(read_rate(body, "rate_min_per_s", low, &out->min_milli, err));
    TRY(read_rate(body, "rate_max_per_s", rate, &out->max_milli, err));
    if (out->min_milli > rate || (rate > 0 && out->min_milli == 0)) {
        return members_refuse(err, "rate_min_per_s", "must be above 0 and not above rate_per_s");
    }
    if (out->max_milli < rate || (rate == 0 && out->max_milli > 0)) {
        return members_refuse(err, "rate_max_per_s", "must not be below rate_per_s, and needs one");
    }
    if (ints[SOURCE_BLOCK_MAX] < ints[SOURCE_BLOCK]) {
        return members_refuse(err, "block_max_ms", "must not be below block_ms");
    }
    out->block_us = ints[SOURCE_BLOCK] * 1000;
    out->block_max_us = ints[SOURCE_BLOCK_MAX] * 1000;
    out->burst = ints[SOURCE_BURST] > 0 ? ints[SOURCE_BURST] : rate < 1000 ? 1 : rate / 1000;
    return ERR_OK;
}

/* The host part of an http(s) URL, lower case is the caller's business; empty for others. */
static struct str url_host(struct str url)
{
    const bool https = str_starts(url, STR("https://"));
    if (!https && !str_starts(url, STR("http://"))) {
        return STR("");
    }
    struct str rest = str_slice(url, https ? 8 : 7, url.len);
    rest = str_slice(rest, 0, str_find(rest, '/'));
    const size_t at = str_find(rest, '@');
    return at < rest.len ? str_slice(rest, at + 1, rest.len) : rest;
}

/* Whoever can read the configuration could use it. */
static enum err_code refuse_password(struct str url, struct err *err)
{
    const size_t scheme = str_find(url, ':');
    struct str rest = str_slice(url, scheme, url.len);
    if (!str_starts(rest, STR("://"))) {
        return ERR_OK;
    }
    rest = str_slice(rest, 3, rest.len);
    rest = str_slice(rest, 0, str_find(rest, '/'));
    return str_find(rest, '@') == rest.len
               ? ERR_OK
               : err_at(err, ERR_LITERAL_SECRET, "/url",
                        "a URL with a user holds a secret: name it in secrets instead");
}

/* An object of references, by purpose. */
static enum err_code read_secrets(const json_t *body, struct err *err)
{
    json_t *secrets = json_object_get(body, "secrets");
    const char *key = NULL;
    json_t *value = NULL;
    if (secrets == NULL) {
        return ERR_OK;
    }
    if (!json_is_object(secrets) || json_object_size(secrets) > SECRETS_MAX) {
        return members_refuse(err, "secrets", "must be an object of at most 16 references");
    }
    json_object_foreach(secrets, key, value)
    {
        if (!name_is_valid(str_from(key), CLASS_NAME_MAX)) {
            return members_refuse(err, "secrets", "has a member that is not a name");
        }
        if (!secret_is_reference(json_text(value))) {
            char pointer[ERR_TEXT];
            (void)snprintf(pointer, sizeof(pointer), "/secrets/%s", key);
            return err_at(err, ERR_LITERAL_SECRET, pointer,
                          "a secret is given by reference: env:NAME or file:PATH");
        }
    }
    return ERR_OK;
}

/* Documents below the url that a trigger ingests. */
static enum err_code read_paths(const json_t *body, struct err *err)
{
    const json_t *paths = json_object_get(body, "paths");
    if (paths == NULL) {
        return ERR_OK;
    }
    bool sound = json_is_array(paths) && json_array_size(paths) <= PATHS_MAX;
    for (size_t i = 0; sound && i < json_array_size(paths); i++) {
        const struct str path = json_text(json_array_get(paths, i));
        sound = path.len > 0 && path.len <= URL_MAX;
    }
    return sound ? ERR_OK : members_refuse(err, "paths", "must be an array of at most 200 paths");
}

/* What producers of that kind claim. */
static struct str job_type_of(struct str kind)
{
    static const char *const types[][2] = {{"advisory-osv", "advisory.ingest"},
                                           {"advisory-csaf", "advisory.ingest"},
                                           {"vex", "vex.ingest"},
                                           {"sbom", "sbom.ingest"}};
    for (size_t i = 0; i < COUNT(types); i++) {
        if (str_eq(kind, str_from(types[i][0]))) {
            return str_from(types[i][1]);
        }
    }
    return STR("");
}

/* A line of history holds the whole body as a text. */
static bool fits_a_line(struct str body)
{
    size_t len = body.len;
    for (size_t i = 0; i < body.len; i++) {
        len += body.ptr[i] == '"' || body.ptr[i] == '\\';
    }
    return len <= CONFIG_LINE_MAX;
}

/* Subjects by document: an object of lists of texts. */
static enum err_code check_subjects(const json_t *body, struct err *err)
{
    json_t *subjects = json_object_get(body, "subjects");
    const char *document = NULL;
    json_t *list = NULL;
    if (subjects != NULL && !json_is_object(subjects)) {
        return members_refuse(err, "subjects", "must be an object");
    }
    json_object_foreach(subjects, document, list)
    {
        bool is_list = json_is_array(list);
        for (size_t i = 0; i < json_array_size(list); i++) {
            is_list = is_list && json_is_string(json_array_get(list, i));
        }
        if (!is_list) {
            return members_refuse(err, "subjects", "must hold a list of texts for each document");
        }
    }
    return ERR_OK;
}

/* What core keeps without looking at it: its shape, and that no secret stands in it. */
static enum err_code check_kept(struct arena *arena, const json_t *body, struct err *err)
{
    const json_t *settings = json_object_get(body, "settings");
    if (settings != NULL && !json_is_object(settings)) {
        return members_refuse(err, "settings", "must be an object");
    }
    TRY(read_secrets(body, err));
    TRY(read_paths(body, err));
    TRY(check_subjects(body, err));
    return secrets_check(arena, settings, STR("/settings"), err);
}

enum err_code source_parse(struct arena *arena, struct str name, const json_t *body,
                           struct source *out, struct str *out_body, struct err *err)
{
    static const char *const kinds[] = {"advisory-osv", "advisory-csaf", "vex", "sbom", "other"};
    int kind = 0;
    struct str url;
    memset(out, 0, sizeof(*out));
    TRY(members_known(body, source_ints, SOURCE_INTS, source_members, COUNT(source_members), err));
    TRY(members_choice(body, "kind", kinds, COUNT(kinds), 4, &kind, err));
    TRY(members_text(arena, body, "url", STR(""), URL_MAX, &url, err));
    TRY(members_text(arena, body, "host", url_host(url), 253, &out->host, err));
    TRY(refuse_password(url, err));
    TRY(check_kept(arena, body, err));
    TRY(members_text(arena, body, "job_type", job_type_of(str_from(kinds[kind])),
                     CLASS_NAME_MAX * 2, &out->job_type, err));
    if (out->job_type.len > 0 && !name_is_valid(out->job_type, CLASS_NAME_MAX * 2)) {
        return members_refuse(err, "job_type", "is not a name");
    }
    TRY(read_pace(body, &out->asked, err));
    const json_t *enabled = json_object_get(body, "enabled");
    if (enabled != NULL && !json_is_boolean(enabled)) {
        return members_refuse(err, "enabled", "must be true or false");
    }
    if (out->host.len > 0 && !name_is_valid(out->host, 253)) {
        return members_refuse(err, "host", "is not a host name");
    }
    if (out->asked.rate_milli > 0 && out->host.len == 0) {
        return members_refuse(err, "rate_per_s", "needs a host");
    }
    out->name = arena_str(arena, name);
    out->kind = str_from(kinds[kind]);
    out->enabled = enabled == NULL || json_is_true(enabled);
    CLEANUP(buf_fini) struct buf text;
    struct json_writer w;
    buf_init(&text, CONFIG_BODY_MAX);
    json_begin(&w, &text);
    json_put_value(&w, body);
    if (text.overflow || !fits_a_line(buf_get(&text))) {
        return err_at(err, ERR_UNPROCESSABLE, "", "the source is larger than one history line");
    }
    *out_body = arena_str(arena, buf_get(&text));
    return ERR_OK;
}

static void add_job_type(struct arena *arena, struct config *config, const struct job_type_row *row)
{
    struct job_type *type = arena_new(arena, struct job_type);
    struct str canonical;
    struct err err;
    json_t *body = NULL;
    CHECK(json_read(row->body, &body, &err) == ERR_OK);
    CHECK(job_type_parse(arena, row->name, body, type, &canonical, &err) == ERR_OK);
    json_decref(body);
    type->version = row->version;
    map_put_str(arena, &config->job_types, type->name, type);
}

static int64_t stricter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A host has one bucket: of several sources the strictest word counts. */
static void add_pace(struct arena *arena, struct config *config, struct source *source)
{
    const struct pace *asked = &source->asked;
    struct pace *pace = map_find_str(&config->paces, source->host);
    if (pace == NULL) {
        pace = arena_new(arena, struct pace);
        *pace = *asked;
        map_put_str(arena, &config->paces, source->host, pace);
    } else if (asked->rate_milli > 0 && pace->rate_milli > 0) {
        pace->rate_milli = stricter(pace->rate_milli, asked->rate_milli);
        pace->burst = stricter(pace->burst, asked->burst);
        pace->max_milli = stricter(pace->max_milli, asked->max_milli);
        pace->min_milli = stricter(pace->min_milli, asked->min_milli);
    } else if (asked->rate_milli > 0) {
        const struct pace before = *pace;
        *pace = *asked;
        pace->block_us = before.block_us;
        pace->block_max_us = before.block_max_us;
    }
    if (pace->block_us < asked->block_us) {
        pace->block_us = asked->block_us;
    }
    if (pace->block_max_us < asked->block_max_us) {
        pace->block_max_us = asked->block_max_us;
    }
    source->pace = pace;
}

static void add_source(struct arena *arena, struct config *config, const struct source_row *row)
{
    struct source *source = arena_new(arena, struct source);
    struct err err;
    json_t *body = NULL;
    CHECK(json_read(row->body, &body, &err) == ERR_OK);
    CHECK(source_parse(arena, row->name, body, source, &source->body, &err) == ERR_OK);
    json_decref(body);
    source->version = row->version;
    map_put_str(arena, &config->sources, source->name, source);
    if (source->host.len > 0) {
        add_pace(arena, config, source);
    }
}

static void add_worker(struct arena *arena, struct map *workers, const struct row *row)
{
    const struct worker_row *worker = (const struct worker_row *)row;
    if (row_is_live(row) && worker->state != WORKER_ACTIVE) {
        struct worker_row *copy = (struct worker_row *)row_copy(arena, row);
        map_put_str(arena, workers, copy->name, copy);
    }
}

static void add_rows(struct arena *arena, struct config *config, struct row_span rows,
                     struct map *workers)
{
    for (size_t i = 0; i < rows.n; i++) {
        if (rows.v[i]->table == TABLE_JOB_TYPES) {
            add_job_type(arena, config, (const struct job_type_row *)rows.v[i]);
        } else if (rows.v[i]->table == TABLE_WORKERS) {
            add_worker(arena, workers, rows.v[i]);
        } else if (rows.v[i]->table == TABLE_INSTALLATION) {
            config->installation = (const struct installation_row *)row_copy(arena, rows.v[i]);
        } else {
            CHECK(rows.v[i]->table == TABLE_SOURCES);
            add_source(arena, config, (const struct source_row *)rows.v[i]);
        }
    }
}

const struct config *config_new(struct arena *arena, struct row_span system, struct row_span own,
                                int32_t system_version, int32_t tenant_version)
{
    struct config *config = arena_new(arena, struct config);
    static const struct installation_row nothing;
    config->installation = &nothing;
    config->system_version = system_version;
    config->tenant_version = tenant_version;
    add_rows(arena, config, system, &config->shared_workers);
    add_rows(arena, config, own, &config->own_workers);
    return config;
}

const struct job_type *config_job_type(const struct config *config, struct str name)
{
    return map_find_str(&config->job_types, name);
}

const struct source *config_source(const struct config *config, struct str name)
{
    return map_find_str(&config->sources, name);
}

enum worker_state config_worker_state(const struct config *config, struct str name, bool is_shared)
{
    const struct map *workers = is_shared ? &config->shared_workers : &config->own_workers;
    const struct worker_row *row =
        workers->n == 0 ? NULL : (const struct worker_row *)map_find_str(workers, name);
    return row == NULL ? WORKER_ACTIVE : (enum worker_state)row->state;
}

bool config_grant_holds(const struct config *config, int64_t grant)
{
    return grant > config->installation->grant_floor;
}
