/* group_file.c - read GLOB<tab>GROUP. */
#define _GNU_SOURCE
#include "group_parts.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "lines.h"

enum { LONGEST_LINE = 1 << 20 }; /* far more than any name: what is longer is no list of groups */

struct line {
    char *glob;  /* owns both */
    char *group; /* after glob's NUL */
};

struct gtr_group_file {
    struct line *lines;
    size_t n_lines, capacity;
};

static enum gtr_code bad_line(const char *path, uint64_t number, const char *what,
                              struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT, "%.150s:%llu: %s; write GLOB<tab>GROUP", path,
                    (unsigned long long)number, what);
}

static enum gtr_code add_line(struct gtr_group_file *file, const char *text, const char *path,
                              uint64_t number, struct gtr_err *err)
{
    const char *tab = strchr(text, '\t');
    struct line *line;
    enum gtr_code rc;

    if (tab == NULL)
        return bad_line(path, number, "has no tab", err);
    if (tab == text)
        return bad_line(path, number, "the glob is empty", err);
    if (tab[1] == '\0')
        return bad_line(path, number, "the group is empty", err);
    if (strchr(tab + 1, '\t') != NULL)
        return bad_line(path, number, "has more than one tab", err);
    rc = gtr_grow(&file->lines, &file->capacity, file->n_lines + 1, sizeof *file->lines, err);
    if (rc != GTR_OK)
        return rc;
    line = &file->lines[file->n_lines];
    line->glob = gtr_strdup(text);
    if (line->glob == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%.150s: no memory", path);
    line->glob[tab - text] = '\0';
    line->group = line->glob + (tab - text) + 1;
    file->n_lines++;
    return GTR_OK;
}

static enum gtr_code read_lines(FILE *f, const char *path, struct gtr_group_file *file,
                                struct gtr_err *err)
{
    struct gtr_lines lines;
    enum gtr_code rc;
    bool more;

    gtr_lines_init(&lines, f, path);
    lines.longest = LONGEST_LINE;
    for (;;) {
        rc = gtr_lines_next_meaning(&lines, &more, err);
        if (rc != GTR_OK || !more)
            break;
        if (lines.n > 0 && lines.text[lines.n - 1] == '\r')
            lines.text[lines.n - 1] = '\0';
        rc = add_line(file, lines.text, path, lines.number, err);
        if (rc != GTR_OK)
            break;
    }
    gtr_lines_free(&lines);
    return rc;
}

enum gtr_code gtr_group_file_read(const char *path, struct gtr_group_file **out,
                                  struct gtr_err *err)
{
    struct gtr_group_file *file = NULL;
    enum gtr_code rc;
    FILE *f;

    *out = NULL;
    if (*path == '\0')
        return gtr_fail(err, GTR_EUSAGE, "file: names no file; write file:PATH");
    f = fopen(path, "r");
    if (f == NULL)
        return gtr_fail(err, GTR_EIO, "%.150s: cannot read: %s", path, strerror(errno));
    rc = gtr_alloc_for(&file, 1, sizeof *file, "list of groups", err);
    if (rc != GTR_OK)
        goto out;
    rc = read_lines(f, path, file, err);
    if (rc != GTR_OK)
        goto out;
    if (file->n_lines == 0) {
        rc =
            gtr_fail(err, GTR_EFORMAT, "%.150s: holds no groups; write lines GLOB<tab>GROUP", path);
        goto out;
    }
    *out = file;
    file = NULL;
out:
    gtr_group_file_free(file);
    fclose(f);
    return rc;
}

void gtr_group_file_free(struct gtr_group_file *file)
{
    size_t i;

    if (file == NULL)
        return;
    for (i = 0; i < file->n_lines; i++)
        gtr_free(file->lines[i].glob);
    gtr_free(file->lines);
    gtr_free(file);
}

const char *gtr_group_file_find(const struct gtr_group_file *file, const char *name)
{
    size_t i;

    for (i = 0; i < file->n_lines; i++)
        if (fnmatch(file->lines[i].glob, name, 0) == 0)
            return file->lines[i].group;
    return NULL;
}
