#include "workers/policy/inputs.h"

#include <stdlib.h>
#include <string.h>

static int32_t take(void *context, const struct stella_artifact_info *info)
{
    struct inputs *inputs = context;
    if (strcmp(info->name, inputs->name) == 0 && strcmp(info->role, "output") == 0) {
        const struct input item = {
            .job = arena_cstr(inputs->arena, str_from(info->job)),
            .sha256 = arena_cstr(inputs->arena, str_from(info->sha256)),
            .size = info->size,
        };
        VEC_PUSH(inputs->arena, &inputs->items, item);
    }
    return 0;
}

static int by_content(const void *a, const void *b)
{
    const struct input *left = a;
    const struct input *right = b;
    const int order = strcmp(left->sha256, right->sha256);
    return order != 0 ? order : strcmp(left->job, right->job);
}

int32_t inputs_list(struct stella_job *job, struct arena *arena, const char *name,
                    struct inputs *out, struct stella_error *error)
{
    *out = (struct inputs){.arena = arena, .name = name};
    const int32_t code = stella_job_run_artifacts(job, take, out, error);
    if (code != STELLA_OK || out->items.n == 0) {
        return code;
    }
    qsort(out->items.v, out->items.n, sizeof(*out->items.v), by_content);
    size_t kept = 1;
    for (size_t i = 1; i < out->items.n; i++) {
        if (strcmp(out->items.v[i].sha256, out->items.v[kept - 1].sha256) != 0) {
            out->items.v[kept++] = out->items.v[i];
        }
    }
    out->items.n = kept;
    return STELLA_OK;
}

static int32_t keep(void *context, const void *bytes, size_t len)
{
    struct buf *body = context;
    buf_put(body, bytes, len);
    return body->overflow ? 1 : 0;
}

int32_t inputs_load(struct stella_job *job, const struct inputs *inputs, size_t i,
                    struct buf *out_body, struct stella_error *error)
{
    const struct input *item = &inputs->items.v[i];
    buf_init(out_body, INPUT_BYTES_MAX);
    const int32_t code = stella_job_get_artifact(job, item->sha256, keep, out_body, error);
    if (code != STELLA_OK) {
        return code;
    }
    const struct str name = arena_format(inputs->arena, "%s/%s", item->job, inputs->name);
    const int32_t used = stella_job_use_artifact(job, name.ptr, item->sha256, item->size, error);
    return used == STELLA_MEMORY ? STELLA_OK
                                 : used; /* Of very many, lineage names the first ones. */
}
