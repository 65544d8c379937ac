/* test_segments.c - a trace as a folder of segments: it reads as a file would, and survives. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "check.h"
#include "crc.h"
#include "scratch.h"
#include "segment_private.h"
#include "segmenting.h"
#include "threads.h"

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* --- sums and names --------------------------------------------------------------------------- */

/* By Python: zlib.crc32(struct.pack('<qddddB', 7, .5, .25, 1.5, 1, 1) + struct.pack('<2d', 4, 9) +
 * struct.pack('<2f', 1.5, 2.5) + struct.pack('<2Q', 0, 3)), and with pack('<2d', 1, 16) after it.
 */
static void a_row_has_the_checksum_that_zlib_gives_its_bytes(void)
{
    const struct gtr_step step = { 7, 0.5, 0.25, 1.5, 1.0, true, 0.0 };
    const double sumsq[2] = { 4.0, 9.0 }, params[2] = { 1.0, 16.0 };
    const float maxabs[2] = { 1.5f, 2.5f };
    const uint64_t nonfinite[2] = { 0, 3 };
    struct gtr_row row = { &step, sumsq, maxabs, nonfinite, NULL };

    CHECK(gtr_crc_row(&step, gtr_crc_values(&row, 2), 2, false) == 0xf4ba3157);
    row.param_sumsq = params;
    CHECK(gtr_crc_row(&step, gtr_crc_values(&row, 2), 2, true) == 0xc4acb74c);
}

static void only_names_of_segments_are_taken_for_segments(void)
{
    static const char *const others[] = { "rank0.hdf5",        "rank.1.h5",
                                          "rank0.1.h5.XXXXXX", "rankx.1.h5",
                                          "rank0.1x.h5",       "rank0.journal2",
                                          "notes.txt",         "rank0.99999999999999999999.h5",
                                          "rank00.journal",    "rank-1.journal" };
    const char *folder = scratch_path("names.gtr");
    struct gtr_segment_list list;
    char path[300];
    size_t i;

    mkdir(folder, 0777);
    for (i = 0; i < GTR_ARRAY_LEN(others); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, others[i]);
        scratch_write(path, "x", 1);
    }
    snprintf(path, sizeof path, "%s/rank12.000000000034.h5.tmp", folder);
    scratch_write(path, "x", 1);
    CHECK(gtr_segment_list_read(folder, -1, &list, NULL) == GTR_OK);
    CHECK(list.n == 1 && list.files[0].rank == 12 && list.files[0].first_row == 34 &&
          list.files[0].kind == GTR_SEGMENT_LEFT);
    gtr_segment_list_free(&list);
    CHECK(gtr_segment_is_folder_name("run.gtr") && gtr_segment_is_folder_name("a/run.gtr/"));
    CHECK(!gtr_segment_is_folder_name(".gtr") && !gtr_segment_is_folder_name("run.gtr.h5"));
}

/* --- reading ---------------------------------------------------------------------------------- */

static void a_folder_of_segments_reads_as_a_file_would(void)
{
    const char *folder = scratch_path("run.gtr"), *file = scratch_path("run.h5");
    struct gtr_trace_folder about;
    struct gtr_trace *a, *b;
    double *x, *y;
    size_t band, at = 0;

    write_trace(folder, 40000);
    write_trace(file, 0);
    check_trace(folder, STEPS, 17);
    check_trace(file, STEPS, 17);
    a = open_trace(folder);
    b = open_trace(file);
    CHECK(gtr_trace_is_folder(a, &about) && about.n_segments > 3 && about.n_journal_rows == 0 &&
          about.n_left == 0);
    CHECK(!gtr_trace_is_folder(b, &about));
    x = gtr_alloc(STEPS * KILLED_TENSORS + gtr_trace_band_rows(a, GTR_SUMSQ) * KILLED_TENSORS, 8);
    y = gtr_alloc(STEPS * KILLED_TENSORS, 8);
    for (band = 0; band < gtr_trace_n_bands(a, GTR_SUMSQ); band++) {
        CHECK(gtr_trace_read_band(a, GTR_SUMSQ, band, x + at * KILLED_TENSORS, NULL) == GTR_OK);
        at += gtr_trace_band_rows(a, GTR_SUMSQ);
    }
    CHECK(gtr_trace_read_rows(b, GTR_SUMSQ, 0, STEPS, y, NULL) == GTR_OK);
    CHECK(memcmp(x, y, STEPS * KILLED_TENSORS * sizeof *x) == 0);
    CHECK(gtr_trace_has(a, GTR_NONFINITE) && !gtr_trace_has(a, GTR_PARAM_SUMSQ));
    gtr_free(x);
    gtr_free(y);
    gtr_trace_close(a);
    gtr_trace_close(b);
}

static void elements_of_many_segments_are_read_as_one_rectangle(void)
{
    struct gtr_trace *trace = open_trace(scratch_path("run.gtr"));
    float got[17][50 + 2];
    size_t c, e, wrong = 0;

    memset(got, 0, sizeof got);
    CHECK(gtr_trace_read_captured(trace, 2, 2, 14, 700, 50, got[2], sizeof got[0], NULL) == GTR_OK);
    for (c = 2; c < 16; c++)
        for (e = 0; e < 50; e++)
            wrong += got[c][e] != killed_element(c * KILLED_EVERY, 2, 700 + e);
    CHECK(wrong == 0 && got[5][50] == 0.0f);
    CHECK(gtr_trace_read_captured(trace, 2, 2, 16, 700, 50, got, sizeof got[0], NULL) != GTR_OK);
    CHECK(gtr_trace_read_captured(trace, 2, 2, 1, 2990, 11, got, sizeof got[0], NULL) != GTR_OK);
    CHECK(gtr_trace_n_elements(trace, 3) == 0);
    gtr_trace_close(trace);
}

struct crowd {
    const struct gtr_trace *trace;
    size_t wrong[64];
};

static void read_one(void *context, size_t item, size_t worker)
{
    struct crowd *crowd = context;

    (void)worker;
    crowd->wrong[item] = !killed_row_is_right(crowd->trace, item * 37 % STEPS, false);
}

/* 20 descriptors: two for each of at most five segments, and those that were there. */
static void many_segments_are_read_with_few_open_files_by_many_threads(void)
{
    struct rlimit before, few;
    struct crowd crowd = { 0 };
    const char *path = scratch_path("many.gtr");
    struct gtr_trace_folder about;
    size_t i, wrong = 0;

    write_trace(path, 1);
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = 24;
    setrlimit(RLIMIT_NOFILE, &few);
    crowd.trace = open_trace(path);
    CHECK(gtr_trace_is_folder(crowd.trace, &about) && about.n_segments == STEPS);
    gtr_threads_run(4, 64, read_one, &crowd);
    for (i = 0; i < 64; i++)
        wrong += crowd.wrong[i];
    CHECK(wrong == 0);
    gtr_trace_close((struct gtr_trace *)crowd.trace);
    setrlimit(RLIMIT_NOFILE, &before);
}

static void a_trace_is_read_while_it_is_recorded(void)
{
    struct gtr_err err = { 0 };
    struct gtr_writer *writer = open_writer(scratch_path("live.gtr"), 40000, true, &err);
    struct gtr_trace_folder about;
    struct gtr_trace *trace;

    append_some(writer, 0, 11);
    trace = open_trace(scratch_path("live.gtr"));
    CHECK(gtr_trace_n_steps(trace) == 11);
    CHECK(gtr_trace_is_folder(trace, &about) && about.n_journal_rows > 0 && about.n_left == 1);
    gtr_trace_close(trace);
    append_some(writer, 11, STEPS);
    CHECK(gtr_writer_close(writer, &err) == GTR_OK);
    check_trace(scratch_path("live.gtr"), STEPS, 17);
    CHECK(!exists(scratch_path("live.gtr/rank0.journal")));
    CHECK(!exists(scratch_path("live.gtr/rank0.lock")));
}

/* What is left if the recorder is killed after the rename of a segment, before the new journal. */
static void rows_in_a_segment_and_in_the_journal_count_once(void)
{
    struct gtr_err err = { 0 };
    struct gtr_writer *writer = open_writer(scratch_path("both.gtr"), 1 << 20, true, &err);
    const char *journal = scratch_path("both.gtr/rank0.journal");
    size_t size = 0;
    char *bytes;

    append_some(writer, 0, 9);
    bytes = scratch_read(journal, &size);
    append_some(writer, 9, 12);
    CHECK(gtr_writer_close(writer, &err) == GTR_OK);
    scratch_write(journal, bytes, size);
    check_trace(scratch_path("both.gtr"), 12, 4);
    free(bytes);
}

static void a_trace_without_steps_is_a_folder_with_one_empty_segment(void)
{
    struct gtr_err err = { 0 };
    struct gtr_writer *writer = open_writer(scratch_path("empty.gtr"), 0, true, &err);

    CHECK(gtr_writer_close(writer, &err) == GTR_OK);
    check_trace(scratch_path("empty.gtr"), 0, 0);
}

static void ranks_share_a_folder_and_are_named(void)
{
    struct gtr_writer *writers[2];
    struct gtr_trace *trace;
    struct gtr_err err = { 0 };
    struct gtr_head head;
    size_t r;

    killed_head(&head);
    for (r = 0; r < 2; r++) {
        const struct gtr_writer_options options = { .size = sizeof options };

        head.rank = (int64_t)r;
        CHECK(gtr_writer_open(scratch_path("ranks.gtr"), &head, &options, &writers[r], &err) ==
              GTR_OK);
    }
    for (r = 0; r < 2; r++) {
        size_t t;

        for (t = 0; t < 5 + r; t++)
            CHECK(killed_append(writers[r], t, false, &err) == GTR_OK);
        CHECK(gtr_writer_close(writers[r], &err) == GTR_OK);
    }
    CHECK(gtr_trace_open(scratch_path("ranks.gtr"), &trace, &err) == GTR_EFORMAT);
    CHECK_HOLDS(err.text, "has ranks 0 to 1; name one");
    check_trace(scratch_path("ranks.gtr/rank0"), 5, 0);
    check_trace(scratch_path("ranks.gtr/rank1"), 6, 0);
    err = (struct gtr_err){ 0 };
    CHECK(gtr_trace_open(scratch_path("ranks.gtr/rank2"), &trace, &err) != GTR_OK);
    CHECK(err.text[0] != '\0');
    gtr_head_free(&head);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void a_folder_with_steps_is_kept_unless_force_says_otherwise(void)
{
    const char *path = scratch_path("kept.gtr");
    struct gtr_err err = { 0 };
    struct gtr_writer *writer;

    write_trace(path, 40000);
    CHECK(gtr_writer_try(path, 0, false, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "exists already");
    err = (struct gtr_err){ 0 };
    CHECK(open_writer(path, 0, false, &err) == NULL);
    CHECK_HOLDS(err.text, "exists already, with steps of rank 0; pass --force");
    check_trace(path, STEPS, 17);
    err = (struct gtr_err){ 0 };
    CHECK(gtr_writer_try(path, 0, true, &err) == GTR_OK);
    check_trace(path, STEPS, 17);
    writer = open_writer(path, 0, true, &err);
    append_some(writer, 0, 2);
    CHECK(gtr_writer_close(writer, &err) == GTR_OK);
    check_trace(path, 2, 1);
}

static void a_second_recorder_of_a_folder_is_refused_and_the_first_goes_on(void)
{
    const char *path = scratch_path("two.gtr");
    struct gtr_err err = { 0 };
    struct gtr_writer *first = open_writer(path, 40000, false, &err);
    char pid[40];

    append_some(first, 0, 9);
    CHECK(open_writer(path, 0, true, &err) == NULL);
    snprintf(pid, sizeof pid, "recorded by process %ld;", (long)getpid());
    CHECK_HOLDS(err.text, pid);
    err = (struct gtr_err){ 0 };
    CHECK(gtr_writer_try(path, 0, true, &err) == GTR_EIO);
    append_some(first, 9, STEPS);
    CHECK(gtr_writer_close(first, NULL) == GTR_OK);
    check_trace(path, STEPS, 17);
}

static void a_folder_that_cannot_be_made_is_named(void)
{
    struct gtr_err err = { 0 };

    scratch_write(scratch_path("file.gtr"), "x", 1);
    CHECK(open_writer(scratch_path("file.gtr"), 0, true, &err) == NULL);
    CHECK_HOLDS(err.text, "file.gtr: is not a folder");
    err = (struct gtr_err){ 0 };
    CHECK(open_writer(scratch_path("nowhere/run.gtr"), 0, true, &err) == NULL);
    CHECK_HOLDS(err.text, "run.gtr: cannot write: No such file or directory");
    err = (struct gtr_err){ 0 };
    mkdir(scratch_path("closed"), 0555);
    if (geteuid() != 0) {
        CHECK(open_writer(scratch_path("closed/run.gtr"), 0, true, &err) == NULL);
        CHECK_HOLDS(err.text, "run.gtr: cannot write: Permission denied");
    }
}

static void an_abandoned_folder_is_gone(void)
{
    struct gtr_err err = { 0 };
    struct gtr_writer *writer = open_writer(scratch_path("gone.gtr"), 40000, false, &err);

    append_some(writer, 0, 20);
    gtr_writer_abandon(writer);
    CHECK(!exists(scratch_path("gone.gtr")));
}

/* What merge and recover write.  A folder that is there keeps its name: ranks share it. */
static void a_folder_can_be_whole_or_not_there(void)
{
    static const char *const names[] = { "packed.gtr", "packed.gtr.partial" };
    const struct gtr_writer_options options = { .size = sizeof options,
                                                .elements = true,
                                                .whole = true };
    struct gtr_err err = { 0 };
    struct gtr_writer *writer;
    struct gtr_head head;
    int turn;

    killed_head(&head);
    for (turn = 0; turn <= 2; turn++) { /* abandoned; left by a process that ended; closed */
        pid_t child = turn == 1 ? fork() : -1;

        if (child > 0) {
            CHECK(waitpid(child, NULL, 0) == child && exists(scratch_path(names[1])));
            continue;
        }
        CHECK(gtr_writer_open(scratch_path(names[0]), &head, &options, &writer, &err) == GTR_OK);
        append_some(writer, 0, 9);
        CHECK(!exists(scratch_path(names[0])) && exists(scratch_path(names[1])));
        if (child == 0)
            _exit(0);
        if (turn == 0)
            gtr_writer_abandon(writer);
        else
            CHECK(gtr_writer_close(writer, &err) == GTR_OK);
        CHECK(!exists(scratch_path(names[1])));
    }
    CHECK_TEXT(err.text, "");
    check_trace(scratch_path(names[0]), 9, 3);
    CHECK(gtr_writer_open(scratch_path(names[0]), &head, &options, &writer, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "packed.gtr: exists already, with steps of rank 0");
    gtr_head_free(&head);
}

static void elements_of_some_tensors_only_are_refused(void)
{
    const float one = 1.0f;
    struct gtr_err err = { 0 };
    struct gtr_writer *writer = open_writer(scratch_path("some.gtr"), 0, true, &err);

    append_some(writer, 0, 1);
    CHECK(gtr_writer_elements(writer, 0, &one, &err) == GTR_OK);
    CHECK(killed_append(writer, 1, false, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "elements of 1 tensors, not of all 5");
    CHECK(gtr_writer_close(writer, NULL) == GTR_OK);
    check_trace(scratch_path("some.gtr"), 1, 1);
}

/* A recorder that closes segments while others are looked at: rows move from the journal to files
 * that were not there when the folder was listed. */
struct at_work {
    struct gtr_writer *writer;
    size_t n_steps, n_faults;
};

static void record_on(void *context, const char *path, bool fault, const char *text)
{
    struct at_work *at_work = context;

    (void)path;
    (void)text;
    at_work->n_faults += fault;
    append_some(at_work->writer, at_work->n_steps, at_work->n_steps + 20);
    at_work->n_steps += 20;
}

static void a_folder_that_is_recorded_meanwhile_is_not_called_damaged(void)
{
    const char *path = scratch_path("busy.gtr");
    struct gtr_err err = { 0 };
    struct at_work at_work = { open_writer(path, 2000, true, &err), 20, 0 };
    const struct gtr_remarks listener = { record_on, &at_work };
    size_t n_faults = 99;

    append_some(at_work.writer, 0, 20);
    CHECK(gtr_trace_verify(path, &listener, &n_faults, &err) == GTR_OK);
    CHECK(n_faults == 0 && at_work.n_faults == 0);
    CHECK(at_work.n_steps > 40);
    CHECK(gtr_writer_close(at_work.writer, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
}

int main(void)
{
    RUN(a_row_has_the_checksum_that_zlib_gives_its_bytes);
    RUN(only_names_of_segments_are_taken_for_segments);
    RUN(a_folder_of_segments_reads_as_a_file_would);
    RUN(elements_of_many_segments_are_read_as_one_rectangle);
    RUN(many_segments_are_read_with_few_open_files_by_many_threads);
    RUN(a_trace_is_read_while_it_is_recorded);
    RUN(rows_in_a_segment_and_in_the_journal_count_once);
    RUN(a_trace_without_steps_is_a_folder_with_one_empty_segment);
    RUN(ranks_share_a_folder_and_are_named);
    RUN(a_folder_with_steps_is_kept_unless_force_says_otherwise);
    RUN(a_second_recorder_of_a_folder_is_refused_and_the_first_goes_on);
    RUN(a_folder_that_cannot_be_made_is_named);
    RUN(an_abandoned_folder_is_gone);
    RUN(a_folder_can_be_whole_or_not_there);
    RUN(elements_of_some_tensors_only_are_refused);
    RUN(a_folder_that_is_recorded_meanwhile_is_not_called_damaged);
    return check_report();
}
