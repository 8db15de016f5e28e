/*
 * http/connection - one connection and its exchange; between server.c and connection.c only.
 *
 * Waiting: `wake` is RUNNING while a callback of libmicrohttpd runs. Whoever wakes sets WOKEN; if
 * the connection was PARKED it is resumed. A callback that wants to wait suspends first and then
 * moves RUNNING to PARKED; if a wake came in between it resumes itself. So no wake is lost and
 * nothing is resumed that is not suspended.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"

enum wake_state { WAKE_RUNNING, WAKE_WOKEN, WAKE_PARKED };

/* More than that of a refused body is not read. */
enum { DISCARD_MAX = 1024 * 1024, KEEP_BODY = 64 * 1024 };

struct reply_header {
    const char *name;
    const char *value;
    struct reply_header *next;
};

struct http_connection {
    struct http_exchange exchange; /* First: the handler's view. */
    struct http_server *server;
    struct MHD_Connection *mhd;
    int fd;
    _Atomic int wake; /* enum wake_state */
    struct buf body;
    size_t body_counted; /* Of server->bodies. */
    uint64_t discarded;
    const char *fault; /* Of the head: where the next request begins is not certain. Or null. */
    const char *content_type;
    struct reply_header *headers;
    http_source *source;
    uint64_t source_size;
    bool active;              /* Between begin and end. */
    _Atomic int64_t quiet_us; /* Since when no whole request has come; 0: one is handled. */
    struct http_connection *next;
    struct http_connection *previous;
};

struct http_server {
    struct http_config config;
    struct MHD_Daemon *daemon;
    int listen_fd;
    int port;
    _Atomic bool quiesced;
    _Atomic int64_t active;
    _Atomic int64_t open;
    _Atomic int64_t bodies;
    pthread_mutex_t lock; /* The list, and `closing`. */
    pthread_cond_t ended; /* A request ended, or closing. */
    struct http_connection *connections;
    bool closing;
    pthread_t watchdog;
};

/* 127.0.0.0/8 or ::1, mapped or not. */
bool address_is_loopback(const struct sockaddr *address);

/* libmicrohttpd's callbacks. */
enum MHD_Result connection_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                                     const char *method, const char *version,
                                     const char *upload_data, size_t *upload_size, void **context);
void connection_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                             enum MHD_RequestTerminationCode code);
void connection_on_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code);

#endif
