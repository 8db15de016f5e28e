#include "query/json_diff.h"

#include <stdlib.h>

#include "base/vec.h"

/* A place in both documents; a null value: it is not there. */
struct difference {
    struct str path;
    const json_t *before;
    const json_t *after;
};

typedef VEC(struct difference) difference_list;

static void push_members(difference_list *open, struct arena *arena, const struct difference *at)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)at->before, key, value)
    {
        const struct difference member = {json_pointer_below(arena, at->path, str_from(key)), value,
                                          json_object_get(at->after, key)};
        VEC_PUSH(arena, open, member);
    }
    json_object_foreach((json_t *)(uintptr_t)at->after, key, value)
    {
        if (json_object_get(at->before, key) == NULL) {
            const struct difference member = {json_pointer_below(arena, at->path, str_from(key)),
                                              NULL, value};
            VEC_PUSH(arena, open, member);
        }
    }
}

static void push_elements(difference_list *open, struct arena *arena, const struct difference *at)
{
    const size_t before = json_array_size(at->before);
    const size_t after = json_array_size(at->after);
    for (size_t i = 0; i < (before > after ? before : after); i++) {
        const struct difference element = {
            json_pointer_below(arena, at->path, arena_format(arena, "%zu", i)),
            json_array_get(at->before, i), json_array_get(at->after, i)};
        VEC_PUSH(arena, open, element);
    }
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const struct difference *)a)->path, ((const struct difference *)b)->path);
}

static void put_one(struct json_writer *w, const struct difference *found)
{
    const char *op = found->before == NULL ? "add" : found->after == NULL ? "remove" : "replace";
    json_put_object(w);
    JSON_STR(w, "op", str_from(op));
    JSON_STR(w, "path", found->path);
    if (found->after != NULL) {
        JSON_KEY(w, "value");
        json_put_value(w, found->after);
    }
    if (found->before != NULL) {
        JSON_KEY(w, "was");
        json_put_value(w, found->before);
    }
    json_put_object_end(w);
}

void json_diff_put(struct json_writer *w, struct arena *arena, const json_t *before,
                   const json_t *after)
{
    difference_list open = {0};
    difference_list found = {0};
    const struct difference whole = {STR(""), before, after};
    VEC_PUSH(arena, &open, whole);
    while (open.n > 0) {
        const struct difference at = open.v[--open.n];
        if (json_is_object(at.before) && json_is_object(at.after)) {
            push_members(&open, arena, &at);
        } else if (json_is_array(at.before) && json_is_array(at.after)) {
            push_elements(&open, arena, &at);
        } else if (at.before == NULL || at.after == NULL || !json_equal(at.before, at.after)) {
            VEC_PUSH(arena, &found, at);
        }
    }
    if (found.n > 1) {
        qsort(found.v, found.n, sizeof(struct difference), by_path);
    }
    json_put_array(w);
    for (size_t i = 0; i < found.n; i++) {
        put_one(w, &found.v[i]);
    }
    json_put_array_end(w);
}
