#include "contract/fault_vfs.h"

#include <sqlite3.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"

static struct {
    enum fault_kind kind;
    int nth;
    int count;
    int writes;
    int syncs;
} fault;

void fault_arm(enum fault_kind kind, int nth, int count)
{
    fault.kind = kind;
    fault.nth = nth;
    fault.count = count;
    fault.writes = 0;
    fault.syncs = 0;
}

int fault_calls(enum fault_kind kind)
{
    return kind == FAULT_SYNC ? fault.syncs : fault.writes;
}

static int is_now(int call)
{
    return call >= fault.nth && call < fault.nth + fault.count;
}

/* The real file lies behind ours. */
struct fault_file {
    sqlite3_file base;
    int64_t real[]; /* SQLite aligns files for eight bytes. */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((struct fault_file *)(void *)file)->real;
}

static int on_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    fault.writes++;
    if (fault.kind == FAULT_WRITE && is_now(fault.writes)) {
        /* A torn write: half of it is there. */
        (void)real_of(file)->pMethods->xWrite(real_of(file), bytes, count / 2, offset);
        return SQLITE_IOERR_WRITE;
    }
    if (fault.kind == FAULT_FULL && is_now(fault.writes)) {
        return SQLITE_FULL;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, count, offset);
}

static int on_sync(sqlite3_file *file, int flags)
{
    fault.syncs++;
    if (fault.kind == FAULT_SYNC && is_now(fault.syncs)) {
        return SQLITE_IOERR_FSYNC;
    }
    (void)file;
    (void)flags;
    return SQLITE_OK; /* Processes end here, not power: what is written is there. */
}

static int on_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, count, offset);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int on_size(sqlite3_file *file, sqlite3_int64 *out_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), out_size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_check_lock(sqlite3_file *file, int *out_is_locked)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out_is_locked);
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int on_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int is_last)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), is_last);
}

static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = on_close,
                                           .xRead = on_read,
                                           .xWrite = on_write,
                                           .xTruncate = on_truncate,
                                           .xSync = on_sync,
                                           .xFileSize = on_size,
                                           .xLock = on_lock,
                                           .xUnlock = on_unlock,
                                           .xCheckReservedLock = on_check_lock,
                                           .xFileControl = on_control,
                                           .xSectorSize = on_sector,
                                           .xDeviceCharacteristics = on_traits,
                                           .xShmMap = on_shm_map,
                                           .xShmLock = on_shm_lock,
                                           .xShmBarrier = on_shm_barrier,
                                           .xShmUnmap = on_shm_unmap};

static sqlite3_vfs *real_vfs;

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                   int *out_flags)
{
    (void)vfs;
    const int code = real_vfs->xOpen(real_vfs, name, real_of(file), flags, out_flags);
    file->pMethods = code == SQLITE_OK ? &methods : NULL;
    return code;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    (void)sync_folder; /* See on_sync(). */
    return real_vfs->xDelete(real_vfs, name, 0);
}

void fault_vfs_install(void)
{
    static sqlite3_vfs vfs;
    if (real_vfs != NULL) {
        return;
    }
    CHECK(sqlite3_initialize() == SQLITE_OK);
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "fault";
    vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
    vfs.xOpen = on_open;
    vfs.xDelete = on_delete;
    CHECK(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
}
