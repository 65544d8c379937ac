/* huffman.c - prefix codes of limited length. */
#include "deflate_block.h"

struct leaf {
    uint32_t count;
    uint16_t symbol;
};

/* By eight bits of their counts, those with equal bits in the order in which they were. */
static void sort_by_bits(const struct leaf *leaves, size_t n, unsigned shift, struct leaf *sorted)
{
    size_t place[256] = { 0 }, at = 0, number, i;

    for (i = 0; i < n; i++)
        place[leaves[i].count >> shift & 0xff]++;
    for (i = 0; i < 256; i++) {
        number = place[i];
        place[i] = at;
        at += number;
    }
    for (i = 0; i < n; i++)
        sorted[place[leaves[i].count >> shift & 0xff]++] = leaves[i];
}

/* Those that occur, rarest first; equal counts in the order of the symbols. */
static size_t sort_leaves(const uint32_t *counts, size_t n, struct leaf *leaves)
{
    struct leaf other[GTR_HUFFMAN_SYMBOLS_MAX];
    uint32_t bits = 0;
    size_t used = 0, i;

    for (i = 0; i < n; i++) {
        leaves[used] = (struct leaf){ counts[i], (uint16_t)i };
        used += counts[i] > 0;
        bits |= counts[i];
    }
    sort_by_bits(leaves, used, 0, other);
    sort_by_bits(other, used, 8, leaves);
    if (bits >> 16 > 0) {
        sort_by_bits(leaves, used, 16, other);
        sort_by_bits(other, used, 24, leaves);
    }
    return used;
}

/* Huffman's tree over sorted leaves: joined nodes come out in rising order too, so the next
 * smallest is the first of one of two queues.  number[d] gets how many leaves are d deep, those
 * deeper than `limit` counted there. */
static void count_depths(const struct leaf *leaves, size_t n, unsigned limit, uint32_t *number)
{
    uint32_t weight[2 * GTR_HUFFMAN_SYMBOLS_MAX];
    uint16_t parent[2 * GTR_HUFFMAN_SYMBOLS_MAX], depth[2 * GTR_HUFFMAN_SYMBOLS_MAX];
    size_t leaf = 0, joined = n, end, i;
    int side;

    for (i = 0; i < n; i++)
        weight[i] = leaves[i].count;
    for (end = n; end < 2 * n - 1; end++) {
        weight[end] = 0;
        for (side = 0; side < 2; side++) {
            size_t least =
                leaf < n && (joined == end || weight[leaf] <= weight[joined]) ? leaf++ : joined++;

            weight[end] += weight[least];
            parent[least] = (uint16_t)end;
        }
    }
    depth[2 * n - 2] = 0;
    for (i = 2 * n - 2; i-- > 0;) {
        depth[i] = (uint16_t)(depth[parent[i]] + 1);
        if (i < n)
            number[depth[i] < limit ? depth[i] : limit]++;
    }
}

/* Leaves that were too deep made the code overfull.  A step takes one of the deepest and makes a
 * shallower leaf's place into two: the sum of 2^-depth falls by 2^-limit. */
static void shorten(unsigned limit, uint32_t *number)
{
    uint32_t full = UINT32_C(1) << limit, sum = 0;
    unsigned d;

    for (d = 1; d <= limit; d++)
        sum += number[d] << (limit - d);
    for (; sum > full; sum--) {
        for (d = limit - 1; number[d] == 0;)
            d--;
        number[limit]--;
        number[d]--;
        number[d + 1] += 2;
    }
}

void gtr_huffman_lengths(const uint32_t *counts, size_t n, unsigned limit, uint8_t *lengths)
{
    struct leaf leaves[GTR_HUFFMAN_SYMBOLS_MAX] = { { 0, 0 } };
    uint32_t number[GTR_HUFFMAN_LENGTH_MAX + 1] = { 0 };
    size_t used = sort_leaves(counts, n, leaves), i = 0;
    unsigned d;

    memset(lengths, 0, n);
    if (used < 2) {
        lengths[0] = lengths[1] = 1;
        if (used == 1 && leaves[0].symbol > 1) {
            lengths[1] = 0;
            lengths[leaves[0].symbol] = 1;
        }
        return;
    }
    count_depths(leaves, used, limit, number);
    shorten(limit, number);
    for (d = limit; d > 0; d--)
        for (; number[d] > 0; number[d]--)
            lengths[leaves[i++].symbol] = (uint8_t)d;
}

/* Sixteen bits the other way round, of which the last `length` were wanted. */
static uint32_t reversed(uint32_t code, unsigned length)
{
    code = (code & 0x5555) << 1 | (code >> 1 & 0x5555);
    code = (code & 0x3333) << 2 | (code >> 2 & 0x3333);
    code = (code & 0x0f0f) << 4 | (code >> 4 & 0x0f0f);
    code = (code & 0x00ff) << 8 | code >> 8;
    return code >> (16 - length);
}

void gtr_huffman_codes(const uint8_t *lengths, size_t n, uint32_t *codes)
{
    uint32_t number[GTR_HUFFMAN_LENGTH_MAX + 1] = { 0 }, next[GTR_HUFFMAN_LENGTH_MAX + 1];
    uint32_t code = 0;
    size_t i;

    for (i = 0; i < n; i++)
        number[lengths[i]]++;
    number[0] = 0;
    for (i = 1; i <= GTR_HUFFMAN_LENGTH_MAX; i++) {
        code = (code + number[i - 1]) << 1;
        next[i] = code;
    }
    for (i = 0; i < n; i++)
        codes[i] = lengths[i] == 0
                       ? 0
                       : reversed(next[lengths[i]]++, lengths[i]) | (uint32_t)lengths[i] << 16;
}
