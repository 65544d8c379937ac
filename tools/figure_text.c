/* figure_text.c - the script of a picture: variables, then style.gp, then the figure's own.
 *
 * The script is run as it stands by whoever gets it, and the names in it come from files that we
 * did not write.  So in a name every character that could mean something to gnuplot - quotes,
 * backquotes, @, $, backslashes - is written by its number.
 */
#define _GNU_SOURCE
#include "figure.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static int printable(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f ? '?' : c;
}

void figure_write_text(FILE *f, const char *text)
{
    for (; *text != '\0'; text++)
        fputc(printable(*text), f);
}

/* Bytes from 0x80 on are UTF-8. */
static bool means_nothing(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80 || (c != '\0' && strchr(" _-.,:;=+/()", c) != NULL);
}

void figure_write_string(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text != '\0'; text++) {
        if (means_nothing(*text))
            fputc(*text, f);
        else
            fprintf(f, "\\%03o", (unsigned)printable(*text));
    }
    fputc('"', f);
}

void figure_set_number(FILE *f, const char *name, double value)
{
    char text[GTR_NUMBER_SIZE];

    if (!isfinite(value))
        strcpy(text, "NaN");
    else
        gtr_text_print(value, text);
    fprintf(f, "%s = %s\n", name, text);
}

void figure_set_string(FILE *f, const char *name, const char *text)
{
    fprintf(f, "%s = ", name);
    figure_write_string(f, text);
    fputc('\n', f);
}

static void write_groups(FILE *f, const struct figure_view *view)
{
    size_t n = view->series->n_groups, k;

    fprintf(f, "N_GROUPS = %zu\narray GROUP[N_GROUPS]\n", n);
    for (k = 0; k < n; k++) {
        fprintf(f, "GROUP[%zu] = ", k + 1);
        figure_write_string(f, view->series->names[view->ranked[k]]);
        fputc('\n', f);
    }
}

static void write_common(FILE *f, const char *stem, const struct figure_view *view,
                         const struct figure_look *look)
{
    const struct gtr_series *series = view->series;
    size_t n = series->n_steps;

    figure_set_string(f, "NAME", stem);
    figure_set_string(f, "FORMATS", look->formats);
    figure_set_number(f, "WIDTH", look->width);
    figure_set_number(f, "HEIGHT", look->height);
    if (look->columns > 0) {
        figure_set_number(f, "TERM_COLUMNS", (double)look->columns);
        figure_set_number(f, "TERM_ROWS", (double)look->rows);
        figure_set_number(f, "TERM_COLOUR", look->colour ? 1.0 : 0.0);
    }
    figure_set_string(f, "TRACE", view->trace);
    figure_set_number(f, "N_STEPS", (double)n);
    figure_set_number(f, "FIRST_STEP", n > 0 ? (double)series->index[0] : 0.0);
    figure_set_number(f, "LAST_STEP", n > 0 ? (double)series->index[n - 1] : 0.0);
    write_groups(f, view);
}

static enum gtr_code copy_script(FILE *f, const char *folder, const char *name, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    char path[PATH_MAX], block[4096];
    FILE *script;
    size_t n;

    snprintf(path, sizeof path, "%s/%s.gp", folder, name);
    script = fopen(path, "re");
    if (script == NULL)
        return gtr_fail(err, GTR_EIO, "%s: cannot read: %s", path, strerror(errno));
    fputc('\n', f);
    while ((n = fread(block, 1, sizeof block, script)) > 0)
        fwrite(block, 1, n, f);
    if (ferror(script))
        rc = gtr_fail(err, GTR_EIO, "%s: cannot read", path);
    fclose(script);
    return rc;
}

enum gtr_code figure_write_script(FILE *f, const struct figure *figure, const char *stem,
                                  const char *folder, const struct figure_view *view,
                                  const struct figure_look *look, size_t policy,
                                  struct gtr_err *err)
{
    enum gtr_code rc;

    fprintf(f,
            "# %s.gp - made by `gradtrace plot`.  `gnuplot %s.gp` in this folder draws it again\n"
            "# from %s.tsv.\n\n",
            stem, stem, stem);
    write_common(f, stem, view, look);
    figure->write_variables(f, view, look, policy);
    rc = copy_script(f, folder, "style", err);
    if (rc == GTR_OK)
        rc = copy_script(f, folder, figure->name, err);
    fputs("\n# --- the next format ---\nunset output\nturn = turn + 1\n"
          "if (turn <= words(FORMATS)) reread\n",
          f);
    return rc;
}

/* Installed, from the build folder, or carried about with the program. */
static const char *const places[] = { "../share/gradtrace/plots", "../plots", "plots" };

enum gtr_code figure_find_scripts(char **folder, struct gtr_err *err)
{
    char program[PATH_MAX], path[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    const char *home;
    size_t i;

    *folder = NULL;
    if (n < 0)
        return gtr_fail(err, GTR_EIO, "/proc/self/exe: cannot read: %s", strerror(errno));
    program[n] = '\0';
    home = dirname(program);
    for (i = 0; i < GTR_ARRAY_LEN(places); i++) {
        snprintf(path, sizeof path, "%s/%s/style.gp", home, places[i]);
        if (access(path, R_OK) != 0)
            continue;
        *strrchr(path, '/') = '\0';
        *folder = gtr_strdup(path);
        return *folder != NULL ? GTR_OK : gtr_fail(err, GTR_ENOMEM, "no memory for a path");
    }
    return gtr_fail(err, GTR_EIO,
                    "plots/style.gp: not found in %s/%s, %s or %s; reinstall gradtrace", home,
                    places[0], places[1], places[2]);
}
