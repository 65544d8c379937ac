/* sweep_device.c - the settings of a plan, in pieces, on GPUs.
 *
 * A piece is a run of consecutive settings of one policy.  Each GPU has a driver, a host thread
 * that takes the next piece, has its parameters written by host threads of its own, hands it to the
 * GPU and fetches the piece before the last; so host and GPU work at the same time.  Settings that
 * the plan does not allow are left out before they get there.
 */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "catalogue.h"
#include "sweep_cuda.h"
#include "sweep_block.h"
#include "sweep_work.h"
#include "threads.h"

#ifndef GTR_CUDA

enum gtr_code gtr_sweep_on_gpus(struct gtr_sweep_work *work, const struct gtr_device *chosen,
                                size_t *n_done, struct gtr_err *err)
{
    (void)work, (void)chosen, (void)n_done;
    return gtr_cuda_missing(err);
}

#else

enum {
    PIECE_MIN = 1024,       /* settings of one piece, at least */
    PIECE_MAX = 1 << 18,    /* and at most: 32 MiB of parameters */
    PIECE_PARAMS = 1 << 19, /* structs, if groups have parameters of their own */
    LANES_MIN = 1 << 18,    /* enough for the largest GPU */
    BLOCK_SETTINGS = 2048,  /* that a host thread takes at once */
    KEYS_MAX = 64           /* look-backs of a piece; of more, a CPU takes the piece */
};
static const double LOOK_BYTES = 256 << 20; /* of the look-backs of a piece */
static const double PIECE_DECISIONS = 2e9;  /* some hundredths of a second */

struct piece {
    size_t begin, end; /* settings, from the sweep's first */
    bool complete;
};

struct crew {
    struct gtr_sweep_work *work;
    struct piece *pieces;
    size_t n_pieces, n_devices, piece, n_params, n_keys;
    int device; /* of the first driver */
    atomic_size_t next;
    enum gtr_code rc; /* the first failure; under work->lock, as *err */
    struct gtr_err *err;
};

/* A piece on its way through a slot. */
struct load {
    struct piece *piece; /* NULL: the slot is free */
    struct gtr_sweep_load about;
    size_t *setting;  /* [about.n] those that the plan allows */
    uint8_t *allowed; /* [end - begin] */
    union gtr_params *params;
    bool shared;    /* all groups have the same parameters */
    atomic_int odd; /* not usual */
    double *given;  /* as gtr_sweep_gpu_given and _key */
    uint32_t *key;
    size_t key_of[KEYS_MAX]; /* a setting that has it */
    bool on_cpu;             /* too many look-backs */
};

struct driver {
    struct crew *crew;
    struct gtr_sweep_gpu *gpu;
    size_t n_threads;
    struct load load[GTR_SWEEP_SLOTS];
};

/* --- from a plan to parameters ---------------------------------------------------------------- */

struct writing {
    const struct gtr_sweep_work *work;
    struct load *load;
};

static size_t n_blocks(size_t n)
{
    return (n + BLOCK_SETTINGS - 1) / BLOCK_SETTINGS;
}

static void look_up(void *context, size_t item, size_t worker)
{
    const struct writing *writing = context;
    struct load *load = writing->load;
    size_t n = load->piece->end - load->piece->begin, i = item * BLOCK_SETTINGS;
    size_t end = n - i < BLOCK_SETTINGS ? n : i + BLOCK_SETTINGS;

    (void)worker;
    for (; i < end; i++)
        load->allowed[i] =
            gtr_plan_allows(writing->work->plan, writing->work->first + load->piece->begin + i);
}

static void write_params(void *context, size_t item, size_t worker)
{
    const struct writing *writing = context;
    const struct gtr_sweep_work *work = writing->work;
    struct load *load = writing->load;
    size_t n = load->about.n, n_params = load->about.n_params, i = item * BLOCK_SETTINGS, j;
    size_t end = n - i < BLOCK_SETTINGS ? n : i + BLOCK_SETTINGS;

    (void)worker;
    for (; i < end; i++) {
        union gtr_params *params = load->params + i * n_params;

        if (load->shared)
            gtr_plan_params_shared(work->plan, work->first + load->setting[i], params);
        else
            gtr_plan_params(work->plan, work->first + load->setting[i], params);
        for (j = 0; j < n_params; j++)
            if (!gtr_policy_is_usual(load->about.policy, &params[j]))
                atomic_store_explicit(&load->odd, 1, memory_order_relaxed);
    }
}

/* Which settings share a look-back; false if there are too many. */
static bool sort_keys(const struct driver *driver, struct load *load)
{
    const struct gtr_policy_spec *policy = gtr_policy_spec(load->about.policy);
    size_t n_params = load->about.n_params, i, k;

    for (i = 0; i < load->about.n; i++) {
        const union gtr_params *params = load->params + i * n_params;

        for (k = 0; k < load->about.n_keys; k++)
            if (gtr_sweep_look_same(policy, params, load->params + load->key_of[k] * n_params))
                break;
        if (k == driver->crew->n_keys)
            return false;
        if (k == load->about.n_keys)
            load->key_of[load->about.n_keys++] = i;
        load->key[i] = (uint32_t)k;
    }
    return true;
}

/* One look-back over all rows. */
static void look_back(void *context, size_t key, size_t worker)
{
    const struct writing *writing = context;
    const struct gtr_sweep_rows *rows = writing->work->rows;
    struct load *load = writing->load;
    const union gtr_params *params = load->params + load->key_of[key] * load->about.n_params;
    double *given = load->given + key * rows->n_rows * GTR_GIVEN;
    struct gtr_sweep_look look = { .memory = NULL };
    size_t r, k;

    (void)worker;
    if (!gtr_sweep_look_begin(&look, gtr_policy_spec(load->about.policy), params, 0, 1,
                              rows->n_rows)) {
        atomic_store(&writing->work->no_memory, 1);
        return;
    }
    for (r = 0; r < rows->n_rows; r++) {
        gtr_sweep_look_push(&look, rows, r);
        for (k = 0; k < GTR_GIVEN; k++)
            given[r * GTR_GIVEN + k] = look.given[k][0];
    }
    gtr_sweep_look_free(&look);
}

/* Fills a slot's load with a piece; rows of settings that are left out are written here. */
static void prepare(const struct driver *driver, struct load *load, struct piece *piece)
{
    const struct gtr_sweep_work *work = driver->crew->work;
    struct writing writing = { work, load };
    size_t policy = gtr_plan_policy_of(work->plan, work->first + piece->begin), n, i;

    load->piece = piece;
    load->about = (struct gtr_sweep_load){ .policy = gtr_plan_policy_id(work->plan, policy),
                                           .scales_only = work->options->scales_only };
    load->about.whole_gradient = gtr_policy_unit(load->about.policy) == GTR_WHOLE;
    load->shared = gtr_plan_is_shared(work->plan, policy);
    load->about.n_params = load->shared ? 1 : work->rows->n_groups;
    n = piece->end - piece->begin;
    gtr_threads_run(driver->n_threads, n_blocks(n), look_up, &writing);
    for (i = 0; i < n; i++) {
        if (load->allowed[i])
            load->setting[load->about.n++] = piece->begin + i;
        else
            gtr_sweep_leave_empty(work, piece->begin + i);
    }
    atomic_store(&load->odd, 0);
    n = load->about.n;
    gtr_threads_run(driver->n_threads, n_blocks(n), write_params, &writing);
    load->about.usual = n > 0 && !atomic_load(&load->odd);
    load->on_cpu = false;
    if (n > 0 && gtr_policy_spec(load->about.policy)->look != NULL) {
        load->on_cpu = !sort_keys(driver, load);
        if (!load->on_cpu)
            gtr_threads_run(driver->n_threads, load->about.n_keys, look_back, &writing);
    }
}

/* --- settings with more look-backs than a GPU is given ---------------------------------------- */

struct on_cpu {
    struct gtr_sweep_work *work;
    const struct load *load;
    struct gtr_sweep_space *space; /* [threads] */
};

static void run_block(void *context, size_t item, size_t worker)
{
    const struct on_cpu *on_cpu = context;
    struct gtr_sweep_work *work = on_cpu->work;
    const struct load *load = on_cpu->load;
    struct gtr_sweep_space *space = &on_cpu->space[worker];
    double results[GTR_SWEEP_LANES][GTR_OBJECTIVE_COUNT];
    size_t first = item * GTR_SWEEP_LANES, n = load->about.n - first, i;

    n = n < GTR_SWEEP_LANES ? n : GTR_SWEEP_LANES;
    for (i = 0; i < n; i++)
        gtr_plan_params(work->plan, work->first + load->setting[first + i],
                        space->params + i * work->rows->n_groups);
    if (!gtr_sweep_block(work->rows, load->about.policy, space->params, n,
                         work->options->scales_only, GTR_SWEEP_AUTO, space, results[0]))
        atomic_store(&work->no_memory, 1);
    for (i = 0; i < n; i++)
        memcpy(work->out + load->setting[first + i] * GTR_OBJECTIVE_COUNT, results[i],
               sizeof results[i]);
}

static enum gtr_code run_on_cpu(const struct driver *driver, struct load *load, struct gtr_err *err)
{
    struct on_cpu on_cpu = { .work = driver->crew->work, .load = load };
    size_t n = driver->n_threads, i;
    enum gtr_code rc = gtr_alloc_for(&on_cpu.space, n, sizeof *on_cpu.space, "workers", err);

    for (i = 0; rc == GTR_OK && i < n; i++)
        rc = gtr_sweep_space_init(&on_cpu.space[i], on_cpu.work->rows->n_groups, err);
    if (rc == GTR_OK)
        gtr_threads_run(n, (load->about.n + GTR_SWEEP_LANES - 1) / GTR_SWEEP_LANES, run_block,
                        &on_cpu);
    for (i = 0; on_cpu.space != NULL && i < n; i++)
        gtr_sweep_space_free(&on_cpu.space[i]);
    gtr_free(on_cpu.space);
    load->about.n = 0; /* nothing for the GPU */
    return rc;
}

/* --- a driver --------------------------------------------------------------------------------- */

static void fail(struct crew *crew, const struct gtr_err *err)
{
    struct gtr_sweep_work *work = crew->work;

    pthread_mutex_lock(&work->lock);
    if (crew->rc == GTR_OK)
        crew->rc = gtr_err_again(err, crew->err);
    pthread_mutex_unlock(&work->lock);
    atomic_store(&work->stopped, 1);
}

struct reading {
    const struct gtr_sweep_work *work;
    const struct load *load;
    const double *from; /* [about.n][GTR_OBJECTIVE_COUNT] */
};

static void put_results(void *context, size_t item, size_t worker)
{
    const struct reading *reading = context;
    const struct load *load = reading->load;
    size_t n = load->about.n, i = item * BLOCK_SETTINGS;
    size_t end = n - i < BLOCK_SETTINGS ? n : i + BLOCK_SETTINGS;

    (void)worker;
    for (; i < end; i++)
        memcpy(reading->work->out + load->setting[i] * GTR_OBJECTIVE_COUNT,
               reading->from + i * GTR_OBJECTIVE_COUNT,
               GTR_OBJECTIVE_COUNT * sizeof *reading->from);
}

/* Waits for a slot, if anything is in it, and puts its results where they belong. */
static enum gtr_code finish(struct driver *driver, size_t slot, struct gtr_err *err)
{
    struct load *load = &driver->load[slot];
    struct gtr_sweep_work *work = driver->crew->work;
    struct piece *piece = load->piece;
    struct reading reading = { work, load, NULL };
    enum gtr_code rc = GTR_OK;

    if (piece == NULL)
        return GTR_OK;
    load->piece = NULL;
    if (load->about.n > 0)
        rc = gtr_sweep_gpu_wait(driver->gpu, slot, err);
    if (rc != GTR_OK)
        return rc;
    reading.from = gtr_sweep_gpu_out(driver->gpu, slot);
    gtr_threads_run(driver->n_threads, n_blocks(load->about.n), put_results, &reading);
    piece->complete = true;
    gtr_sweep_report(work, piece->end - piece->begin);
    return GTR_OK;
}

static enum gtr_code drive_pieces(struct driver *driver, struct gtr_err *err)
{
    struct crew *crew = driver->crew;
    enum gtr_code rc = GTR_OK;
    size_t slot = 0, item, k;

    while (rc == GTR_OK && !atomic_load(&crew->work->stopped) &&
           (item = atomic_fetch_add(&crew->next, 1)) < crew->n_pieces) {
        struct load *load = &driver->load[slot];

        rc = finish(driver, slot, err);
        if (rc != GTR_OK)
            break;
        prepare(driver, load, &crew->pieces[item]);
        if (load->on_cpu)
            rc = run_on_cpu(driver, load, err);
        if (rc == GTR_OK && atomic_load(&crew->work->no_memory))
            rc = gtr_fail(err, GTR_ENOMEM, "no memory for look-backs");
        if (rc == GTR_OK && load->about.n > 0)
            rc = gtr_sweep_gpu_start(driver->gpu, slot, &load->about, err);
        slot = (slot + 1) % GTR_SWEEP_SLOTS;
    }
    for (k = 0; rc == GTR_OK && k < GTR_SWEEP_SLOTS; k++)
        rc = finish(driver, (slot + k) % GTR_SWEEP_SLOTS, err);
    return rc;
}

static enum gtr_code driver_open(struct driver *driver, int device, struct gtr_err *err)
{
    const struct crew *crew = driver->crew;
    enum gtr_code rc;
    size_t s;

    rc = gtr_sweep_gpu_open(device, crew->work->rows, crew->piece, crew->n_params, crew->n_keys,
                            &driver->gpu, err);
    for (s = 0; rc == GTR_OK && s < GTR_SWEEP_SLOTS; s++) {
        struct load *load = &driver->load[s];

        load->params = gtr_sweep_gpu_params(driver->gpu, s);
        load->given = gtr_sweep_gpu_given(driver->gpu, s);
        load->key = gtr_sweep_gpu_key(driver->gpu, s);
        rc = gtr_alloc_for(&load->setting, crew->piece, sizeof *load->setting, "settings", err);
        if (rc == GTR_OK)
            rc = gtr_alloc_for(&load->allowed, crew->piece, 1, "settings", err);
    }
    return rc;
}

static void drive(void *context, size_t item, size_t worker)
{
    struct crew *crew = context;
    struct driver driver = { .crew = crew };
    struct gtr_err err = { 0 };
    size_t threads = gtr_threads_count(crew->work->options->n_threads, SIZE_MAX), s;
    enum gtr_code rc;

    (void)worker;
    driver.n_threads = threads > crew->n_devices ? threads / crew->n_devices : 1;
    rc = driver_open(&driver, crew->device + (int)item, &err);
    if (rc == GTR_OK)
        rc = drive_pieces(&driver, &err);
    if (rc != GTR_OK)
        fail(crew, &err);
    gtr_sweep_gpu_close(driver.gpu); /* waits for what is still under way */
    for (s = 0; s < GTR_SWEEP_SLOTS; s++) {
        gtr_free(driver.load[s].setting);
        gtr_free(driver.load[s].allowed);
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Large enough to fill a GPU, small enough to be shared out, to be stopped, and to be held in
 * memory. */
static void set_piece_size(struct crew *crew)
{
    const struct gtr_sweep_work *work = crew->work;
    double decisions = (double)work->rows->n_rows * (double)work->rows->n_groups;
    double n = PIECE_DECISIONS / (decisions > 1.0 ? decisions : 1.0);
    size_t least = LANES_MIN / work->rows->n_groups, p;
    bool shared = true;

    for (p = 0; p < gtr_plan_n_policies(work->plan); p++)
        shared = shared && gtr_plan_is_shared(work->plan, p);
    least = least > PIECE_MIN ? least : PIECE_MIN;
    crew->piece = n > (double)PIECE_MAX ? PIECE_MAX : (size_t)n;
    crew->piece = crew->piece > least ? crew->piece : least;
    crew->n_params = shared ? 1 : work->rows->n_groups;
    if (crew->piece > PIECE_PARAMS / crew->n_params)
        crew->piece = PIECE_PARAMS / crew->n_params > 0 ? PIECE_PARAMS / crew->n_params : 1;
    /* Enough pieces that each GPU has several. */
    p = work->count / (4 * crew->n_devices) + 1;
    if (crew->piece > p)
        crew->piece = p > PIECE_MIN ? p : PIECE_MIN;
    crew->piece = crew->piece < work->count ? crew->piece : work->count;
    crew->n_params *= crew->piece;
}

/* How many look-backs a piece may have; 0 if no policy of the plan looks back. */
static void set_keys(struct crew *crew)
{
    const struct gtr_plan *plan = crew->work->plan;
    double one = (double)crew->work->rows->n_rows * GTR_GIVEN * sizeof(double);
    size_t p;

    for (p = 0; p < gtr_plan_n_policies(plan); p++)
        if (gtr_policy_spec(gtr_plan_policy_id(plan, p))->look != NULL)
            crew->n_keys = LOOK_BYTES / one < KEYS_MAX ? (size_t)(LOOK_BYTES / one) + 1 : KEYS_MAX;
}

/* Cuts [first, first + count) where policies end, and into pieces.  Without `pieces` only counts
 * them. */
static size_t cut(const struct crew *crew, struct piece *pieces)
{
    const struct gtr_plan *plan = crew->work->plan;
    size_t first = crew->work->first, count = crew->work->count, n = 0, at = 0, end;

    for (; at < count; at = end) {
        size_t policy = gtr_plan_policy_of(plan, first + at);

        end = policy + 1 < gtr_plan_n_policies(plan) ? gtr_plan_first_of(plan, policy + 1) - first
                                                     : count;
        end = end < at + crew->piece ? end : at + crew->piece;
        end = end < count ? end : count;
        if (pieces != NULL)
            pieces[n] = (struct piece){ .begin = at, .end = end };
        n++;
    }
    return n;
}

enum gtr_code gtr_sweep_on_gpus(struct gtr_sweep_work *work, const struct gtr_device *chosen,
                                size_t *n_done, struct gtr_err *err)
{
    struct crew crew = { .work = work, .err = err, .n_devices = 1 };
    enum gtr_code rc;
    size_t i;

    if (work->count == 0)
        return GTR_OK;
    crew.device = chosen->number;
    if (chosen->number < 0) {
        crew.device = 0;
        crew.n_devices = gtr_device_count();
    }
    set_piece_size(&crew);
    set_keys(&crew);
    crew.n_pieces = cut(&crew, NULL);
    crew.n_devices = crew.n_devices < crew.n_pieces ? crew.n_devices : crew.n_pieces;
    rc = gtr_alloc_for(&crew.pieces, crew.n_pieces, sizeof *crew.pieces, "settings", err);
    if (rc != GTR_OK)
        return rc;
    cut(&crew, crew.pieces);
    atomic_init(&crew.next, 0);
    gtr_threads_run(crew.n_devices, crew.n_devices, drive, &crew);
    for (i = 0; i < crew.n_pieces && crew.pieces[i].complete; i++)
        *n_done = crew.pieces[i].end;
    gtr_free(crew.pieces);
    return crew.rc;
}

#endif
