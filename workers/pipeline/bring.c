/* Bringing home what a run has made. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/map.h"
#include "workers/fetch/fetch.h"
#include "workers/pipeline/run.h"

enum { ARENA_BYTES = 256 * 1024 * 1024 };

struct bring {
    struct api *api;
    const char *folder;
    struct arena arena;
    struct map job_names; /* Job id to its name in the run (char *). */
    size_t files;
};

static bool say(const char *what, const char *detail)
{
    (void)fprintf(stderr, "stella-pipeline: %s: %s\n", what, detail);
    return false;
}

static struct str member(const json_t *item, const char *key)
{
    return str_from(json_string_value(json_object_get(item, key)));
}

static bool take_job(void *context, const json_t *job)
{
    struct bring *bring = context;
    const struct str id = arena_str(&bring->arena, member(job, "id"));
    map_put_str(&bring->arena, &bring->job_names, id,
                arena_cstr(&bring->arena, member(job, "name")));
    return true;
}

/* Makes the folders above `path`. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        const bool made = mkdir(path, 0777) == 0 || errno == EEXIST;
        const int why = errno;
        if (!made) {
            return say(path, strerror(why));
        }
        *slash = '/';
    }
    return true;
}

static bool take_artifact(void *context, const json_t *item)
{
    struct bring *bring = context;
    char path[PATH_MAX];
    const struct str name = member(item, "name");
    const char *job = map_find_str(&bring->job_names, member(item, "job"));
    if (str_eq(member(item, "role"), STR("input"))) {
        return true;
    }
    if (job == NULL || !fetch_path_is_plain(name) || !fetch_path_is_plain(str_from(job))) {
        return say("an artifact", "has a name that is no path");
    }
    const bool top = strcmp(job, "merge") == 0 || str_starts(name, STR("raw/"));
    const int len =
        top ? snprintf(path, sizeof(path), "%s/%.*s", bring->folder, STR_ARG(name))
            : snprintf(path, sizeof(path), "%s/jobs/%s/%.*s", bring->folder, job, STR_ARG(name));
    if (len >= (int)sizeof(path)) {
        return say(bring->folder, "the path is too long");
    }
    bring->files++;
    return make_folders(path) &&
           api_download(bring->api, json_string_value(json_object_get(item, "sha256")), path);
}

bool run_download(struct api *api, const struct run *run, const char *folder, size_t *out_files)
{
    char list[RUN_ID + 32];
    struct bring bring = {.api = api, .folder = folder};
    arena_init(&bring.arena, ARENA_BYTES);
    (void)snprintf(list, sizeof(list), "/runs/%s/jobs", run->id);
    bool fine = run_each(api, list, &bring, take_job);
    (void)snprintf(list, sizeof(list), "/artifacts?run=%s", run->id);
    fine = fine && run_each(api, list, &bring, take_artifact);
    arena_fini(&bring.arena);
    *out_files = bring.files;
    return fine;
}
