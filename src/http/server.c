#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "http/connection.h"
#include "platform/clock.h"
#include "platform/thread.h"

enum { HOST_TEXT = 256, PORT_TEXT = 8, LISTEN_BACKLOG = 1024 };

/* Paths and queries are decoded by whoever reads them: "%2F" in a name is not a separator. */
static size_t leave_escaped(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

static bool listen_split(const char *listen, char host[HOST_TEXT], char port[PORT_TEXT])
{
    const char *colon = strrchr(listen, ':');
    if (colon == NULL) {
        return false;
    }
    const char *from = listen;
    size_t len = (size_t)(colon - listen);
    if (len >= 2 && from[0] == '[' && from[len - 1] == ']') {
        from++;
        len -= 2;
    }
    if (len == 0 || len >= HOST_TEXT || strlen(colon + 1) == 0 || strlen(colon + 1) >= PORT_TEXT) {
        return false;
    }
    (void)snprintf(host, HOST_TEXT, "%.*s", (int)len, from);
    (void)snprintf(port, PORT_TEXT, "%s", colon + 1);
    return true;
}

static struct addrinfo *listen_resolve(const char *listen)
{
    char host[HOST_TEXT];
    char port[PORT_TEXT];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (!listen_split(listen, host, port) || getaddrinfo(host, port, &hints, &found) != 0) {
        return NULL;
    }
    return found;
}

bool address_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *v6 = (const void *)address;
    return address->sa_family == AF_INET6 &&
           (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
            (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127));
}

bool http_listen_is_loopback(const char *listen)
{
    struct addrinfo *found = listen_resolve(listen);
    const bool loopback = found != NULL && address_is_loopback(found->ai_addr);
    if (found != NULL) {
        freeaddrinfo(found);
    }
    return loopback;
}

static enum err_code listen_open(struct http_server *server, const char *listen_on, struct err *err)
{
    struct addrinfo *found = listen_resolve(listen_on);
    if (found == NULL) {
        return err_set(err, ERR_USAGE, "cannot listen on \"%s\": not an address and a port",
                       listen_on);
    }
    const int on = 1;
    struct sockaddr_storage bound;
    socklen_t bound_len = sizeof(bound);
    const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool open = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                      bind(fd, found->ai_addr, found->ai_addrlen) == 0 &&
                      listen(fd, LISTEN_BACKLOG) == 0 &&
                      getsockname(fd, (struct sockaddr *)&bound, &bound_len) == 0;
    const int why = errno;
    freeaddrinfo(found);
    if (!open) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return err_set(err, ERR_IO, "cannot listen on %s: %s", listen_on, strerror(why));
    }
    server->listen_fd = fd;
    server->port = bound.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&bound)->sin6_port)
                                               : ntohs(((struct sockaddr_in *)&bound)->sin_port);
    return ERR_OK;
}

/* Shuts the sockets of clients that send so slowly that libmicrohttpd, which counts from the last
 * byte, would wait for ever. */
static void cut_slow(struct http_server *server)
{
    const int64_t patience =
        (server->config.idle_timeout_s + server->config.receive_timeout_s) * US_PER_S;
    const int64_t now = clock_mono().us;
    for (struct http_connection *c = server->connections; c != NULL; c = c->next) {
        const int64_t quiet = atomic_load(&c->quiet_us);
        if (quiet != 0 && now - quiet > patience) {
            (void)shutdown(c->fd, SHUT_RDWR);
        }
    }
}

static void *watch(void *arg)
{
    struct http_server *server = arg;
    mutex_take(&server->lock);
    while (!server->closing) {
        cut_slow(server);
        wake_wait_for(&server->ended, &server->lock, US_PER_S);
    }
    mutex_give(&server->lock);
    return NULL;
}

static struct MHD_Daemon *daemon_start(struct http_server *server)
{
    const struct http_config *config = &server->config;
    unsigned int flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_TURBO;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, server->listen_fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, config->connections_max, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, config->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, config->header_bytes, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)connection_on_completed, server},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_on_notify, server},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    size_t n = sizeof(options) / sizeof(options[0]) - 4;
    /* A pool of one is refused by libmicrohttpd. */
    if (config->threads > 1) {
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, config->threads, NULL};
    }
    if (config->tls_certificate != NULL) {
        flags |= MHD_USE_TLS;
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                               (void *)(uintptr_t)config->tls_certificate};
        options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                               (void *)(uintptr_t)config->tls_key};
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, connection_on_access, server, MHD_OPTION_ARRAY,
                            options, MHD_OPTION_END);
}

enum err_code http_open(const struct http_config *config, struct http_server **out, struct err *err)
{
    struct http_server *server = calloc(1, sizeof(*server));
    CHECK(server != NULL);
    server->config = *config;
    server->listen_fd = -1;
    mutex_init(&server->lock);
    wake_init(&server->ended);
    const enum err_code code = listen_open(server, config->listen, err);
    if (code != ERR_OK) {
        free(server);
        return code;
    }
    *out = server; /* Before the first request comes: handlers may look at it. */
    server->daemon = daemon_start(server);
    if (server->daemon == NULL) {
        *out = NULL;
        (void)close(server->listen_fd);
        free(server);
        return err_set(err, ERR_IO, "the HTTP server could not be started");
    }
    const enum err_code watched =
        thread_start(&server->watchdog, "http-watchdog", watch, server, err);
    if (watched != ERR_OK) {
        *out = NULL;
        MHD_stop_daemon(server->daemon);
        free(server);
    }
    return watched;
}

int http_port(const struct http_server *server)
{
    return server->port;
}

int64_t http_connections(const struct http_server *server)
{
    return atomic_load(&server->open);
}

void http_quiesce(struct http_server *server)
{
    if (!atomic_exchange(&server->quiesced, true)) {
        const int fd = MHD_quiesce_daemon(server->daemon);
        if (fd >= 0) {
            (void)close(fd);
        }
    }
}

bool http_drain(struct http_server *server, int64_t timeout_us)
{
    const int64_t until = clock_mono().us + timeout_us;
    mutex_take(&server->lock);
    while (atomic_load(&server->active) > 0 && clock_mono().us < until) {
        wake_wait_for(&server->ended, &server->lock, until - clock_mono().us);
    }
    mutex_give(&server->lock);
    return atomic_load(&server->active) == 0;
}

void http_free(struct http_server *server)
{
    http_quiesce(server);
    mutex_take(&server->lock);
    server->closing = true;
    wake_all(&server->ended);
    mutex_give(&server->lock);
    thread_join(server->watchdog);
    MHD_stop_daemon(server->daemon);
    wake_fini(&server->ended);
    mutex_fini(&server->lock);
    free(server);
}
