/* What the machine gives: limits, memory, the port, TLS. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/doctor.h"
#include "platform/clock.h"

enum {
    FILES_BESIDE = 64, /* Of the ledger, logs and libraries, beside connections. */
    MEMORY_MIB = 512,
    MEMORY_MAX_MIB = 1 << 30,
    EXPIRY_WARN_S = 14 * 86400,
    MEMINFO_MAX = 4096,
};

static void check_files_limit(struct doctor *doctor)
{
    struct rlimit limit = {0};
    const int64_t wanted = doctor->settings.http_connections + FILES_BESIDE;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)wanted) {
        doctor_fail(doctor, "open files",
                    "raise LimitNOFILE= of the unit (or ulimit -n), or lower http_connections",
                    "%llu may be open, http_connections wants %lld",
                    (unsigned long long)limit.rlim_cur, (long long)wanted);
    } else {
        doctor_ok(doctor, "open files", "enough for %lld connections",
                  (long long)doctor->settings.http_connections);
    }
}

/* MemAvailable of /proc/meminfo in MiB, or -1. */
static int64_t available_mib(void)
{
    char text[MEMINFO_MAX] = "";
    const int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0) {
        (void)close(fd);
    }
    struct str rest = {text, n > 0 ? (size_t)n : 0};
    struct str line;
    int64_t kib = -1;
    while (str_split(&rest, '\n', &line)) {
        if (str_starts(line, STR("MemAvailable:")) && str_ends(line, STR(" kB"))) {
            const struct str number = str_slice(line, sizeof("MemAvailable:") - 1, line.len - 3);
            (void)str_parse_i64(str_trim(number), &kib);
        }
    }
    return kib >= 0 ? kib / 1024 : -1;
}

static void check_memory(struct doctor *doctor)
{
    int64_t least = MEMORY_MIB;
    const int64_t available = available_mib();
    if (cli_number(doctor->call, "memory-mib", 0, MEMORY_MAX_MIB, &least) != CLI_OK ||
        available < 0) {
        doctor_warn(doctor, "memory", "mount /proc, give --memory-mib a number",
                    "how much is available is not known");
    } else if (available < least) {
        doctor_warn(doctor, "memory",
                    "free some, or lower http_bodies_bytes and submit less at once",
                    "%lld MiB are available", (long long)available);
    } else {
        doctor_ok(doctor, "memory", "%lld MiB are available", (long long)available);
    }
}

static bool has_port(struct str listen)
{
    return str_find(listen, ':') < listen.len;
}

/* Binds where serve would bind; only when no server answers. */
static void check_port(struct doctor *doctor)
{
    const char *listen = arena_cstr(&doctor->call->arena, doctor->settings.listen);
    char *host = arena_cstr(&doctor->call->arena, doctor->settings.listen);
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    if (doctor->answers) {
        doctor_ok(doctor, "port", "the server listens");
        return;
    }
    char *colon = has_port(doctor->settings.listen) ? strrchr(host, ':') : NULL;
    const char *port = colon != NULL ? colon + 1 : "";
    if (colon != NULL) {
        *colon = '\0';
        host += host[0] == '[' ? 1 : 0;
        host[strcspn(host, "]")] = '\0';
    }
    if (colon == NULL || getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &found) != 0) {
        doctor_fail(doctor, "port", "listen is an address and a port: 127.0.0.1:8700",
                    "\"%s\" is no address to listen on", listen);
        return;
    }
    const int on = 1;
    const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_free = fd >= 0 &&
                         setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                         bind(fd, found->ai_addr, found->ai_addrlen) == 0;
    const int why = errno;
    if (is_free) {
        doctor_ok(doctor, "port", "%s is free", listen);
    } else {
        doctor_fail(doctor, "port", "end what listens there (ss -ltnp), or set another --listen",
                    "serve could not listen on %s: %s", listen, strerror(why));
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    freeaddrinfo(found);
}

static void check_pair(struct doctor *doctor, X509 *certificate, EVP_PKEY *key,
                       const char *key_path)
{
    struct stat info = {0};
    time_t soon = (time_t)(clock_wall().us / US_PER_S) + EXPIRY_WARN_S;
    if (certificate == NULL || key == NULL) {
        doctor_fail(doctor, "tls", "tls_certificate and tls_key name PEM files that serve can read",
                    "%s cannot be read", certificate == NULL ? "the certificate" : "the key");
    } else if (X509_check_private_key(certificate, key) != 1) {
        doctor_fail(doctor, "tls", "give the key that the certificate was made for",
                    "the key does not belong to the certificate");
    } else if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
        doctor_fail(doctor, "tls", "renew it and start serve again", "the certificate has expired");
    } else if (X509_cmp_time(X509_get0_notAfter(certificate), &soon) < 0) {
        doctor_warn(doctor, "tls", "renew it and start serve again",
                    "the certificate expires within two weeks");
    } else if (stat(key_path, &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        doctor_warn(doctor, "tls", arena_format(&doctor->call->arena, "chmod 600 %s", key_path).ptr,
                    "others can read the key");
    } else {
        doctor_ok(doctor, "tls", "certificate and key belong together and are valid");
    }
}

static void check_tls(struct doctor *doctor)
{
    const char *certificate_path =
        arena_cstr(&doctor->call->arena, doctor->settings.tls_certificate);
    const char *key_path = arena_cstr(&doctor->call->arena, doctor->settings.tls_key);
    if (certificate_path[0] == '\0' && key_path[0] == '\0') {
        if (doctor->settings.allow_plain_http) {
            doctor_warn(doctor, "tls", "give tls_certificate and tls_key, or listen on 127.0.0.1",
                        "other machines are served without encryption");
        } else {
            doctor_ok(doctor, "tls", "not used: only this machine is served");
        }
        return;
    }
    FILE *certificate_file = fopen(certificate_path, "re");
    FILE *key_file = fopen(key_path, "re");
    X509 *certificate =
        certificate_file != NULL ? PEM_read_X509(certificate_file, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = key_file != NULL ? PEM_read_PrivateKey(key_file, NULL, NULL, NULL) : NULL;
    check_pair(doctor, certificate, key, key_path);
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (certificate_file != NULL) {
        (void)fclose(certificate_file);
    }
    if (key_file != NULL) {
        (void)fclose(key_file);
    }
}

void doctor_machine(struct doctor *doctor)
{
    check_files_limit(doctor);
    check_memory(doctor);
    check_port(doctor);
    check_tls(doctor);
}
