#include "workers/pipeline/api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/json.h"
#include "platform/clock.h"

enum { URL_BYTES = 2048, PAUSE_MS = 250, PAUSE_MAX_MS = 5000 };

static bool say(const char *what, const char *detail)
{
    (void)fprintf(stderr, "stella-pipeline: %s: %s\n", what, detail);
    return false;
}

bool api_open(struct api *api, const char *url, const char *token, const char *tenant)
{
    uint64_t key[2];
    struct str base = str_from(url);
    memset(api, 0, sizeof(*api));
    while (str_ends(base, STR("/"))) {
        base.len--;
    }
    const bool fits = base.len < sizeof(api->base) - 16 && strlen(token) < 512 &&
                      (tenant == NULL || strlen(tenant) < 256);
    if (!fits || getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
        return say(url, "cannot be used");
    }
    (void)snprintf(api->base, sizeof(api->base), "%.*s/api/v1", STR_ARG(base));
    (void)snprintf(api->authorization, sizeof(api->authorization), "Authorization: Bearer %s",
                   token);
    if (tenant != NULL) {
        (void)snprintf(api->tenant, sizeof(api->tenant), "X-Stella-Tenant: %s", tenant);
    }
    (void)snprintf(api->idempotency_key, sizeof(api->idempotency_key),
                   "Idempotency-Key: %016" PRIx64 "%016" PRIx64, key[0], key[1]);
    api->easy = curl_easy_init();
    return api->easy != NULL || say(url, "no memory");
}

void api_close(struct api *api)
{
    curl_easy_cleanup(api->easy);
    api->easy = NULL;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    struct api_answer *answer = context;
    buf_put(&answer->body, bytes, size * n);
    return answer->body.overflow ? 0 : size * n;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *context)
{
    struct api_answer *answer = context;
    const struct str line = {bytes, size * n};
    const struct str name = STR("etag:");
    if (line.len > name.len && str_eq_nocase(str_slice(line, 0, name.len), name)) {
        const struct str value = str_trim(str_slice(line, name.len, line.len));
        (void)snprintf(answer->etag, sizeof(answer->etag), "%.*s", STR_ARG(value));
    }
    return size * n;
}

static struct curl_slist *headers_of(const struct api *api, const struct api_call *call)
{
    char line[API_ETAG + 16];
    struct curl_slist *headers = curl_slist_append(NULL, api->authorization);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    headers = curl_slist_append(headers, "X-Stella-Reason: stella-pipeline");
    if (api->tenant[0] != '\0') {
        headers = curl_slist_append(headers, api->tenant);
    }
    if (call->idempotent) {
        headers = curl_slist_append(headers, api->idempotency_key);
    }
    if (call->if_match != NULL) {
        (void)snprintf(line, sizeof(line), "If-Match: %s", call->if_match);
        headers = curl_slist_append(headers, line);
    }
    CHECK(headers != NULL);
    return headers;
}

static CURLcode try_once(struct api *api, const struct api_call *call, struct api_answer *out)
{
    char url[URL_BYTES];
    long status = 0;
    struct curl_slist *headers = headers_of(api, call);
    (void)snprintf(url, sizeof(url), "%s%s", api->base, call->path);
    buf_reset(&out->body);
    out->etag[0] = '\0';
    curl_easy_reset(api->easy);
    curl_easy_setopt(api->easy, CURLOPT_URL, url);
    curl_easy_setopt(api->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(api->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(api->easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    curl_easy_setopt(api->easy, CURLOPT_TIMEOUT_MS, 120000L);
    curl_easy_setopt(api->easy, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(api->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(api->easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(api->easy, CURLOPT_HEADERDATA, out);
    curl_easy_setopt(api->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(api->easy, CURLOPT_WRITEDATA, out);
    if (call->body.len > 0) {
        curl_easy_setopt(api->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        curl_easy_setopt(api->easy, CURLOPT_POSTFIELDS, call->body.ptr);
    }
    curl_easy_setopt(api->easy, CURLOPT_CUSTOMREQUEST, call->method);
    const CURLcode result = curl_easy_perform(api->easy);
    (void)curl_easy_getinfo(api->easy, CURLINFO_RESPONSE_CODE, &status);
    out->status = result == CURLE_OK ? (int)status : 0;
    curl_slist_free_all(headers);
    return result;
}

static void refused(const struct api_call *call, const struct api_answer *answer, CURLcode result)
{
    char what[URL_BYTES];
    (void)snprintf(what, sizeof(what), "%s %s: HTTP %d", call->method, call->path, answer->status);
    if (answer->status == 0) {
        (void)say(what, curl_easy_strerror(result));
        return;
    }
    (void)fprintf(stderr, "stella-pipeline: %s: %.*s\n", what,
                  answer->body.len > 1000 ? 1000 : (int)answer->body.len, answer->body.ptr);
}

bool api_call(struct api *api, const struct api_call *call, struct api_answer *out)
{
    int64_t waited_ms = 0;
    int64_t next_ms = PAUSE_MS;
    buf_init(&out->body, API_BODY_MAX);
    for (;;) {
        const CURLcode result = try_once(api, call, out);
        if (out->status >= 200 && out->status < 300) {
            return true;
        }
        const bool stale = out->status == 412 || out->status == 428;
        if ((out->status == 404 && call->missing_is_fine) || (stale && call->stale_is_fine)) {
            return true;
        }
        const bool later = out->status == 0 || out->status == 429 || out->status >= 500;
        if (!later || waited_ms >= API_PATIENCE_S * 1000) {
            refused(call, out, result);
            return false;
        }
        curl_off_t asked_s = 0;
        (void)curl_easy_getinfo(api->easy, CURLINFO_RETRY_AFTER, &asked_s);
        const int64_t asked_ms = asked_s > API_PATIENCE_S ? API_PATIENCE_S * 1000 : asked_s * 1000;
        const int64_t ms = asked_ms > next_ms ? asked_ms : next_ms;
        clock_pause(ms * US_PER_MS);
        waited_ms += ms;
        next_ms = next_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : next_ms * 2;
    }
}

static bool write_file(const char *path, struct str bytes)
{
    char temporary[URL_BYTES];
    (void)snprintf(temporary, sizeof(temporary), "%s.part", path);
    FILE *file = fopen(temporary, "we");
    if (file == NULL) {
        return say(temporary, strerror(errno));
    }
    const bool written =
        fwrite(bytes.ptr != NULL ? bytes.ptr : "", 1, bytes.len, file) == bytes.len;
    if (fclose(file) != 0 || !written || rename(temporary, path) != 0) {
        return say(path, strerror(errno));
    }
    return true;
}

bool api_download(struct api *api, const char *sha256, const char *path)
{
    char url[128];
    struct sha256 wanted;
    struct api_answer answer;
    (void)snprintf(url, sizeof(url), "/artifacts/%s", sha256);
    const struct api_call call = {.method = "GET", .path = url};
    bool fine = sha256_parse(str_from(sha256), &wanted) || say(sha256, "not a SHA-256");
    if (!fine) {
        return false;
    }
    fine = api_call(api, &call, &answer);
    if (fine) {
        const struct sha256 got = sha256_of(buf_get(&answer.body));
        fine = sha256_eq(&got, &wanted) || say(path, "the bytes have another digest");
    }
    fine = fine && write_file(path, buf_get(&answer.body));
    buf_fini(&answer.body);
    return fine;
}
