/*
 * sha256 - prints the SHA-256 of files, in the format of sha256sum.
 *
 *     sha256 [FILE]...
 *
 * The algorithm is that of FIPS 180-4; the numbers in comments are its sections.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct sha256 {
    uint32_t state[8];
    uint64_t len; /* in bytes */
    uint8_t block[64];
};

/* 4.2.2: the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotr(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* 6.2.2 */
static void hash_block(struct sha256 *h, const uint8_t *block)
{
    uint32_t w[64], s[8];

    for (int t = 0; t < 16; t++, block += 4) {
        w[t] = (uint32_t)block[0] << 24 | block[1] << 16 | block[2] << 8 | block[3];
    }
    for (int t = 16; t < 64; t++) {
        uint32_t a = w[t - 15], b = w[t - 2];

        w[t] = w[t - 16] + (rotr(a, 7) ^ rotr(a, 18) ^ a >> 3) + w[t - 7] +
               (rotr(b, 17) ^ rotr(b, 19) ^ b >> 10);
    }
    memcpy(s, h->state, sizeof(s));
    for (int t = 0; t < 64; t++) {
        uint32_t a = s[0], e = s[4];
        uint32_t t1 = s[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & s[5]) ^ (~e & s[6])) +
                      k[t] + w[t];
        uint32_t t2 =
            (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

        memmove(s + 1, s, 7 * sizeof(s[0]));
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) {
        h->state[i] += s[i];
    }
}

static void hash_start(struct sha256 *h)
{
    /* 5.3.3 */
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memcpy(h->state, start, sizeof(start));
    h->len = 0;
}

static void hash_add(struct sha256 *h, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t used = h->len % 64;
        size_t part = len < 64 - used ? len : 64 - used;

        memcpy(h->block + used, data, part);
        h->len += part;
        data += part;
        len -= part;
        if (used + part == 64) {
            hash_block(h, h->block);
        }
    }
}

/* 5.1.1: a one bit, zeroes, and the length in bits. */
static void hash_end(struct sha256 *h)
{
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = h->len * 8;
    uint8_t length[8];

    for (int i = 0; i < 8; i++) {
        length[i] = bits >> (56 - 8 * i);
    }
    hash_add(h, padding, 1 + (119 - h->len % 64) % 64);
    hash_add(h, length, 8);
}

static int sha256(int fd, const char *name)
{
    static uint8_t data[65536];
    struct sha256 h;
    ssize_t got;

    hash_start(&h);
    while ((got = read(fd, data, sizeof(data))) > 0) {
        hash_add(&h, data, got);
    }
    if (got < 0) {
        fprintf(stderr, "sha256: %s: %s\n", name, strerror(errno));
        return 1;
    }
    hash_end(&h);
    for (int i = 0; i < 8; i++) {
        printf("%08x", h.state[i]);
    }
    printf("  %s\n", name);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2 ? sha256(STDIN_FILENO, "-") : 0;

    for (int i = 1; i < argc; i++) {
        int fd = open(argv[i], O_RDONLY);

        if (fd < 0) {
            fprintf(stderr, "sha256: %s: %s\n", argv[i], strerror(errno));
            failed = 1;
            continue;
        }
        failed |= sha256(fd, argv[i]);
        close(fd);
    }
    return failed;
}
