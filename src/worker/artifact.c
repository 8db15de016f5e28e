/* Outputs of a job: kept while they are written, uploaded by their digest. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/id.h"
#include "worker/parts.h"

enum {
    ARTIFACT_NAME_MAX = 200, /* These two are the server's bounds. */
    MEDIA_TYPE_MAX = 128,
    SPOOL_MEMORY = 1 << 20 /* Bytes kept in memory; more goes to a temporary file. */
};

struct stella_artifact {
    struct stella_job *job;
    struct str name, media_type; /* In the job's arena. */
    struct sha256_stream *digest;
    int fd;       /* Memory at first, then an unnamed file. */
    bool on_disk; /* The file. */
    uint64_t size;
    bool broken; /* A write failed. */
};

static bool is_media_type(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < ' ' || s.ptr[i] > '~') {
            return false;
        }
    }
    return s.len <= MEDIA_TYPE_MAX;
}

static int32_t check_name(const struct stella_job *job, const char *name, size_t most,
                          struct stella_error *error)
{
    if (name == NULL || !name_is_valid(str_from(name), ARTIFACT_NAME_MAX)) {
        return fault(error, STELLA_USAGE, "not a name of an artifact");
    }
    if (job->artifacts.n >= most || arena_used(&job->arena) > JOB_ARENA_CAP / 2) {
        return fault(error, STELLA_MEMORY, "a job reports at most %zu artifacts", most);
    }
    return STELLA_OK;
}

int32_t stella_artifact_open(struct stella_job *job, const char *name, const char *media_type,
                             struct stella_artifact **out, struct stella_error *error)
{
    const int32_t checked = check_name(job, name, JOB_ARTIFACTS_MAX, error);
    if (checked != STELLA_OK) {
        return checked;
    }
    if (!is_media_type(str_from(media_type))) {
        return fault(error, STELLA_USAGE, "not a media type");
    }
    struct stella_artifact *artifact = calloc(1, sizeof(*artifact));
    if (artifact == NULL) {
        return fault(error, STELLA_MEMORY, "no memory for an artifact");
    }
    artifact->job = job;
    artifact->name = arena_str(&job->arena, str_from(name));
    artifact->media_type = arena_str(&job->arena, str_from(media_type));
    artifact->digest = sha256_stream_new();
    artifact->fd = memfd_create("stella-artifact", MFD_CLOEXEC);
    if (artifact->fd < 0) {
        const int32_t code =
            fault(error, STELLA_IO, "no memory for an artifact: %s", strerror(errno));
        stella_artifact_discard(artifact);
        return code;
    }
    *out = artifact;
    return STELLA_OK;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes += written;
        len -= (size_t)written;
    }
    return true;
}

/* A file without a name. Not every file system can make one; then its name is taken away at once.
 */
static int temporary_file(void)
{
    const char *given = secure_getenv("TMPDIR");
    const char *folder = given != NULL ? given : "/tmp";
    char path[PATH_MAX];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && snprintf(path, sizeof(path), "%s/stella-XXXXXX", folder) < PATH_MAX) {
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
            (void)unlink(path);
        }
    }
    return fd;
}

/* Moves what is in memory to an unnamed file. */
static bool spill(struct stella_artifact *artifact)
{
    const int fd = temporary_file();
    if (fd < 0) {
        return false;
    }
    char *bytes = artifact->size == 0
                      ? NULL
                      : mmap(NULL, artifact->size, PROT_READ, MAP_PRIVATE, artifact->fd, 0);
    const bool moved =
        bytes == NULL || (bytes != MAP_FAILED && write_all(fd, bytes, artifact->size));
    if (bytes != NULL && bytes != MAP_FAILED) {
        (void)munmap(bytes, artifact->size);
    }
    if (!moved) {
        (void)close(fd);
        return false;
    }
    (void)close(artifact->fd);
    artifact->fd = fd;
    artifact->on_disk = true;
    return true;
}

int32_t stella_artifact_write(struct stella_artifact *artifact, const void *bytes, size_t len,
                              struct stella_error *error)
{
    if (artifact->broken) {
        return fault(error, STELLA_IO, "an earlier write failed");
    }
    const bool large = !artifact->on_disk && artifact->size + len > SPOOL_MEMORY;
    if ((large && !spill(artifact)) || !write_all(artifact->fd, bytes, len)) {
        artifact->broken = true;
        return fault(error, STELLA_IO, "cannot keep the artifact: %s", strerror(errno));
    }
    sha256_stream_add(artifact->digest, (struct str){bytes, len});
    artifact->size += len;
    return STELLA_OK;
}

static int32_t upload(struct stella_artifact *artifact, const char sha256[STELLA_SHA256_TEXT],
                      struct stella_error *error)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "/artifacts/%s", sha256);
    const bool typed = artifact->media_type.len > 0;
    const struct call call = {
        .method = "PUT",
        .path = path,
        .content_type = typed ? artifact->media_type.ptr : "application/octet-stream",
        .body_fd = artifact->fd,
        .body_len = artifact->size,
    };
    return call_run(artifact->job, &call, error);
}

static void add(struct stella_job *job, const struct lease_artifact *artifact)
{
    VEC_PUSH(&job->arena, &job->artifacts, *artifact);
}

int32_t stella_artifact_close(struct stella_artifact *artifact, char out_sha256[STELLA_SHA256_TEXT],
                              struct stella_error *error)
{
    struct lease_artifact made = {
        .name = artifact->name,
        .media_type = artifact->media_type,
        .size = artifact->size,
    };
    int32_t code = STELLA_OK;
    if (artifact->broken) {
        code = fault(error, STELLA_IO, "an earlier write failed");
    } else {
        const struct sha256 digest = sha256_stream_finish(artifact->digest);
        sha256_format(&digest, made.sha256);
        code = upload(artifact, made.sha256, error);
    }
    if (code == STELLA_OK) {
        add(artifact->job, &made);
        if (out_sha256 != NULL) {
            memcpy(out_sha256, made.sha256, STELLA_SHA256_TEXT);
        }
    }
    stella_artifact_discard(artifact);
    return code;
}

void stella_artifact_discard(struct stella_artifact *artifact)
{
    if (artifact == NULL) {
        return;
    }
    if (artifact->fd >= 0) {
        (void)close(artifact->fd);
    }
    sha256_stream_free(artifact->digest);
    free(artifact);
}

int32_t stella_job_put_artifact(struct stella_job *job, const char *name, const char *media_type,
                                const void *bytes, size_t len, char out_sha256[STELLA_SHA256_TEXT],
                                struct stella_error *error)
{
    struct stella_artifact *artifact = NULL;
    int32_t code = stella_artifact_open(job, name, media_type, &artifact, error);
    if (code != STELLA_OK) {
        return code;
    }
    code = stella_artifact_write(artifact, bytes, len, error);
    if (code != STELLA_OK) {
        stella_artifact_discard(artifact);
        return code;
    }
    return stella_artifact_close(artifact, out_sha256, error);
}

int32_t stella_job_use_artifact(struct stella_job *job, const char *name, const char *sha256,
                                uint64_t size, struct stella_error *error)
{
    struct sha256 digest;
    struct lease_artifact used = {.input = true, .size = size};
    const int32_t checked = check_name(job, name, JOB_INPUTS_MAX, error);
    if (checked != STELLA_OK) {
        return checked;
    }
    if (!sha256_parse(str_from(sha256), &digest)) {
        return fault(error, STELLA_USAGE, "not a SHA-256");
    }
    sha256_format(&digest, used.sha256);
    used.name = arena_str(&job->arena, str_from(name));
    add(job, &used);
    return STELLA_OK;
}
