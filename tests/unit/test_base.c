/* test_base.c - numbers as text, sorting and quantiles, output files, threads, failing memory. */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check.h"
#include "digest.h"
#include "gradtrace_lab.h"
#include "order.h"
#include "scratch.h"
#include "threads.h"

/* --- text ----------------------------------------------------------------------------------- */

/* A small generator of its own (xorshift64*), so that runs repeat. */
static uint64_t random_state = 88172645463325252u;

static uint64_t random_bits(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

static double random_double(void)
{
    uint64_t bits = random_bits();
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static void numbers_print_short_and_read_back_exactly(void)
{
    static const struct {
        double value;
        const char *text;
    } known[] = { { 0.0, "0" },
                  { -0.0, "-0" },
                  { 1.0, "1" },
                  { 0.9, "0.9" },
                  { 0.1, "0.1" },
                  { 1e300, "1e+300" },
                  { 5e-324, "4.94065645841247e-324" },
                  { INFINITY, "inf" },
                  { -INFINITY, "-inf" },
                  { NAN, "nan" },
                  { 1.0 / 3.0, "0.3333333333333333" },
                  { 123456789.0, "123456789" } };
    char text[GTR_NUMBER_SIZE];
    double back;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(known); i++) {
        CHECK(gtr_text_print(known[i].value, text) == strlen(text));
        CHECK_TEXT(text, known[i].text);
    }
    for (i = 0; i < 20000; i++) {
        double value = random_double();

        gtr_text_print(value, text);
        CHECK(gtr_text_number(text, &back));
        CHECK_BITS(back, value);
    }
}

static void numbers_must_be_whole(void)
{
    static const char *const bad[] = { "0x10", " -0X1p3", "",    " ",  "1x",
                                       "one",  "1 ",      "--1", "1e", "0x" };
    double value;
    int64_t integer;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(bad); i++)
        CHECK(!gtr_text_number(bad[i], &value));
    CHECK(gtr_text_number("-1.5e3", &value) && value == -1500.0);
    CHECK(gtr_text_integer("-42", &integer) && integer == -42);
    CHECK(!gtr_text_integer("4.0", &integer));
    CHECK(!gtr_text_integer("99999999999999999999", &integer));
}

static void the_nearest_name_is_near(void)
{
    static const char *const names[] = { "none", "global", "group", "aggc" };

    CHECK_TEXT(gtr_text_nearest("globl", names, 4), "global");
    CHECK_TEXT(gtr_text_nearest("agcg", names, 4), "aggc");
    CHECK(gtr_text_nearest("something", names, 4) == NULL);
}

/* --- order ------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void sorting_agrees_with_qsort(void)
{
    static const size_t sizes[] = { 0, 1, 2, 255, 256, 257, 5000 };
    size_t k, i;

    for (k = 0; k < GTR_ARRAY_LEN(sizes); k++) {
        size_t n = sizes[k], wrong = 0;
        double *ours = calloc(n + 1, sizeof *ours), *theirs = calloc(n + 1, sizeof *theirs);
        double *scratch = calloc(n + 1, sizeof *scratch);

        for (i = 0; i < n; i++) {
            do
                ours[i] = i % 7 == 0 ? 1.0 : random_double();
            while (isnan(ours[i]));
            theirs[i] = ours[i];
        }
        gtr_order_sort(ours, scratch, n);
        qsort(theirs, n, sizeof *theirs, by_value);
        for (i = 0; i < n; i++)
            wrong += !(ours[i] == theirs[i]);
        CHECK(wrong == 0);
        free(ours);
        free(theirs);
        free(scratch);
    }
}

/* 1, 2, 4, 8 has its median halfway between 2 and 4, and its 0.9-quantile at place 2.7. */
static void quantiles_interpolate(void)
{
    static const double sorted[] = { 1, 2, 4, 8 };

    CHECK_BITS(gtr_order_quantile(sorted, 4, 0.0), 1.0);
    CHECK_BITS(gtr_order_quantile(sorted, 4, 0.5), 3.0);
    CHECK_BITS(gtr_order_quantile(sorted, 4, 1.0), 8.0);
    CHECK_NEAR(gtr_order_quantile(sorted, 4, 0.9), 4.0 + 4.0 * 0.7, 1e-14);
    CHECK_BITS(gtr_order_quantile(sorted, 1, 0.3), 1.0);
    CHECK(isnan(gtr_order_quantile(sorted, 0, 0.5)));
}

static void counting_finds_the_quantiles_that_sorting_finds(void)
{
    enum { ROWS = 3, COLS = 1000 };
    static const double qs[] = { 0.0, 0.01, 0.25, 0.5, 0.77, 0.99, 1.0 };
    static double values[ROWS][COLS], sorted[ROWS * COLS];
    const double *rows[ROWS];
    size_t n = 0, r, c, i;

    for (r = 0; r < ROWS; r++) {
        rows[r] = values[r];
        for (c = 0; c < COLS; c++) {
            values[r][c] = c % 3 == 0 ? 1.0 : (double)(int64_t)random_bits() / 1e19;
            if (c % 50 == 49)
                values[r][c] = NAN;
            else
                sorted[n++] = values[r][c];
        }
    }
    qsort(sorted, n, sizeof *sorted, by_value);
    for (i = 0; i < GTR_ARRAY_LEN(qs); i++)
        CHECK_BITS(gtr_order_quantile_of_rows(rows, ROWS, COLS, qs[i]),
                   gtr_order_quantile(sorted, n, qs[i]));
    CHECK(isnan(gtr_order_quantile_of_rows(rows, 0, COLS, 0.5)));
}

static void the_digest_counts_all_nans_as_one(void)
{
    const double a[] = { 1.0, NAN }, b[] = { 1.0, -NAN }, c[] = { 1.0, 0.0 }, d[] = { 1.0, -0.0 };

    CHECK(gtr_digest_doubles(GTR_DIGEST_START, a, 2) == gtr_digest_doubles(GTR_DIGEST_START, b, 2));
    CHECK(gtr_digest_doubles(GTR_DIGEST_START, c, 2) != gtr_digest_doubles(GTR_DIGEST_START, d, 2));
    /* FNV-1a of eight zero bytes, from the definition. */
    CHECK(gtr_digest_doubles(GTR_DIGEST_START, &c[1], 1) == UINT64_C(0xa8c7f832281a39c5));
}

/* --- output files ----------------------------------------------------------------------------- */

static void an_abandoned_file_leaves_nothing(void)
{
    struct gtr_outfile out;

    CHECK(gtr_outfile_begin(&out, scratch_path("gone"), false, NULL) == GTR_OK);
    CHECK(access(gtr_outfile_name(&out), F_OK) == 0);
    gtr_outfile_abandon(&out);
    gtr_outfile_abandon(&out);
    CHECK(access(scratch_path("gone"), F_OK) != 0);
}

/* Another program may take the name between begin and commit. */
static void a_name_taken_meanwhile_is_kept(void)
{
    struct gtr_outfile out;
    struct gtr_err err = { 0 };
    size_t size = 0;
    char *bytes;

    CHECK(gtr_outfile_begin(&out, scratch_path("taken"), false, NULL) == GTR_OK);
    scratch_write(scratch_path("taken"), "theirs", 6);
    CHECK(gtr_outfile_commit(&out, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "exists already");
    bytes = scratch_read(scratch_path("taken"), &size);
    CHECK(size == 6 && memcmp(bytes, "theirs", 6) == 0);
    free(bytes);
}

static void force_replaces_and_unwritable_is_told(void)
{
    struct gtr_outfile out;
    struct gtr_err err = { 0 };

    scratch_write(scratch_path("old"), "old", 3);
    CHECK(gtr_outfile_begin(&out, scratch_path("old"), true, NULL) == GTR_OK);
    scratch_write(gtr_outfile_name(&out), "new", 3);
    CHECK(gtr_outfile_commit(&out, NULL) == GTR_OK);
    CHECK(gtr_outfile_begin(&out, scratch_path("no/such/folder"), false, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "no/such/folder: cannot write: No such file");
    err = (struct gtr_err){ 0 };
    CHECK(gtr_outfile_begin(&out, scratch_path(""), false, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "is a folder");
    CHECK(gtr_outfile_begin(&out, "/dev/null", false, NULL) == GTR_OK);
    CHECK(gtr_outfile_commit(&out, NULL) == GTR_OK);
}

static int n_masks;

/* In place of the C library's: who calls it? */
mode_t umask(mode_t mask)
{
    n_masks++;
    return (mode_t)syscall(SYS_umask, mask);
}

/* The mask was set to 0 for a moment, to be read: files that other threads made just then could be
 * read by everybody. */
static void a_file_gets_the_usual_mode_and_the_mask_is_left_alone(void)
{
    struct gtr_outfile out;
    struct stat status;
    mode_t before = umask(027);

    n_masks = 0;
    CHECK(gtr_outfile_begin(&out, scratch_path("mode"), false, NULL) == GTR_OK);
    CHECK(stat(gtr_outfile_name(&out), &status) == 0 && (status.st_mode & 0777) == 0640);
    CHECK(gtr_outfile_commit(&out, NULL) == GTR_OK);
    CHECK(n_masks == 0);
    umask(before);
}

/* --- threads, memory, errors ------------------------------------------------------------------ */

static void count_item(void *context, size_t item, size_t worker)
{
    int *seen = context;

    (void)worker;
    seen[item]++; /* each item has its own slot */
}

static void each_item_runs_once_on_any_number_of_threads(void)
{
    static int seen[1000];
    size_t n_threads, i;

    for (n_threads = 0; n_threads < 5; n_threads++) {
        size_t wrong = 0;

        memset(seen, 0, sizeof seen);
        gtr_threads_run(n_threads, 1000, count_item, seen);
        for (i = 0; i < 1000; i++)
            wrong += seen[i] != 1;
        CHECK(wrong == 0);
    }
    gtr_threads_run(3, 0, count_item, seen);
}

static void memory_fails_on_demand_and_says_so(void)
{
    struct gtr_err err = { 0 };
    double *values;

    gtr_alloc_fail_after(1);
    CHECK(gtr_alloc_for(&values, 7, sizeof *values, "norms", &err) == GTR_ENOMEM);
    gtr_alloc_fail_after(0);
    CHECK(values == NULL);
    CHECK_TEXT(err.text, "no memory for 7 norms");
    CHECK(gtr_alloc_for(&values, SIZE_MAX / 4, sizeof *values, "norms", &err) == GTR_ENOMEM);
}

static void the_first_error_is_kept(void)
{
    struct gtr_err err = { 0 };

    CHECK(gtr_fail(&err, GTR_EIO, "first %d", 1) == GTR_EIO);
    CHECK(gtr_fail(&err, GTR_ENOMEM, "second") == GTR_ENOMEM);
    gtr_err_prefix(&err, "run.h5");
    CHECK_TEXT(err.text, "run.h5: first 1");
    CHECK(err.code == GTR_EIO && err.line > 0);
    CHECK(gtr_fail(NULL, GTR_EIO, "nobody listens") == GTR_EIO);
}

int main(void)
{
    RUN(numbers_print_short_and_read_back_exactly);
    RUN(numbers_must_be_whole);
    RUN(the_nearest_name_is_near);
    RUN(sorting_agrees_with_qsort);
    RUN(quantiles_interpolate);
    RUN(counting_finds_the_quantiles_that_sorting_finds);
    RUN(the_digest_counts_all_nans_as_one);
    RUN(an_abandoned_file_leaves_nothing);
    RUN(a_name_taken_meanwhile_is_kept);
    RUN(force_replaces_and_unwritable_is_told);
    RUN(a_file_gets_the_usual_mode_and_the_mask_is_left_alone);
    RUN(each_item_runs_once_on_any_number_of_threads);
    RUN(memory_fails_on_demand_and_says_so);
    RUN(the_first_error_is_kept);
    return check_report();
}
