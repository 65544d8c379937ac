/* fuzz_sweep.c - any bytes as the journal of a sweep, and parts that lie about what they are.
 *
 *     byte 0    even: a journal; its blocks follow the head of the right sweep, if bit 1 is set
 *               their checksums are made to fit.  Odd: a part, see struct claim; if bit 1 is set,
 *               the rest of the input instead, as a file
 *
 * The properties: a journal gives rows that it holds, and goes on behind them: read again after
 * more were appended it gives all; a part is put where it belongs, or refused with a reason, and
 * then nothing has changed.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "gradtrace_lab.h"
#include "sweep_file.h"
#include "unit/planning.h"

enum { N = 6, ROW = GTR_OBJECTIVE_COUNT };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

/* --- the sweep -------------------------------------------------------------------------------- */

static const struct gtr_plan *the_plan(void)
{
    static const char *const policies[N] = { "none",  "global", "global:max_norm=2",
                                             "group", "aggc",   "aggc-paper" };
    static const struct gtr_plan_options options = { .policies = policies, .n_policies = N };
    static struct gtr_plan *plan;

    if (plan == NULL)
        must(gtr_plan_new(&options, planning_replay(), &plan, NULL) == GTR_OK &&
             gtr_plan_n_settings(plan) == N);
    return plan;
}

static const struct gtr_sweep_about *the_sweep(void)
{
    static struct gtr_sweep_about about;
    struct gtr_baseline_options options;
    struct gtr_baseline *baseline;

    if (about.plan != NULL)
        return &about;
    gtr_baseline_options_init(&options);
    must(gtr_baseline_new(gtr_replay_series(planning_replay()), gtr_replay_skip(planning_replay()),
                          &options, &baseline, NULL) == GTR_OK);
    must(gtr_sweep_about_fill(&about, "run.h5", "module", planning_replay(), baseline, the_plan(),
                              false, NULL) == GTR_OK);
    gtr_baseline_free(baseline);
    return &about;
}

/* --- journals --------------------------------------------------------------------------------- */

struct block {
    uint64_t first, count, crc, zero;
};

/* As sweep_journal.c has them. */
static void mend(uint8_t *bytes, size_t size)
{
    const size_t row = ROW * sizeof(double);
    struct block block;

    while (size >= sizeof block) {
        memcpy(&block, bytes, sizeof block);
        if (block.count > (size - sizeof block) / row)
            return;
        block.crc = crc32_z(0, bytes + sizeof block, block.count * row);
        memcpy(bytes, &block, sizeof block);
        bytes += sizeof block + block.count * row;
        size -= sizeof block + block.count * row;
    }
}

/* Opens the journal and closes it again; returns the rows that it had. */
static size_t look(const char *path, double *rows, const double *more, size_t n_more)
{
    struct gtr_sweep_journal *journal;
    size_t n;

    must(gtr_sweep_journal_open(path, the_sweep(), &journal, rows, &n, NULL) == GTR_OK && n <= N);
    if (n_more > 0)
        must(gtr_sweep_journal_append(journal, more, n_more < N - n ? n_more : N - n, NULL) ==
             GTR_OK);
    gtr_sweep_journal_close(journal, false);
    return n;
}

static void append(const char *name, const uint8_t *bytes, size_t size)
{
    FILE *f = fopen(name, "ab");

    must(f != NULL && fwrite(bytes, 1, size, f) == size && fclose(f) == 0);
}

static void ask_journal(const char *path, uint8_t *bytes, size_t size, int mended)
{
    double rows[N * ROW] = { 0 }, again[N * ROW] = { 0 }, more[N * ROW];
    char name[64];
    size_t n, i;

    for (i = 0; i < N * ROW; i++)
        more[i] = (double)i;
    snprintf(name, sizeof name, "%s.part", path);
    must(look(path, rows, NULL, 0) == 0); /* writes its head */
    if (mended)
        mend(bytes, size);
    append(name, bytes, size);
    n = look(path, rows, NULL, 0);
    must(look(path, again, more, N) == n && memcmp(rows, again, n * ROW * sizeof *rows) == 0);
    must(look(path, again, NULL, 0) == N);
    must(memcmp(rows, again, n * ROW * sizeof *rows) == 0);
    must(memcmp(again + n * ROW, more, (N - n) * ROW * sizeof *rows) == 0);
    unlink(name);
}

/* --- parts ------------------------------------------------------------------------------------ */

struct claim {
    int8_t first, count, n_settings;
    uint8_t there, other; /* bits: settings that are there before; the part is of another sweep */
};

static void write_claim(const char *path, const struct claim *claim)
{
    struct gtr_sweep_about about = *the_sweep();
    double rows[128 * ROW];
    size_t i;

    for (i = 0; i < 128 * ROW; i++)
        rows[i] = (double)(i + ROW * (size_t)(claim->first & 127));
    about.first = (uint64_t)(int64_t)claim->first;
    about.count = (uint64_t)(claim->count & 127);
    about.n_settings = (uint64_t)(int64_t)claim->n_settings;
    if (claim->other & 1)
        about.plan = about.context;
    must(gtr_sweep_file_write(path, true, &about, the_plan(), rows, NULL) == GTR_OK);
}

/* Memory of its own, so that a sanitizer sees what is beyond it. */
static void ask_part(const char *path, const struct claim *claim)
{
    double *rows = calloc(N * ROW, sizeof *rows);
    bool *have = calloc(N, sizeof *have);
    struct gtr_err err = { 0 };
    enum gtr_code rc;
    size_t i;

    must(rows != NULL && have != NULL);
    for (i = 0; i < N * ROW; i++)
        rows[i] = (double)i;
    for (i = 0; i < N; i++)
        have[i] = claim->there >> i & 1;
    rc = gtr_sweep_file_join(path, the_sweep(), rows, have, &err);
    if (rc != GTR_OK) {
        must(strstr(err.text, path) != NULL);
        for (i = 0; i < N * ROW; i++)
            must(rows[i] == (double)i);
    }
    for (i = 0; i < N; i++)
        must(have[i] >= (claim->there >> i & 1) &&
             (rc == GTR_OK || have[i] <= (claim->there >> i & 1)));
    free(rows);
    free(have);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/dev/shm/fuzz_sweep.XXXXXX";
    struct claim claim = { 0 };
    int fd = mkstemp(path);
    uint8_t *bytes;

    must(fd >= 0);
    close(fd);
    bytes = malloc(size + 1);
    must(bytes != NULL);
    memcpy(bytes, data, size);
    gtr_trace_try_files(size > 0 && (data[0] & 2)); /* crashes of HDF5 itself are known */
    if (size > 0 && (data[0] & 1) == 0) {
        ask_journal(path, bytes + 1, size - 1, data[0] & 2);
    } else if (size > 0) {
        if (size > 1)
            memcpy(&claim, data + 1, size - 1 < sizeof claim ? size - 1 : sizeof claim);
        if (data[0] & 2)
            append(path, bytes + 1, size - 1);
        else
            write_claim(path, &claim);
        ask_part(path, &claim);
    }
    free(bytes);
    unlink(path);
    return 0;
}
