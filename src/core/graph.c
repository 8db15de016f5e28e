/* core/graph - checks a run's names and edges before anything is asked of the ledger. */
#include "base/check.h"
#include "core/command.h"

/* Successor lists in one array: those of job i are targets[first[i] .. first[i + 1]). */
struct adjacency {
    int32_t *first;
    int32_t *targets;
    int32_t *waits_for; /* Predecessors of each job. */
};

static enum err_code names_are_unique(struct arena *arena, const struct submit_item *items,
                                      size_t count, size_t *out_at, struct err *err)
{
    struct map names = {0};
    for (size_t i = 0; i < count; i++) {
        if (map_find_str(&names, items[i].name) != NULL) {
            *out_at = i;
            return err_set(err, ERR_UNPROCESSABLE, "two jobs of the run are named %.*s",
                           STR_ARG(items[i].name));
        }
        map_put_str(arena, &names, items[i].name, &names);
    }
    return ERR_OK;
}

static enum err_code edges_are_inside(struct arena *arena, const struct submit_item *items,
                                      size_t count, size_t *out_at, struct err *err)
{
    size_t *last_named_by = arena_array(arena, size_t, count + 1); /* By index + 1. */
    for (size_t i = 0; i < count; i++) {
        *out_at = i;
        for (size_t k = 0; k < items[i].need_count; k++) {
            const int32_t job = items[i].needs[k].job;
            if (job < 0 || (size_t)job >= count) {
                return err_set(err, ERR_DANGLING_EDGE,
                               "job %.*s needs a job that is not in the run",
                               STR_ARG(items[i].name));
            }
            if ((size_t)job == i) {
                return err_set(err, ERR_DAG_CYCLE, "job %.*s needs itself", STR_ARG(items[i].name));
            }
            if (last_named_by[job] == i + 1) {
                return err_set(err, ERR_UNPROCESSABLE, "job %.*s needs the same job twice",
                               STR_ARG(items[i].name));
            }
            last_named_by[job] = i + 1;
        }
    }
    return ERR_OK;
}

static struct adjacency adjacency_of(struct arena *arena, const struct submit_item *items,
                                     size_t count)
{
    struct adjacency graph = {
        .first = arena_array(arena, int32_t, count + 2),
        .waits_for = arena_array(arena, int32_t, count + 1),
    };
    for (size_t i = 0; i < count; i++) {
        graph.waits_for[i] = (int32_t)items[i].need_count;
        for (size_t k = 0; k < items[i].need_count; k++) {
            graph.first[items[i].needs[k].job + 2]++;
        }
    }
    for (size_t i = 2; i < count + 2; i++) {
        graph.first[i] += graph.first[i - 1];
    }
    graph.targets = arena_array(arena, int32_t, (size_t)graph.first[count + 1] + 1);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < items[i].need_count; k++) {
            graph.targets[graph.first[items[i].needs[k].job + 1]++] = (int32_t)i;
        }
    }
    return graph;
}

/* Kahn, "Topological sorting of large networks", 1962: what cannot be reached lies on a cycle or
 * behind one. */
static enum err_code has_no_cycle(struct arena *arena, const struct submit_item *items,
                                  size_t count, size_t *out_at, struct err *err)
{
    const struct adjacency graph = adjacency_of(arena, items, count);
    int32_t *queue = arena_array(arena, int32_t, count + 1);
    size_t queued = 0;
    for (size_t i = 0; i < count; i++) {
        if (graph.waits_for[i] == 0) {
            queue[queued++] = (int32_t)i;
        }
    }
    for (size_t next = 0; next < queued; next++) {
        const int32_t job = queue[next];
        for (int32_t k = graph.first[job]; k < graph.first[job + 1]; k++) {
            if (--graph.waits_for[graph.targets[k]] == 0) {
                queue[queued++] = graph.targets[k];
            }
        }
    }
    for (size_t i = 0; queued < count && i < count; i++) {
        if (graph.waits_for[i] > 0) {
            *out_at = i;
            return err_set(err, ERR_DAG_CYCLE, "job %.*s is on a cycle or behind one",
                           STR_ARG(items[i].name));
        }
    }
    return ERR_OK;
}

enum err_code run_check(struct arena *arena, const struct submit_item *items, size_t count,
                        size_t *out_at, struct err *err)
{
    *out_at = count;
    if (count == 0 || count > RUN_JOBS_MAX) {
        return err_set(err, ERR_UNPROCESSABLE, "a run has between 1 and %d jobs", RUN_JOBS_MAX);
    }
    TRY(names_are_unique(arena, items, count, out_at, err));
    TRY(edges_are_inside(arena, items, count, out_at, err));
    TRY(has_no_cycle(arena, items, count, out_at, err));
    *out_at = count;
    return ERR_OK;
}
