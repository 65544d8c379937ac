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
#include <sys/ioctl.h>
#include <unistd.h>

#include "tell.h"

static bool means_nothing(uint32_t letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter >= 0x80 ||
           strchr(" _-.,:;=+/()", (int)letter) != NULL;
}

void figure_write_plain(FILE *f, const char *text)
{
    bool numbered = false;

    while (*text != '\0') {
        uint32_t letter;
        size_t n = gtr_text_letter(text, &letter);

        if (n == 0 || !gtr_text_is_safe(letter))
            letter = '?';
        /* gnuplot reads on after three digits: a digit after a number would become part of it. */
        numbered = !means_nothing(letter) || (numbered && letter >= '0' && letter <= '7');
        if (numbered)
            fprintf(f, "\\%03o", (unsigned)letter);
        else
            fwrite(text, 1, n, f);
        text += n > 0 ? n : 1;
    }
}

void figure_write_string(FILE *f, const char *text)
{
    fputc('"', f);
    figure_write_plain(f, text);
    fputc('"', f);
}

void figure_write_number(FILE *f, double value, char after)
{
    char text[GTR_NUMBER_SIZE];

    gtr_text_print(value, text);
    fprintf(f, "%s%c", text, after);
}

void figure_write_name(FILE *f, const char *name, char after)
{
    tell_text(f, name);
    fputc(after, f);
}

const char *figure_trace_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
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

void figure_set_element(FILE *f, const char *array, size_t k, const char *text)
{
    fprintf(f, "%s[%zu] = ", array, k);
    figure_write_string(f, text);
    fputc('\n', f);
}

void figure_set_names(FILE *f, const char *count, const char *array, const char *const *names,
                      size_t n)
{
    size_t k;

    fprintf(f, "%s = %zu\narray %s[%s]\n", count, n, array, count);
    for (k = 0; k < n; k++)
        figure_set_element(f, array, k + 1, names[k]);
}

void figure_set_short(FILE *f, const char *count, const char *array, const char *const *names,
                      size_t n, size_t most)
{
    struct tell_names shown;

    tell_names_make(&shown, names, n, 1, most);
    figure_set_names(f, count, array, shown.text != NULL ? (const char *const *)shown.text : names,
                     n);
    tell_names_free(&shown);
}

void figure_set_share(FILE *f, const char *name, double share)
{
    char text[TELL_SIZE];

    figure_set_string(f, name, tell_share(share, text));
}

void figure_write_head(FILE *f, const char *command, const char *stem,
                       const struct figure_look *look)
{
    fprintf(f,
            "# %s.gp - made by `%s`.  `gnuplot %s.gp` in this folder draws it again\n"
            "# from %s.tsv.\n\n",
            stem, command, stem, stem);
    figure_set_string(f, "NAME", stem);
    figure_set_string(f, "FORMATS", look->formats);
    figure_set_number(f, "WIDTH", look->width);
    figure_set_number(f, "HEIGHT", look->height);
    figure_set_number(f, "PAPER", look->style == STYLE_PAPER ? 1.0 : 0.0);
    if (look->columns > 0) {
        figure_set_number(f, "TERM_COLUMNS", (double)look->columns);
        figure_set_number(f, "TERM_ROWS", (double)look->rows);
        figure_set_number(f, "TERM_COLOUR", look->colour ? 1.0 : 0.0);
    }
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

enum gtr_code figure_write_body(FILE *f, const char *folder, const char *name, struct gtr_err *err)
{
    enum gtr_code rc = copy_script(f, folder, "style", err);

    if (rc == GTR_OK)
        rc = copy_script(f, folder, name, err);
    fputs("\n# --- the next format ---\nunset output\nturn = turn + 1\n"
          "if (turn <= words(FORMATS)) reread\n",
          f);
    return rc;
}

/* Room in the window for text, minus the line of the next prompt. */
void figure_look_terminal(struct figure_look *look)
{
    struct winsize window;

    look->columns = 80;
    look->rows = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col >= 40 &&
        window.ws_row >= 12) {
        look->columns = window.ws_col;
        look->rows = window.ws_row - 1u;
    }
    look->colour = isatty(STDOUT_FILENO) == 1;
    look->formats = "term";
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
