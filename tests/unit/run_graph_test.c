/* The longest path and what comes after a job, against walks that try everything. */
#include "lib/cmocka.h"

#include "query/run_graph.h"

enum { ROUNDS = 300, NODES = 12, NOW = 1000000 };

static uint64_t seed = 20261122;

static int64_t draw(int64_t below)
{
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (int64_t)((seed >> 33) % (uint64_t)below);
}

/* A graph whose edges go from lower to higher places of a random order of the jobs. */
static void graph_make(struct arena *arena, struct run_graph *graph, size_t n, int64_t chance)
{
    size_t place[NODES];
    graph->is_there = true;
    for (size_t i = 0; i < n; i++) {
        place[i] = i;
        const int64_t begin = draw(3) == 0 ? 0 : 1 + draw(NOW - 1);
        VEC_PUSH(
            arena, &graph->nodes,
            ((struct run_node){.job = {(int64_t)i + 40},
                               .claimed_at = begin,
                               .ended_at = begin > 0 && draw(2) == 0 ? begin + draw(500) : 0}));
    }
    for (size_t i = n; i > 1; i--) {
        const size_t other = (size_t)draw((int64_t)i);
        const size_t kept = place[i - 1];
        place[i - 1] = place[other];
        place[other] = kept;
    }
    for (size_t from = 0; from < n; from++) {
        for (size_t to = 0; to < n; to++) {
            if (place[from] < place[to] && draw(100) < chance) {
                VEC_PUSH(arena, &graph->edges,
                         ((struct edge_row){.pred = (int64_t)from + 40, .succ = (int64_t)to + 40}));
            }
        }
    }
}

/* Longest way to the end of each node, by trying every edge as often as there are nodes. */
static int64_t longest(const struct run_graph *graph)
{
    int64_t end[NODES];
    int64_t best = 0;
    for (size_t i = 0; i < graph->nodes.n; i++) {
        end[i] = run_node_duration(&graph->nodes.v[i], NOW);
    }
    for (size_t round = 0; round < graph->nodes.n; round++) {
        for (size_t e = 0; e < graph->edges.n; e++) {
            const size_t from = (size_t)graph->edges.v[e].pred - 40;
            const size_t to = (size_t)graph->edges.v[e].succ - 40;
            const int64_t by = end[from] + run_node_duration(&graph->nodes.v[to], NOW);
            end[to] = by > end[to] ? by : end[to];
        }
    }
    for (size_t i = 0; i < graph->nodes.n; i++) {
        best = end[i] > best ? end[i] : best;
    }
    return best;
}

static bool is_edge(const struct run_graph *graph, size_t from, size_t to)
{
    for (size_t e = 0; e < graph->edges.n; e++) {
        if (graph->edges.v[e].pred == (int64_t)from + 40 &&
            graph->edges.v[e].succ == (int64_t)to + 40) {
            return true;
        }
    }
    return false;
}

static void the_longest_path_is_a_path_and_none_is_longer(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct arena arena;
        struct run_graph graph = {0};
        arena_init(&arena, 1 << 20);
        graph_make(&arena, &graph, 1 + (size_t)draw(NODES), draw(100));
        const struct run_path path = run_graph_longest(&arena, &graph, NOW);
        int64_t sum = 0;
        assert_true(path.nodes.n >= 1);
        for (size_t i = 0; i < path.nodes.n; i++) {
            sum += run_node_duration(&graph.nodes.v[path.nodes.v[i]], NOW);
            assert_true(i == 0 || is_edge(&graph, path.nodes.v[i - 1], path.nodes.v[i]));
        }
        assert_int_equal(sum, path.duration_us);
        assert_int_equal(path.duration_us, longest(&graph));
        arena_fini(&arena);
    }
}

static void what_comes_after_a_job_is_all_that_edges_reach(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct arena arena;
        struct run_graph graph = {0};
        arena_init(&arena, 1 << 20);
        graph_make(&arena, &graph, 1 + (size_t)draw(NODES), 25);
        const size_t from = (size_t)draw((int64_t)graph.nodes.n);
        bool expected[NODES] = {false};
        expected[from] = true;
        for (size_t i = 0; i < graph.nodes.n; i++) {
            for (size_t e = 0; e < graph.edges.n; e++) {
                expected[graph.edges.v[e].succ - 40] |= expected[graph.edges.v[e].pred - 40];
            }
        }
        const bool *reached = run_graph_after(&arena, &graph, from);
        for (size_t i = 0; i < graph.nodes.n; i++) {
            assert_int_equal(reached[i], expected[i]);
        }
        arena_fini(&arena);
    }
}

static void an_empty_run_has_an_empty_path(void **state)
{
    (void)state;
    struct arena arena;
    const struct run_graph graph = {0};
    arena_init(&arena, 1 << 20);
    const struct run_path path = run_graph_longest(&arena, &graph, NOW);
    assert_int_equal(path.nodes.n, 0);
    assert_int_equal(path.duration_us, 0);
    assert_int_equal(run_graph_find(&graph, 1), 0);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_path_is_a_path_and_none_is_longer),
        cmocka_unit_test(what_comes_after_a_job_is_all_that_edges_reach),
        cmocka_unit_test(an_empty_run_has_an_empty_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
