/*
 * serve/node - the parts of a serving node, started and stopped in order.
 *
 *   ledger ─▶ blobs ─▶ engine ─▶ tokens ─▶ API ─▶ HTTP      and back
 */
#ifndef SERVE_NODE_H
#define SERVE_NODE_H

#include "api/call.h"

struct node {
    struct arena arena;
    struct settings settings;
    struct ledger_target target;
    struct api api;
    char admin_token[64]; /* The text, when it was made just now; else empty. */
    bool paused;          /* The installation, as this node began. */
    const char *certificate;
    const char *key;
};

/* Starts everything; on failure stops what was started. */
enum err_code node_start(struct node *node, struct err *err);
/* Refuses what is new, answers everything accepted, stops. False: requests had to be cut. */
bool node_stop(struct node *node);

/* Sees to the admin token and, when asked, the worker token: their files and the ledger agree. */
enum err_code node_tokens(struct node *node, struct err *err);

#endif
