/*
 * Fetches documents and says what came of it, for fetch_test.py.
 *
 * Usage   fetch_probe [-p] [-c CACHE] [-r ROOT] [-m MAX] [-t TIMEOUT_MS] [-h HOST] BASE PATH...
 * Prints  one line a document: VERDICT CLASS permanent|again RETRY_AFTER_MS cache|origin SHA256,
 *         and after it what was answered on the way: STATUS,CONTENT_TYPE,VALIDATORS,URL
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "workers/fetch/fetch.h"

static void show(const struct fetch_result *result, const struct fetch_trail *trail)
{
    static const char *const verdicts[] = {"ok", "throttled", "failed"};
    char digest[SHA256_HEX + 1];
    const struct sha256 sha256 = sha256_of(buf_get(&result->body));
    sha256_format(&sha256, digest);
    (void)printf("%s %s %s %lld %s %s", verdicts[result->verdict],
                 result->error_class != NULL ? result->error_class : "-",
                 result->permanent ? "permanent" : "again", (long long)result->retry_after_ms,
                 result->from_cache ? "cache" : "origin", digest);
    if (result->has_limit) {
        (void)fprintf(stderr, "limit %lld %lld\n", (long long)result->limit.remaining,
                      (long long)result->limit.reset_ms);
    }
    if (result->is_overloaded) {
        (void)fprintf(stderr, "overloaded\n");
    }
    for (size_t i = 0; i < trail->n; i++) {
        const struct fetch_answer *answer = &trail->v[i];
        (void)printf(" %d,%s,%s%s,%s", answer->status, answer->type, answer->has_etag ? "e" : "",
                     answer->has_last_modified ? "m" : "", answer->url);
    }
    (void)printf("\n");
    (void)fprintf(stderr, "%s\n", result->message);
}

int main(int argc, char **argv)
{
    struct fetch_trail trail = {.n = 0};
    struct fetch_config config = {.max_bytes = 1 << 20, .timeout_ms = 5000, .trail = &trail};
    char message[FETCH_MESSAGE] = "";
    const char *host = "";
    int option = 0;
    while ((option = getopt(argc, argv, "pc:r:m:t:h:")) != -1) {
        switch (option) {
        case 'p': config.allow_private = true; break;
        case 'c': config.cache_dir = optarg; break;
        case 'r': config.roots[config.roots_n++] = optarg; break;
        case 'm': config.max_bytes = strtoul(optarg, NULL, 10); break;
        case 't': config.timeout_ms = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'h': host = optarg; break;
        default: return 2;
        }
    }
    struct fetch *fetch = fetch_new(&config, message);
    if (fetch == NULL || optind >= argc) {
        (void)fprintf(stderr, "%s\n", message);
        return 2;
    }
    fetch_keep_to_host(fetch, host);
    for (int i = optind + 1; i < argc; i++) {
        struct fetch_result result;
        fetch_get(fetch, str_from(argv[optind]), str_from(argv[i]), &result);
        show(&result, &trail);
        buf_fini(&result.body);
    }
    fetch_free(fetch);
    return 0;
}
