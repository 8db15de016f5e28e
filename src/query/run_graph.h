/*
 * query/run_graph - a run as a graph: its jobs, who waits for whom, its longest path.
 *
 * Use      run_graph_read(), then the pure functions.
 * Owns     everything lies in the caller's arena.
 * Bounds   RUN_JOBS_MAX jobs; all walks are linear in jobs + edges, without recursion.
 */
#ifndef QUERY_RUN_GRAPH_H
#define QUERY_RUN_GRAPH_H

#include "base/vec.h"
#include "core/command.h"
#include "ledger/ledger.h"

/* One job, as far as its graph is concerned. */
struct run_node {
    struct job_id job;
    struct str name;
    struct str job_type;
    struct str source;
    struct str worker;
    enum job_state state;
    int16_t priority;   /* Asked at submit. */
    int64_t grant;      /* Attempts begun. */
    int64_t claimed_at; /* Of the last attempt; 0: none, or it is waiting again. */
    int64_t ended_at;   /* 0: it has not ended. */
};

struct run_graph {
    bool is_there;
    struct run_row run;
    VEC(struct run_node) nodes; /* By job. */
    VEC(struct edge_row) edges; /* By (pred, succ). */
};

struct run_node run_node_of(const struct query_result *result, size_t row);

/* The whole run; is_there is false when there is none. */
enum err_code run_graph_read(struct reader *reader, int16_t shard, struct tenant_id tenant,
                             struct run_id run, struct arena *arena, struct run_graph *out,
                             struct err *err);

/* Where the job stands among the nodes; nodes.n when it is none of them. */
size_t run_graph_find(const struct run_graph *graph, int64_t job);

/* How long the node's last attempt took, or takes until now; 0 when it never began. */
int64_t run_node_duration(const struct run_node *node, int64_t now);

struct run_path {
    int64_t duration_us;
    VEC(size_t) nodes; /* From the first to the last. */
};

/* The path with the greatest sum of durations. */
struct run_path run_graph_longest(struct arena *arena, const struct run_graph *graph, int64_t now);

/* By node: whether it is `from`, or comes after it on any way. */
bool *run_graph_after(struct arena *arena, const struct run_graph *graph, size_t from);

#endif
