#include "base/hash.h"

#include <endian.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct sha256_stream {
    EVP_MD_CTX *ctx;
};

static EVP_MD *sha256;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    CHECK(sha256 != NULL);
}

/* EVP_sha256() would be looked up anew at each use, which takes longer than hashing a small text.
 */
static const EVP_MD *sha256_algorithm(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, fetch) == 0);
    return sha256;
}

struct sha256_stream *sha256_stream_new(void)
{
    struct sha256_stream *stream = malloc(sizeof(*stream));
    CHECK(stream != NULL);
    stream->ctx = EVP_MD_CTX_new();
    CHECK(stream->ctx != NULL);
    CHECK(EVP_DigestInit_ex(stream->ctx, sha256_algorithm(), NULL) == 1);
    return stream;
}

void sha256_stream_add(struct sha256_stream *stream, struct str bytes)
{
    CHECK(EVP_DigestUpdate(stream->ctx, bytes.ptr, bytes.len) == 1);
}

struct sha256 sha256_stream_finish(struct sha256_stream *stream)
{
    struct sha256 digest;
    CHECK(EVP_DigestFinal_ex(stream->ctx, digest.bytes, NULL) == 1);
    CHECK(EVP_DigestInit_ex(stream->ctx, NULL, NULL) == 1);
    return digest;
}

void sha256_stream_free(struct sha256_stream *stream)
{
    if (stream != NULL) {
        EVP_MD_CTX_free(stream->ctx);
        free(stream);
    }
}

struct sha256 sha256_of(struct str bytes)
{
    struct sha256 digest;
    CHECK(EVP_Digest(bytes.ptr, bytes.len, digest.bytes, NULL, sha256_algorithm(), NULL) == 1);
    return digest;
}

bool sha256_eq(const struct sha256 *a, const struct sha256 *b)
{
    return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

void sha256_format(const struct sha256 *digest, char out[SHA256_HEX + 1])
{
    *str_put_hex(out, (struct str){(const char *)digest->bytes, SHA256_SIZE}) = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sha256_parse(struct str hex, struct sha256 *out_digest)
{
    if (hex.len != SHA256_HEX) {
        return false;
    }
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        const int high = hex_digit(hex.ptr[2 * i]);
        const int low = hex_digit(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out_digest->bytes[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

struct sip {
    uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline struct sip sip_round(struct sip v)
{
    v.a += v.b;
    v.b = rotate(v.b, 13) ^ v.a;
    v.a = rotate(v.a, 32);
    v.c += v.d;
    v.d = rotate(v.d, 16) ^ v.c;
    v.a += v.d;
    v.d = rotate(v.d, 21) ^ v.a;
    v.c += v.b;
    v.b = rotate(v.b, 17) ^ v.c;
    v.c = rotate(v.c, 32);
    return v;
}

static inline struct sip sip_word(struct sip v, uint64_t word)
{
    v.d ^= word;
    v = sip_round(sip_round(v));
    v.a ^= word;
    return v;
}

uint64_t hash_keyed(const struct hash_key *key, struct str bytes)
{
    struct sip v = {
        key->k[0] ^ UINT64_C(0x736f6d6570736575),
        key->k[1] ^ UINT64_C(0x646f72616e646f6d),
        key->k[0] ^ UINT64_C(0x6c7967656e657261),
        key->k[1] ^ UINT64_C(0x7465646279746573),
    };
    uint64_t word = 0;
    size_t at = 0;
    for (; bytes.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, bytes.ptr + at, sizeof(word));
        v = sip_word(v, le64toh(word));
    }
    word = (uint64_t)bytes.len << 56;
    for (size_t i = at; i < bytes.len; i++) {
        word |= (uint64_t)(unsigned char)bytes.ptr[i] << (8 * (i - at));
    }
    v = sip_word(v, word);
    v.c ^= 0xFF;
    v = sip_round(sip_round(sip_round(sip_round(v))));
    return v.a ^ v.b ^ v.c ^ v.d;
}
