/* The data folder: who may touch it, on which disk it lies, what is in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "doctor/doctor.h"
#include "platform/clock.h"

enum {
    DISK_MIB = 1024,
    DISK_MAX_MIB = 1 << 30,
    DISK_LEAST_MIB = 64, /* Below this a server soon stops storing. */
    FSYNC_MS = 50,
    FSYNC_MAX_MS = 60000,
    PROBE_BYTES = 4096,
    PATH_TEXT = 4096,
    UNDER_WAY_S = 86400, /* A backup that began so long ago has ended. */
    OTHERS = S_IRWXG | S_IRWXO,
};

#define MIB (INT64_C(1) << 20)

bool doctor_is_network(int64_t kind)
{
    static const int64_t kinds[] = {NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
                                    SMB2_SUPER_MAGIC, V9FS_MAGIC,      CEPH_SUPER_MAGIC,
                                    AFS_SUPER_MAGIC,  CODA_SUPER_MAGIC};
    for (size_t i = 0; i < CLI_COUNT(kinds); i++) {
        if (kinds[i] == kind) {
            return true;
        }
    }
    return false;
}

static const char *chmod_of(struct doctor *doctor, const char *mode, const char *path)
{
    return arena_format(&doctor->call->arena, "chmod %s %s", mode, path).ptr;
}

static bool check_folder(struct doctor *doctor)
{
    struct stat info = {0};
    const bool is_there = stat(doctor->data, &info) == 0;
    if (!is_there || !S_ISDIR(info.st_mode)) {
        doctor_fail(doctor, "data folder",
                    "give the --data of serve, or make one: stella orchestrator migrate --data DIR",
                    "%s: %s", doctor->data, is_there ? "not a folder" : strerror(errno));
        return false;
    }
    if (access(doctor->data, R_OK | W_OK | X_OK) != 0) {
        doctor_fail(doctor, "data folder", "run it as the user who owns the folder, or chown it",
                    "%s cannot be written by this user (it belongs to uid %u)", doctor->data,
                    (unsigned)info.st_uid);
        return false;
    }
    if ((info.st_mode & OTHERS) != 0) {
        doctor_warn(doctor, "data folder", chmod_of(doctor, "700", doctor->data),
                    "others can look into %s", doctor->data);
    } else {
        doctor_ok(doctor, "data folder", "%s is writable, by its owner alone", doctor->data);
    }
    return true;
}

static void check_disk(struct doctor *doctor)
{
    int64_t least = DISK_MIB;
    struct statvfs info = {0};
    if (cli_number(doctor->call, "disk-mib", 0, DISK_MAX_MIB, &least) != CLI_OK ||
        statvfs(doctor->data, &info) != 0) {
        doctor_warn(doctor, "disk", "give --disk-mib a number", "how much is free is not known");
        return;
    }
    const int64_t free_mib = (int64_t)(info.f_bavail * info.f_frsize) / MIB;
    const char *mend = "docs/operate/disk-full.md: free or add space before it is full";
    if (free_mib < DISK_LEAST_MIB) {
        doctor_fail(doctor, "disk", mend, "%lld MiB are free", (long long)free_mib);
    } else if (free_mib < least) {
        doctor_warn(doctor, "disk", mend, "%lld MiB are free", (long long)free_mib);
    } else if (info.f_files > 0 && info.f_favail < info.f_files / 100) {
        doctor_warn(doctor, "disk", "remove small files, or make a file system with more inodes",
                    "less than one in a hundred inodes is free");
    } else {
        doctor_ok(doctor, "disk", "%lld MiB are free", (long long)free_mib);
    }
}

static void check_file_system(struct doctor *doctor)
{
    struct statfs info = {0};
    if (statfs(doctor->data, &info) == 0 && doctor_is_network(info.f_type)) {
        doctor_fail(doctor, "file system",
                    "put the data folder on a disk of this machine, or use "
                    "PostgreSQL",
                    "%s lies on another machine: locks and fsync cannot be trusted there",
                    doctor->data);
    } else if (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC) {
        doctor_warn(doctor, "file system", "put the data folder on a disk",
                    "%s lies in memory: all is lost when the machine stops", doctor->data);
    } else {
        doctor_ok(doctor, "file system", "of this machine, kept when it stops");
    }
}

/* Writes a page and waits until it is on disk, as every commit does. */
static bool probe(const char *path, int64_t *out_us)
{
    char page[PROBE_BYTES] = {0};
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const int64_t start = clock_mono().us;
    const bool done =
        fd >= 0 && write(fd, page, sizeof(page)) == (ssize_t)sizeof(page) && fdatasync(fd) == 0;
    *out_us = clock_mono().us - start;
    const int why = errno;
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    errno = why;
    return done;
}

static void check_fsync(struct doctor *doctor)
{
    int64_t most_ms = FSYNC_MS;
    int64_t us = 0;
    const char *path =
        arena_format(&doctor->call->arena, "%s/doctor-%d", doctor->data, (int)getpid()).ptr;
    if (cli_number(doctor->call, "fsync-ms", 0, FSYNC_MAX_MS, &most_ms) != CLI_OK ||
        !probe(path, &us)) {
        doctor_fail(doctor, "fsync", "docs/operate/ledger-unavailable.md",
                    "nothing can be stored durably: %s", strerror(errno));
    } else if (us >= most_ms * US_PER_MS) {
        doctor_warn(doctor, "fsync", "use a faster disk, or one with a protected write cache",
                    "a durable write takes %lld ms; each commit waits that long",
                    (long long)(us / US_PER_MS));
    } else {
        doctor_ok(doctor, "fsync", "a durable write takes %.1f ms", (double)us / US_PER_MS);
    }
}

/* Missing ones are made by serve. */
static void check_secret(struct doctor *doctor, const char *check, const char *path)
{
    struct stat info = {0};
    if (stat(path, &info) != 0) {
        doctor_ok(doctor, check, "%s is not there yet; serve makes it", path);
    } else if ((info.st_mode & OTHERS) != 0) {
        doctor_warn(doctor, check, chmod_of(doctor, "600", path), "others can read %s", path);
    } else if (access(path, R_OK) != 0) {
        doctor_fail(doctor, check, "run it as the user who owns the file", "%s cannot be read",
                    path);
    } else {
        doctor_ok(doctor, check, "only its owner can read it");
    }
}

static void check_ledger_file(struct doctor *doctor)
{
    const char *path = arena_format(&doctor->call->arena, "%s/ledger.db", doctor->data).ptr;
    struct stat info = {0};
    if (stat(path, &info) != 0) {
        doctor_fail(doctor, "ledger file",
                    arena_format(&doctor->call->arena, "run: stella orchestrator migrate --data %s",
                                 doctor->data)
                        .ptr,
                    "there is no %s", path);
    } else if (access(path, R_OK | W_OK) != 0) {
        doctor_fail(doctor, "ledger file", "run it as the user who owns the file",
                    "%s cannot be written by this user", path);
    } else if ((info.st_mode & OTHERS) != 0) {
        doctor_warn(doctor, "ledger file", chmod_of(doctor, "600", path), "others can read %s",
                    path);
    } else {
        doctor_ok(doctor, "ledger file", "%lld MiB, only for its owner",
                  (long long)(info.st_size / MIB));
    }
}

/* Who has the ledger: the server that answers, or one that does not. */
static void check_lock(struct doctor *doctor)
{
    const char *path = arena_format(&doctor->call->arena, "%s/ledger.db.lock", doctor->data).ptr;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    const bool is_held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (is_held && !doctor->answers) {
        doctor_warn(doctor, "lock",
                    "see who has it: fuser -v ledger.db.lock; or give the right --server",
                    "a process holds the ledger, but no server answers");
    } else if (!is_held && doctor->answers) {
        doctor_warn(doctor, "lock", "give the --data of the server that answers",
                    "a server answers, but it does not hold this ledger");
    } else {
        doctor_ok(doctor, "lock", is_held ? "the server holds it" : "free");
    }
}

static void check_blobs(struct doctor *doctor)
{
    const char *path = arena_format(&doctor->call->arena, "%s/ledger.db.blobs", doctor->data).ptr;
    struct stat blobs = {0};
    struct stat data = {0};
    if (stat(path, &blobs) != 0) {
        doctor_ok(doctor, "blobs", "there are none yet");
    } else if (access(path, R_OK | W_OK | X_OK) != 0) {
        doctor_fail(doctor, "blobs", "chown it to the user of the server",
                    "artifacts cannot be stored in %s", path);
    } else if (stat(doctor->data, &data) == 0 && data.st_dev != blobs.st_dev) {
        doctor_warn(doctor, "blobs", "back both up together, and watch the space of both",
                    "%s lies on another file system than the ledger", path);
    } else {
        doctor_ok(doctor, "blobs", "the folder is writable, beside the ledger");
    }
}

/* A backup is made under a name that ends so. */
static bool is_orphan(const char *path, struct str name)
{
    char ledger[PATH_TEXT];
    struct stat info = {0};
    const int len = snprintf(ledger, sizeof(ledger), "%s/%.*s/ledger.db", path, STR_ARG(name));
    return str_ends(name, STR(".partial")) && len < PATH_TEXT && stat(ledger, &info) == 0 &&
           info.st_mtime < clock_wall().us / US_PER_S - UNDER_WAY_S;
}

/* The first one in the folder; false: none. */
static bool find_orphan(struct doctor *doctor, const char *path, const char **out)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return false;
    }
    const struct dirent *entry = NULL;
    *out = NULL;
    while (*out == NULL && (entry = readdir(folder)) != NULL) {
        if (is_orphan(path, str_from(entry->d_name))) {
            *out = arena_format(&doctor->call->arena, "%s/%s", path, entry->d_name).ptr;
        }
    }
    (void)closedir(folder);
    return *out != NULL;
}

/* Where backups lie only who makes them knows; in the data folder and beside it they are common. */
static void check_backups(struct doctor *doctor)
{
    const char *path = NULL;
    const char *beside = arena_format(&doctor->call->arena, "%s/..", doctor->data).ptr;
    if (find_orphan(doctor, doctor->data, &path) || find_orphan(doctor, beside, &path)) {
        doctor_warn(doctor, "backups",
                    arena_format(&doctor->call->arena, "make it again, then rm -r %s", path).ptr,
                    "%s is of a backup that did not finish", path);
    } else {
        doctor_ok(doctor, "backups", "none in or beside the data folder was left unfinished");
    }
}

void doctor_files(struct doctor *doctor)
{
    if (!check_folder(doctor)) {
        return;
    }
    check_disk(doctor);
    check_file_system(doctor);
    check_fsync(doctor);
    check_backups(doctor);
    check_secret(doctor, "admin token",
                 arena_format(&doctor->call->arena, "%s/admin.token", doctor->data).ptr);
    if (doctor->settings.worker_token.len > 0) {
        check_secret(doctor, "worker token",
                     arena_cstr(&doctor->call->arena, doctor->settings.worker_token));
    }
    if (doctor->settings.database.len == 0) {
        check_ledger_file(doctor);
        check_lock(doctor);
        check_blobs(doctor);
    }
}
