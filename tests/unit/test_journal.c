/* test_journal.c - journals of any bytes: rows come back as they were, or not at all. */
#define _GNU_SOURCE
#include <stdbool.h>

#include "check.h"
#include "journal.h"
#include "kill/killed.h"
#include "random.h"
#include "scratch.h"

enum { ROWS = 6, FIRST_ROW = 100 };

/* Rows 100 .. 105, every second one amended. */
static unsigned char *make_journal(size_t *size)
{
    const char *path = scratch_path("made.journal");
    struct gtr_journal_writer *writer;
    struct gtr_err err = { 0 };
    struct gtr_head head;
    size_t t, i;

    killed_head(&head);
    gtr_head_set(&head.meta, "{\"lr\": 1}", NULL);
    gtr_head_set_param_group(&head, "decay", NULL);
    CHECK(gtr_journal_create(path, &head, false, FIRST_ROW, true, &writer, &err) == GTR_OK);
    for (t = 0; t < ROWS; t++) {
        double sumsq[KILLED_TENSORS];
        float maxabs[KILLED_TENSORS];
        uint64_t nonfinite[KILLED_TENSORS];
        struct gtr_step step = killed_step(t);
        const struct gtr_row row = { &step, sumsq, maxabs, nonfinite, NULL };

        for (i = 0; i < KILLED_TENSORS; i++) {
            sumsq[i] = killed_value(t, i, 0);
            maxabs[i] = (float)killed_value(t, i, 1);
            nonfinite[i] = killed_count(t, i);
        }
        if (t % 2 == 0)
            step.applied_scale = -1.0;
        CHECK(gtr_journal_append(writer, &row, &err) == GTR_OK);
        step = killed_step(t);
        if (t % 2 == 0)
            CHECK(gtr_journal_amend(writer, step.applied_scale, step.skipped, &err) == GTR_OK);
    }
    gtr_journal_close(writer);
    gtr_head_free(&head);
    return (unsigned char *)scratch_read(path, size);
}

static struct gtr_journal *read_bytes(const unsigned char *bytes, size_t n, bool salvage,
                                      struct gtr_err *err)
{
    unsigned char *copy = gtr_alloc(n, 1);
    struct gtr_journal *journal = NULL;

    memcpy(copy, bytes, n);
    if (gtr_journal_read("a.journal", copy, n, salvage, &journal, err) != GTR_OK)
        CHECK_HOLDS(err->text, "a.journal: ");
    return journal;
}

/* Rows that are not what was written, whichever row they say they are. */
static size_t wrong_rows(const struct gtr_journal *journal, bool amended)
{
    double sumsq[KILLED_TENSORS];
    float maxabs[KILLED_TENSORS];
    uint64_t nonfinite[KILLED_TENSORS];
    size_t r, i, wrong = 0;

    for (r = 0; r < journal->n_rows; r++) {
        const struct gtr_step *got = &journal->rows[r].step;
        size_t t = (size_t)(journal->rows[r].number - FIRST_ROW);
        const struct gtr_step wanted = killed_step(t);

        wrong += t >= ROWS || got->index != wanted.index || !same_bits(got->loss, wanted.loss) ||
                 !same_bits(got->lr, wanted.lr) || !same_bits(got->time, wanted.time) ||
                 !same_bits(got->rest, wanted.rest) || got->skipped != wanted.skipped;
        wrong += !same_bits(got->applied_scale, wanted.applied_scale) &&
                 (amended || !same_bits(got->applied_scale, -1.0));
        gtr_journal_values(journal, r, GTR_SUMSQ, sumsq);
        gtr_journal_values(journal, r, GTR_MAXABS, maxabs);
        gtr_journal_values(journal, r, GTR_NONFINITE, nonfinite);
        for (i = 0; i < KILLED_TENSORS; i++)
            wrong += !same_bits(sumsq[i], killed_value(t, i, 0)) ||
                     maxabs[i] != (float)killed_value(t, i, 1) ||
                     nonfinite[i] != killed_count(t, i);
    }
    return wrong;
}

static void a_journal_gives_back_its_head_and_its_rows(void)
{
    struct gtr_err err = { 0 };
    size_t size = 0;
    unsigned char *bytes = make_journal(&size);
    struct gtr_journal *journal = read_bytes(bytes, size, false, &err);

    CHECK_TEXT(err.text, "");
    CHECK(journal->first_row == FIRST_ROW && journal->n_rows == ROWS && !journal->torn);
    CHECK(wrong_rows(journal, true) == 0);
    CHECK(journal->head.n_tensors == KILLED_TENSORS && journal->head.created == NULL);
    CHECK_TEXT(journal->head.meta, "{\"lr\": 1}");
    CHECK_TEXT(journal->head.tensors[4].param_group, "decay");
    CHECK(journal->head.tensors[0].param_group == NULL);
    gtr_journal_free(journal);
    free(bytes);
}

/* FORMAT.md in numbers: a record of row 0, P = 1, is 8 + 8 + 41 + 20 + 4 bytes. */
static void records_lie_where_the_format_says(void)
{
    const struct gtr_step step = { 7, 0.5, 0.25, 1.5, 1.0, true, 0.0 };
    const double sumsq = 4.0;
    const float maxabs = 1.5f;
    const uint64_t nonfinite = 3;
    const struct gtr_row row = { &step, &sumsq, &maxabs, &nonfinite, NULL };
    struct gtr_journal_writer *writer;
    struct gtr_head head;
    size_t size = 0, header;
    char *bytes;

    gtr_head_init(&head, NULL);
    gtr_head_add_tensor(&head, "w", "", 1, GTR_F32, NULL);
    CHECK(gtr_journal_create(scratch_path("one"), &head, false, 0, false, &writer, NULL) == GTR_OK);
    bytes = scratch_read(scratch_path("one"), &header);
    free(bytes);
    CHECK(gtr_journal_append(writer, &row, NULL) == GTR_OK);
    bytes = scratch_read(scratch_path("one"), &size);
    CHECK(size - header == 8 + 8 + 41 + 20 + 4);
    CHECK(memcmp(bytes, "JTrh", 4) == 0);
    CHECK(memcmp(bytes + header, "JTrw\x45\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0", 24) == 0);
    free(bytes);
    CHECK(gtr_journal_amend(writer, 0.5, false, NULL) == GTR_OK);
    bytes = scratch_read(scratch_path("one"), &size);
    CHECK(size - header == 81 + 8 + 17 + 4);
    CHECK(memcmp(bytes + header + 81, "JTam\x11\0\0\0", 8) == 0);
    free(bytes);
    gtr_journal_close(writer);
    gtr_head_free(&head);
}

static void a_journal_cut_at_any_byte_gives_the_rows_before_the_cut(void)
{
    size_t size = 0, n, before = 0;
    unsigned char *bytes = make_journal(&size);

    for (n = 0; n <= size; n++) {
        struct gtr_err err = { 0 };
        struct gtr_journal *journal = read_bytes(bytes, n, false, &err);

        if (journal == NULL) {
            CHECK(before == 0); /* only within the header */
            continue;
        }
        CHECK(journal->n_rows >= before && journal->n_rows <= before + 1);
        before = journal->n_rows;
        CHECK(wrong_rows(journal, false) == 0);
        gtr_journal_free(journal);
    }
    CHECK(before == ROWS);
    free(bytes);
}

static void no_flipped_bit_makes_a_wrong_row(void)
{
    size_t size = 0, bit, n_refused = 0, n_silent = 0;
    unsigned char *bytes = make_journal(&size);

    for (bit = 0; bit < size * 8; bit++) {
        struct gtr_err err = { 0 };
        struct gtr_journal *journal;

        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        journal = read_bytes(bytes, size, false, &err);
        n_refused += journal == NULL;
        n_silent += journal != NULL;
        gtr_journal_free(journal);
        err = (struct gtr_err){ 0 };
        journal = read_bytes(bytes, size, true, &err);
        if (journal != NULL) {
            CHECK(journal->n_rows + 1 >= ROWS && journal->n_altered > 0);
            CHECK(wrong_rows(journal, false) == 0);
        }
        gtr_journal_free(journal);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    CHECK(n_refused == size * 8 && n_silent == 0);
    free(bytes);
}

static void random_damage_makes_no_wrong_row(void)
{
    struct gtr_random random;
    size_t size = 0, k, i;
    unsigned char *bytes = make_journal(&size);

    gtr_random_init(&random, 7, 0);
    for (k = 0; k < 3000; k++) {
        size_t n = gtr_random_below(&random, size), edits = 1 + gtr_random_below(&random, 8);
        unsigned char *copy = malloc(size);
        struct gtr_journal *journal;
        struct gtr_err err = { 0 };

        memcpy(copy, bytes, size);
        for (i = 0; i < edits; i++)
            copy[gtr_random_below(&random, size)] = (unsigned char)gtr_random_bits(&random);
        if (k % 3 == 0) /* a piece moved elsewhere, as a bad disk does */
            memmove(copy + gtr_random_below(&random, size - n), copy, n / 2);
        journal = read_bytes(copy, size - gtr_random_below(&random, 3), k % 2 == 0, &err);
        if (journal != NULL)
            CHECK(wrong_rows(journal, false) == 0);
        gtr_journal_free(journal);
        free(copy);
    }
    free(bytes);
}

static void no_journal_is_no_failure_and_a_folder_is_one(void)
{
    struct gtr_journal *journal;
    struct gtr_err err = { 0 };

    CHECK(gtr_journal_load(scratch_path("none"), false, &journal, &err) == GTR_OK);
    CHECK(journal == NULL);
    CHECK(gtr_journal_load("/", false, &journal, &err) == GTR_EFORMAT);
}

int main(void)
{
    RUN(a_journal_gives_back_its_head_and_its_rows);
    RUN(records_lie_where_the_format_says);
    RUN(a_journal_cut_at_any_byte_gives_the_rows_before_the_cut);
    RUN(no_flipped_bit_makes_a_wrong_row);
    RUN(random_damage_makes_no_wrong_row);
    RUN(no_journal_is_no_failure_and_a_folder_is_one);
    return check_report();
}
