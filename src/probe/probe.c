#include "probe/probe.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"
#include "workers/fetch/fetch.h"
#include "workers/lib/document.h"

enum { FORMAT_BYTES_MAX = 4 * 1024 * 1024 };

_Static_assert(TRIAL_ANSWERS_MAX == FETCH_REDIRECTS_MAX + 1, "every answer has room");

void findings_add(struct findings *findings, const char *code, struct str pointer,
                  struct str detail, struct str fix)
{
    if (findings->n < FINDINGS_MAX) {
        findings->v[findings->n++] = (struct finding){code, pointer, detail, fix};
    }
}

/* ---- Folders ---- */

static struct str without_slashes(struct str path)
{
    while (path.len > 1 && str_ends(path, STR("/"))) {
        path.len--;
    }
    return path;
}

/* "file:///feeds" and "file:/feeds" are "/feeds". */
static struct str folder_of(struct str url)
{
    const struct str folder = str_slice(url, strlen("file:"), url.len);
    return str_starts(folder, STR("///")) ? str_slice(folder, 2, folder.len) : folder;
}

static bool is_below(struct str root, struct str folder)
{
    root = without_slashes(root);
    return str_starts(folder, root) &&
           (folder.len == root.len || folder.ptr[root.len] == '/' || str_eq(root, STR("/")));
}

/* Opened by the kernel without a way out of `root`. */
static bool can_open(struct arena *arena, struct str root, struct str below)
{
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    const int from = open(arena_cstr(arena, root), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (from < 0) {
        return false;
    }
    const char *name = below.len == 0 ? "." : arena_cstr(arena, below);
    const int fd = (int)syscall(SYS_openat2, from, name, &how, sizeof(how));
    (void)close(from);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

static void find_folder(const struct probe_config *config, struct str url, struct arena *arena,
                        struct findings *out)
{
    const struct str folder = folder_of(url);
    struct str rest = config->roots;
    struct str root;
    while (str_split(&rest, ':', &root)) {
        if (root.len == 0 || !is_below(root, folder)) {
            continue;
        }
        struct str below = str_slice(folder, without_slashes(root).len, folder.len);
        while (str_starts(below, STR("/"))) {
            below = str_slice(below, 1, below.len);
        }
        if (!can_open(arena, root, below)) {
            findings_add(out, "folder_missing", STR("/url"),
                         arena_format(arena, "%.*s cannot be opened", STR_ARG(folder)),
                         STR("Make the folder, or correct the url."));
        }
        return;
    }
    findings_add(
        out, "file_outside_roots", STR("/url"),
        arena_format(arena, "%.*s is below no folder that the operator allows", STR_ARG(folder)),
        STR("Have the operator add its folder to the setting source_roots."));
}

/* ---- Addresses ---- */

static void find_address(const struct probe_config *config, struct str url, struct arena *arena,
                         struct findings *out)
{
    const size_t scheme = str_find(url, ':') + 3;
    struct str host = str_slice(url, scheme, url.len);
    host = str_slice(host, 0, str_find(host, '/'));
    if (str_starts(host, STR("["))) {
        host = str_slice(host, 1, str_find(host, ']'));
    } else {
        host = str_slice(host, 0, str_find(host, ':'));
    }
    if (host.len == 0) {
        findings_add(out, "url_unusable", STR("/url"), STR("the url names no host"),
                     STR("Correct the url."));
    } else if (!config->allow_private && fetch_host_is_refused(arena_cstr(arena, host))) {
        findings_add(
            out, "address_private", STR("/url"),
            arena_format(arena, "%.*s is not an address of the public internet", STR_ARG(host)),
            STR("Use a public address, or have the operator set "
                "source_private_addresses."));
    }
}

static void find_url(const struct probe_config *config, const json_t *body, struct arena *arena,
                     struct findings *out)
{
    const struct str url = json_text(json_object_get(body, "url"));
    if (url.len == 0) {
        return; /* Its jobs say what they fetch. */
    }
    if (str_starts(url, STR("file:"))) {
        find_folder(config, url, arena, out);
    } else if (str_starts(url, STR("http://")) || str_starts(url, STR("https://"))) {
        find_address(config, url, arena, out);
    } else {
        findings_add(out, "url_unusable", STR("/url"),
                     STR("the url is none of file:, http:, https:"), STR("Correct the url."));
    }
}

/* ---- Secrets ---- */

static bool is_granted(const struct probe_config *config, struct str tenant, struct str name)
{
    struct str rest = config->secret_env;
    struct str one;
    while (str_split(&rest, ',', &one)) {
        one = str_trim(one);
        const size_t slash = str_find(one, '/');
        if (str_eq(str_slice(one, 0, slash), tenant) &&
            str_eq(str_slice(one, slash + 1, one.len), name)) {
            return true;
        }
    }
    return false;
}

static void find_secret(const struct probe_config *config, struct str tenant, struct str member,
                        struct str reference, struct arena *arena, struct findings *out)
{
    const struct str pointer = arena_format(arena, "/secrets/%.*s", STR_ARG(member));
    const bool is_env = str_starts(reference, STR("env:"));
    const struct str name = str_slice(reference, is_env ? 4 : 5, reference.len);
    struct str fix = {0};
    if (is_env && !is_granted(config, tenant, name)) {
        fix = arena_format(arena, "Have the operator add %.*s/%.*s to the setting secret_env.",
                           STR_ARG(tenant), STR_ARG(name));
    } else if (is_env && getenv(arena_cstr(arena, name)) == NULL) {
        fix =
            arena_format(arena, "Have the operator start the server with %.*s in its environment.",
                         STR_ARG(name));
    } else if (!is_env &&
               (config->secrets.len == 0 ||
                !can_open(arena, config->secrets,
                          arena_format(arena, "%.*s/%.*s", STR_ARG(tenant), STR_ARG(name))))) {
        fix = arena_format(arena,
                           "Have the operator put the file %.*s/%.*s into the folder of the "
                           "setting secrets.",
                           STR_ARG(tenant), STR_ARG(name));
    } else {
        return;
    }
    findings_add(out, "secret_unresolved", pointer,
                 arena_format(arena, "%.*s cannot be resolved", STR_ARG(reference)), fix);
}

void probe_findings(const struct probe_config *config, struct str tenant,
                    const struct source *source, const json_t *body, struct arena *arena,
                    struct findings *out)
{
    const char *key = NULL;
    json_t *value = NULL;
    find_url(config, body, arena, out);
    json_object_foreach(json_object_get(body, "secrets"), key, value)
    {
        find_secret(config, tenant, str_from(key), json_text(value), arena, out);
    }
    if (source->job_type.len == 0) {
        findings_add(out, "no_job_type", STR("/job_type"), STR("nothing says what its jobs are"),
                     STR("Set job_type, or a kind that has one."));
    }
}

/* ---- A try ---- */

/* What the first byte that is no white space says; nobody's Content-Type is believed. */
static struct str look_of(struct str bytes)
{
    const struct str text = str_trim(bytes);
    if (text.len == 0) {
        return STR("empty");
    }
    if (text.ptr[0] == '{' || text.ptr[0] == '[') {
        return STR("json");
    }
    return str_is_utf8(bytes) ? STR("text") : STR("bytes");
}

static struct str format_of(struct str bytes, struct arena *arena)
{
    struct reading reading;
    bool is_yaml = false;
    if (bytes.len > FORMAT_BYTES_MAX) {
        return STR("");
    }
    reading_init(&reading, arena, STR(""));
    json_t *document = document_read(&reading, bytes, &is_yaml);
    if (document == NULL) {
        return STR("");
    }
    const struct str format = str_from(document_format_name(document_format(document)));
    json_decref(document);
    return format;
}

static void take_trail(const struct fetch_trail *trail, struct arena *arena, struct trial *out)
{
    for (size_t i = 0; i < trail->n; i++) {
        const struct fetch_answer *answer = &trail->v[i];
        out->answers[i] = (struct trial_answer){
            .status = answer->status,
            .has_etag = answer->has_etag,
            .has_last_modified = answer->has_last_modified,
            .type = arena_str(arena, str_from(answer->type)),
            .url = arena_str(arena, str_from(answer->url)),
        };
    }
    out->answers_n = trail->n;
}

static void split_roots(const struct probe_config *config, struct arena *arena,
                        struct fetch_config *out)
{
    struct str rest = config->roots;
    struct str root;
    while (str_split(&rest, ':', &root) && out->roots_n < FETCH_ROOTS_MAX) {
        if (root.len > 0) {
            out->roots[out->roots_n++] = arena_cstr(arena, root);
        }
    }
}

void probe_try(const struct probe_config *config, const struct source *source, struct str url,
               struct str path, struct arena *arena, struct trial *out)
{
    char message[FETCH_MESSAGE] = "";
    struct fetch_result result;
    struct fetch_trail trail = {.n = 0};
    struct fetch_config fetching = {.allow_private = config->allow_private,
                                    .max_bytes = (size_t)config->max_bytes,
                                    .timeout_ms = (uint32_t)config->timeout_ms,
                                    .trail = &trail};
    *out = (struct trial){.error_class = "bad_root"};
    split_roots(config, arena, &fetching);
    struct fetch *fetch = fetch_new(&fetching, message);
    if (fetch == NULL) {
        out->detail = arena_str(arena, str_from(message));
        return;
    }
    if (source->asked.rate_milli > 0) {
        fetch_keep_to_host(fetch, arena_cstr(arena, source->host));
    }
    fetch_get(fetch, url, path, &result);
    out->reached = result.verdict == FETCH_OK;
    out->throttled = result.verdict == FETCH_THROTTLED;
    out->error_class = out->reached ? NULL : out->throttled ? "throttled" : result.error_class;
    out->detail = arena_str(arena, str_from(result.message));
    out->host = arena_str(arena, str_from(result.host));
    out->bytes = (int64_t)result.body.len;
    out->type = out->reached ? look_of(buf_get(&result.body)) : STR("");
    out->format = out->reached ? format_of(buf_get(&result.body), arena) : STR("");
    take_trail(&trail, arena, out);
    out->requests = result.requests;
    out->retry_after_ms = result.retry_after_ms;
    buf_fini(&result.body);
    fetch_free(fetch);
}
