/* tfevents.c - CRC-32C by a table: polynomial 0x1EDC6F41 reflected, start and end inverted. */
#include "tfevents.h"

#include <pthread.h>

static uint32_t table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
    uint32_t i, k, crc;

    for (i = 0; i < 256; i++) {
        crc = i;
        for (k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
        table[i] = crc;
    }
}

uint32_t gtr_tfevents_crc(const void *bytes, size_t n)
{
    const unsigned char *byte = bytes;
    uint32_t crc = UINT32_MAX;

    pthread_once(&table_once, make_table);
    while (n-- > 0)
        crc = crc >> 8 ^ table[(crc ^ *byte++) & 255];
    crc = ~crc;
    return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
}
