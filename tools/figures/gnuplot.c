/* gnuplot.c - start gnuplot with an argument vector, no shell, and listen to its complaints.
 *
 * Names from a trace reach a script, so nothing on the way may be taken for a command.
 */
#define _GNU_SOURCE
#include "picture.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SAID_MAX = 4096 };

/* Reads to the end, so that gnuplot never waits for us, and keeps the beginning. */
static void listen_to(int fd, char said[SAID_MAX])
{
    char block[1024];
    size_t used = 0;
    ssize_t n;

    while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR)) {
        size_t room = SAID_MAX - 1 - used;
        size_t take = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room;

        memcpy(said + used, block, take);
        used += take;
    }
    said[used] = '\0';
}

/* The reason stands in the last line: `"norms.gp" line 12: undefined variable: X`. */
static const char *last_line(char *said)
{
    size_t n = strlen(said);
    char *start;

    while (n > 0 && (said[n - 1] == '\n' || said[n - 1] == ' '))
        said[--n] = '\0';
    start = strrchr(said, '\n');
    return start != NULL ? start + 1 : said;
}

static int start(pid_t *pid, const char *folder, const char *script, bool show, const int ends[2])
{
    /* -d: without the user's start-up file, which could change how a picture looks. */
    char *const argv[] = { (char *)"gnuplot", (char *)"-d", (char *)script, NULL };
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);

    if (failed != 0)
        return failed;
    failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (failed == 0 && !show)
        failed = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    if (failed == 0)
        failed = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (failed == 0)
        failed = posix_spawnp(pid, "gnuplot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static enum gtr_code judge(int status, const char *script, char *said, struct gtr_err *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return GTR_OK;
    if (WIFSIGNALED(status))
        return gtr_fail(err, GTR_EIO, "%s: gnuplot was ended by signal %d", script,
                        WTERMSIG(status));
    return gtr_fail(err, GTR_EIO, "%s: gnuplot failed: %s", script,
                    *said != '\0' ? last_line(said) : "it did not say why");
}

enum gtr_code gnuplot_run(const char *folder, const char *script, bool show, bool *missing,
                          struct gtr_err *err)
{
    char said[SAID_MAX];
    int ends[2], failed, status = 0;
    pid_t pid;

    *missing = false;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return gtr_fail(err, GTR_EIO, "cannot make a pipe: %s", strerror(errno));
    failed = start(&pid, folder, script, show, ends);
    close(ends[1]);
    if (failed != 0) {
        close(ends[0]);
        *missing = failed == ENOENT || failed == EACCES;
        return gtr_fail(err, GTR_EIO, "gnuplot: cannot run it: %s", strerror(failed));
    }
    listen_to(ends[0], said);
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return judge(status, script, said, err);
}
