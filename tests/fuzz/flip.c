/* flip.c - damage a valid file in thousands of ways and count what a target makes of it.
 *
 *     flip_TARGET FILE N [SEED [FOLDER]]
 *
 * Each of the N copies of FILE gets one to eight flipped bits, or a few overwritten bytes, or is
 * cut short.  As in replay_inputs.c each input runs in a process of its own with ten seconds and
 * 2 GiB.  Crashing inputs are kept in FOLDER.  The last line is "N passed, N failed".
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;

static uint64_t next_bits(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return state >> 33;
}

/* Returns the new size. */
static size_t damage(uint8_t *bytes, size_t size)
{
    static const uint8_t nasty[] = { 0x00, 0xff, 0x7f, 0x80, 0x01 };
    size_t n = 1 + next_bits() % 8, i, at;

    switch (next_bits() % 8) {
    case 0:
        return next_bits() % size;
    case 1: /* a run of equal bytes, as long as a size or an address */
        at = next_bits() % size;
        for (i = 0; i < n && at + i < size; i++)
            bytes[at + i] = nasty[n % sizeof nasty];
        return size;
    default:
        for (i = 0; i < n; i++)
            bytes[next_bits() % size] ^= (uint8_t)(1u << next_bits() % 8);
        return size;
    }
}

static void keep(const char *folder, const char *why, uint64_t n, const uint8_t *bytes, size_t size)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s-%06llu", folder, why, (unsigned long long)n);
    f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0)
        perror(path);
}

/* 0, or the signal that ended the child. */
static int run(const uint8_t *bytes, size_t size)
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
#ifndef __SANITIZE_ADDRESS__
        struct rlimit memory = { UINT64_C(2) << 30, UINT64_C(2) << 30 };

        setrlimit(RLIMIT_AS, &memory);
#endif
        alarm(10);
        LLVMFuzzerTestOneInput(bytes, size);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("flip");
        exit(1);
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) != 0 ? SIGABRT : 0;
}

int main(int argc, char **argv)
{
    unsigned long long n = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, i, failed = 0;
    static uint8_t file[1 << 20], copy[1 << 20];
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
    size_t size = f != NULL ? fread(file, 1, sizeof file, f) : 0;

    if (size == 0 || n == 0) {
        fprintf(stderr, "flip: FILE N [SEED [FOLDER]]\n");
        return 2;
    }
    fclose(f);
    state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    for (i = 0; i < n; i++) {
        size_t left;
        int signal_number;

        memcpy(copy, file, size);
        left = damage(copy, size);
        signal_number = run(copy, left);
        if (signal_number == 0)
            continue;
        failed++;
        printf("FAILED copy %llu: %s\n", i, strsignal(signal_number));
        if (argc > 4)
            keep(argv[4], signal_number == SIGALRM ? "hang" : "crash", i, copy, left);
    }
    printf("%llu passed, %llu failed\n", n - failed, failed);
    return failed > 0;
}
