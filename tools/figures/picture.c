/* picture.c - rows, script, gnuplot, and files with their final names.
 *
 * Files are made in a hidden folder and moved out whole.  A picture that gnuplot fails on keeps
 * its rows and its script, to be looked at.
 */
#define _GNU_SOURCE
#include "picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

/* --- which there are, and what their files are called ---------------------------------------- */

static bool plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static bool taken(const struct picture_list *list, const char *stem)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        if (strcmp(list->pictures[i].stem, stem) == 0)
            return true;
    return false;
}

/* SCRIPT or SCRIPT-LABEL; -2, -3 ... after it where two would get the same name. */
static void choose_stem(struct picture *picture, const struct picture_list *list, const char *label)
{
    char base[100];
    size_t i, n;

    snprintf(base, sizeof base, "%s%s%s", picture->script, label != NULL ? "-" : "",
             label != NULL ? label : "");
    n = strlen(base);
    for (i = 0; i < n; i++)
        if (!plain(base[i]))
            base[i] = '-';
    snprintf(picture->stem, sizeof picture->stem, "%s", base);
    for (i = 2; taken(list, picture->stem); i++)
        snprintf(picture->stem, sizeof picture->stem, "%s-%zu", base, i);
}

enum gtr_code picture_list_add(struct picture_list *list, const void *figure, const char *script,
                               const char *label, size_t policy, struct gtr_err *err)
{
    enum gtr_code rc =
        gtr_grow(&list->pictures, &list->capacity, list->n + 1, sizeof *list->pictures, err);
    struct picture *picture;

    if (rc != GTR_OK)
        return rc;
    picture = &list->pictures[list->n];
    *picture = (struct picture){ .figure = figure, .script = script, .policy = policy };
    choose_stem(picture, list, label);
    list->n++;
    return GTR_OK;
}

void picture_list_free(struct picture_list *list)
{
    gtr_free(list->pictures);
    *list = (struct picture_list){ 0 };
}

/* --- what is in a stage -------------------------------------------------------------------- */

static enum gtr_code write_rows(const struct picture *picture, const struct picture_source *source,
                                const struct figure_look *look, const char *path,
                                struct gtr_err *err)
{
    FILE *f = fopen(path, "we");

    if (f == NULL)
        return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", path, strerror(errno));
    source->write_rows(f, source->view, look, picture);
    return gtr_file_close(f, path, err);
}

static enum gtr_code write_script(const struct picture *picture,
                                  const struct picture_source *source,
                                  const struct figure_look *look, const char *scripts,
                                  const char *path, struct gtr_err *err)
{
    enum gtr_code rc;
    FILE *f = fopen(path, "we");

    if (f == NULL)
        return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", path, strerror(errno));
    figure_write_head(f, source->command, picture->stem, look);
    source->write_variables(f, source->view, look, picture);
    rc = figure_write_body(f, scripts, picture->script, err);
    if (rc == GTR_OK)
        return gtr_file_close(f, path, err);
    fclose(f);
    return rc;
}

static enum gtr_code fill_stage(const struct picture *picture, const struct picture_source *source,
                                const struct figure_look *look, const char *scripts,
                                const char *stage, struct gtr_err *err)
{
    char name[sizeof picture->stem + 8];
    enum gtr_code rc = GTR_OK;
    char *rows, *script;

    snprintf(name, sizeof name, "%s.tsv", picture->stem);
    rows = stage_path(stage, name);
    snprintf(name, sizeof name, "%s.gp", picture->stem);
    script = stage_path(stage, name);
    if (rows == NULL || script == NULL)
        rc = gtr_fail(err, GTR_ENOMEM, "%s: no memory for a path", stage);
    if (rc == GTR_OK)
        rc = write_rows(picture, source, look, rows, err);
    if (rc == GTR_OK)
        rc = write_script(picture, source, look, scripts, script, err);
    gtr_free(rows);
    gtr_free(script);
    return rc;
}

static enum gtr_code draw(const struct picture *picture, const char *stage, bool show,
                          bool *missing, struct gtr_err *err)
{
    char script[sizeof picture->stem + 8];

    snprintf(script, sizeof script, "%s.gp", picture->stem);
    return gnuplot_run(stage, script, show, missing, err);
}

/* --- files --------------------------------------------------------------------------------- */

/* Endings of all files of a picture: rows and script first, then what gnuplot draws. */
struct endings {
    const char *list[8];
    size_t n;
    size_t n_ours;
};

static void find_endings(struct endings *e, const char *formats)
{
    *e = (struct endings){ { ".tsv", ".gp" }, 2, 2 };
    if (strstr(formats, "png") != NULL)
        e->list[e->n++] = ".png";
    if (strstr(formats, "svg") != NULL)
        e->list[e->n++] = ".svg";
    if (strstr(formats, "pdf") != NULL)
        e->list[e->n++] = ".pdf";
    if (strstr(formats, "tex") != NULL) {
        e->list[e->n++] = "-latex.tex";
        e->list[e->n++] = "-latex.pdf";
    }
}

/* Told before anything is drawn or replaced. */
static enum gtr_code refuse_existing(const struct picture_list *list, const struct endings *e,
                                     const char *folder, struct gtr_err *err)
{
    size_t i, k;

    for (i = 0; i < list->n; i++) {
        for (k = 0; k < e->n; k++) {
            char name[sizeof list->pictures->stem + 16];
            enum gtr_code rc = GTR_OK;
            struct stat there;
            char *path;

            snprintf(name, sizeof name, "%s%s", list->pictures[i].stem, e->list[k]);
            path = stage_path(folder, name);
            if (path == NULL)
                rc = gtr_fail(err, GTR_ENOMEM, "%s: no memory for a path", folder);
            else if (lstat(path, &there) == 0)
                rc = gtr_fail(err, GTR_EIO,
                              "%s: exists already; pass --force (force=True) to replace it", path);
            gtr_free(path);
            if (rc != GTR_OK)
                return rc;
        }
    }
    return GTR_OK;
}

static enum gtr_code make_folder(const char *folder, struct gtr_err *err)
{
    struct stat there;

    if (mkdir(folder, 0777) == 0)
        return GTR_OK;
    if (errno != EEXIST)
        return gtr_fail(err, GTR_EIO, "%s: cannot make this folder: %s", folder, strerror(errno));
    if (stat(folder, &there) == 0 && !S_ISDIR(there.st_mode))
        return gtr_fail(err, GTR_EIO, "%s: is not a folder; name one with -o", folder);
    return GTR_OK;
}

/* Moves files out of the stage: our own first, and what was drawn only if it was drawn. */
static enum gtr_code publish(const struct picture *picture, const struct endings *e, bool drawn,
                             const char *stage, const char *folder, const struct cli_common *common,
                             struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t n = drawn ? e->n : e->n_ours, k;

    for (k = 0; rc == GTR_OK && k < n; k++) {
        char name[sizeof picture->stem + 16];

        snprintf(name, sizeof name, "%s%s", picture->stem, e->list[k]);
        rc = stage_move(stage, name, folder, common->force, err);
        if (rc == GTR_OK && k >= e->n_ours && !common->quiet)
            printf("%s/%s\n", folder, name);
    }
    return rc;
}

struct making {
    const struct picture_source *source;
    const struct figure_look *look;
    const struct cli_common *common;
    const char *folder, *stage, *scripts;
    struct endings endings;
    bool missing;    /* no gnuplot */
    size_t n_failed; /* pictures that gnuplot failed on */
};

/* Fails only where going on makes no sense: what gnuplot cannot draw is counted. */
static enum gtr_code make_one(struct making *m, const struct picture *picture, struct gtr_err *err)
{
    struct gtr_err drawing = { 0 };
    enum gtr_code rc = fill_stage(picture, m->source, m->look, m->scripts, m->stage, err);
    bool drawn = false;

    if (rc == GTR_OK && !m->missing)
        drawn = draw(picture, m->stage, false, &m->missing, &drawing) == GTR_OK;
    if (rc == GTR_OK)
        rc = publish(picture, &m->endings, drawn, m->stage, m->folder, m->common, err);
    if (rc == GTR_OK && !drawn && !m->missing) {
        cli_fail(m->common, &drawing);
        m->n_failed++;
    }
    return rc;
}

enum gtr_code picture_make(const struct picture_list *list, const struct picture_source *source,
                           const struct figure_look *look, const char *folder,
                           const struct cli_common *common, struct gtr_err *err)
{
    struct making m = { .source = source, .look = look, .common = common, .folder = folder };
    char *stage = NULL, *scripts = NULL;
    enum gtr_code rc;
    size_t i;

    find_endings(&m.endings, look->formats);
    rc = figure_find_scripts(&scripts, err);
    if (rc == GTR_OK && !common->force)
        rc = refuse_existing(list, &m.endings, folder, err);
    if (rc == GTR_OK)
        rc = make_folder(folder, err);
    if (rc == GTR_OK)
        rc = stage_open(folder, &stage, err);
    m.stage = stage;
    m.scripts = scripts;
    for (i = 0; rc == GTR_OK && i < list->n; i++)
        rc = make_one(&m, &list->pictures[i], err);
    if (rc == GTR_OK && m.missing)
        rc = gtr_fail(err, GTR_EIO,
                      "gnuplot: not found, so there are no pictures; rows and scripts are in %s: "
                      "install gnuplot 5.4 or later (Debian: apt install gnuplot-nox) and run "
                      "`gnuplot NAME.gp` there",
                      folder);
    else if (rc == GTR_OK && m.n_failed > 0)
        rc = gtr_fail(err, GTR_EIO,
                      "%zu of %zu pictures were not drawn; their rows and scripts "
                      "are in %s",
                      m.n_failed, list->n, folder);
    if (rc == GTR_OK && fflush(stdout) != 0)
        rc = gtr_fail(err, GTR_EIO, "standard output: cannot write: %s", strerror(errno));
    stage_close(stage);
    gtr_free(scripts);
    return rc;
}

enum gtr_code picture_show(const struct picture_list *list, const struct picture_source *source,
                           const struct figure_look *look, struct gtr_err *err)
{
    const char *parent = getenv("TMPDIR");
    char *stage = NULL, *scripts = NULL;
    enum gtr_code rc = figure_find_scripts(&scripts, err);
    bool missing = false;
    size_t i;

    if (rc == GTR_OK)
        rc = stage_open(parent != NULL && *parent != '\0' ? parent : "/tmp", &stage, err);
    fflush(stdout);
    for (i = 0; rc == GTR_OK && i < list->n; i++) {
        struct gtr_err drawing = { 0 };

        rc = fill_stage(&list->pictures[i], source, look, scripts, stage, err);
        if (rc == GTR_OK)
            rc = draw(&list->pictures[i], stage, true, &missing, &drawing);
        /* gnuplot leaves the last line open. */
        if (rc == GTR_OK && (putchar('\n') == EOF || fflush(stdout) != 0))
            rc = gtr_fail(&drawing, GTR_EIO, "standard output: cannot write: %s", strerror(errno));
        if (missing)
            rc = gtr_fail(err, GTR_EIO,
                          "gnuplot: not found; install gnuplot 5.4 or later "
                          "(Debian: apt install gnuplot-nox)");
        else if (rc != GTR_OK)
            gtr_fail(err, rc, "%s", drawing.text);
    }
    stage_close(stage);
    gtr_free(scripts);
    return rc;
}
