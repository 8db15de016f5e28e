#include "workers/pipeline/plan.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const struct plan_source known[PLAN_SOURCES] = {
    {.name = "advisories-csaf", .kind = "advisory-csaf", .job_type = "advisory.ingest"},
    {.name = "advisories-osv", .kind = "advisory-osv", .job_type = "advisory.ingest"},
    {.name = "vex", .kind = "vex", .job_type = "vex.ingest"},
    {.name = "sbom", .kind = "sbom", .job_type = "sbom.ingest"},
};

static bool say(const char *what, const char *detail)
{
    (void)fprintf(stderr, "stella-pipeline: %s: %s\n", what, detail);
    return false;
}

static struct plan_source *source_of(struct plan *plan, struct str path)
{
    struct str rest = path;
    struct str folder;
    if (!str_split(&rest, '/', &folder) || rest.len == 0) {
        return NULL;
    }
    for (int i = 0; i < PLAN_SOURCES; i++) {
        if (str_eq(folder, str_from(plan->sources[i].name))) {
            return &plan->sources[i];
        }
    }
    return NULL;
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool add(struct plan *plan, struct str path)
{
    struct plan_source *source = source_of(plan, path);
    if (source == NULL) {
        return true;
    }
    if (!str_is_utf8(path)) {
        (void)fprintf(stderr, "stella-pipeline: a name that is not UTF-8 is left out: %.*s\n",
                      STR_ARG(path));
        return true;
    }
    if (plan->documents == PLAN_FILES_MAX) {
        return say("the feed", "has too many documents");
    }
    const struct str kept = arena_str(plan->arena, path);
    VEC_PUSH(plan->arena, &source->paths, kept);
    plan->documents++;
    return true;
}

bool plan_list(struct plan *plan, struct arena *arena, const char *folder)
{
    memset(plan, 0, sizeof(*plan));
    memcpy(plan->sources, known, sizeof(known));
    plan->arena = arena;
    plan->sboms = &plan->sources[PLAN_SOURCES - 1];
    char *roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL) {
        return say(folder, strerror(errno));
    }
    bool fine = true;
    errno = 0;
    for (const FTSENT *entry = fts_read(tree); entry != NULL && fine; entry = fts_read(tree)) {
        const bool broken =
            entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS;
        if (broken) {
            fine = say(entry->fts_path, strerror(entry->fts_errno));
        } else if (entry->fts_info == FTS_F) {
            struct str path = str_from(entry->fts_path + strlen(folder));
            while (str_starts(path, STR("/"))) {
                path = str_slice(path, 1, path.len);
            }
            fine = add(plan, path);
        }
    }
    (void)fts_close(tree);
    for (int i = 0; i < PLAN_SOURCES; i++) {
        if (plan->sources[i].paths.n > 1) {
            qsort(plan->sources[i].paths.v, plan->sources[i].paths.n, sizeof(struct str), by_bytes);
        }
    }
    return fine && (plan->documents > 0 || say(folder, "holds no feed"));
}

void plan_put_source(struct buf *out, const struct plan_source *source, const char *url,
                     const json_t *subjects)
{
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    JSON_STR(&w, "kind", str_from(source->kind));
    if (subjects != NULL) {
        JSON_KEY(&w, "subjects");
        json_put_value(&w, subjects);
    }
    JSON_STR(&w, "url", str_from(url));
    json_put_object_end(&w);
}

/* ---- the run ---- */

static struct str part_name(struct plan *plan, const char *what, size_t part)
{
    return arena_format(plan->arena, "%s-%04zu", what, part + 1);
}

static size_t parts_of(size_t n, size_t batch)
{
    return (n + batch - 1) / batch;
}

static void put_slice(struct json_writer *w, const struct plan_source *source, size_t from,
                      size_t batch)
{
    json_put_array(w);
    for (size_t i = from; i < source->paths.n && i < from + batch; i++) {
        json_put_str(w, source->paths.v[i]);
    }
    json_put_array_end(w);
}

static void put_ingest(struct json_writer *w, struct plan *plan, const struct plan_source *source,
                       const struct plan_options *options, size_t part)
{
    json_put_object(w);
    JSON_STR(w, "name", part_name(plan, source->name, part));
    JSON_KEY(w, "payload");
    json_put_object(w);
    JSON_BOOL(w, "keep_raw", options->keep_raw);
    JSON_KEY(w, "paths");
    put_slice(w, source, part * options->batch, options->batch);
    JSON_STR(w, "source", str_from(source->name));
    json_put_object_end(w);
    JSON_STR(w, "source", str_from(source->name));
    JSON_STR(w, "type", str_from(source->job_type));
    json_put_object_end(w);
    plan->ingest_jobs++;
}

static void put_need(struct json_writer *w, struct str name)
{
    json_put_object(w);
    JSON_STR(w, "job", name);
    json_put_object_end(w);
}

static void put_needs_ingest(struct json_writer *w, struct plan *plan,
                             const struct plan_options *options)
{
    JSON_KEY(w, "needs");
    json_put_array(w);
    for (int i = 0; i < PLAN_SOURCES; i++) {
        const struct plan_source *source = &plan->sources[i];
        for (size_t part = 0; part < parts_of(source->paths.n, options->batch); part++) {
            put_need(w, part_name(plan, source->name, part));
        }
    }
    json_put_array_end(w);
}

static void put_policy(struct json_writer *w, struct plan *plan, const struct plan_options *options,
                       size_t part)
{
    json_put_object(w);
    JSON_STR(w, "name", part_name(plan, "policy", part));
    put_needs_ingest(w, plan, options);
    JSON_KEY(w, "payload");
    json_put_object(w);
    JSON_KEY(w, "policy");
    if (options->policy != NULL) {
        json_put_value(w, options->policy);
    } else {
        json_put_null(w);
    }
    JSON_KEY(w, "sboms");
    put_slice(w, plan->sboms, part * options->sbom_batch, options->sbom_batch);
    json_put_object_end(w);
    JSON_STR(w, "source", str_from(plan->sboms->name));
    JSON_STR(w, "type", STR("policy.evaluate"));
    json_put_object_end(w);
    plan->policy_jobs++;
}

static void put_merge(struct json_writer *w, struct plan *plan, const struct plan_options *options)
{
    json_put_object(w);
    JSON_STR(w, "name", STR("merge"));
    if (plan->policy_jobs == 0) {
        put_needs_ingest(w, plan, options);
    } else {
        JSON_KEY(w, "needs");
        json_put_array(w);
        for (size_t part = 0; part < plan->policy_jobs; part++) {
            put_need(w, part_name(plan, "policy", part));
        }
        json_put_array_end(w);
    }
    JSON_KEY(w, "payload");
    json_put_object(w);
    json_put_object_end(w);
    JSON_STR(w, "type", STR("policy.merge"));
    json_put_object_end(w);
}

void plan_put_run(struct buf *out, struct plan *plan, const struct plan_options *options)
{
    struct json_writer w;
    json_begin(&w, out);
    json_put_object(&w);
    JSON_KEY(&w, "jobs");
    json_put_array(&w);
    for (int i = 0; i < PLAN_SOURCES; i++) {
        const struct plan_source *source = &plan->sources[i];
        for (size_t part = 0; part < parts_of(source->paths.n, options->batch); part++) {
            put_ingest(&w, plan, source, options, part);
        }
    }
    for (size_t part = 0; part < parts_of(plan->sboms->paths.n, options->sbom_batch); part++) {
        put_policy(&w, plan, options, part);
    }
    put_merge(&w, plan, options);
    json_put_array_end(&w);
    JSON_STR(&w, "name", STR("pipeline"));
    json_put_object_end(&w);
}
