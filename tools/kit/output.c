/* output.c - stdout or a file of its own. */
#include "output.h"

#include <errno.h>
#include <string.h>

enum gtr_code output_open(struct output *output, const char *path, bool force, struct gtr_err *err)
{
    enum gtr_code rc;

    memset(output, 0, sizeof *output);
    output->path = path;
    if (path == NULL)
        return GTR_OK;
    if (strcmp(path, "-") == 0) {
        output->f = stdout;
        return GTR_OK;
    }
    rc = gtr_outfile_begin(&output->file, path, force, err);
    if (rc != GTR_OK)
        return rc;
    output->f = fopen(gtr_outfile_name(&output->file), "w");
    if (output->f == NULL) {
        rc = gtr_fail(err, GTR_EIO, "%s: cannot write: %s", path, strerror(errno));
        gtr_outfile_abandon(&output->file);
    }
    return rc;
}

enum gtr_code output_check(const char *path, bool force, struct gtr_err *err)
{
    struct gtr_outfile file = { 0 };
    enum gtr_code rc = GTR_OK;

    if (path != NULL && strcmp(path, "-") != 0)
        rc = gtr_outfile_begin(&file, path, force, err);
    gtr_outfile_abandon(&file);
    return rc;
}

enum gtr_code output_close(struct output *output, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    FILE *f = output->f;

    output->f = NULL;
    if (f == NULL)
        return GTR_OK;
    if (f == stdout) {
        if (fflush(f) != 0 || ferror(f))
            rc = gtr_fail(err, GTR_EIO, "standard output: cannot write: %s", strerror(errno));
        return rc;
    }
    rc = gtr_file_close(f, output->path, err);
    if (rc == GTR_OK)
        return gtr_outfile_commit(&output->file, err);
    gtr_outfile_abandon(&output->file);
    return rc;
}

void output_abandon(struct output *output)
{
    if (output->f == NULL)
        return;
    if (output->f != stdout) {
        fclose(output->f);
        gtr_outfile_abandon(&output->file);
    }
    output->f = NULL;
}
