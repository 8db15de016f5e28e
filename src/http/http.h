/*
 * http - transport only: an HTTP/1.1 server on libmicrohttpd whose requests can wait without a
 * thread.
 *
 *   headers ──▶ begin ──▶ body (kept whole, or given to a sink) ──▶ step ──▶ answer ──▶ end
 *                │  ▲                                               │  ▲
 *                ▼  │ http_wake()                                   ▼  │ http_wake()
 *               waits                                              waits
 *
 * Use      http_open() with a handler. `begin` says what becomes of the body and names the first
 *          step in exchange->next, or waits: exchange->head then goes on with that before the body
 *          is read. A step either answers (http_answer…) or names the next step and
 *          has arranged for exactly one http_wake(). Every step of an exchange runs on the
 *          transport thread of its connection, so a step needs no locks for its own things.
 * Owns     an exchange belongs to its connection and is used again for the next request; what lies
 *          in its arena lives until `end`.
 * Threads  http_wake() and http_is_connected() from any thread while the exchange waits; the rest
 *          of an exchange from its steps only.
 * Bounds   connections, header bytes, body bytes of one request and of all together, idle time,
 *          time to receive a request: struct http_config.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER,
};

struct http_exchange;
struct http_server;

typedef void http_step(struct http_exchange *exchange);
/* Takes a body as it comes; returns how much it took. Less than offered: one http_wake() follows
 * when there is room again. */
typedef size_t http_sink(struct http_exchange *exchange, struct str bytes);
/* Gives up to `max` bytes of an answer. 0: none yet, one http_wake() follows; -1: cut the answer.
 */
typedef ssize_t http_source(struct http_exchange *exchange, uint64_t position, char *out,
                            size_t max);

struct http_exchange {
    enum http_method method;
    struct str path;    /* As sent: percent-encoded, without the query. */
    struct str body;    /* Whole, once steps run; empty with a sink. */
    struct arena arena; /* Of this request. */
    struct buf reply;   /* The body of the answer. */
    http_step *head; /* Set by begin: what runs after one http_wake(), before the body is read. */
    size_t body_max; /* Set by begin, or by that step. */
    http_sink *sink; /* The same, for bodies that are not kept; null otherwise. */
    http_step *next; /* What runs when the body is there, or after the wake. */
    void *ctx;       /* The handler's own. */
    int status;      /* Of the answer; 0 while there is none. */
};

struct http_handler {
    void *ctx;
    /* The headers are there. May answer at once: the body is then read and dropped. */
    void (*begin)(void *ctx, struct http_exchange *exchange);
    /* The transport refuses: answer with this. */
    void (*refuse)(void *ctx, struct http_exchange *exchange, enum err_code code,
                   const char *detail);
    /* Answered, or the connection is gone. Never while the exchange waits. */
    void (*end)(void *ctx, struct http_exchange *exchange);
};

struct http_config {
    const char *listen; /* "127.0.0.1:8700", "[::1]:0" */
    int32_t threads;
    int32_t connections_max;
    int32_t idle_timeout_s;
    int32_t receive_timeout_s;   /* From the end of the idle time to the whole request. */
    int32_t header_bytes;        /* Request line and headers; libmicrohttpd's pool. */
    int64_t bodies_max;          /* Bytes of all bodies held at once. */
    const char *tls_certificate; /* PEM text; null for plain HTTP. */
    const char *tls_key;
    struct http_handler handler;
};

enum err_code http_open(const struct http_config *config, struct http_server **out,
                        struct err *err);
/* The port that it listens on. */
int http_port(const struct http_server *server);
/* Connections open now. */
int64_t http_connections(const struct http_server *server);
/* Accepts no more connections; closes each after the answer that is under way. */
void http_quiesce(struct http_server *server);
/* Waits until no request is under way, at most so long; false when some are. */
bool http_drain(struct http_server *server, int64_t timeout_us);
/* Nothing may wait any more. */
void http_free(struct http_server *server);

/* The exchange's waiting is over. */
void http_wake(struct http_exchange *exchange);
/* The client has not closed its socket. */
bool http_is_connected(const struct http_exchange *exchange);

/* The client is on this machine, and no proxy says that it asks for somebody else. */
bool http_is_local(const struct http_exchange *exchange);
/* A request header, or empty with a null pointer when absent. */
struct str http_request_header(const struct http_exchange *exchange, const char *name);
/* Calls `each` for every query parameter, still percent-encoded, until it returns false. */
void http_query(const struct http_exchange *exchange,
                bool (*each)(void *ctx, struct str name, struct str value), void *ctx);
/* Content-Length, -1 when there is none, 0 when there is no body. */
int64_t http_content_length(const struct http_exchange *exchange);

/* Adds a header to the answer; the value is copied. */
void http_header(struct http_exchange *exchange, const char *name, struct str value);
/* Answers with exchange->reply; the content type may be null when that is empty. */
void http_answer(struct http_exchange *exchange, int status, const char *content_type);
/* Answers with `size` bytes that the source gives. */
void http_answer_stream(struct http_exchange *exchange, int status, uint64_t size,
                        http_source *source);

/* "127.0.0.1:8700" names this machine only. */
bool http_listen_is_loopback(const char *listen);

#endif
