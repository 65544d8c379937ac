/* record_child.c - start the recorded command, and be as good as not there until it ends.
 *
 * The command has our terminal, streams and process group.  A key such as Ctrl-C reaches it from
 * the terminal, as it reaches us; what another process sends to us alone is passed on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record_run.h"

extern char **environ;

enum { EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNALLED = 128 };

static const int passed_on[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

/* PYTHONPATH with the hook's folder first, and what the hook looks for. */
static void set_environment(const struct record_places *places, const char *folder)
{
    const char *others = getenv("PYTHONPATH");
    char *path = NULL;

    if (others == NULL || others[0] == '\0')
        setenv("PYTHONPATH", places->start, 1);
    else if (asprintf(&path, "%s:%s", places->start, others) > 0)
        setenv("PYTHONPATH", path, 1);
    free(path);
    setenv("GRADTRACE_RECORD", folder, 1);
    if (places->library != NULL)
        setenv("GRADTRACE_LIBRARY", places->library, 0);
}

/* Blocks what is waited for, so that nothing is lost between two waits; *before is what the
 * command gets. */
static void block_signals(sigset_t *waited, sigset_t *before)
{
    size_t i;

    sigemptyset(waited);
    sigaddset(waited, SIGCHLD);
    for (i = 0; i < GTR_ARRAY_LEN(passed_on); i++)
        sigaddset(waited, passed_on[i]);
    sigprocmask(SIG_BLOCK, waited, before);
}

static int start(const struct record_request *request, const sigset_t *mask, pid_t *pid)
{
    posix_spawnattr_t attributes;
    int rc = posix_spawnattr_init(&attributes);

    if (rc != 0)
        return rc;
    posix_spawnattr_setsigmask(&attributes, mask);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    rc = posix_spawnp(pid, request->command[0], NULL, &attributes, request->command, environ);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

/* Until the command has ended; its status as waitpid has it. */
static int wait_for(pid_t pid, const sigset_t *waited)
{
    int status = 0;

    for (;;) {
        siginfo_t info;
        int number = sigwaitinfo(waited, &info);

        if (number == SIGCHLD && waitpid(pid, &status, WNOHANG) == pid)
            return status;
        /* What the kernel sends, for a key or a terminal that goes, is sent to the command too. */
        if (number > 0 && number != SIGCHLD && info.si_code <= 0 && info.si_pid != pid)
            kill(pid, number);
    }
}

int record_child_run(const struct record_request *request, const struct record_places *places,
                     const char *folder, bool *started)
{
    sigset_t waited, before;
    pid_t pid = 0;
    int rc, status;

    set_environment(places, folder);
    block_signals(&waited, &before);
    rc = start(request, &before, &pid);
    *started = rc == 0;
    if (rc != 0) {
        cli_note(&request->common, "%s: cannot be run: %s", request->command[0], strerror(rc));
        return rc == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
    }
    status = wait_for(pid, &waited);
    return WIFSIGNALED(status) ? EXIT_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}
