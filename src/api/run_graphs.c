/* api/run_graphs - a run as a graph: its DAG in pages, its timeline, its longest path. */
#include "api/views.h"
#include "platform/clock.h"
#include "query/run_graph.h"

enum { DAG_PAGE = 5000, ATTEMPTS_SHOWN = 100 };

static struct query run_query(struct call *call, const char *name, struct run_id run)
{
    struct query q = tenant_query(call, name);
    query_arg_int(&q, run.v);
    return q;
}

static void not_found(struct call *call)
{
    call_refuse(call, ERR_NOT_FOUND, err_info(ERR_NOT_FOUND)->title);
}

static bool read_run_row(struct call *call, struct reader *reader, struct run_id run,
                         struct run_row *out)
{
    struct query_result found;
    const struct query q = run_query(call, "run", run);
    if (reader_query(reader, &q, &found, &call->err) != ERR_OK || found.rows == 0) {
        return false;
    }
    *out = *(const struct run_row *)query_row(&found, 0, TABLE_RUNS, call->arena);
    return true;
}

static enum err_code read_nodes(struct call *call, struct reader *reader, struct run_id run,
                                int64_t after, int64_t limit, struct query_result *out)
{
    struct query q = run_query(call, "run_nodes_page", run);
    query_arg_int(&q, after);
    query_arg_int(&q, limit);
    return reader_query(reader, &q, out, &call->err);
}

static void put_job_id(struct json_writer *w, struct job_id job)
{
    char id[ID_TEXT];
    job_id_format(job, id);
    json_put_str(w, str_from(id));
}

/* ---- DAG ---- */

/* A page holds jobs, then, when those are all told, edges. */
struct dag {
    struct run_id run;
    bool is_there;
    struct page page;
    struct query_result jobs;
    struct query_result edges;
};

static void read_dag(struct call *call, struct reader *reader)
{
    struct dag *dag = call->state;
    const struct cursor *at = &dag->page.at;
    const bool in_edges = str_eq(at->name, STR("edges"));
    struct run_row run;
    dag->is_there = read_run_row(call, reader, dag->run, &run);
    if (!dag->is_there) {
        return;
    }
    if (!in_edges && read_nodes(call, reader, dag->run, at->keys[0], dag->page.limit + 1,
                                &dag->jobs) != ERR_OK) {
        return;
    }
    const int64_t left = dag->page.limit - (int64_t)dag->jobs.rows;
    if (left >= 0) {
        struct query q = run_query(call, "edges_of_run", dag->run);
        query_arg_int(&q, in_edges ? at->keys[0] : 0);
        query_arg_int(&q, in_edges ? at->keys[1] : 0);
        query_arg_int(&q, left + 1);
        (void)reader_query(reader, &q, &dag->edges, &call->err);
    }
}

static void put_edge(struct json_writer *w, const struct edge_row *edge)
{
    json_put_object(w);
    JSON_KEY(w, "from");
    put_job_id(w, (struct job_id){edge->pred});
    JSON_STR(w, "on", edge->kind == EDGE_ALWAYS ? STR("always") : STR("success"));
    JSON_KEY(w, "to");
    put_job_id(w, (struct job_id){edge->succ});
    json_put_object_end(w);
}

static void put_node(struct json_writer *w, const struct run_node *node)
{
    json_put_object(w);
    JSON_KEY(w, "id");
    put_job_id(w, node->job);
    JSON_STR(w, "name", node->name);
    JSON_STR(w, "state", str_from(job_state_name(node->state)));
    JSON_STR(w, "type", node->job_type);
    json_put_object_end(w);
}

static void put_dag_jobs(struct json_writer *w, struct dag *dag)
{
    struct page *page = &dag->page;
    JSON_KEY(w, "jobs");
    json_put_array(w);
    for (size_t i = 0; i < dag->jobs.rows && i < (size_t)page->limit; i++) {
        const struct run_node node = run_node_of(&dag->jobs, i);
        put_node(w, &node);
        if (dag->jobs.rows > (size_t)page->limit) {
            page->has_next = true;
            page->next = (struct cursor){.keys = {node.job.v}};
        }
    }
    json_put_array_end(w);
}

static void put_dag_edges(struct json_writer *w, struct dag *dag, struct arena *arena)
{
    struct page *page = &dag->page;
    const size_t room =
        (size_t)page->limit > dag->jobs.rows ? (size_t)page->limit - dag->jobs.rows : 0;
    JSON_KEY(w, "edges");
    json_put_array(w);
    for (size_t i = 0; i < dag->edges.rows && i < room; i++) {
        const struct edge_row *edge =
            (const struct edge_row *)query_row(&dag->edges, i, TABLE_DAG_EDGES, arena);
        put_edge(w, edge);
        page->next = (struct cursor){.keys = {edge->pred, edge->succ}, .name = STR("edges")};
    }
    json_put_array_end(w);
    if (dag->edges.rows > room) {
        page->has_next = true;
        if (room == 0) {
            page->next = (struct cursor){.name = STR("edges")};
        }
    }
}

static void dag_is_read(struct call *call)
{
    struct dag *dag = call->state;
    if (!dag->is_there) {
        not_found(call);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    put_dag_edges(&w, dag, call->arena);
    put_dag_jobs(&w, dag);
    page_end(call, &w, &dag->page);
}

void api_get_run_dag(struct call *call)
{
    struct dag *dag = arena_new(call->arena, struct dag);
    struct str limit = {0};
    struct str cursor = {0};
    const struct query_param params[] = {{"limit", &limit}, {"cursor", &cursor}};
    call->state = dag;
    if (!take_run_id(call, &dag->run) || !call_query(call, params, 2) ||
        !page_begin(call, &dag->page, STR(""), cursor, call->args[0])) {
        return;
    }
    dag->page.limit = DAG_PAGE;
    if (call_number(call, "limit", limit, 1, DAG_PAGE, &dag->page.limit)) {
        call_read(call, read_dag, dag_is_read);
    }
}

/* ---- Timeline ---- */

/* One attempt, or a job that has not begun one. */
struct bar {
    struct run_node node;
    int64_t attempt;
    int64_t start; /* 0: not begun. */
    int64_t end;   /* 0: it goes on. */
    const char *state;
    struct str worker;
};

struct timeline {
    struct run_id run;
    bool is_there;
    struct run_row row;
    struct page page;
    VEC(struct bar) bars;
};

static enum err_code add_attempts(struct call *call, struct reader *reader,
                                  const struct run_node *node)
{
    struct timeline *timeline = call->state;
    struct query_result found;
    struct query q = tenant_query(call, "attempts_page");
    query_arg_int(&q, node->job.v);
    query_arg_int(&q, 0);
    query_arg_int(&q, ATTEMPTS_SHOWN);
    TRY(reader_query(reader, &q, &found, &call->err));
    for (size_t i = 0; i < found.rows; i++) {
        const struct attempt_row *row =
            (const struct attempt_row *)query_row(&found, i, TABLE_ATTEMPTS, call->arena);
        VEC_PUSH(call->arena, &timeline->bars,
                 ((struct bar){.node = *node,
                               .attempt = row->grant,
                               .start = row->claimed_at,
                               .end = row->ended_at,
                               .state = attempt_ending_name((enum attempt_ending)row->ending),
                               .worker = row->worker}));
    }
    return ERR_OK;
}

static void add_last(struct call *call, const struct run_node *node)
{
    struct timeline *timeline = call->state;
    const bool begun = node->claimed_at > 0;
    VEC_PUSH(call->arena, &timeline->bars,
             ((struct bar){.node = *node,
                           .attempt = begun ? node->grant : 0,
                           .start = node->claimed_at,
                           .end = node->ended_at,
                           .state = job_state_name(node->state),
                           .worker = node->worker}));
}

static void read_timeline(struct call *call, struct reader *reader)
{
    struct timeline *timeline = call->state;
    struct page *page = &timeline->page;
    struct query_result nodes;
    timeline->is_there = read_run_row(call, reader, timeline->run, &timeline->row);
    if (!timeline->is_there || read_nodes(call, reader, timeline->run, page->at.keys[0],
                                          page->limit + 1, &nodes) != ERR_OK) {
        return;
    }
    page->has_next = nodes.rows > (size_t)page->limit;
    for (size_t i = 0; i < nodes.rows && i < (size_t)page->limit; i++) {
        const struct run_node node = run_node_of(&nodes, i);
        const bool earlier = node.grant > (node.claimed_at > 0 ? 1 : 0);
        page->next.keys[0] = node.job.v;
        if (earlier && add_attempts(call, reader, &node) != ERR_OK) {
            return;
        }
        add_last(call, &node);
    }
}

/* Milliseconds since the run was submitted; null for never. */
static void put_offset(struct json_writer *w, const struct timeline *timeline, int64_t at)
{
    if (at == 0) {
        json_put_null(w);
    } else {
        json_put_int(w, (at - timeline->row.submitted_at) / US_PER_MS);
    }
}

enum column {
    COLUMN_ATTEMPT,
    COLUMN_END,
    COLUMN_JOB,
    COLUMN_NAME,
    COLUMN_START,
    COLUMN_STATE,
    COLUMN_JOB_TYPE,
    COLUMN_WORKER
};

static void put_cell(struct json_writer *w, const struct timeline *timeline, const struct bar *bar,
                     enum column column)
{
    switch (column) {
    case COLUMN_ATTEMPT: json_put_int(w, bar->attempt); break;
    case COLUMN_END: put_offset(w, timeline, bar->end); break;
    case COLUMN_JOB: put_job_id(w, bar->node.job); break;
    case COLUMN_NAME: json_put_str(w, bar->node.name); break;
    case COLUMN_START: put_offset(w, timeline, bar->start); break;
    case COLUMN_STATE: json_put_str(w, str_from(bar->state)); break;
    case COLUMN_JOB_TYPE: json_put_str(w, bar->node.job_type); break;
    case COLUMN_WORKER: json_put_str(w, bar->worker); break;
    }
}

static void timeline_is_read(struct call *call)
{
    static const char *const names[] = {"attempt",  "end_ms", "job",  "name",
                                        "start_ms", "state",  "type", "worker"};
    struct timeline *timeline = call->state;
    if (!timeline->is_there) {
        not_found(call);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_TIME(&w, "base_at", timeline->row.submitted_at);
    JSON_KEY(&w, "columns");
    json_put_object(&w);
    for (size_t c = 0; c < sizeof(names) / sizeof(names[0]); c++) {
        json_put_key(&w, str_from(names[c]));
        json_put_array(&w);
        for (size_t i = 0; i < timeline->bars.n; i++) {
            put_cell(&w, timeline, &timeline->bars.v[i], (enum column)c);
        }
        json_put_array_end(&w);
    }
    json_put_object_end(&w);
    page_end(call, &w, &timeline->page);
}

void api_get_run_timeline(struct call *call)
{
    struct timeline *timeline = arena_new(call->arena, struct timeline);
    call->state = timeline;
    if (take_run_id(call, &timeline->run) && page_take(call, &timeline->page, call->args[0])) {
        call_read(call, read_timeline, timeline_is_read);
    }
}

/* ---- Critical path ---- */

struct critical {
    struct run_id run;
    struct run_graph graph;
    struct run_path path;
    int64_t now;
};

static void read_critical(struct call *call, struct reader *reader)
{
    struct critical *critical = call->state;
    if (run_graph_read(reader, call->shard, call->tenant, critical->run, call->arena,
                       &critical->graph, &call->err) == ERR_OK &&
        critical->graph.is_there) {
        critical->path = run_graph_longest(call->arena, &critical->graph, critical->now);
    }
}

static void critical_is_read(struct call *call)
{
    const struct critical *critical = call->state;
    if (!critical->graph.is_there) {
        not_found(call);
        return;
    }
    struct json_writer w = call_json(call);
    json_put_object(&w);
    JSON_INT(&w, "duration_ms", critical->path.duration_us / US_PER_MS);
    JSON_KEY(&w, "items");
    json_put_array(&w);
    for (size_t i = 0; i < critical->path.nodes.n; i++) {
        const struct run_node *node = &critical->graph.nodes.v[critical->path.nodes.v[i]];
        json_put_object(&w);
        JSON_INT(&w, "duration_ms", run_node_duration(node, critical->now) / US_PER_MS);
        JSON_KEY(&w, "id");
        put_job_id(&w, node->job);
        JSON_STR(&w, "name", node->name);
        JSON_STR(&w, "state", str_from(job_state_name(node->state)));
        JSON_STR(&w, "type", node->job_type);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    call_answer(call, 200);
}

void api_get_run_critical_path(struct call *call)
{
    struct critical *critical = arena_new(call->arena, struct critical);
    critical->now = clock_wall().us;
    call->state = critical;
    if (take_run_id(call, &critical->run)) {
        call_read(call, read_critical, critical_is_read);
    }
}
