#include "query/run_graph.h"

enum { PAGE = 5000 };

/* ---- Reading ---- */

struct run_node run_node_of(const struct query_result *result, size_t row)
{
    return (struct run_node){
        .job = {query_int(result, row, "job")},
        .name = query_text(result, row, "name"),
        .job_type = query_text(result, row, "job_type"),
        .source = query_text(result, row, "source"),
        .worker = query_text(result, row, "worker"),
        .state = (enum job_state)query_int(result, row, "state"),
        .priority = (int16_t)query_int(result, row, "asked_priority"),
        .grant = query_int(result, row, "grant_no"),
        .claimed_at = query_int(result, row, "claimed_at"),
        .ended_at = query_int(result, row, "ended_at"),
    };
}

static struct query query_of(const char *name, int16_t shard, struct tenant_id tenant,
                             struct run_id run, struct arena *arena)
{
    struct query q = {.name = name, .tenant = tenant, .arena = arena};
    query_arg_int(&q, shard);
    query_arg_int(&q, tenant.v);
    query_arg_int(&q, run.v);
    return q;
}

enum err_code run_graph_read(struct reader *reader, int16_t shard, struct tenant_id tenant,
                             struct run_id run, struct arena *arena, struct run_graph *out,
                             struct err *err)
{
    struct query_result found;
    struct query one = query_of("run", shard, tenant, run, arena);
    TRY(reader_query(reader, &one, &found, err));
    if (found.rows == 0) {
        return ERR_OK;
    }
    out->is_there = true;
    out->run = *(const struct run_row *)query_row(&found, 0, TABLE_RUNS, arena);
    int64_t after = 0;
    do {
        struct query q = query_of("run_nodes_page", shard, tenant, run, arena);
        query_arg_int(&q, after);
        query_arg_int(&q, PAGE);
        TRY(reader_query(reader, &q, &found, err));
        for (size_t i = 0; i < found.rows; i++) {
            VEC_PUSH(arena, &out->nodes, run_node_of(&found, i));
            after = out->nodes.v[out->nodes.n - 1].job.v;
        }
    } while (found.rows == PAGE);
    struct edge_row last = {0};
    do {
        struct query q = query_of("edges_of_run", shard, tenant, run, arena);
        query_arg_int(&q, last.pred);
        query_arg_int(&q, last.succ);
        query_arg_int(&q, PAGE);
        TRY(reader_query(reader, &q, &found, err));
        for (size_t i = 0; i < found.rows; i++) {
            last = *(const struct edge_row *)query_row(&found, i, TABLE_DAG_EDGES, arena);
            VEC_PUSH(arena, &out->edges, last);
        }
    } while (found.rows == PAGE);
    return ERR_OK;
}

/* ---- Walking ---- */

/* The jobs of a run have numbers one after the other. */
size_t run_graph_find(const struct run_graph *graph, int64_t job)
{
    const size_t n = graph->nodes.n;
    if (n == 0 || job < graph->nodes.v[0].job.v) {
        return n;
    }
    const size_t at = (size_t)(job - graph->nodes.v[0].job.v);
    return at < n && graph->nodes.v[at].job.v == job ? at : n;
}

int64_t run_node_duration(const struct run_node *node, int64_t now)
{
    const int64_t end = node->ended_at > 0 ? node->ended_at : now;
    return node->claimed_at > 0 && end > node->claimed_at ? end - node->claimed_at : 0;
}

/* Both ends of each edge as places of nodes, and where the edges of each node begin. */
struct links {
    size_t *first; /* By node, and one more. */
    size_t *succ;  /* By edge; nodes.n when it leads nowhere. */
};

static struct links links_of(struct arena *arena, const struct run_graph *graph)
{
    const size_t n = graph->nodes.n;
    const struct links links = {
        .first = arena_array(arena, size_t, n + 1),
        .succ = arena_array(arena, size_t, graph->edges.n + 1),
    };
    size_t edge = 0;
    for (size_t i = 0; i < n; i++) {
        while (edge < graph->edges.n && graph->edges.v[edge].pred < graph->nodes.v[i].job.v) {
            edge++;
        }
        links.first[i] = edge;
    }
    links.first[n] = graph->edges.n;
    for (size_t i = 0; i < graph->edges.n; i++) {
        links.succ[i] = run_graph_find(graph, graph->edges.v[i].succ);
    }
    return links;
}

/* Nodes in an order in which each comes after those before it (Kahn); how many in *out_count. */
static size_t *in_order(struct arena *arena, const struct run_graph *graph,
                        const struct links *links, size_t *out_count)
{
    const size_t n = graph->nodes.n;
    size_t *awaited = arena_array(arena, size_t, n + 1);
    size_t *order = arena_array(arena, size_t, n + 1);
    size_t count = 0;
    for (size_t e = 0; e < graph->edges.n; e++) {
        awaited[links->succ[e]]++;
    }
    for (size_t i = 0; i < n; i++) {
        if (awaited[i] == 0) {
            order[count++] = i;
        }
    }
    for (size_t at = 0; at < count; at++) {
        const size_t node = order[at];
        for (size_t e = links->first[node]; e < links->first[node + 1]; e++) {
            if (links->succ[e] < n && --awaited[links->succ[e]] == 0) {
                order[count++] = links->succ[e];
            }
        }
    }
    *out_count = count;
    return order;
}

struct run_path run_graph_longest(struct arena *arena, const struct run_graph *graph, int64_t now)
{
    const size_t n = graph->nodes.n;
    const struct links links = links_of(arena, graph);
    size_t count = 0;
    const size_t *order = in_order(arena, graph, &links, &count);
    int64_t *until = arena_array(arena, int64_t, n + 1); /* Longest way to the node's start. */
    size_t *before = arena_array(arena, size_t, n + 1);  /* On it: the node before, + 1. */
    struct run_path path = {0};
    size_t last = n;
    for (size_t at = 0; at < count; at++) {
        const size_t node = order[at];
        const int64_t end = until[node] + run_node_duration(&graph->nodes.v[node], now);
        if (last == n || end > path.duration_us) {
            path.duration_us = end;
            last = node;
        }
        for (size_t e = links.first[node]; e < links.first[node + 1]; e++) {
            const size_t succ = links.succ[e];
            if (before[succ] == 0 || end > until[succ]) {
                until[succ] = end;
                before[succ] = node + 1;
            }
        }
    }
    size_t length = 0;
    for (size_t at = last + 1; at > 0 && last < n; at = before[at - 1]) {
        VEC_PUSH(arena, &path.nodes, at - 1);
        length++;
    }
    for (size_t i = 0; i < length / 2; i++) {
        const size_t other = path.nodes.v[i];
        path.nodes.v[i] = path.nodes.v[length - 1 - i];
        path.nodes.v[length - 1 - i] = other;
    }
    return path;
}

bool *run_graph_after(struct arena *arena, const struct run_graph *graph, size_t from)
{
    const size_t n = graph->nodes.n;
    const struct links links = links_of(arena, graph);
    bool *reached = arena_array(arena, bool, n + 1);
    size_t *queue = arena_array(arena, size_t, n + 1);
    size_t count = 0;
    reached[from] = true;
    queue[count++] = from;
    for (size_t at = 0; at < count; at++) {
        for (size_t e = links.first[queue[at]]; e < links.first[queue[at] + 1]; e++) {
            const size_t succ = links.succ[e];
            if (succ < n && !reached[succ]) {
                reached[succ] = true;
                queue[count++] = succ;
            }
        }
    }
    return reached;
}
