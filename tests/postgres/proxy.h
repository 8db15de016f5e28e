/*
 * tests/postgres/proxy - stands between a ledger and its server, and cuts the connection at a
 * chosen moment.
 *
 * Use      proxy_new() of a server's URL; connect to proxy_url(); proxy_cut() arms one cut, of the
 *          connection that then does what was said; the next connection passes again.
 * Threads  one of its own; it serves one connection at a time.
 */
#ifndef TESTS_POSTGRES_PROXY_H
#define TESTS_POSTGRES_PROXY_H

#include <stdbool.h>
#include <stddef.h>

enum proxy_cut {
    PROXY_PASS,
    PROXY_CUT_NOW,           /* At once. */
    PROXY_CUT_BEFORE_LOCKS,  /* The client asked for the shards' locks; the server does not hear. */
    PROXY_CUT_BEFORE_COMMIT, /* The client sent COMMIT; the server does not hear. */
    PROXY_CUT_AFTER_COMMIT,  /* The server committed; the client does not hear. */
};

struct proxy;

struct proxy *proxy_new(const char *server_url);
void proxy_free(struct proxy *proxy);
const char *proxy_url(const struct proxy *proxy);
void proxy_cut(struct proxy *proxy, enum proxy_cut when);
/* Waits until the armed cut has happened. */
void proxy_wait_cut(struct proxy *proxy);

#endif
