#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct sha256_stream {
    EVP_MD_CTX *ctx;
};

struct sha256_stream *sha256_stream_new(void)
{
    struct sha256_stream *stream = malloc(sizeof(*stream));
    CHECK(stream != NULL);
    stream->ctx = EVP_MD_CTX_new();
    CHECK(stream->ctx != NULL);
    CHECK(EVP_DigestInit_ex(stream->ctx, EVP_sha256(), NULL) == 1);
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
    CHECK(EVP_Digest(bytes.ptr, bytes.len, digest.bytes, NULL, EVP_sha256(), NULL) == 1);
    return digest;
}

bool sha256_eq(const struct sha256 *a, const struct sha256 *b)
{
    return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

void sha256_format(const struct sha256 *digest, char out[SHA256_HEX + 1])
{
    for (int i = 0; i < SHA256_SIZE; i++) {
        out[2 * i] = "0123456789abcdef"[digest->bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[digest->bytes[i] & 15];
    }
    out[SHA256_HEX] = '\0';
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

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t little_endian(const unsigned char *bytes, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)bytes[i] << (8 * i);
    }
    return word;
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t hash_keyed(const struct hash_key *key, struct str bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.ptr;
    uint64_t v[4] = {
        key->k[0] ^ UINT64_C(0x736f6d6570736575),
        key->k[1] ^ UINT64_C(0x646f72616e646f6d),
        key->k[0] ^ UINT64_C(0x6c7967656e657261),
        key->k[1] ^ UINT64_C(0x7465646279746573),
    };
    size_t at = 0;
    for (; bytes.len - at >= 8; at += 8) {
        sip_word(v, little_endian(in + at, 8));
    }
    const uint64_t tail = bytes.len == at ? 0 : little_endian(in + at, bytes.len - at);
    sip_word(v, (uint64_t)bytes.len << 56 | tail);
    v[2] ^= 0xFF;
    for (int i = 0; i < 4; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
