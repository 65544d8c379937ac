/* record_notes.c - the scratch folder in which the program and the recorded processes meet.
 *
 *     settings.json   what to record: written here, read by lib/python/gradtrace/_hook.py
 *     notes           lines PID<tab>KIND<tab>TEXT, appended by any number of processes:
 *                       python              one has started with the hook
 *                       torch               and has imported torch
 *                       trace PATH          a trace has begun
 *                       closed ROWS TENSORS PATH    and is complete
 *                       note TEXT           to be told at the end
 *                       failed TEXT         has been told already
 *                       problem TEXT        has not, and is to be told at the end
 *     taken.R.N       the Nth trace of rank R has its name
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json_text.h"
#include "record_run.h"
#include "tell.h"

static void write_word(FILE *f, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./-";

    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, f);
        return;
    }
    fputc('\'', f);
    for (; *word != '\0'; word++)
        if (*word == '\'')
            fputs("'\\''", f);
        else
            fputc(*word, f);
    fputc('\'', f);
}

/* The command as one line that a shell would read back. */
static char *command_line(const struct record_request *request)
{
    char *line = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&line, &size);
    int i;

    for (i = 0; f != NULL && i < request->n_words; i++) {
        if (i > 0)
            fputc(' ', f);
        write_word(f, request->command[i]);
    }
    if (f != NULL)
        fclose(f);
    return line;
}

/* The command may change its folder; the trace is where the user meant it. */
static char *absolute(const char *path)
{
    char folder[PATH_MAX], *whole = NULL;

    if (path[0] == '/' || getcwd(folder, sizeof folder) == NULL)
        return strdup(path);
    return asprintf(&whole, "%s/%s", folder, path) > 0 ? whole : NULL;
}

static struct json_object *settings_of(const struct record_request *request)
{
    struct json_object *object = json_object_new_object();
    char *output = absolute(request->output), *command = command_line(request);

    json_add_text(object, "output", output != NULL ? output : request->output);
    json_add_text(object, "command", command != NULL ? command : request->command[0]);
    json_object_object_add(object, "recorder", json_object_get(request->recorder));
    free(output);
    free(command);
    return object;
}

static enum gtr_code write_settings(const struct record_request *request, const char *folder,
                                    struct gtr_err *err)
{
    char path[PATH_MAX];
    enum gtr_code rc;
    FILE *f;

    snprintf(path, sizeof path, "%s/notes", folder);
    f = fopen(path, "w");
    if (f == NULL || fclose(f) != 0)
        return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", path, strerror(errno));
    snprintf(path, sizeof path, "%s/settings.json", folder);
    f = fopen(path, "w");
    if (f == NULL)
        return gtr_fail(err, GTR_EIO, "%s: cannot write: %s", path, strerror(errno));
    rc = json_write(f, settings_of(request), err);
    if (fclose(f) != 0 && rc == GTR_OK)
        rc = gtr_fail(err, GTR_EIO, "%s: cannot write: %s", path, strerror(errno));
    return rc;
}

enum gtr_code record_notes_begin(const struct record_request *request, char **folder,
                                 struct gtr_err *err)
{
    const char *scratch = getenv("TMPDIR");
    char *name = NULL;
    enum gtr_code rc;

    *folder = NULL;
    if (scratch == NULL || scratch[0] != '/')
        scratch = P_tmpdir;
    if (asprintf(&name, "%s/gradtrace-record-XXXXXX", scratch) < 0)
        return gtr_fail(err, GTR_ENOMEM, "no memory for a path");
    if (mkdtemp(name) == NULL) {
        rc = gtr_fail(err, GTR_EIO, "%s: no scratch folder can be made there: %s", scratch,
                      strerror(errno));
        free(name);
        return rc;
    }
    rc = write_settings(request, name, err);
    if (rc != GTR_OK)
        record_notes_remove(name);
    else
        *folder = name;
    return rc;
}

void record_notes_remove(char *folder)
{
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *d = folder != NULL ? opendir(folder) : NULL;

    while (d != NULL && (entry = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path); /* fails for . and .. */
    }
    if (d != NULL)
        closedir(d);
    if (folder != NULL)
        rmdir(folder);
    free(folder);
}

/* A trace that was begun; closed, or its process was killed or runs still. */
struct begun {
    char *path;
    bool closed;
};

/* What all processes together have noted. */
struct heard {
    size_t pythons, torches, failures;
    struct begun *traces;
    size_t n_traces, capacity;
};

/* A path as the user would write it, here. */
static const char *from_here(const char *path)
{
    char folder[PATH_MAX];
    size_t n;

    if (getcwd(folder, sizeof folder) == NULL)
        return path;
    n = strlen(folder);
    return strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

static void tell_closed(const struct record_request *request, const char *text)
{
    unsigned long long rows, tensors;
    int n = 0;

    if (sscanf(text, "%llu %llu %n", &rows, &tensors, &n) == 2 && rows > 0)
        cli_note(&request->common, "%s: %llu %s%s of %llu tensor%s", from_here(text + n), rows,
                 request->micro_batches > 0 ? "micro-batch" : "step",
                 rows > 1 && request->micro_batches > 0 ? "es" : tell_s(rows), tensors,
                 tell_s(tensors));
}

static void add_trace(struct heard *heard, const char *path)
{
    if (gtr_grow(&heard->traces, &heard->capacity, heard->n_traces + 1, sizeof *heard->traces,
                 NULL) == GTR_OK)
        heard->traces[heard->n_traces++] = (struct begun){ .path = strdup(path) };
}

/* "ROWS TENSORS PATH", where the path of a folder may have its rank behind it. */
static void mark_closed(struct heard *heard, const char *text)
{
    const char *path = text + strcspn(text, " ");
    size_t i;

    path += strspn(path, " ");
    path += strcspn(path, " ");
    path += strspn(path, " ");
    for (i = 0; i < heard->n_traces; i++) {
        struct begun *trace = &heard->traces[i];

        if (!trace->closed && trace->path != NULL &&
            strncmp(path, trace->path, strlen(trace->path)) == 0) {
            trace->closed = true;
            return;
        }
    }
}

static void hear(const struct record_request *request, struct heard *heard, const char *kind,
                 const char *text)
{
    heard->pythons += strcmp(kind, "python") == 0;
    heard->torches += strcmp(kind, "torch") == 0;
    heard->failures += strcmp(kind, "failed") == 0 || strcmp(kind, "problem") == 0;
    if (strcmp(kind, "trace") == 0) {
        add_trace(heard, text);
    } else if (strcmp(kind, "closed") == 0) {
        mark_closed(heard, text);
        tell_closed(request, text);
    } else if (strcmp(kind, "note") == 0 || strcmp(kind, "problem") == 0) {
        cli_note(&request->common, "%s", text);
    }
}

static void tell_why_nothing(const struct record_request *request, const struct heard *heard)
{
    if (heard->failures > 0)
        return;
    if (heard->pythons == 0)
        cli_note(&request->common, "nothing recorded: no Python started that could be listened to; "
                                   "python -I, -E and -S, and scripts that set PYTHONPATH, start "
                                   "without the hook");
    else if (heard->torches == 0)
        cli_note(&request->common, "nothing recorded: torch was never imported");
    else
        cli_note(&request->common, "nothing recorded: torch was imported, but no optimizer step "
                                   "was seen");
}

static void say_nothing(void *context, const char *path, bool fault, const char *text)
{
    (void)context;
    (void)path;
    (void)fault;
    (void)text;
}

/* A process was killed, or runs still. */
static void tell_torn(const struct record_request *request, const char *path)
{
    const struct gtr_remarks silence = { say_nothing, NULL };
    struct gtr_recovered recovered;
    struct gtr_err err = { 0 };

    if (strcmp(strrchr(request->output, '.'), ".gtr") == 0)
        cli_note(&request->common,
                 "%s: never closed: what was completed is in it; `gradtrace recover` makes a whole "
                 "one of it",
                 from_here(path));
    else if (gtr_trace_save(path, request->common.force, &silence, &recovered, &err) == GTR_OK)
        cli_note(&request->common, "%s: its process was killed; %zu step%s saved%s",
                 from_here(path), recovered.n_rows, recovered.n_rows == 1 ? " is" : "s are",
                 request->options.elements != GTR_ELEMENTS_NONE ? ", without elements" : "");
    else
        cli_note(&request->common, "its process was killed; %s", err.text);
}

void record_notes_tell(const struct record_request *request, const char *folder)
{
    struct heard heard = { 0 };
    char path[PATH_MAX], *line = NULL;
    size_t size = 0, i;
    ssize_t n;
    FILE *f;

    snprintf(path, sizeof path, "%s/notes", folder);
    f = fopen(path, "r");
    if (f == NULL) {
        cli_note(&request->common, "%s: cannot read: %s; what was recorded is not known", path,
                 strerror(errno));
        return;
    }
    while ((n = getline(&line, &size, f)) > 0) {
        char *kind = strchr(line, '\t'), *text = kind != NULL ? strchr(kind + 1, '\t') : NULL;

        if (text == NULL || line[n - 1] != '\n')
            continue;
        line[n - 1] = *text = '\0';
        hear(request, &heard, kind + 1, text + 1);
    }
    free(line);
    fclose(f);
    if (heard.n_traces == 0)
        tell_why_nothing(request, &heard);
    for (i = 0; i < heard.n_traces; i++) {
        if (!heard.traces[i].closed && heard.traces[i].path != NULL)
            tell_torn(request, heard.traces[i].path);
        free(heard.traces[i].path);
    }
    gtr_free(heard.traces);
}
