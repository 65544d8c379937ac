/* test_journal_restart.c - a journal that is started anew while rows come: none is ever missing. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/stat.h>

#include "check.h"
#include "journal.h"
#include "kill/killed.h"
#include "random.h"
#include "scratch.h"

enum { ROWS = 4000, FEW = 40 };

static struct gtr_journal_writer *create(const char *path, struct gtr_head *head)
{
    struct gtr_journal_writer *writer = NULL;
    struct gtr_err err = { 0 };

    killed_head(head);
    gtr_journal_create(path, head, false, 0, false, &writer, &err);
    CHECK_TEXT(err.text, "");
    return writer;
}

/* Each third one is amended. */
static void add_row(struct gtr_journal_writer *writer, size_t t)
{
    struct killed_row made = killed_row(t);
    const struct gtr_row row = { &made.step, made.sumsq, made.maxabs, made.nonfinite, NULL };
    struct gtr_err err = { 0 };

    if (t % 3 == 0)
        made.step.skipped = !made.step.skipped;
    gtr_journal_append(writer, &row, &err);
    if (t % 3 == 0)
        gtr_journal_amend(writer, made.step.applied_scale, !made.step.skipped, &err);
    CHECK_TEXT(err.text, "");
}

/* Starts with row `first`, has all rows before `end`, perhaps more, and each as it was given; the
 * very last may lack its amendment. */
static void check_rows(const char *path, uint64_t first, uint64_t end)
{
    struct gtr_journal *journal = NULL;
    struct gtr_err err = { 0 };
    size_t r, i;

    CHECK(gtr_journal_load(path, false, &journal, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    if (journal == NULL)
        return;
    CHECK(journal->first_row == first && first + journal->n_rows >= end);
    for (r = 0; r < journal->n_rows; r++) {
        const struct killed_row wanted = killed_row(first + r);
        double sumsq[KILLED_TENSORS];

        CHECK(journal->rows[r].number == first + r);
        CHECK(journal->rows[r].step.index == wanted.step.index);
        CHECK(journal->rows[r].step.skipped == wanted.step.skipped || first + r >= end);
        gtr_journal_values(journal, r, GTR_SUMSQ, sumsq);
        for (i = 0; i < KILLED_TENSORS; i++)
            CHECK_BITS(sumsq[i], wanted.sumsq[i]);
    }
    gtr_journal_free(journal);
}

static void a_new_journal_starts_with_the_row_asked_for(void)
{
    const char *path = scratch_path("anew.journal");
    struct gtr_err err = { 0 };
    struct gtr_head head;
    struct gtr_journal_writer *writer = create(path, &head);
    uint64_t first;
    size_t t = 0;

    for (first = 0; first <= FEW; first += 5) {
        for (; t < first + 7; t++)
            add_row(writer, t);
        CHECK(gtr_journal_restart(writer, &head, first, &err) == GTR_OK);
        CHECK(gtr_journal_next(writer) == t);
        check_rows(path, first, t);
    }
    CHECK(gtr_journal_restart(writer, &head, t, &err) == GTR_OK);
    check_rows(path, t, t);
    add_row(writer, t);
    check_rows(path, t, t + 1);
    CHECK_TEXT(err.text, "");
    gtr_journal_close(writer);
    gtr_head_free(&head);
}

/* Where the folder is gone the old journal goes on; its file is open. */
static void a_journal_that_cannot_be_started_anew_goes_on(void)
{
    const char *path = scratch_path("there/a.journal"), *kept = scratch_path("kept.journal");
    struct gtr_err err = { 0 };
    struct gtr_head head;
    struct gtr_journal_writer *writer;
    size_t t;

    CHECK(mkdir(scratch_path("there"), 0777) == 0);
    writer = create(path, &head);
    for (t = 0; t < 5; t++)
        add_row(writer, t);
    CHECK(link(path, kept) == 0 && unlink(path) == 0 && rmdir(scratch_path("there")) == 0);
    CHECK(gtr_journal_restart(writer, &head, 3, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "a.journal: cannot write: No such file");
    add_row(writer, 5);
    check_rows(kept, 0, 6);
    gtr_journal_close(writer);
    gtr_head_free(&head);
}

static void *add_rows(void *writer)
{
    size_t t;

    for (t = 0; t < ROWS; t++)
        add_row(writer, t);
    return NULL;
}

/* What a reader finds at any moment holds every row that was there when it began to look. */
static void rows_that_come_while_a_journal_is_started_anew_are_in_it(void)
{
    const char *path = scratch_path("busy.journal");
    struct gtr_random random;
    struct gtr_err err = { 0 };
    struct gtr_head head;
    struct gtr_journal_writer *writer = create(path, &head);
    uint64_t first = 0, next = 0;
    size_t n_while_they_came = 0;
    pthread_t thread;

    gtr_random_init(&random, 3, 0);
    CHECK(pthread_create(&thread, NULL, add_rows, writer) == 0);
    while (next < ROWS) {
        next = gtr_journal_next(writer);
        first += gtr_random_below(&random, next - first + 1);
        CHECK(gtr_journal_restart(writer, &head, first, &err) == GTR_OK);
        check_rows(path, first, next);
        n_while_they_came += gtr_journal_next(writer) > next;
    }
    pthread_join(thread, NULL);
    CHECK_TEXT(err.text, "");
    CHECK(n_while_they_came > 0);
    check_rows(path, first, ROWS);
    gtr_journal_close(writer);
    gtr_head_free(&head);
}

int main(void)
{
    RUN(a_new_journal_starts_with_the_row_asked_for);
    RUN(a_journal_that_cannot_be_started_anew_goes_on);
    RUN(rows_that_come_while_a_journal_is_started_anew_are_in_it);
    return check_report();
}
