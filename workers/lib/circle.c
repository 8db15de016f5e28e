#include "workers/lib/circle.h"

#include <stdbool.h>

#include "base/map.h"
#include "base/vec.h"

enum colour { WHITE, GREY, BLACK }; /* Not seen, on the way, done. */

struct node {
    VEC(size_t) edges; /* Positions of the edges that leave it. */
    size_t next;       /* Of them, the next to follow. */
    enum colour colour;
};

static struct node *node_of(struct arena *arena, struct map *nodes, struct str name)
{
    struct node *node = map_find_str(nodes, name);
    if (node == NULL) {
        node = arena_new(arena, struct node);
        map_put_str(arena, nodes, name, node);
    }
    return node;
}

struct walk {
    VEC(struct node *) path;
};

static void enter(struct arena *arena, struct walk *walk, struct node *node)
{
    node->colour = GREY;
    VEC_PUSH(arena, &walk->path, node);
}

/* Depth first from one node, with a stack of our own. */
static size_t follow(struct arena *arena, const struct map *nodes, const struct circle_edge *edges,
                     size_t n, struct node *start)
{
    struct walk walk = {0};
    enter(arena, &walk, start);
    while (walk.path.n > 0) {
        struct node *top = walk.path.v[walk.path.n - 1];
        if (top->next == top->edges.n) {
            top->colour = BLACK;
            walk.path.n--;
            continue;
        }
        const size_t edge = top->edges.v[top->next++];
        struct node *to = map_find_str(nodes, edges[edge].to);
        if (to->colour == GREY) {
            return edge;
        }
        if (to->colour == WHITE) {
            enter(arena, &walk, to);
        }
    }
    return n;
}

size_t circle_find(struct arena *arena, const struct circle_edge *edges, size_t n)
{
    struct map nodes = {0};
    for (size_t i = 0; i < n; i++) {
        struct node *from = node_of(arena, &nodes, edges[i].from);
        (void)node_of(arena, &nodes, edges[i].to);
        VEC_PUSH(arena, &from->edges, i);
    }
    for (size_t i = 0; i < nodes.n; i++) {
        struct node *node = nodes.entries[i].value;
        const size_t closing = node->colour == WHITE ? follow(arena, &nodes, edges, n, node) : n;
        if (closing < n) {
            return closing;
        }
    }
    return n;
}
