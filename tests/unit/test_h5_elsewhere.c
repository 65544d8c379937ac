/* test_h5_elsewhere.c - a trace holds its own data: no file leads its reader into another one. */
#define _GNU_SOURCE
#include <hdf5.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "gradtrace.h"
#include "scratch.h"

/* Two steps of one tensor, whose norms are 3 and 4. */
static void make_trace(const char *path)
{
    struct gtr_head head;
    struct gtr_writer *writer = NULL;
    struct gtr_writer_options options;
    struct gtr_err err = { 0 };
    size_t t;

    gtr_head_init(&head, &err);
    gtr_head_add_tensor(&head, "w", "4", 4, GTR_F32, &err);
    gtr_writer_options_init(&options);
    options.force = true;
    CHECK(gtr_writer_open(path, &head, &options, &writer, &err) == GTR_OK);
    for (t = 0; t < 2; t++) {
        const struct gtr_step step = { .index = (int64_t)t, .applied_scale = NAN };
        const double sumsq = t == 0 ? 9.0 : 16.0;
        const float maxabs = 1.0f;
        const uint64_t nonfinite = 0;

        CHECK(gtr_writer_append(writer, &step, &sumsq, &maxabs, &nonfinite, NULL, &err) == GTR_OK);
    }
    CHECK(gtr_writer_close(writer, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    gtr_head_free(&head);
}

/* What a reader says of run.h5 once `name` has been taken away and `put` has put another. */
static void check_refused(const char *name, void (*put)(hid_t file), const char *said)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };
    hid_t file;

    make_trace("run.h5");
    make_trace("other.h5");
    file = H5Fopen("run.h5", H5F_ACC_RDWR, H5P_DEFAULT);
    CHECK(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    put(file);
    H5Fclose(file);
    CHECK(gtr_trace_open("run.h5", &trace, &err) == GTR_EFORMAT);
    CHECK_HOLDS(err.text, said);
    gtr_trace_close(trace);
}

static void put_external_link(hid_t file)
{
    CHECK(H5Lcreate_external("other.h5", "/norm/sumsq", file, "/norm/sumsq", H5P_DEFAULT,
                             H5P_DEFAULT) >= 0);
}

static void put_external_group(hid_t file)
{
    CHECK(H5Lcreate_external("other.h5", "/norm", file, "/norm", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

/* A soft link may lead through an external one. */
static void put_soft_link(hid_t file)
{
    CHECK(H5Lcreate_external("other.h5", "/norm", file, "/away", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    CHECK(H5Lcreate_soft("/away/sumsq", file, "/norm/sumsq", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void put_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims,
                        hid_t creation)
{
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);

    CHECK(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(creation);
}

static void put_external_storage(hid_t file)
{
    const hsize_t dims[2] = { 2, 1 };
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);

    H5Pset_external(creation, "other.h5", 0, 16);
    put_dataset(file, "/norm/sumsq", H5T_IEEE_F64LE, 2, dims, creation);
}

static void put_virtual_dataset(hid_t file)
{
    const hsize_t dims[2] = { 2, 1 };
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);

    H5Pset_virtual(creation, space, "other.h5", "/norm/sumsq", space);
    put_dataset(file, "/norm/sumsq", H5T_IEEE_F64LE, 2, dims, creation);
    H5Sclose(space);
}

/* Reading it would wait for a writer that never comes. */
static void put_names_in_a_pipe(hid_t file)
{
    const hsize_t dims[1] = { 1 };
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), text = H5Tcopy(H5T_C_S1);

    unlink("pipe");
    CHECK(mkfifo("pipe", 0600) == 0);
    H5Tset_size(text, 8);
    H5Pset_external(creation, "pipe", 0, 8);
    put_dataset(file, "/param/name", text, 1, dims, creation);
    H5Tclose(text);
}

static void what_lies_in_another_file_is_refused_by_name(void)
{
    check_refused("/norm/sumsq", put_external_link, "run.h5: /norm/sumsq: is a link");
    check_refused("/norm", put_external_group, "run.h5: /norm/sumsq: is a link");
    check_refused("/norm/sumsq", put_soft_link, "run.h5: /norm/sumsq: is a link");
    check_refused("/norm/sumsq", put_external_storage,
                  "run.h5: /norm/sumsq: is stored in another file");
    check_refused("/norm/sumsq", put_virtual_dataset,
                  "run.h5: /norm/sumsq: is stored in another file");
}

static void a_pipe_is_not_waited_for(void)
{
    alarm(20);
    check_refused("/param/name", put_names_in_a_pipe,
                  "run.h5: /param/name: is stored in another file");
    alarm(0);
}

int main(void)
{
    if (chdir(scratch_path(".")) != 0) /* where links lead goes from here */
        return 1;
    RUN(what_lies_in_another_file_is_refused_by_name);
    RUN(a_pipe_is_not_waited_for);
    return check_report();
}
