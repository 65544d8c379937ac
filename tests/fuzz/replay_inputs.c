/* replay_inputs.c - run a fuzz target over stored inputs, without a fuzzer.
 *
 *     replay_TARGET FILE|FOLDER...
 *
 * Each input runs in a process of its own, so that a crash is one failure and not the end, with
 * ten seconds and 2 GiB of address space: no input of this size can need more.  The last line is
 * "N passed, N failed".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The target; libFuzzer calls it the same way. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int passed, failed;

static void stop(const char *path)
{
    perror(path);
    exit(1);
}

static uint8_t *read_whole(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    struct stat status;
    uint8_t *bytes;

    if (f == NULL || fstat(fileno(f), &status) != 0)
        stop(path);
    *size = (size_t)status.st_size;
    /* Exactly as large as the input, so that reading past its end is seen by ASan. */
    bytes = malloc(*size > 0 ? *size : 1);
    if (bytes == NULL || fread(bytes, 1, *size, f) != *size)
        stop(path);
    fclose(f);
    return bytes;
}

static void run_child(const uint8_t *bytes, size_t size)
{
#ifndef __SANITIZE_ADDRESS__ /* its shadow alone is terabytes */
    struct rlimit memory = { UINT64_C(2) << 30, UINT64_C(2) << 30 };

    setrlimit(RLIMIT_AS, &memory);
#endif
    alarm(10);
    LLVMFuzzerTestOneInput(bytes, size);
}

static void run_file(const char *path)
{
    size_t size;
    uint8_t *bytes = read_whole(path, &size);
    pid_t child;
    int status = 0;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        run_child(bytes, size);
        free(bytes);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        stop(path);
    free(bytes);
    if (WIFSIGNALED(status)) {
        failed++;
        printf("FAILED %s: %s\n", path, strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        failed++;
        printf("FAILED %s: exit status %d\n", path, WEXITSTATUS(status));
    } else {
        passed++;
    }
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_folder(const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, is_visible, alphasort), i;
    char path[4096];

    if (n < 0)
        stop(folder);
    for (i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        run_file(path);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        struct stat status;

        if (stat(argv[i], &status) != 0)
            stop(argv[i]);
        if (S_ISDIR(status.st_mode))
            run_folder(argv[i]);
        else
            run_file(argv[i]);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
