/* workers/fetch/parts - what the files of fetch share; nobody else includes it. */
#ifndef WORKERS_FETCH_PARTS_H
#define WORKERS_FETCH_PARTS_H

#include <curl/curl.h>
#include <sys/socket.h>

#include "workers/fetch/fetch.h"

enum { FETCH_ETAG = 256, FETCH_URL = 4096, FETCH_CHUNK = 1 << 16 };

struct fetch {
    struct fetch_config config;
    int root_fds[FETCH_ROOTS_MAX];
    int cache_fd; /* Or -1. */
    CURL *easy;
    char only_host[FETCH_HOST]; /* Empty: any. */
};

void fetch_fail(struct fetch_result *out, const char *error_class, bool permanent,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* file.c: `folder` is an absolute path. */
void fetch_file(struct fetch *fetch, struct str folder, struct str path, struct fetch_result *out);

/* web.c: `url` is whole and escaped. */
void fetch_web(struct fetch *fetch, const char *url, struct fetch_result *out);

/* address.c: whether an address is one of the public internet. */
bool address_is_public(const struct sockaddr *address);

/* cache.c: one file per URL holds its ETag and its body, replaced as a whole. A cache that cannot
 * be read or written is as good as none. */
bool cache_etag(int folder, const char *url, char out_etag[FETCH_ETAG]);
bool cache_body(int folder, const char *url, struct buf *out_body);
void cache_put(int folder, const char *url, const char *etag, struct str body);

#endif
