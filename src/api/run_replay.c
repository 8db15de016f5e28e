/* api/run_replay - a new run from one job of an older one and all that comes after it. What was
 * asked never changes, so it is read outside the ledger's transaction. */
#include "api/decode.h"
#include "api/submits.h"
#include "api/views.h"
#include "query/run_graph.h"

enum { PAYLOADS_PAGE = 500 };

struct replay {
    struct run_id run;
    struct str from; /* Id or name of a job of the run. */
    struct run_graph graph;
    size_t node;    /* Where it begins. */
    bool *replayed; /* By node. */
    size_t *item;   /* By node: its place in the new run. */
    VEC(struct submit_item) items;
};

static void find_node(struct call *call, struct replay *replay)
{
    struct job_id job = {0};
    const struct run_graph *graph = &replay->graph;
    replay->node = job_id_parse(replay->from, &job) ? run_graph_find(graph, job.v) : graph->nodes.n;
    for (size_t i = 0; i < graph->nodes.n && replay->node == graph->nodes.n; i++) {
        if (str_eq(graph->nodes.v[i].name, replay->from)) {
            replay->node = i;
        }
    }
    if (!graph->is_there) {
        (void)err_set(&call->err, ERR_NOT_FOUND, "there is no such run");
    } else if (replay->node == graph->nodes.n) {
        (void)err_at(&call->err, ERR_UNPROCESSABLE, "/from", "the run has no such job");
    } else if (!job_has_ended(graph->nodes.v[replay->node].state)) {
        (void)err_set(&call->err, ERR_INVALID_TRANSITION, "a job that is %s cannot be replayed",
                      job_state_name(graph->nodes.v[replay->node].state));
    }
}

/* What the replayed jobs need from others is not done again: it must have ended as they ask. */
static void check_inputs(struct call *call, const struct replay *replay)
{
    const struct run_graph *graph = &replay->graph;
    for (size_t i = 0; i < graph->edges.n; i++) {
        const struct edge_row *edge = &graph->edges.v[i];
        const size_t pred = run_graph_find(graph, edge->pred);
        const size_t succ = run_graph_find(graph, edge->succ);
        if (pred == graph->nodes.n || succ == graph->nodes.n || replay->replayed[pred] ||
            !replay->replayed[succ]) {
            continue;
        }
        const enum job_state state = graph->nodes.v[pred].state;
        const bool is_met =
            edge->kind == EDGE_ALWAYS ? job_has_ended(state) : state == JOB_SUCCEEDED;
        if (!is_met) {
            (void)err_set(&call->err, ERR_CONFLICT,
                          "job-%lld needs job-%lld, which is %s; replay from there",
                          (long long)edge->succ, (long long)edge->pred, job_state_name(state));
            return;
        }
    }
}

static void add_items(struct call *call, struct replay *replay)
{
    const struct run_graph *graph = &replay->graph;
    replay->item = arena_array(call->arena, size_t, graph->nodes.n + 1);
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const struct run_node *node = &graph->nodes.v[i];
        if (!replay->replayed[i]) {
            continue;
        }
        replay->item[i] = replay->items.n;
        VEC_PUSH(call->arena, &replay->items,
                 ((struct submit_item){.job_type = node->job_type,
                                       .source = node->source,
                                       .name = node->name,
                                       .priority = node->priority,
                                       .replay_of = node->job}));
    }
}

/* Edges within what is replayed, grouped by the job that needs. */
static void add_needs(struct call *call, struct replay *replay)
{
    const struct run_graph *graph = &replay->graph;
    struct need *needs = arena_array(call->arena, struct need, graph->edges.n + 1);
    size_t *counts = arena_array(call->arena, size_t, replay->items.n + 1);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < graph->edges.n; i++) {
            const struct edge_row *edge = &graph->edges.v[i];
            const size_t pred = run_graph_find(graph, edge->pred);
            const size_t succ = run_graph_find(graph, edge->succ);
            if (pred == graph->nodes.n || succ == graph->nodes.n || !replay->replayed[pred]) {
                continue;
            }
            const size_t item = replay->item[succ];
            if (pass == 0) {
                counts[item]++;
            } else {
                struct submit_item *to = &replay->items.v[item];
                needs[counts[item] + to->need_count++] =
                    (struct need){(int32_t)replay->item[pred], (enum edge_kind)edge->kind};
            }
        }
        size_t first = 0;
        for (size_t i = 0; pass == 0 && i < replay->items.n; i++) {
            const size_t count = counts[i];
            counts[i] = first;
            replay->items.v[i].needs = &needs[first];
            first += count;
        }
    }
}

static enum err_code read_payloads(struct call *call, struct reader *reader, struct replay *replay)
{
    int64_t after = replay->items.v[0].replay_of.v - 1;
    struct query_result found;
    size_t next = 0;
    do {
        struct query q = tenant_query(call, "run_payloads_page");
        query_arg_int(&q, replay->run.v);
        query_arg_int(&q, after);
        query_arg_int(&q, PAYLOADS_PAGE);
        TRY(reader_query(reader, &q, &found, &call->err));
        for (size_t i = 0; i < found.rows; i++) {
            after = query_int(&found, i, "job");
            if (next < replay->items.n && replay->items.v[next].replay_of.v == after) {
                replay->items.v[next].payload = query_text(&found, i, "payload");
                if (replay->items.v[next].payload.len == 0) {
                    return err_set(&call->err, ERR_PAYLOAD_ERASED,
                                   "the payload of job-%lld was erased; submit it anew",
                                   (long long)after);
                }
                replay->items.v[next++].traceparent = query_text(&found, i, "traceparent");
            }
        }
    } while (found.rows == PAYLOADS_PAGE && next < replay->items.n);
    return ERR_OK;
}

static void read_replay(struct call *call, struct reader *reader)
{
    struct replay *replay = call->state;
    if (run_graph_read(reader, call->shard, call->tenant, replay->run, call->arena, &replay->graph,
                       &call->err) != ERR_OK) {
        return;
    }
    find_node(call, replay);
    if (call->err.code != ERR_OK) {
        return;
    }
    replay->replayed = run_graph_after(call->arena, &replay->graph, replay->node);
    check_inputs(call, replay);
    if (call->err.code == ERR_OK) {
        add_items(call, replay);
        add_needs(call, replay);
        (void)read_payloads(call, reader, replay);
    }
}

static void submit_replay(struct call *call)
{
    struct replay *replay = call->state;
    struct command *command = call_command(call, COMMAND_RUN_SUBMIT);
    struct run_submit *run = &command->run;
    submit_digest(replay->items.v, replay->items.n);
    run->name = replay->graph.run.name;
    run->digest = call_digest(call);
    run->replay_of = replay->run;
    run->replay_from = replay->graph.nodes.v[replay->node].job;
    run->items = replay->items.v;
    run->count = replay->items.n;
    run->error_at = replay->items.n;
    command->request_key = call->request_key;
    command->request_digest = run->digest;
    run_submit_send(call, command);
}

void api_replay_run(struct call *call)
{
    struct replay *replay = arena_new(call->arena, struct replay);
    static const struct field fields[] = {{"from", FIELD_TEXT, .required = true, .min = 1,
                                           .max = NAME_MAX_LEN,
                                           .offset = offsetof(struct replay, from)}};
    call->state = replay;
    if (!take_run_id(call, &replay->run)) {
        return;
    }
    if (decode_body(call->arena, call->exchange->body, fields, 1, replay, &call->document,
                    &call->err) != ERR_OK) {
        call_fail(call);
        return;
    }
    call_read(call, read_replay, submit_replay);
}
