/* test_recover.c - damage is found, what is right is kept, and the damaged trace is not touched. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdbool.h>

#include "check.h"
#include "kill/killed.h"
#include "random.h"
#include "scratch.h"

enum { STEPS = 30 };

/* What was said, one remark after the other. */
static char said[20000];

static void say(void *context, const char *path, bool fault, const char *text)
{
    size_t n = strlen(said);
    const char *name = strrchr(path, '/');

    (void)context;
    snprintf(said + n, sizeof said - n, "%s: %s%s\n", name != NULL ? name + 1 : path,
             fault ? "FAULT " : "", text);
}

static const struct gtr_remarks remarks = { say, NULL };

static size_t verify(const char *path)
{
    struct gtr_err err = { 0 };
    size_t n_faults = 99;

    said[0] = '\0';
    gtr_trace_verify(path, &remarks, &n_faults, &err);
    CHECK_TEXT(err.text, "");
    return n_faults;
}

static struct gtr_recovered recover(const char *path, const char *output)
{
    struct gtr_recovered found;
    struct gtr_err err = { 0 };

    said[0] = '\0';
    gtr_trace_recover(path, output, true, &remarks, &found, &err);
    CHECK_TEXT(err.text, "");
    return found;
}

/* Five segments of some steps, and if the recorder was killed a journal of some more. */
static void write_trace_as(const char *path, bool killed, enum gtr_compression compression)
{
    const struct gtr_writer_options options = { .size = sizeof options,
                                                .force = true,
                                                .elements = true,
                                                .checksums = true,
                                                .segment_bytes = 30000,
                                                .compression = compression,
                                                .n_threads = 1 };
    struct gtr_err err = { 0 };
    struct gtr_writer *writer;
    struct gtr_head head;
    int status;
    size_t t;

    fflush(stdout);
    if (fork() == 0) {
        killed_head(&head);
        gtr_writer_open(path, &head, &options, &writer, &err);
        for (t = 0; t < STEPS; t++)
            killed_append(writer, t, true, &err);
        if (!killed)
            gtr_writer_close(writer, &err);
        _exit(err.code != GTR_OK);
    }
    CHECK(wait(&status) > 0 && status == 0);
}

static void write_trace(const char *path, bool killed)
{
    write_trace_as(path, killed, GTR_COMPRESS_DEFLATE);
}

/* The n-th file of the folder whose name ends so, in order of names. */
static const char *file_of(const char *folder, const char *end, size_t n)
{
    static char path[400];
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort), i;

    path[0] = '\0';
    for (i = 0; i < count; i++) {
        size_t length = strlen(entries[i]->d_name), tail = strlen(end);

        if (length >= tail && strcmp(entries[i]->d_name + length - tail, end) == 0 && n-- == 0)
            snprintf(path, sizeof path, "%s/%.200s", folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return path;
}

/* Changes bytes of the file where `what` is, or at `at`; true if that was found. */
static bool damage(const char *path, const void *what, size_t n)
{
    size_t size = 0;
    char *bytes = scratch_read(path, &size), *at = memmem(bytes, size, what, n);

    if (at != NULL)
        at[n / 2] ^= 1;
    scratch_write(path, bytes, size);
    free(bytes);
    return at != NULL;
}

/* Rows that are there, wherever they are now, are right; the number of them. */
static size_t check_rows(const char *path)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };
    const struct gtr_step *steps;
    double sumsq[KILLED_TENSORS];
    size_t n, r, i, c;

    gtr_trace_open(path, &trace, &err);
    CHECK_TEXT(err.text, "");
    if (trace == NULL)
        return 0;
    steps = gtr_trace_steps(trace);
    n = gtr_trace_n_steps(trace);
    for (r = 0; r < n; r++) {
        size_t t = (size_t)(steps[r].index - 5) / 2;

        CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, r, 1, sumsq, NULL) == GTR_OK);
        CHECK(same_bits(steps[r].loss, killed_step(t).loss));
        for (i = 0; i < KILLED_TENSORS; i++)
            CHECK(same_bits(sumsq[i], killed_value(t, i, 0)));
    }
    for (c = 0; c < gtr_trace_n_captures(trace); c++) {
        size_t t = (size_t)(steps[gtr_trace_capture_rows(trace)[c]].index - 5) / 2;
        float elements[3000];

        CHECK(gtr_trace_read_elements(trace, 1, c, elements, NULL) == GTR_OK);
        for (i = 0; i < killed_numel[1]; i++)
            CHECK(elements[i] == killed_element(t, 1, i));
    }
    gtr_trace_close(trace);
    return n;
}

static void a_whole_trace_has_no_faults(void)
{
    write_trace(scratch_path("run.gtr"), false);
    CHECK(verify(scratch_path("run.gtr")) == 0);
    CHECK_HOLDS(said, "rank0.000000000000.h5: 4 rows, 2 with elements, all as written");
    write_trace(scratch_path("run.h5"), false);
    CHECK(verify(scratch_path("run.h5")) == 0);
    CHECK_HOLDS(said, "run.h5: 30 rows, 10 with elements, all as written");
}

static void a_killed_recorder_leaves_no_faults_and_is_recovered_whole(void)
{
    const char *path = scratch_path("killed.gtr"), *output = scratch_path("recovered.h5");
    struct gtr_recovered found;

    write_trace(path, true);
    CHECK(verify(path) == 0);
    CHECK_HOLDS(said, "was never closed");
    CHECK_HOLDS(said, "rank0.journal: ");
    found = recover(path, output);
    CHECK(found.n_rows == STEPS && found.n_lost_rows == 0 && found.n_lost_captures == 0);
    CHECK(check_rows(output) == STEPS);
    CHECK(verify(output) == 0);
}

static void an_altered_norm_is_found_named_and_only_its_row_is_lost(void)
{
    const char *path = scratch_path("norm.gtr"), *segment;
    double value = killed_value(9, 2, 0);
    struct gtr_trace *trace;
    struct gtr_recovered found;
    struct gtr_err err = { 0 };
    size_t size = 0, after = 0;
    char *before, *now;

    write_trace(path, false);
    segment = file_of(path, ".h5", 1);
    CHECK(damage(segment, &value, sizeof value));
    before = scratch_read(segment, &size);
    CHECK(gtr_trace_open(path, &trace, &err) == GTR_EFORMAT);
    CHECK_HOLDS(err.text, "rank0.000000000004.h5: row 5 (step 23) is damaged");
    err = (struct gtr_err){ 0 };
    CHECK(gtr_trace_open(segment, &trace, &err) == GTR_EFORMAT);
    CHECK(verify(path) == 1);
    CHECK_HOLDS(said, "FAULT 1 of 6 rows are damaged, the first is row 5 (step 23)");
    found = recover(path, scratch_path("norm.h5"));
    CHECK(found.n_rows == STEPS - 1 && found.n_lost_rows == 1);
    CHECK_HOLDS(said, "row 9 is lost");
    CHECK(check_rows(scratch_path("norm.h5")) == STEPS - 1);
    now = scratch_read(file_of(path, ".h5", 1), &after);
    CHECK(size == after && memcmp(before, now, size) == 0);
    free(before);
    free(now);
}

static void an_altered_loss_is_found_as_well(void)
{
    const char *path = scratch_path("loss.gtr");
    double loss = killed_step(9).loss;
    struct gtr_trace *trace;

    write_trace(path, false);
    CHECK(damage(file_of(path, ".h5", 1), &loss, sizeof loss));
    CHECK(gtr_trace_open(path, &trace, NULL) == GTR_EFORMAT);
}

static void a_missing_segment_is_a_gap_and_the_rest_is_kept(void)
{
    const char *path = scratch_path("gap.gtr");
    struct gtr_trace *trace;
    struct gtr_recovered found;
    struct gtr_err err = { 0 };

    write_trace(path, false);
    unlink(file_of(path, ".h5", 1));
    CHECK(gtr_trace_open(path, &trace, &err) == GTR_EFORMAT);
    CHECK_HOLDS(err.text, "rows 4 to 9 are missing before");
    CHECK(verify(path) == 1);
    CHECK_HOLDS(said, "FAULT rows 4 to 9 are missing before it");
    found = recover(path, scratch_path("gap_new.gtr"));
    CHECK(found.n_rows == STEPS - 6 && found.n_lost_rows == 6);
    CHECK_HOLDS(said, "rows 4 to 9 are lost");
    CHECK(check_rows(scratch_path("gap_new.gtr")) == STEPS - 6);
}

/* Stored as they are, or they could not be found in the file; nothing but the checksum tells. */
static void altered_elements_are_lost_and_their_row_is_kept(void)
{
    const char *path = scratch_path("elements.gtr");
    const float elements[3] = { killed_element(6, 1, 100), killed_element(6, 1, 101),
                                killed_element(6, 1, 102) };
    struct gtr_recovered found;

    write_trace_as(path, false, GTR_COMPRESS_NONE);
    CHECK(damage(file_of(path, ".h5", 1), elements, sizeof elements));
    CHECK(verify(path) == 1);
    CHECK_HOLDS(said, "FAULT /grad/1: capture 0 is damaged: its checksum differs");
    found = recover(path, scratch_path("elements.h5"));
    CHECK(found.n_rows == STEPS && found.n_captures == 9 && found.n_lost_captures == 1);
    CHECK_HOLDS(said, "elements of row 6 are lost");
    CHECK(check_rows(scratch_path("elements.h5")) == STEPS);
}

static void a_damaged_journal_gives_up_only_the_rows_that_were_hit(void)
{
    const char *path = scratch_path("journal.gtr");
    double value = killed_value(STEPS - 2, 2, 0);
    struct gtr_trace *trace;
    struct gtr_recovered found;
    struct gtr_err err = { 0 };

    write_trace(path, true);
    CHECK(damage(file_of(path, ".journal", 0), &value, sizeof value));
    CHECK(gtr_trace_open(path, &trace, &err) == GTR_EFORMAT);
    CHECK_HOLDS(err.text, "(row 28) is damaged; gradtrace recover keeps the rest");
    CHECK(verify(path) == 1);
    found = recover(path, scratch_path("journal.h5"));
    CHECK(found.n_rows == STEPS - 1 && found.n_lost_rows == 1);
    CHECK(check_rows(scratch_path("journal.h5")) == STEPS - 1);
}

/* Bytes of two segments and the journal, changed at random: opening says so, or all is right. */
static void no_random_damage_makes_a_wrong_value(void)
{
    const char *files[3];
    char path[300], output[300], names[3][400];
    struct gtr_random random;
    size_t k, i, n_refused = 0;

    snprintf(path, sizeof path, "%s", scratch_path("flip.gtr"));
    snprintf(output, sizeof output, "%s", scratch_path("flip.h5"));
    write_trace(path, true);
    gtr_random_init(&random, 5, 0);
    for (i = 0; i < 3; i++) {
        snprintf(names[i], sizeof names[i], "%s",
                 file_of(path, i < 2 ? ".h5" : ".journal", i < 2 ? i : 0));
        files[i] = names[i];
    }
    for (k = 0; k < 60; k++) {
        const char *file = files[k % 3];
        size_t size = 0, n_edits = 1 + gtr_random_below(&random, 3);
        char *bytes = scratch_read(file, &size), *copy = malloc(size);
        struct gtr_trace *trace = NULL;
        struct gtr_recovered found;
        struct gtr_err err = { 0 };
        size_t t;

        memcpy(copy, bytes, size);
        for (i = 0; i < n_edits; i++)
            copy[gtr_random_below(&random, size)] ^= (char)(1 << gtr_random_below(&random, 8));
        scratch_write(file, copy, size);
        if (gtr_trace_open(path, &trace, &err) == GTR_OK) {
            CHECK(gtr_trace_n_steps(trace) == STEPS);
            for (t = 0; t < gtr_trace_n_steps(trace); t++)
                CHECK(killed_row_is_right(trace, t, false));
            gtr_trace_close(trace);
        } else {
            CHECK_HOLDS(err.text, "flip.gtr");
            n_refused++;
        }
        said[0] = '\0';
        err = (struct gtr_err){ 0 };
        if (gtr_trace_recover(path, output, true, &remarks, &found, &err) == GTR_OK)
            CHECK(check_rows(output) == found.n_rows);
        scratch_write(file, bytes, size);
        free(bytes);
        free(copy);
    }
    CHECK(n_refused > 15);
}

static void what_is_recovered_is_never_overwritten(void)
{
    struct gtr_recovered found;
    struct gtr_err err = { 0 };

    CHECK(gtr_trace_recover(scratch_path("run.gtr"), scratch_path("run.gtr"), true, &remarks,
                            &found, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "name another output");
    CHECK(check_rows(scratch_path("run.gtr")) == STEPS);
    err = (struct gtr_err){ 0 };
    CHECK(gtr_trace_recover(scratch_path("nowhere.gtr"), scratch_path("x.h5"), true, &remarks,
                            &found, &err) == GTR_EIO);
}

int main(void)
{
    gtr_trace_try_files(true); /* damaged ones that HDF5 may not survive */
    RUN(a_whole_trace_has_no_faults);
    RUN(a_killed_recorder_leaves_no_faults_and_is_recovered_whole);
    RUN(an_altered_norm_is_found_named_and_only_its_row_is_lost);
    RUN(an_altered_loss_is_found_as_well);
    RUN(a_missing_segment_is_a_gap_and_the_rest_is_kept);
    RUN(altered_elements_are_lost_and_their_row_is_kept);
    RUN(a_damaged_journal_gives_up_only_the_rows_that_were_hit);
    RUN(no_random_damage_makes_a_wrong_value);
    RUN(what_is_recovered_is_never_overwritten);
    return check_report();
}
