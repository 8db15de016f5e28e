/*
 * http_bench - load over HTTP, as clients make it: keep-alive connections, closed loops.
 *
 * usage: http_bench HOST:PORT ADMIN_TOKEN_FILE WORKER_TOKEN_FILE [name=value ...]
 *   mode=mixed      mixed: producers and workers at once; add: producers only, `jobs` jobs;
 *                   drain: workers only, until nothing is left; pickup: `jobs` times one submit to
 *                   a waiting claim; claim: one worker, `jobs` jobs claimed and completed
 *   tenants=16      tenants bench-0 … made beforehand (make=1 makes them)
 *   producers=4 workers=8 submit=1000 claim=100
 *   backlog=10000   producers pause while more than that many jobs wait
 *   payload=300     bytes
 *   jobs=50000      add, pickup, claim
 *   sources=0       jobs name one of source-0 … in turn; make=1 makes the first, disabled
 *   warm=1 seconds=4
 *   make=0
 * Prints one JSON object.
 */
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "platform/clock.h"
#include "platform/thread.h"

enum { THREADS_MAX = 256, SAMPLES_MAX = 1 << 20, REPLY_MAX = 64 * 1024 * 1024, LEASES_MAX = 1000 };

struct options {
    int64_t tenants, producers, workers, submit, claim, backlog, payload, jobs, sources, warm,
        seconds, make;
    const char *mode;
};

/* What all threads share. */
static struct options options = {
    .tenants = 16,
    .producers = 4,
    .workers = 8,
    .submit = 1000,
    .claim = 100,
    .backlog = 10000,
    .payload = 300,
    .jobs = 50000,
    .warm = 1,
    .seconds = 4,
    .mode = "mixed",
};
static struct sockaddr_storage address;
static socklen_t address_len;
static char admin_token[256];
static char worker_token[256];
static atomic_int_fast64_t submitted, claimed, completed, finished_workers;
static atomic_bool stopping, measuring;
static int32_t samples[SAMPLES_MAX]; /* Claim latencies, microseconds. */
static atomic_int_fast64_t sample_count;

/* One connection with its buffers. */
struct client {
    int fd;
    const char *token;
    uint64_t random;
    struct buf request;
    struct buf body;
    struct buf reply; /* Whole reply; the body begins at body_at. */
    size_t body_at;
    int status;
    int64_t source; /* Of the next job, when jobs name sources. */
};

static int64_t now_us(void)
{
    return clock_mono().us;
}

static uint64_t draw(struct client *client)
{
    uint64_t z = client->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void client_open(struct client *client, uint64_t seed, const char *token)
{
    const int yes = 1;
    memset(client, 0, sizeof(*client));
    client->random = seed;
    client->token = token;
    buf_init(&client->request, REPLY_MAX);
    buf_init(&client->body, REPLY_MAX);
    buf_init(&client->reply, REPLY_MAX);
    client->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(client->fd >= 0);
    CHECK(connect(client->fd, (struct sockaddr *)&address, address_len) == 0);
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static void client_close(struct client *client)
{
    (void)close(client->fd);
    buf_fini(&client->request);
    buf_fini(&client->body);
    buf_fini(&client->reply);
}

static void send_all(struct client *client, struct str bytes)
{
    for (size_t sent = 0; sent < bytes.len;) {
        const ssize_t n = send(client->fd, bytes.ptr + sent, bytes.len - sent, MSG_NOSIGNAL);
        CHECK(n > 0);
        sent += (size_t)n;
    }
}

static size_t find(struct str text, const char *needle)
{
    const char *hit = text.len == 0 ? NULL : memmem(text.ptr, text.len, needle, strlen(needle));
    return hit == NULL ? text.len : (size_t)(hit - text.ptr);
}

/* Reads one reply: headers, then Content-Length bytes. */
static void read_reply(struct client *client)
{
    buf_reset(&client->reply);
    size_t need = 0;
    while (need == 0 || client->reply.len < need) {
        char *room = buf_reserve(&client->reply, 65536);
        CHECK(room != NULL);
        const ssize_t n = recv(client->fd, room, 65536, 0);
        CHECK(n > 0);
        client->reply.len += (size_t)n;
        const struct str all = buf_get(&client->reply);
        const size_t end = find(all, "\r\n\r\n");
        if (need == 0 && end < all.len) {
            const size_t at = find(str_slice(all, 0, end), "Content-Length: ");
            CHECK(at < end);
            client->body_at = end + 4;
            need = client->body_at + strtoul(all.ptr + at + 16, NULL, 10);
            client->status = (int)strtol(all.ptr + 9, NULL, 10);
        }
    }
}

/* Sends client->body; tenant < 0: none named. */
static void call(struct client *client, const char *method, const char *path, int64_t tenant)
{
    buf_reset(&client->request);
    buf_format(&client->request,
               "%s /api/v1/%s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n", method,
               path, client->token);
    if (tenant >= 0) {
        buf_format(&client->request, "X-Stella-Tenant: bench-%lld\r\n", (long long)tenant);
    }
    buf_format(&client->request, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
               client->body.len);
    buf_str(&client->request, buf_get(&client->body));
    send_all(client, buf_get(&client->request));
    read_reply(client);
}

static struct str reply_body(const struct client *client)
{
    return str_slice(buf_get(&client->reply), client->body_at, client->reply.len);
}

static void must(const struct client *client, int status)
{
    if (client->status != status) {
        (void)fprintf(stderr, "http_bench: status %d: %.*s\n", client->status,
                      STR_ARG(str_slice(reply_body(client), 0, 500)));
        exit(1);
    }
}

/* ---- Producers ---- */

static void write_jobs(struct client *client, int64_t count)
{
    static const char filler[] =
        "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
        "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
        "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
        "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
        "pppppppppppppppppppppppppppppppppppp";
    const size_t fill = options.payload > 300 ? 300 : (size_t)options.payload;
    buf_reset(&client->body);
    buf_str(&client->body, STR("{\"jobs\":["));
    for (int64_t i = 0; i < count; i++) {
        buf_str(&client->body, i == 0 ? STR("{\"key\":\"") : STR(",{\"key\":\""));
        buf_format(&client->body, "%016llx%08llx", (unsigned long long)draw(client),
                   (unsigned long long)(draw(client) & 0xffffffff));
        buf_str(&client->body, STR("\",\"payload\":{\"body\":\""));
        buf_str(&client->body, (struct str){filler, fill > 14 ? fill - 14 : 0});
        buf_str(&client->body, STR("\"}"));
        if (options.sources > 0) {
            buf_format(&client->body, ",\"source\":\"source-%lld\"",
                       (long long)(client->source++ % options.sources));
        }
        buf_str(&client->body, STR(",\"type\":\"bench\"}"));
    }
    buf_str(&client->body, STR("]}"));
}

static void pause_briefly(void)
{
    const struct timespec pause = {0, 500000};
    (void)nanosleep(&pause, NULL);
}

static void *producer(void *arg)
{
    struct client client;
    client_open(&client, (uint64_t)(uintptr_t)arg * 7919 + (uint64_t)now_us(), admin_token);
    const bool adding = strcmp(options.mode, "add") == 0;
    while (!stopping) {
        const int64_t before = adding ? atomic_fetch_add(&submitted, options.submit) : 0;
        if (adding && before >= options.jobs) {
            break;
        }
        if (!adding && submitted - completed > options.backlog) {
            pause_briefly();
            continue;
        }
        int64_t tenant = (int64_t)(draw(&client) % (uint64_t)options.tenants);
        if (options.sources > 0) { /* Each tenant gets each source in turn. */
            tenant = before / options.submit % options.tenants;
            client.source = before / options.submit / options.tenants * options.submit;
        }
        write_jobs(&client, options.submit);
        call(&client, "POST", "jobs", tenant);
        must(&client, 201);
        if (!adding) {
            submitted += options.submit;
        }
    }
    client_close(&client);
    return NULL;
}

/* ---- Workers ---- */

struct lease {
    struct str id;
    struct str grant;
};

/* The leases of a claim's reply: every "lease":"…" and the "grant":n before it. */
static size_t read_leases(struct str body, struct lease *leases)
{
    size_t count = 0;
    while (count < LEASES_MAX) {
        const size_t grant = find(body, "\"grant\":");
        if (grant == body.len) {
            break;
        }
        body = str_slice(body, grant + 8, body.len);
        leases[count].grant = str_slice(body, 0, str_find(body, ','));
        const size_t id = find(body, "\"lease\":\"");
        CHECK(id < body.len);
        body = str_slice(body, id + 9, body.len);
        leases[count].id = str_slice(body, 0, str_find(body, '"'));
        body = str_slice(body, leases[count].id.len, body.len);
        count++;
    }
    return count;
}

static void write_claim(struct client *client, int64_t wait_ms)
{
    buf_reset(&client->body);
    buf_format(&client->body,
               "{\"claim_id\":\"%016llx\",\"job_types\":[\"bench\"],\"max\":%lld,\"wait_ms\":%lld,"
               "\"worker\":\"bench-%llx\"}",
               (unsigned long long)draw(client), (long long)options.claim, (long long)wait_ms,
               (unsigned long long)(uintptr_t)client & 0xffff);
}

static void write_completions(struct client *client, const struct lease *leases, size_t count)
{
    buf_reset(&client->body);
    buf_str(&client->body, STR("{\"reports\":["));
    for (size_t i = 0; i < count; i++) {
        buf_str(&client->body, i == 0 ? STR("{\"grant\":") : STR(",{\"grant\":"));
        buf_str(&client->body, leases[i].grant);
        buf_str(&client->body, STR(",\"lease\":\""));
        buf_str(&client->body, leases[i].id);
        buf_str(&client->body, STR("\",\"result\":{}}"));
    }
    buf_format(&client->body, "],\"worker\":\"bench-%llx\"}",
               (unsigned long long)(uintptr_t)client & 0xffff);
}

static void take_sample(int64_t us)
{
    if (measuring) {
        const int64_t at = atomic_fetch_add(&sample_count, 1);
        if (at < SAMPLES_MAX) {
            samples[at] = (int32_t)us;
        }
    }
}

static void *worker(void *arg)
{
    struct client client;
    struct lease leases[LEASES_MAX];
    CLEANUP(buf_fini) struct buf claim;
    const bool draining = strcmp(options.mode, "mixed") != 0;
    const int64_t most = strcmp(options.mode, "claim") == 0 ? options.jobs : INT64_MAX;
    buf_init(&claim, REPLY_MAX);
    client_open(&client, (uint64_t)(uintptr_t)arg * 104729 + (uint64_t)now_us(), worker_token);
    while (!stopping && completed < most) {
        write_claim(&client, draining ? 0 : 200);
        const int64_t began = now_us();
        call(&client, "POST", "leases/claim", -1);
        must(&client, 200);
        buf_reset(&claim);
        buf_str(&claim, reply_body(&client));
        const size_t count = read_leases(buf_get(&claim), leases);
        if (count == 0) {
            if (draining) {
                break;
            }
            continue;
        }
        take_sample(now_us() - began);
        claimed += (int64_t)count;
        write_completions(&client, leases, count);
        call(&client, "POST", "leases/complete", -1);
        must(&client, 200);
        CHECK(find(reply_body(&client), "lease_lost") == reply_body(&client).len);
        completed += (int64_t)count;
    }
    finished_workers++;
    client_close(&client);
    return NULL;
}

/* ---- Runs ---- */

static int by_value(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

static double sample_ms(int64_t per_mille)
{
    const int64_t n = sample_count < SAMPLES_MAX ? sample_count : SAMPLES_MAX;
    return n == 0 ? 0 : samples[(n - 1) * per_mille / 1000] / 1000.0;
}

static void print_result(double seconds, int64_t jobs)
{
    const int64_t n = sample_count < SAMPLES_MAX ? sample_count : SAMPLES_MAX;
    qsort(samples, (size_t)n, sizeof(samples[0]), by_value);
    (void)printf("{\"mode\":\"%s\",\"jobs\":%lld,\"seconds\":%.3f,\"per_second\":%.0f,"
                 "\"claim_p50_ms\":%.3f,\"claim_p99_ms\":%.3f}\n",
                 options.mode, (long long)jobs, seconds, (double)jobs / seconds, sample_ms(500),
                 sample_ms(990));
}

static void start(pthread_t *threads, int64_t count, void *(*body)(void *))
{
    CHECK(count <= THREADS_MAX);
    for (int64_t i = 0; i < count; i++) {
        CHECK(pthread_create(&threads[i], NULL, body, (void *)(uintptr_t)(i + 1)) == 0);
    }
}

static void join(const pthread_t *threads, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

static void run_mixed(void)
{
    static pthread_t producers[THREADS_MAX];
    static pthread_t workers[THREADS_MAX];
    start(producers, options.producers, producer);
    start(workers, options.workers, worker);
    (void)sleep((unsigned)options.warm);
    measuring = true;
    const int64_t from = completed;
    const int64_t began = now_us();
    (void)sleep((unsigned)options.seconds);
    measuring = false;
    const int64_t done = completed - from;
    const double seconds = (double)(now_us() - began) / 1e6;
    stopping = true;
    join(producers, options.producers);
    join(workers, options.workers);
    print_result(seconds, done);
}

static void run_phase(int64_t threads, void *(*body)(void *), const atomic_int_fast64_t *counter)
{
    static pthread_t all[THREADS_MAX];
    measuring = true;
    const int64_t began = now_us();
    start(all, threads, body);
    join(all, threads);
    const double seconds = (double)(now_us() - began) / 1e6;
    print_result(seconds, counter == &submitted ? options.jobs : *counter);
}

/* One waiting claim, one submit: the time until the claim is answered. */
static atomic_int_fast64_t picked_at;

static void *waiting_worker(void *arg)
{
    struct client client;
    struct lease leases[LEASES_MAX];
    CLEANUP(buf_fini) struct buf claim;
    (void)arg;
    buf_init(&claim, REPLY_MAX);
    client_open(&client, 99, worker_token);
    while (!stopping) {
        write_claim(&client, 2000);
        call(&client, "POST", "leases/claim", -1);
        const int64_t at = now_us();
        buf_reset(&claim);
        buf_str(&claim, reply_body(&client));
        const size_t count = read_leases(buf_get(&claim), leases);
        if (count == 0) {
            continue;
        }
        write_completions(&client, leases, count);
        call(&client, "POST", "leases/complete", -1);
        picked_at = at;
    }
    client_close(&client);
    return NULL;
}

static void run_pickup(void)
{
    pthread_t thread;
    struct client client;
    options.claim = 1;
    start(&thread, 1, waiting_worker);
    client_open(&client, (uint64_t)now_us(), admin_token);
    for (int64_t i = 0; i < options.jobs; i++) {
        const struct timespec idle = {0, 4000000};
        (void)nanosleep(&idle, NULL);
        picked_at = 0;
        write_jobs(&client, 1);
        const int64_t began = now_us();
        call(&client, "POST", "jobs", i % options.tenants);
        must(&client, 201);
        while (picked_at == 0) {
            pause_briefly();
        }
        measuring = i >= options.jobs / 10;
        take_sample(picked_at - began);
    }
    stopping = true;
    join(&thread, 1);
    client_close(&client);
    print_result(1, options.jobs);
}

static void make_tenants(void)
{
    struct client client;
    client_open(&client, 1, admin_token);
    buf_reset(&client.body);
    buf_str(&client.body, STR("{\"ttl_ms\":60000}"));
    call(&client, "PUT", "job-types/bench", -1);
    CHECK(client.status == 200 || client.status == 201 || client.status == 428);
    for (int64_t i = 0; i < options.tenants; i++) {
        buf_reset(&client.body);
        buf_format(&client.body, "{\"max_live_jobs\":50000000,\"name\":\"bench-%lld\"}",
                   (long long)i);
        call(&client, "POST", "tenants", -1);
        CHECK(client.status == 201 || client.status == 409);
        if (options.sources > 0) {
            buf_reset(&client.body);
            buf_str(&client.body, STR("{\"enabled\":false}"));
            call(&client, "PUT", "sources/source-0", i);
            must(&client, 201);
        }
    }
    client_close(&client);
}

static bool parse(const char *arg)
{
    static const struct {
        const char *name;
        int64_t *value;
    } numbers[] = {
        {"tenants", &options.tenants}, {"producers", &options.producers},
        {"workers", &options.workers}, {"submit", &options.submit},
        {"claim", &options.claim},     {"backlog", &options.backlog},
        {"payload", &options.payload}, {"jobs", &options.jobs},
        {"sources", &options.sources}, {"warm", &options.warm},
        {"seconds", &options.seconds}, {"make", &options.make},
    };
    const struct str text = str_from(arg);
    const size_t equals = str_find(text, '=');
    const struct str name = str_slice(text, 0, equals);
    if (str_eq(name, STR("mode"))) {
        options.mode = arg + equals + 1;
        return true;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (str_eq(name, str_from(numbers[i].name))) {
            return str_parse_i64(str_slice(text, equals + 1, text.len), numbers[i].value);
        }
    }
    return false;
}

static void resolve(const char *target)
{
    char host[128];
    const char *colon = strrchr(target, ':');
    struct addrinfo *found = NULL;
    CHECK(colon != NULL && (size_t)(colon - target) < sizeof(host));
    memcpy(host, target, (size_t)(colon - target));
    host[colon - target] = '\0';
    CHECK(getaddrinfo(host, colon + 1, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &found) ==
          0);
    memcpy(&address, found->ai_addr, found->ai_addrlen);
    address_len = found->ai_addrlen;
    freeaddrinfo(found);
}

static void read_token(const char *path, char token[256])
{
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    CHECK(fgets(token, 256, file) != NULL);
    token[strcspn(token, "\r\n")] = '\0';
    (void)fclose(file);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(
            stderr,
            "usage: http_bench HOST:PORT ADMIN_TOKEN_FILE WORKER_TOKEN_FILE [name=value ...]\n");
        return 2;
    }
    for (int i = 4; i < argc; i++) {
        if (!parse(argv[i])) {
            (void)fprintf(stderr, "http_bench: %s is not understood\n", argv[i]);
            return 2;
        }
    }
    resolve(argv[1]);
    read_token(argv[2], admin_token);
    read_token(argv[3], worker_token);
    if (options.make != 0) {
        make_tenants();
    }
    if (strcmp(options.mode, "mixed") == 0) {
        run_mixed();
    } else if (strcmp(options.mode, "add") == 0) {
        run_phase(options.producers, producer, &submitted);
    } else if (strcmp(options.mode, "drain") == 0) {
        run_phase(options.workers, worker, &completed);
    } else if (strcmp(options.mode, "claim") == 0) {
        run_phase(1, worker, &completed);
    } else if (strcmp(options.mode, "pickup") == 0) {
        run_pickup();
    } else {
        (void)fprintf(stderr, "http_bench: no mode %s\n", options.mode);
        return 2;
    }
    return 0;
}
