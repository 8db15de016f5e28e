#include "auth/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/folder.h"
#include "platform/random.h"

enum { RANDOM_BYTES = 32, PREFIX = 4, DIGITS = 43 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void token_make(char out[TOKEN_TEXT])
{
    unsigned char bytes[RANDOM_BYTES + 1] = {0};
    random_bytes(bytes, RANDOM_BYTES);
    memcpy(out, "stl_", PREFIX);
    for (size_t i = 0; i < DIGITS; i++) {
        const size_t bit = i * 6;
        const unsigned int pair = (unsigned int)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        out[PREFIX + i] = alphabet[pair >> (10 - bit % 8) & 63];
    }
    out[PREFIX + DIGITS] = 0;
}

bool token_is_well_formed(struct str text)
{
    if (text.len != PREFIX + DIGITS || !str_starts(text, STR("stl_"))) {
        return false;
    }
    for (size_t i = PREFIX; i < text.len; i++) {
        if (text.ptr[i] == 0 || strchr(alphabet, text.ptr[i]) == NULL) {
            return false;
        }
    }
    return true;
}

bool token_of_header(struct str header, struct str *out_token)
{
    const size_t space = str_find(header, ' ');
    *out_token = str_trim(str_slice(header, space, header.len));
    return str_eq_nocase(str_slice(header, 0, space), STR("Bearer")) &&
           token_is_well_formed(*out_token);
}

struct sha256 token_hash(struct str text)
{
    return sha256_of(text);
}

static enum err_code file_read(int fd, const char *path, char out[TOKEN_TEXT], struct err *err)
{
    struct stat what;
    char room[TOKEN_TEXT + 16];
    const ssize_t got = read(fd, room, sizeof(room));
    const struct str text = str_trim((struct str){room, got > 0 ? (size_t)got : 0});
    if (fstat(fd, &what) != 0 || (what.st_mode & 077) != 0) {
        return err_set(err, ERR_IO, "%.120s can be read by others; make it mode 0600", path);
    }
    if (!token_is_well_formed(text)) {
        return err_set(err, ERR_IO, "%.120s does not hold a token", path);
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    return ERR_OK;
}

/* Makes the name of a new file durable. */
static bool sync_name(const char *path)
{
    char folder[4096];
    (void)snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL) {
        (void)snprintf(folder, sizeof(folder), ".");
    } else {
        slash[slash == folder] = 0;
    }
    return folder_sync(folder);
}

static enum err_code file_make(const char *path, char out[TOKEN_TEXT], struct err *err)
{
    char beside[4096];
    char line[TOKEN_TEXT + 1];
    token_make(out);
    const int len = snprintf(line, sizeof(line), "%s\n", out);
    (void)snprintf(beside, sizeof(beside), "%s.new", path);
    (void)unlink(beside);
    const int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool made = fd >= 0 && write(fd, line, (size_t)len) == len && fsync(fd) == 0;
    if (fd >= 0) {
        made = close(fd) == 0 && made;
    }
    /* A link, not a rename: what another process made first is kept. */
    made = made && link(beside, path) == 0;
    const int why = errno;
    (void)unlink(beside);
    if (!made || !sync_name(path)) {
        return err_set(err, ERR_IO, "%.120s cannot be written: %s", path, strerror(why));
    }
    return ERR_OK;
}

enum err_code token_file(const char *path, char out[TOKEN_TEXT], bool *out_made, struct err *err)
{
    *out_made = false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        const enum err_code code = file_read(fd, path, out, err);
        (void)close(fd);
        return code;
    }
    if (errno != ENOENT) {
        return err_set(err, ERR_IO, "%.120s cannot be read: %s", path, strerror(errno));
    }
    *out_made = true;
    return file_make(path, out, err);
}
