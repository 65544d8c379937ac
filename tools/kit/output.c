/* output.c - stdout or a file of its own; the options --tsv and --json, and what they name.
 *
 * A file appears whole or not at all.  Standard output is flushed and checked at the end, so that
 * a full disk behind it is an error and not a short file.
 */
#include "output.h"

#include <errno.h>
#include <string.h>

enum { OPT_TSV = 0x180, OPT_JSON };

static bool is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

enum gtr_code output_open(struct output *output, const char *path, bool force, struct gtr_err *err)
{
    enum gtr_code rc;

    memset(output, 0, sizeof *output);
    output->path = path;
    if (path == NULL)
        return GTR_OK;
    if (is_stdout(path)) {
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

    if (path != NULL && !is_stdout(path))
        rc = gtr_outfile_begin(&file, path, force, err);
    gtr_outfile_abandon(&file);
    return rc;
}

enum gtr_code output_flush(struct gtr_err *err)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return GTR_OK;
    return gtr_fail(err, GTR_EIO, "standard output: cannot write: %s",
                    errno != 0 ? strerror(errno) : "write failed");
}

enum gtr_code output_close(struct output *output, struct gtr_err *err)
{
    FILE *f = output->f;
    enum gtr_code rc;

    output->f = NULL;
    if (f == NULL)
        return GTR_OK;
    if (f == stdout)
        return output_flush(err);
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

/* --- forms ------------------------------------------------------------------------------------ */

void forms_refuse_stdout(const struct forms *forms, const struct argp_state *state, const char *why)
{
    if (is_stdout(forms->tsv_path) || is_stdout(forms->json_path))
        argp_error(state, "--%s -: %s; name a file", is_stdout(forms->tsv_path) ? "tsv" : "json",
                   why);
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    struct forms *forms = state->input;

    switch (key) {
    case OPT_TSV:
        forms->tsv_path = word;
        return 0;
    case OPT_JSON:
        forms->json_path = word;
        return 0;
    case ARGP_KEY_END:
        if (is_stdout(forms->tsv_path) && is_stdout(forms->json_path))
            argp_error(state, "--tsv, --json: only one can be - at a time");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "tsv", OPT_TSV, "FILE|-", 0,
      "Write the numbers as tab-separated text; - for standard output, instead of the tables", 70 },
    { "json", OPT_JSON, "FILE|-", 0, "Write the numbers as JSON", 70 },
    { 0 },
};
const struct argp forms_argp = { .options = options, .parser = parse };

enum gtr_code forms_open(struct forms *forms, bool force, struct gtr_err *err)
{
    enum gtr_code rc = output_open(&forms->tsv, forms->tsv_path, force, err);

    if (rc == GTR_OK)
        rc = output_open(&forms->json, forms->json_path, force, err);
    forms->told = forms->tsv.f != stdout && forms->json.f != stdout;
    return rc;
}

enum gtr_code forms_check(const struct forms *forms, bool force, struct gtr_err *err)
{
    enum gtr_code rc = output_check(forms->tsv_path, force, err);

    return rc == GTR_OK ? output_check(forms->json_path, force, err) : rc;
}

static enum gtr_code write_form(FILE *f, bool json, forms_table table, const void *found,
                                struct gtr_err *err)
{
    struct rows rows;

    if (f == NULL)
        return GTR_OK;
    rows_open(&rows, f, json);
    table(&rows, found);
    return rows_close(&rows, err);
}

enum gtr_code forms_write_tsv(struct forms *forms, forms_table table, const void *found,
                              struct gtr_err *err)
{
    return write_form(forms->tsv.f, false, table, found, err);
}

enum gtr_code forms_write(struct forms *forms, forms_table table, const void *found,
                          struct gtr_err *err)
{
    enum gtr_code rc = forms_write_tsv(forms, table, found, err);

    return rc == GTR_OK ? write_form(forms->json.f, true, table, found, err) : rc;
}

enum gtr_code forms_close(struct forms *forms, struct gtr_err *err)
{
    enum gtr_code rc = output_close(&forms->tsv, err);

    if (rc == GTR_OK)
        rc = output_close(&forms->json, err);
    return rc == GTR_OK ? output_flush(err) : rc;
}

void forms_abandon(struct forms *forms)
{
    output_abandon(&forms->tsv);
    output_abandon(&forms->json);
}
