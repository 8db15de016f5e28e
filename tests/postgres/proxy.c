#include "postgres/proxy.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"

enum { TEXT = 256, CHUNK = 64 * 1024, CARRY = 16, TICK_MS = 5 };

struct proxy {
    char host[TEXT]; /* A folder: a unix socket in it. */
    char port[TEXT];
    char url[TEXT * 4];
    int listener;
    pthread_t thread;
    pthread_mutex_t mutex; /* Guards when and stopping. */
    enum proxy_cut when;
    bool stopping;
};

/* One direction of a connection: what was read last, with the end of what came before it, so that
 * a word cut in two by the network is seen. */
struct stream {
    int from;
    int to;
    char bytes[CARRY + CHUNK];
    size_t carry;
};

static enum proxy_cut when_of(struct proxy *proxy, bool *out_stopping)
{
    CHECK(pthread_mutex_lock(&proxy->mutex) == 0);
    const enum proxy_cut when = proxy->when;
    *out_stopping = proxy->stopping;
    CHECK(pthread_mutex_unlock(&proxy->mutex) == 0);
    return when;
}

void proxy_cut(struct proxy *proxy, enum proxy_cut when)
{
    CHECK(pthread_mutex_lock(&proxy->mutex) == 0);
    proxy->when = when;
    CHECK(pthread_mutex_unlock(&proxy->mutex) == 0);
}

void proxy_wait_cut(struct proxy *proxy)
{
    bool stopping = false;
    while (when_of(proxy, &stopping) != PROXY_PASS) {
        (void)poll(NULL, 0, 1);
    }
}

static int connect_to(const struct proxy *proxy)
{
    const int port = (int)strtol(proxy->port, NULL, 10);
    int fd = -1;
    int code = -1;
    if (proxy->host[0] == '/') {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        (void)snprintf(at.sun_path, sizeof(at.sun_path), "%.80s/.s.PGSQL.%d", proxy->host, port);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        code = connect(fd, (const struct sockaddr *)&at, sizeof(at));
    } else {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        CHECK(inet_pton(AF_INET, proxy->host, &at.sin_addr) == 1);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        code = connect(fd, (const struct sockaddr *)&at, sizeof(at));
    }
    CHECK(code == 0);
    return fd;
}

/* What the bytes must hold for the cut; null when this direction has nothing to do with it. */
static const char *word_of(enum proxy_cut when, bool from_client, size_t *out_len)
{
    /* In a Bind message: no portal's name, then the statement's. In a CommandComplete: the tag. */
    static const char locks[] = "\0load_shard";
    static const char commit[] = "\0commit";
    static const char tag[] = "COMMIT";
    if (when == PROXY_CUT_BEFORE_LOCKS && from_client) {
        *out_len = sizeof(locks);
        return locks;
    }
    if (when == PROXY_CUT_BEFORE_COMMIT && from_client) {
        *out_len = sizeof(commit);
        return commit;
    }
    if (when == PROXY_CUT_AFTER_COMMIT && !from_client) {
        *out_len = sizeof(tag);
        return tag;
    }
    return NULL;
}

/* Moves what can be read. False: the connection is over. */
static bool pump(struct proxy *proxy, struct stream *stream, bool from_client)
{
    bool stopping = false;
    size_t word_len = 0;
    const ssize_t len = read(stream->from, stream->bytes + stream->carry, CHUNK);
    if (len <= 0) {
        return false;
    }
    const size_t have = stream->carry + (size_t)len;
    const char *word = word_of(when_of(proxy, &stopping), from_client, &word_len);
    if (word != NULL && memmem(stream->bytes, have, word, word_len) != NULL) {
        proxy_cut(proxy, PROXY_PASS);
        return false;
    }
    for (size_t sent = stream->carry; sent < have;) {
        const ssize_t n = send(stream->to, stream->bytes + sent, have - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        sent += (size_t)n;
    }
    stream->carry = have < CARRY ? have : CARRY;
    memmove(stream->bytes, stream->bytes + have - stream->carry, stream->carry);
    return true;
}

static void serve(struct proxy *proxy, int client)
{
    const int server = connect_to(proxy);
    struct stream *up = calloc(1, sizeof(*up));
    struct stream *down = calloc(1, sizeof(*down));
    CHECK(up != NULL && down != NULL);
    up->from = down->to = client;
    up->to = down->from = server;
    bool open = true;
    while (open) {
        bool stopping = false;
        struct pollfd ready[2] = {{.fd = client, .events = POLLIN},
                                  {.fd = server, .events = POLLIN}};
        const int count = poll(ready, 2, TICK_MS);
        if (when_of(proxy, &stopping) == PROXY_CUT_NOW) {
            proxy_cut(proxy, PROXY_PASS);
            break;
        }
        open = !stopping && (count <= 0 || ready[0].revents == 0 || pump(proxy, up, true));
        open = open && (count <= 0 || ready[1].revents == 0 || pump(proxy, down, false));
    }
    (void)close(client);
    (void)close(server);
    free(up);
    free(down);
}

static void *run(void *ctx)
{
    struct proxy *proxy = ctx;
    bool stopping = false;
    while (!stopping) {
        struct pollfd ready = {.fd = proxy->listener, .events = POLLIN};
        (void)poll(&ready, 1, TICK_MS);
        (void)when_of(proxy, &stopping);
        if (!stopping && ready.revents != 0) {
            serve(proxy, accept(proxy->listener, NULL, NULL));
        }
    }
    return NULL;
}

static void read_server(struct proxy *proxy, const char *server_url, char *user, char *database)
{
    PQconninfoOption *options = PQconninfoParse(server_url, NULL);
    CHECK(options != NULL);
    (void)snprintf(proxy->host, TEXT, "127.0.0.1");
    (void)snprintf(proxy->port, TEXT, "5432");
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        char *target = strcmp(o->keyword, "host") == 0     ? proxy->host
                       : strcmp(o->keyword, "port") == 0   ? proxy->port
                       : strcmp(o->keyword, "user") == 0   ? user
                       : strcmp(o->keyword, "dbname") == 0 ? database
                                                           : NULL;
        if (target != NULL && o->val != NULL) {
            (void)snprintf(target, TEXT, "%s", strcmp(o->val, "localhost") ? o->val : "127.0.0.1");
        }
    }
    PQconninfoFree(options);
}

struct proxy *proxy_new(const char *server_url)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    char user[TEXT] = "postgres";
    char database[TEXT] = "postgres";
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    CHECK(proxy != NULL);
    read_server(proxy, server_url, user, database);
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(proxy->listener, (const struct sockaddr *)&at, sizeof(at)) == 0);
    CHECK(listen(proxy->listener, 4) == 0);
    CHECK(getsockname(proxy->listener, (struct sockaddr *)&at, &size) == 0);
    (void)snprintf(proxy->url, sizeof(proxy->url),
                   "postgres://%.100s@127.0.0.1:%d/%.200s?sslmode=disable&gssencmode=disable", user,
                   ntohs(at.sin_port), database);
    CHECK(pthread_mutex_init(&proxy->mutex, NULL) == 0);
    CHECK(pthread_create(&proxy->thread, NULL, run, proxy) == 0);
    return proxy;
}

void proxy_free(struct proxy *proxy)
{
    CHECK(pthread_mutex_lock(&proxy->mutex) == 0);
    proxy->stopping = true;
    CHECK(pthread_mutex_unlock(&proxy->mutex) == 0);
    CHECK(pthread_join(proxy->thread, NULL) == 0);
    CHECK(pthread_mutex_destroy(&proxy->mutex) == 0);
    (void)close(proxy->listener);
    free(proxy);
}

const char *proxy_url(const struct proxy *proxy)
{
    return proxy->url;
}
