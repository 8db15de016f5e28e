/* Inputs of a job: artifacts by content hash, and what its run has made so far. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "worker/parts.h"

enum { PAGE_MAX = 8 << 20, PATH_MAX_BYTES = 1024, PAGE_ITEMS = 1000 };

int32_t stella_job_get_artifact(struct stella_job *job, const char *sha256, stella_sink *sink,
                                void *context, struct stella_error *error)
{
    struct sha256 wanted;
    char path[128];
    if (sink == NULL || !sha256_parse(str_from(sha256), &wanted)) {
        return fault(error, STELLA_USAGE, "a sink and a SHA-256 must be given");
    }
    (void)snprintf(path, sizeof(path), "/artifacts/%s", sha256);
    struct call call = {
        .method = "GET",
        .path = path,
        .body_fd = -1,
        .sink = sink,
        .sink_context = context,
        .digest = sha256_stream_new(),
    };
    int32_t code = call_run(job, &call, error);
    const struct sha256 got = sha256_stream_finish(call.digest);
    sha256_stream_free(call.digest);
    if (code == STELLA_OK && !sha256_eq(&got, &wanted)) {
        code = fault(error, STELLA_DIGEST, "the bytes of %s have another digest", sha256);
    }
    return code;
}

static int32_t keep(void *context, const void *bytes, size_t len)
{
    struct buf *page = context;
    buf_put(page, bytes, len);
    return page->overflow ? 1 : 0;
}

static const char *member(const json_t *item, const char *key)
{
    const char *value = json_string_value(json_object_get(item, key));
    return value == NULL ? "" : value;
}

static bool give_items(const json_t *items,
                       int32_t (*each)(void *context, const struct stella_artifact_info *info),
                       void *context)
{
    const size_t n = json_array_size(items);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(items, i);
        const struct stella_artifact_info info = {
            .job = member(item, "job"),
            .name = member(item, "name"),
            .role = member(item, "role"),
            .media_type = member(item, "media_type"),
            .sha256 = member(item, "sha256"),
            .size = (uint64_t)json_integer_value(json_object_get(item, "size")),
        };
        if (each(context, &info) != 0) {
            return false;
        }
    }
    return true;
}

/* One page; the next cursor goes to `cursor`, empty at the end. */
static int32_t one_page(struct stella_job *job, char cursor[PATH_MAX_BYTES / 2],
                        int32_t (*each)(void *context, const struct stella_artifact_info *info),
                        void *context, struct stella_error *error)
{
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof(path), "/artifacts?run=%s&limit=%d%s%s", stella_job_run(job),
                   PAGE_ITEMS, cursor[0] != '\0' ? "&cursor=" : "", cursor);
    CLEANUP(buf_fini) struct buf page;
    buf_init(&page, PAGE_MAX);
    const struct call call = {
        .method = "GET", .path = path, .body_fd = -1, .sink = keep, .sink_context = &page};
    const int32_t code = call_run(job, &call, error);
    if (code != STELLA_OK) {
        return code;
    }
    json_t *root = NULL;
    struct err ignored;
    if (json_read(buf_get(&page), &root, &ignored) != ERR_OK) {
        return fault(error, STELLA_REFUSED, "the list of artifacts is not JSON");
    }
    const bool all = give_items(json_object_get(root, "items"), each, context);
    (void)snprintf(cursor, PATH_MAX_BYTES / 2, "%s", member(root, "next_cursor"));
    json_decref(root);
    return all ? STELLA_OK : fault(error, STELLA_ABORTED, "the caller ended the list");
}

int32_t stella_job_run_artifacts(struct stella_job *job,
                                 int32_t (*each)(void *context,
                                                 const struct stella_artifact_info *info),
                                 void *context, struct stella_error *error)
{
    char cursor[PATH_MAX_BYTES / 2] = "";
    if (each == NULL || stella_job_run(job)[0] == '\0') {
        return fault(error, STELLA_USAGE, "the job has no run");
    }
    for (;;) {
        const int32_t code = one_page(job, cursor, each, context, error);
        if (code != STELLA_OK || cursor[0] == '\0') {
            return code;
        }
    }
}
