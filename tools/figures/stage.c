/* stage.c - make, empty and remove a hidden folder. */
#define _GNU_SOURCE
#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *stage_path(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = gtr_alloc(size, 1);

    if (path != NULL)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

enum gtr_code stage_open(const char *parent, char **stage, struct gtr_err *err)
{
    *stage = stage_path(parent, ".gradtrace-XXXXXX");
    if (*stage == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%s: no memory for a path", parent);
    if (mkdtemp(*stage) == NULL) {
        gtr_free(*stage);
        *stage = NULL;
        return gtr_fail(err, GTR_EIO, "%s: cannot write in it: %s", parent, strerror(errno));
    }
    return GTR_OK;
}

void stage_close(char *stage)
{
    DIR *dir;
    const struct dirent *entry;

    if (stage == NULL)
        return;
    dir = opendir(stage);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    rmdir(stage);
    gtr_free(stage);
}

enum gtr_code stage_move(const char *stage, const char *name, const char *folder, bool force,
                         struct gtr_err *err)
{
    struct gtr_outfile out = { 0 };
    char *from = stage_path(stage, name), *to = stage_path(folder, name);
    enum gtr_code rc = GTR_OK;

    if (from == NULL || to == NULL)
        rc = gtr_fail(err, GTR_ENOMEM, "%s: no memory for a path", name);
    if (rc == GTR_OK)
        rc = gtr_outfile_begin(&out, to, force, err);
    /* Over the empty file that the outfile keeps for us; commit gives it its name. */
    if (rc == GTR_OK && rename(from, gtr_outfile_name(&out)) != 0) {
        rc = gtr_fail(err, GTR_EIO, "%s: cannot write: %s", to, strerror(errno));
        gtr_outfile_abandon(&out);
    } else if (rc == GTR_OK) {
        rc = gtr_outfile_commit(&out, err);
    }
    gtr_free(from);
    gtr_free(to);
    return rc;
}
