/* secret_scan.h: counts a canary in our own memory. The canary is kept masked, so that the
 * searcher's copy is not found. Reads /proc/self/mem, so also pages that are not readable to the
 * process. */
#ifndef SLUICE_TEST_SECRET_SCAN_H
#define SLUICE_TEST_SECRET_SCAN_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/check.h"

#define SCAN_MASK  0x5A
#define SCAN_CHUNK ((size_t)1 << 20)

static const unsigned char scan_canary[] = {'c' ^ SCAN_MASK, 'a' ^ SCAN_MASK, 'n' ^ SCAN_MASK,
                                            'a' ^ SCAN_MASK, 'r' ^ SCAN_MASK, 'y' ^ SCAN_MASK,
                                            7 ^ SCAN_MASK,   250 ^ SCAN_MASK, 1 ^ SCAN_MASK,
                                            99 ^ SCAN_MASK,  'x' ^ SCAN_MASK, 0xEE ^ SCAN_MASK};

static inline void scan_write(volatile unsigned char *p)
{
    for (size_t i = 0; i < sizeof scan_canary; i++)
        p[i] = scan_canary[i] ^ SCAN_MASK;
}

static inline size_t scan_chunk(const unsigned char *p, size_t n)
{
    const size_t length = sizeof scan_canary;
    size_t found = 0;
    for (size_t at = 0; at + length <= n; at++) {
        size_t i = 0;
        while (i < length && p[at + i] == (unsigned char)(scan_canary[i] ^ SCAN_MASK))
            i++;
        found += i == length;
    }
    return found;
}

static inline size_t scan_memory(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int mem = open("/proc/self/mem", O_RDONLY);
    CHECK(maps != NULL && mem >= 0);
    unsigned char *chunk =
        mmap(NULL, SCAN_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(chunk != MAP_FAILED);
    char line[512], mode[8];
    unsigned long from, to;
    size_t found = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || strstr(line, "[v") != NULL ||
            (from <= (unsigned long)chunk && (unsigned long)chunk < to) ||
            to - from > ((size_t)1 << 30))
            continue;
        for (unsigned long at = from; at < to; at += SCAN_CHUNK - sizeof scan_canary + 1) {
            size_t want = to - at < SCAN_CHUNK ? to - at : SCAN_CHUNK;
            ssize_t n = pread(mem, chunk, want, (off_t)at);
            if (n <= 0)
                break;
            found += scan_chunk(chunk, (size_t)n);
        }
    }
    munmap(chunk, SCAN_CHUNK);
    close(mem);
    fclose(maps);
    return found;
}

#endif
