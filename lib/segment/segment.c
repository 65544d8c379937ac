/* segment.c - the names in a folder of segments, and remarks about its files. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alloc.h"
#include "segment_private.h"

/* --- names ------------------------------------------------------------------------------------ */

/* Digits so that the order of names is that of rows, for those who look at the folder. */
enum gtr_code gtr_segment_path(const char *folder, int64_t rank, uint64_t first_row, char **path,
                               struct gtr_err *err)
{
    return gtr_format(path, folder, err, "%s/rank%" PRId64 ".%012" PRIu64 ".h5", folder, rank,
                      first_row);
}

enum gtr_code gtr_segment_rank_path(const char *folder, int64_t rank, const char *end, char **path,
                                    struct gtr_err *err)
{
    return gtr_format(path, folder, err, "%s/rank%" PRId64 ".%s", folder, rank, end);
}

bool gtr_segment_is_folder_name(const char *path)
{
    size_t n = strlen(path);

    while (n > 0 && path[n - 1] == '/')
        n--;
    return n > 4 && strncmp(path + n - 4, ".gtr", 4) == 0 && path[n - 5] != '/';
}

/* Digits at *p, which moves past them. */
static bool parse_number(const char **p, uint64_t *number)
{
    const char *from = *p;

    for (*number = 0; **p >= '0' && **p <= '9'; ++*p)
        if (__builtin_mul_overflow(*number, UINT64_C(10), number) ||
            __builtin_add_overflow(*number, (uint64_t)(**p - '0'), number))
            return false;
    return *p > from && *number < INT64_MAX;
}

static bool parse_rank(const char **p, int64_t *rank)
{
    uint64_t number;

    if (strncmp(*p, "rank", 4) != 0)
        return false;
    *p += 4;
    /* "rank00" names no rank: what is asked for by number would not be found under such a name. */
    if ((**p == '0' && (*p)[1] >= '0' && (*p)[1] <= '9') || !parse_number(p, &number))
        return false;
    *rank = (int64_t)number;
    return true;
}

static bool parse_name(const char *name, struct gtr_segment_file *file)
{
    static const struct {
        const char *end;
        enum gtr_segment_kind kind;
    } ends[] = { { "journal", GTR_SEGMENT_JOURNAL },  { "journal.tmp", GTR_SEGMENT_JOURNAL_LEFT },
                 { "h5", GTR_SEGMENT_FILE },          { "h5.tmp", GTR_SEGMENT_FILE },
                 { "h5.tmp.room", GTR_SEGMENT_FILE }, { "lock", GTR_SEGMENT_LOCK } };
    const char *p = name;
    size_t i;

    if (!parse_rank(&p, &file->rank) || *p++ != '.')
        return false;
    for (i = 0; i < GTR_ARRAY_LEN(ends); i++) {
        file->kind = ends[i].kind;
        if (strcmp(p, ends[i].end) == 0)
            return true;
    }
    if (!parse_number(&p, &file->first_row))
        return false;
    file->kind = strcmp(p, ".h5") == 0 ? GTR_SEGMENT_WHOLE : GTR_SEGMENT_LEFT;
    return file->kind == GTR_SEGMENT_WHOLE || strcmp(p, ".h5.tmp") == 0;
}

/* --- lists ------------------------------------------------------------------------------------ */

static int compare_files(const void *a, const void *b)
{
    const struct gtr_segment_file *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return (x->first_row > y->first_row) - (x->first_row < y->first_row);
}

static enum gtr_code add_file(struct gtr_segment_list *list, const char *folder, const char *name,
                              struct gtr_segment_file *file, struct gtr_err *err)
{
    enum gtr_code rc =
        gtr_grow(&list->files, &list->capacity, list->n + 1, sizeof *list->files, err);

    if (rc == GTR_OK)
        rc = gtr_format(&file->path, folder, err, "%s/%s", folder, name);
    if (rc == GTR_OK)
        list->files[list->n++] = *file;
    return rc;
}

enum gtr_code gtr_segment_list_read(const char *folder, int64_t rank, struct gtr_segment_list *list,
                                    struct gtr_err *err)
{
    DIR *entries = opendir(folder);
    enum gtr_code rc = GTR_OK;
    struct dirent *entry;

    *list = (struct gtr_segment_list){ 0 };
    if (entries == NULL)
        return gtr_fail(err, GTR_EIO, "%s: cannot read: %s", folder, strerror(errno));
    while (rc == GTR_OK && (entry = readdir(entries)) != NULL) {
        struct gtr_segment_file file = { 0 };

        if (parse_name(entry->d_name, &file) && (rank < 0 || file.rank == rank))
            rc = add_file(list, folder, entry->d_name, &file, err);
    }
    closedir(entries);
    if (rc != GTR_OK)
        gtr_segment_list_free(list);
    else if (list->n > 0)
        qsort(list->files, list->n, sizeof *list->files, compare_files);
    return rc;
}

void gtr_segment_list_free(struct gtr_segment_list *list)
{
    size_t i;

    for (i = 0; i < list->n; i++)
        gtr_free(list->files[i].path);
    gtr_free(list->files);
    *list = (struct gtr_segment_list){ 0 };
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

enum gtr_code gtr_segment_no_step(const char *folder, size_t n_files, struct gtr_err *err)
{
    if (n_files > 0 || gtr_segment_is_folder_name(folder))
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: holds no step: if it is being recorded, none is complete yet", folder);
    return gtr_fail(err, GTR_EFORMAT, "%s: is a folder; name the trace's .h5 file", folder);
}

/* A folder appears with its first step, and whoever looks before that is told so. */
static enum gtr_code check_made(const char *path, const char *slash, int64_t rank,
                                struct gtr_err *err)
{
    size_t n = rank >= 0 ? (size_t)(slash - path) : strlen(path);
    enum gtr_code rc = GTR_OK;
    struct stat status;
    char *folder;

    if (stat(path, &status) == 0 || errno != ENOENT)
        return GTR_OK;
    rc = gtr_format(&folder, path, err, "%.*s", (int)n, path);
    if (rc == GTR_OK && gtr_segment_is_folder_name(folder) && !is_folder(folder))
        rc = gtr_fail(err, GTR_EIO,
                      "%s: is not there; a recorder makes it when its first step is complete",
                      folder);
    gtr_free(folder);
    return rc;
}

/* "run.gtr/rank3" if there is a folder "run.gtr" and nothing of the whole name. */
enum gtr_code gtr_segment_split(const char *path, char **folder, int64_t *rank, struct gtr_err *err)
{
    const char *slash = strrchr(path, '/'), *p;
    struct stat status;
    enum gtr_code rc;

    *folder = NULL;
    *rank = -1;
    if (!is_folder(path)) {
        p = slash != NULL && slash != path ? slash + 1 : "";
        if (!parse_rank(&p, rank) || *p != '\0')
            *rank = -1;
        rc = check_made(path, slash, *rank, err);
        if (rc != GTR_OK || *rank < 0 || stat(path, &status) == 0) {
            *rank = -1;
            return rc;
        }
    }
    rc = gtr_format(folder, path, err, "%s", path);
    if (rc != GTR_OK)
        return rc;
    if (*rank >= 0)
        (*folder)[slash - path] = '\0';
    if (is_folder(*folder))
        return GTR_OK;
    gtr_free(*folder);
    *folder = NULL;
    *rank = -1;
    return GTR_OK;
}

/* --- remarks: one line about one file, for whoever listens ------------------------------------ */

void gtr_say(const struct gtr_remarks *remarks, const char *path, bool fault, const char *format,
             ...)
{
    char text[480];
    va_list values;

    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    remarks->say(remarks->context, path, fault, text);
}

void gtr_say_error(const struct gtr_remarks *remarks, const char *path, const struct gtr_err *err)
{
    size_t n = strlen(path);
    bool named = strncmp(err->text, path, n) == 0 && err->text[n] == ':';

    gtr_say(remarks, path, true, "%s", named ? err->text + n + 2 : err->text);
}
