# gradtrace: one file, no recursion into folders.  `make help` lists what it can do.

VERSION = 0.1.0
ABI     = 0
PREFIX  = /usr/local
DESTDIR =
BUILD   = build
# auto: use nvcc if there is one; 0: never; 1: fail if there is none; emulate: compile the kernels
# for the CPU, to test them without a GPU
CUDA    = auto
# auto: build gradtrace-mpi too if there is an mpicc; 0: never; 1: fail if there is none
MPI     = auto
# seconds that `make fuzz` spends on each target
TIME    = 60
# 1: show whole command lines
V       = 0

CC      = gcc
NVCC    = nvcc
MPICC   = mpicc
OPT     = -O2 -g
# -ffp-contract=off on every file: a fused multiply-add rounds once where the source rounds twice,
# and the same trace must give the same bits with every compiler.
CFLAGS  = -std=c11 $(OPT) -ffp-contract=off -fPIC -pthread -fvisibility=hidden
WARN    = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
          -Wmissing-prototypes -Wvla -Werror
LDFLAGS =

# Rooms in the order in which they may include each other; tests/lint.sh holds them to it.
LIB_ROOMS = base deflate policy h5 trace segment groups sums logs record replay update simulate \
            study sweep doctor
LIB_DIRS  = lib $(addprefix lib/,$(LIB_ROOMS))
TOOL_DIRS = tools $(addprefix tools/,kit figures record info sweep spill diff doctor explain \
            update report)
PKGS     = hdf5 json-c zlib $(LIBDEFLATE)
# Not needed: reads compressed elements faster.  `make LIBDEFLATE=` leaves it out.
LIBDEFLATE := $(shell pkg-config --exists libdeflate 2>/dev/null && echo libdeflate)

# Asked once, and not before something is compiled: `make deps all` can install pkg-config first.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS) 2>/dev/null))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS) 2>/dev/null))$(PKG_LIBS)

CPPFLAGS = $(addprefix -I,$(LIB_DIRS) $(TOOL_DIRS)) -DGTR_VERSION='"$(VERSION)"' $(PKG_CFLAGS) \
           $(if $(CUDA_BY),-DGTR_CUDA) $(if $(LIBDEFLATE),-DGTR_LIBDEFLATE)
LIBS     = $(PKG_LIBS) $(CUDA_LIBS) -lm
COMPILE  = $(CC) $(CPPFLAGS) $(CFLAGS) $(WARN)
# "@echo CC FILE; ..." or the command itself
SAY      = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' $(1) $(2) &&)

LIB_SRC   = $(sort $(wildcard $(addsuffix /*.c,$(LIB_DIRS))))
TOOL_SRC  = $(sort $(wildcard $(addsuffix /*.c,$(TOOL_DIRS))))
UNIT_SRC  = $(sort $(wildcard tests/unit/test_*.c))
BENCH_SRC = $(sort $(wildcard tests/bench/*.c))
CUDA_SRC  = $(if $(CUDA_BY),$(sort $(wildcard $(addsuffix /*.cu,$(LIB_DIRS)))))
LIB_OBJ   = $(LIB_SRC:%.c=$(BUILD)/%.o) $(CUDA_SRC:%.cu=$(BUILD)/%.o)
TOOL_OBJ  = $(TOOL_SRC:%.c=$(BUILD)/%.o)

PROGRAM = $(BUILD)/gradtrace
STATIC  = $(BUILD)/libgradtrace.a
SHARED  = $(BUILD)/libgradtrace.so
SONAME  = libgradtrace.so.$(ABI)
PUBLIC  = $(BUILD)/include/gradtrace.h $(BUILD)/include/gradtrace_lab.h
UNIT    = $(UNIT_SRC:%.c=$(BUILD)/%)
BENCH   = $(BENCH_SRC:tests/bench/%.c=$(BUILD)/%)
BITS    = $(BUILD)/bits
FUZZERS = policy csv trace journal folder plan sweep
REPLAYS = $(FUZZERS:%=$(BUILD)/tests/fuzz/replay_%)
TRAINER = $(BUILD)/tests/train_iris
KILLER  = $(BUILD)/tests/kill/kill_recorder

# Which compiler takes the .cu files: nvcc, none, or g++ with the header of tests/cuda_on_cpu.
ifeq ($(CUDA),auto)
CUDA_BY := $(if $(shell command -v $(NVCC) 2>/dev/null),nvcc)
else ifeq ($(CUDA),0)
CUDA_BY :=
else ifeq ($(CUDA),1)
CUDA_BY := nvcc
ifeq ($(shell command -v $(NVCC) 2>/dev/null),)
$(error CUDA=1, but there is no $(NVCC) on the PATH; install the CUDA toolkit or say CUDA=0)
endif
else ifeq ($(CUDA),emulate)
CUDA_BY := g++
else
$(error CUDA=$(CUDA): must be auto, 0, 1 or emulate)
endif

# Machine code for Turing, Ampere and Hopper, and PTX for what comes after them.
CUDA_ARCHS = 75 80 90
CUDA_CODE  = $(foreach a,$(CUDA_ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) \
             -gencode arch=compute_$(lastword $(CUDA_ARCHS)),code=compute_$(lastword $(CUDA_ARCHS))
# No exceptions, no run-time types, no locks around statics (nvcc's launches have one each, of which
# two threads may well set the same value): then the C compiler can link what comes out.
CXX_BITS   = -O2 -ffp-contract=off -fPIC -fvisibility=hidden -fno-exceptions -fno-rtti \
             -fno-threadsafe-statics
ifeq ($(CUDA_BY),nvcc)
# -fmad=false is nvcc's -ffp-contract=off.
CU_FLAGS    = $(CPPFLAGS) -std=c++17 -O3 -fmad=false
CU_COMPILE  = $(NVCC) $(CU_FLAGS) $(CUDA_CODE) --threads 0 -cudart static -Werror all-warnings \
              $(foreach f,$(CXX_BITS) -Wall -Wextra,-Xcompiler $(f))
CUDA_LIBS   = -L$(dir $(shell command -v $(NVCC)))../lib64 -lcudart_static -lrt -ldl
else ifeq ($(CUDA_BY),g++)
# Fortified, longjmp takes a change of stacks for an attack.
CU_COMPILE  = g++ -x c++ -Itests/cuda_on_cpu $(CPPFLAGS) -std=c++17 $(CXX_BITS) $(OPT) -Wall \
              -Wextra -Werror -pthread -U_FORTIFY_SOURCE
endif

# gradtrace-mpi is a program of its own, so that the ordinary one pays nothing for MPI.
ifeq ($(MPI),auto)
MPI_PROGRAM := $(if $(shell command -v $(MPICC) 2>/dev/null),$(PROGRAM)-mpi)
else ifeq ($(MPI),0)
MPI_PROGRAM :=
else ifeq ($(MPI),1)
MPI_PROGRAM := $(PROGRAM)-mpi
ifeq ($(shell command -v $(MPICC) 2>/dev/null),)
$(error MPI=1, but there is no $(MPICC) on the PATH; install an MPI or say MPI=0)
endif
else
$(error MPI=$(MPI): must be auto, 0 or 1)
endif
# The wrapper around the compiler of the rest, by the name that Open MPI and that MPICH gives it.
MPI_OBJ     = $(BUILD)/mpi/ranks_mpi.o
MPI_COMPILE = OMPI_CC='$(CC)' MPICH_CC='$(CC)' $(MPICC)

# --- building -------------------------------------------------------------------------------

.PHONY: all
all: $(PROGRAM) $(MPI_PROGRAM) $(STATIC) $(SHARED) $(PUBLIC) ## program and library (the default)

# Objects are older than the line that compiles them if that line has changed; and nothing is
# compiled before the libraries are known to be there.
.PHONY: FORCE
$(BUILD)/flags: FORCE
	@for need in $(firstword $(CC)) pkg-config; do command -v $$need >/dev/null || \
	    { echo "make: $$need is missing; run: make deps" >&2; exit 1; }; done
	@pkg-config --exists $(PKGS) || { for need in $(PKGS); do pkg-config --exists $$need || \
	    echo "make: the library $$need is missing; run: make deps" >&2; done; exit 1; }
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(COMPILE) $(LDFLAGS) $(CU_COMPILE))' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
ifneq ($(filter deps,$(MAKECMDGOALS)),)
$(BUILD)/flags: | deps
endif

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call SAY,CC,$<) $(COMPILE) -MMD -MP -c $< -o $@

$(BUILD)/%.o: %.cu $(BUILD)/flags
	@mkdir -p $(@D)
	$(call SAY,CU,$<) $(CU_COMPILE) -MMD -MP -c $< -o $@

$(STATIC): $(LIB_OBJ)
	@rm -f $@
	$(call SAY,AR,$@) ar rcs $@ $^

$(SHARED): $(LIB_OBJ)
	$(call SAY,LD,$@) $(CC) -shared -Wl,-soname,$(SONAME) -Wl,--exclude-libs,ALL -pthread $(LDFLAGS) \
	    -o $@ $^ $(LIBS)

$(PROGRAM): $(TOOL_OBJ) $(STATIC)
	$(call SAY,LD,$@) $(CC) -pthread $(LDFLAGS) -o $@ $^ $(LIBS)
	@ln -sfn $(abspath plots) $(@D)/plots
	@ln -sfn $(abspath lib/python) $(@D)/python

$(MPI_OBJ): tools/kit/ranks_mpi.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call SAY,MPICC,$<) $(MPI_COMPILE) -DGTR_MPI $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c $< -o $@

$(PROGRAM)-mpi: $(filter-out %/ranks_one.o %/ranks_mpi.o,$(TOOL_OBJ)) $(MPI_OBJ) $(STATIC)
	$(call SAY,LD,$@) $(MPI_COMPILE) -pthread $(LDFLAGS) -o $@ $^ $(LIBS)

# The headers as they are installed.
$(PUBLIC): $(BUILD)/include/%: lib/% lib/public_header.sh $(wildcard $(addsuffix /*.h,$(LIB_DIRS)))
	@mkdir -p $(@D)
	$(call SAY,H,$@) lib/public_header.sh $* >$@

# Programs of one file each, linked with the static library.
define ONE_FILE
	@mkdir -p $(@D)
	$(call SAY,CC,$<) $(COMPILE) -Itests -MMD -MP -MF $@.d $< $(filter %.o,$^) $(STATIC) $(LDFLAGS) \
	    $(LIBS) -o $@
endef

$(UNIT): $(BUILD)/tests/unit/%: tests/unit/%.c $(STATIC)
	$(ONE_FILE)

# Of the program only what says things.
$(BUILD)/tests/unit/test_tell: $(addprefix $(BUILD)/tools/kit/,tell.o rows.o json_text.o)

$(BENCH): $(BUILD)/%: tests/bench/%.c $(STATIC)
	$(ONE_FILE)

# Kernels that only the timings need.
BENCH_CU = $(if $(CUDA_BY),$(BUILD)/tests/bench/read_cuda.o)
$(filter %_cuda,$(BENCH)): $(BENCH_CU)

$(BITS): tests/bits.c $(STATIC)
	$(ONE_FILE)

$(TRAINER): tests/c_trainer/train_iris.c $(STATIC)
	$(ONE_FILE)

$(KILLER): tests/kill/kill_recorder.c $(STATIC)
	$(ONE_FILE)

-include $(LIB_OBJ:.o=.d) $(TOOL_OBJ:.o=.d) $(MPI_OBJ:.o=.d) $(UNIT:=.d) $(BENCH:=.d) \
         $(BENCH_CU:.o=.d) $(BITS).d $(TRAINER).d \
         $(KILLER).d

.PHONY: deps
deps: ## install what is missing to build, show and test it (FOR=build: not the tests' part)
	@tests/deps.sh $(or $(FOR),all)

# --- a first look ---------------------------------------------------------------------------

DEMO_TRACE = traces/lora.h5
DEMO       = $(DEMO_TRACE) -p none -p global:max_norm=1 -p group:quantile=0.9 -p aggc-paper \
             -p aggc-code-lora

.PHONY: demo
demo: $(PROGRAM) ## replay five policies over a recorded run; tables and figures in demo/
	@rm -rf demo && mkdir demo
	$(PROGRAM) info $(DEMO_TRACE)
	$(PROGRAM) replay $(DEMO) --steps demo/steps.tsv --tsv demo/stats.tsv >demo/tables.txt
	@cat demo/tables.txt
	$(PROGRAM) plot $(DEMO) --figure all --format png -o demo
	@printf '\nThese are the figures.  The tables above are in demo/tables.txt and, for programs, in\n'
	@printf 'demo/stats.tsv; every decision at every step is in demo/steps.tsv.\n'

GALLERY = -p global:max_norm=1 -p aggc-code-lora -p aggc-paper --format png --force

.PHONY: gallery
gallery: $(PROGRAM) ## draw the pictures of README.md again
	@mkdir -p plots/gallery $(BUILD)/gallery
	$(PROGRAM) plot traces/gpt2.h5 $(GALLERY) --figure norms,panels,interval,layers,spike \
	    -o $(BUILD)/gallery/gpt2
	$(PROGRAM) spill traces/gpt2.h5 --max-norm auto --force --figures $(BUILD)/gallery/spill >/dev/null
	$(PROGRAM) plot traces/lora.h5 $(GALLERY) --figure scales -o $(BUILD)/gallery/lora
	$(PROGRAM) sweep traces/gpt2.h5 -p global --set max_norm=auto:24 --force \
	    --figures $(BUILD)/gallery/sweep >/dev/null
	cp $(BUILD)/gallery/sweep/sweep_curve.png $(BUILD)/gallery/gpt2/panels.png \
	    $(BUILD)/gallery/gpt2/norms.png $(BUILD)/gallery/gpt2/spike.png \
	    $(BUILD)/gallery/gpt2/layers.png $(BUILD)/gallery/spill/spill_steps.png \
	    $(BUILD)/gallery/spill/spill_curve.png \
	    $(BUILD)/gallery/gpt2/interval-aggc-paper.png $(BUILD)/gallery/lora/scales.png plots/gallery

# --- tests ----------------------------------------------------------------------------------

# A Python that sees torch, or nothing.
PYTHON = $(eval PYTHON := $$(shell for p in /usr/bin/python3 python3; do \
             $$$$p -c 'import torch' 2>/dev/null && echo $$$$p && break; done))$(PYTHON)
PYTHON_TESTS = $(if $(PYTHON),$(PYTHON) tests/python/run.py,tests/skip.sh no python3 sees torch)

TEST_ENV = BUILD=$(abspath $(BUILD)) GRADTRACE=$(abspath $(PROGRAM)) \
           GRADTRACE_LIBRARY=$(abspath $(SHARED)) CC='$(CC)'

# What `make test` and `make check-asan` both run.  Emulated kernels run a second time in the other
# order: see tests/cuda_on_cpu.
C_TESTS = $(UNIT) 'tests/golden/compare.sh $(BITS)' \
          'python3 tests/golden/policies/compare.py' tests/cli/run.sh \
          $(foreach f,$(FUZZERS),'$(BUILD)/tests/fuzz/replay_$(f) tests/fuzz/corpus/$(f)') \
          $(if $(filter emulate,$(CUDA)),$(patsubst %,'EMULATE_ORDER=reverse %',\
              $(filter %_cuda,$(UNIT))))

.PHONY: test
test: all $(UNIT) $(BITS) $(REPLAYS) $(TRAINER) ## all tests; the last line is "N passed, N failed"
	@$(TEST_ENV) tests/run.sh $(C_TESTS) '$(PYTHON_TESTS)' tests/readme.py tests/report_browser.sh \
	    tests/lint.sh tests/install.sh

.PHONY: test-c
test-c: all $(UNIT) $(BITS) $(REPLAYS) $(TRAINER)
	@$(TEST_ENV) tests/run.sh $(C_TESTS)

# Those of the Python tests that put CPU tensors through the kernels.
.PHONY: test-emulated
test-emulated: all $(UNIT) $(BITS) $(REPLAYS) $(TRAINER)
	@$(TEST_ENV) tests/run.sh $(C_TESTS) \
	    $(if $(PYTHON),'$(PYTHON) tests/python/run.py cuda','$(PYTHON_TESTS)')

# The other builds are this Makefile again with other flags, each in a folder of its own.
.PHONY: check-emulate
check-emulate: ## the C tests, with kernels that run on the CPU
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/emulate CUDA=emulate test-emulated

.PHONY: check-asan
check-asan: ## the C tests and emulated kernels under AddressSanitizer and UBSan
	@UBSAN_OPTIONS=print_stacktrace=1 \
	    LSAN_OPTIONS=suppressions=$(abspath tests/lsan.supp):print_suppressions=0 \
	    $(MAKE) --no-print-directory BUILD=$(BUILD)/asan CUDA=emulate \
	    OPT='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	    -fno-sanitize-recover=all' LDFLAGS='-fsanitize=address,undefined' test-c

.PHONY: check-clang
check-clang: ## the C tests, built by clang, without CUDA
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang CC=clang CUDA=0 test-c

.PHONY: check-ptx
check-ptx: ## nvcc makes nothing of the kernels that is fused, approximate or unordered
	@$(if $(CU_FLAGS),NVCC='$(NVCC)' CU_FLAGS='$(subst ','\'',$(CU_FLAGS))' tests/ptx.sh,\
	    tests/skip.sh no nvcc here)

.PHONY: check-bits
check-bits: all ## gcc and clang, -O0 to -O3 -march=native, 1 to 3 threads: the same bits
	@$(TEST_ENV) MAKE='$(MAKE)' tests/bits.sh

# Those that depend on what torch and the frameworks are; FRAMEWORK_TESTS= runs all.
FRAMEWORK_TESTS = test_record_trainers test_record_trl test_hugging_face_trainer \
                  test_record_scalers test_record_steps test_record_unheard test_distributed \
                  test_sharded test_logs_imported test_reading test_stubs

.PHONY: check-frameworks
check-frameworks: all ## the Python tests with torch, transformers, PEFT and TRL from PyPI
	@$(TEST_ENV) tests/frameworks.sh $(FRAMEWORK_TESTS)

.PHONY: check-wheel
check-wheel: all ## `make wheel`, in an environment with nothing but pip
	@$(MAKE) wheel || exec tests/skip.sh no wheel can be made here
	@$(TEST_ENV) tests/wheel.sh

.PHONY: check-kill
check-kill: $(KILLER) ## kill a recorder 1,000 times, and once at each system call
	$(KILLER) each
	$(KILLER) 1000

.PHONY: golden
golden: $(PROGRAM) $(BITS) ## remake tests/golden/replay.csv; look at `git diff` after it
	@$(TEST_ENV) tests/golden/compare.sh --accept $(BITS)

.PHONY: lint
lint: $(SHARED) $(PROGRAM) $(PUBLIC) ## the rules that a compiler does not check
	@$(TEST_ENV) tests/lint.sh

.PHONY: bench
bench: all $(BENCH) ## time the sums, sweeps against NumPy, and replay against h5py and NumPy
	$(BUILD)/bench_sumsq
	$(BUILD)/bench_sweep
	$(or $(PYTHON),python3) tests/bench/sweep_vs_numpy.py --program $(BUILD)/bench_sweep
	$(or $(PYTHON),python3) tests/bench/replay_vs_h5py.py --program $(PROGRAM) \
	    --generator $(BUILD)/make_big_trace
	$(or $(PYTHON),python3) tests/bench/update_vs_numpy.py --program $(BUILD)/bench_update
	$(BUILD)/bench_spill
	$(BUILD)/bench_planes traces/lora.h5
	$(BUILD)/bench_deflate traces/lora.h5
	$(or $(PYTHON),python3) tests/bench/recorder_overhead.py

# --- on a machine with a GPU -------------------------------------------------------------------

# A folder with programs, libraries and traces: the machine with the GPU needs neither compiler nor
# libraries, only the driver.  CUDA=emulate packs one that runs anywhere, to test the scripts.
PACK       = gpu-pack
PACK_FILES = $(PROGRAM) $(filter %_cuda,$(UNIT) $(BENCH))

.PHONY: gpu-pack
gpu-pack: $(if $(CUDA_BY),$(PACK_FILES) $(SHARED)) ## fill gpu-pack/: checks to take to a GPU
	@$(if $(CUDA_BY),tests/gpu/pack.sh $(PACK) $(PACK_FILES),\
	    echo 'make: gpu-pack needs nvcc, or CUDA=emulate' >&2; exit 1)

.PHONY: check-cuda bench-cuda
check-cuda bench-cuda: $(if $(CUDA_BY),gpu-pack)
	@if [ -n '$(CUDA_BY)' ] && $(PROGRAM) info --devices >/dev/null 2>&1; then $(PACK)/$@.sh; \
	    else tests/skip.sh $@: no GPU answers here; fi
check-cuda: ## gpu-pack on this machine, if a GPU answers: the CPU's bits, compute-sanitizer
bench-cuda: ## gpu-pack on this machine, if a GPU answers: how fast the kernels are

# --- fuzzing --------------------------------------------------------------------------------

FUZZ_H = tests/fuzz/reading.h tests/unit/planning.h

# make test: the corpus once, by gcc
$(REPLAYS): $(BUILD)/tests/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay_inputs.c \
	    $(FUZZ_H) $(STATIC)
	@mkdir -p $(@D)
	$(call SAY,CC,$<) $(COMPILE) -Itests $< tests/fuzz/replay_inputs.c $(STATIC) $(LDFLAGS) \
	    $(LIBS) -o $@

# make fuzz: libFuzzer, which is clang's
FUZZ_FLAGS = -std=c11 -O1 -g -ffp-contract=off -pthread -fsanitize=fuzzer,address,undefined \
             -fno-sanitize-recover=all -UGTR_CUDA

$(BUILD)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_H) $(LIB_SRC) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call SAY,CLANG,$<) clang $(CPPFLAGS) -Itests $(FUZZ_FLAGS) $< $(LIB_SRC) $(PKG_LIBS) -lm -o $@

# HDF5 itself leaks, and old releases crash, on damaged files: these targets go on after them and
# leave what they found in $(BUILD)/fuzz/trace-* and folder-*.
FUZZ_MORE_trace  = -detect_leaks=0 -fork=1 -ignore_crashes=1
FUZZ_MORE_folder = $(FUZZ_MORE_trace)
fuzz-trace fuzz-folder: export ASAN_OPTIONS = detect_leaks=0

.PHONY: fuzz
fuzz: $(FUZZERS:%=fuzz-%) ## fuzz each parser for TIME=60 seconds (clang)

fuzz-%: $(BUILD)/tests/fuzz/fuzz_%
	@mkdir -p $(BUILD)/fuzz/$*
	$< -max_total_time=$(TIME) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	    $(FUZZ_MORE_$*) -artifact_prefix=$(BUILD)/fuzz/$*- $(BUILD)/fuzz/$* tests/fuzz/corpus/$*

# Thousands of damaged copies of traces and folders, by gcc and in processes of their own.
FLIPS = $(BUILD)/tests/fuzz/flip_trace $(BUILD)/tests/fuzz/flip_folder
.PHONY: flip
flip: $(FLIPS) ## damage traces in thousands of ways, count crashes
	@for f in contiguous filtered; do \
	    $< tests/fuzz/corpus/trace/$$f.h5 5000 "$$(date +%s)" || exit 1; done
	@for f in left elements twice mended; do \
	    $(word 2,$^) tests/fuzz/corpus/folder/$$f 500 "$$(date +%s)" || exit 1; done

$(BUILD)/tests/fuzz/flip_%: tests/fuzz/fuzz_%.c tests/fuzz/flip.c $(FUZZ_H) $(STATIC)
	@mkdir -p $(@D)
	$(call SAY,CC,$<) $(COMPILE) -Itests $< tests/fuzz/flip.c $(STATIC) $(LDFLAGS) $(LIBS) -o $@

# --- installing -----------------------------------------------------------------------------

# Where the system's Python looks for what was installed under this prefix.  Debian's own differs
# from others: "dist-packages", and under /usr without the minor version.
PYTHON3   = $(or $(wildcard /usr/bin/python3),python3)
PYVERSION = $(shell $(PYTHON3) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
DEBIAN    = $(wildcard /etc/debian_version)
PYLIB     = python$(if $(DEBIAN),$(if $(filter /usr,$(PREFIX)),3,$(PYVERSION)),$(PYVERSION))
PYTHONDIR = $(PREFIX)/lib/$(PYLIB)/$(if $(DEBIAN),dist,site)-packages
MANDIR    = $(PREFIX)/share/man
BASHDIR   = $(PREFIX)/share/bash-completion/completions
INSTALL   = install
D         = $(DESTDIR)$(PREFIX)

# The last two lines are for those who link libgradtrace.a; the shared library knows its needs.
define PC
prefix=$(PREFIX)
libdir=$${prefix}/lib
includedir=$${prefix}/include

Name: gradtrace
Description: record gradients of a training run, replay clipping policies over them
Version: $(VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lgradtrace
Requires.private: $(PKGS)
Libs.private: $(CUDA_LIBS) -lm -pthread
endef
export PC

.PHONY: wheel
wheel: ## build/wheel/gradtrace-*.whl: all of it for pip, HDF5 and the other libraries inside
	@MAKE='$(MAKE)' lib/python/wheel/wheel.sh $(BUILD)/wheel $(VERSION)

.PHONY: install
install: all ## into DESTDIR and PREFIX=/usr/local: program, libraries, headers, man page, Python
	$(INSTALL) -d $(D)/bin $(D)/lib/pkgconfig $(D)/include $(D)/share/gradtrace/plots \
	    $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(BASHDIR) $(DESTDIR)$(PYTHONDIR)/gradtrace/start
	$(INSTALL) -m 755 $(PROGRAM) $(MPI_PROGRAM) $(D)/bin
	$(INSTALL) -m 644 $(STATIC) $(D)/lib/libgradtrace.a
	$(INSTALL) -m 755 $(SHARED) $(D)/lib/libgradtrace.so.$(VERSION)
	ln -sf libgradtrace.so.$(VERSION) $(D)/lib/$(SONAME)
	ln -sf $(SONAME) $(D)/lib/libgradtrace.so
	$(INSTALL) -m 644 $(PUBLIC) $(D)/include
	echo "$$PC" >$(D)/lib/pkgconfig/gradtrace.pc
	$(INSTALL) -m 644 plots/*.gp $(D)/share/gradtrace/plots
	sed 's/@VERSION@/$(VERSION)/' tools/gradtrace.1 >$(DESTDIR)$(MANDIR)/man1/gradtrace.1
	$(INSTALL) -m 644 tools/gradtrace.bash $(DESTDIR)$(BASHDIR)/gradtrace
	$(INSTALL) -m 644 lib/python/gradtrace/*.py lib/python/gradtrace/*.pyi \
	    lib/python/gradtrace/py.typed $(DESTDIR)$(PYTHONDIR)/gradtrace
	$(INSTALL) -m 644 lib/python/gradtrace/start/*.py $(DESTDIR)$(PYTHONDIR)/gradtrace/start
	@[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true
	@[ -n "$(DESTDIR)" ] || $(PYTHON3) -c 'import sys; sys.exit("$(PYTHONDIR)" not in sys.path)' \
	    || echo "To import gradtrace in Python: export PYTHONPATH=$(PYTHONDIR)"

.PHONY: uninstall
uninstall: ## remove what `make install` with the same DESTDIR and PREFIX put there
	rm -f $(D)/bin/gradtrace $(D)/bin/gradtrace-mpi $(D)/lib/libgradtrace.* \
	    $(D)/lib/pkgconfig/gradtrace.pc $(DESTDIR)$(MANDIR)/man1/gradtrace.1 \
	    $(DESTDIR)$(BASHDIR)/gradtrace $(D)/include/gradtrace.h $(D)/include/gradtrace_lab.h
	rm -rf $(D)/share/gradtrace $(DESTDIR)$(PYTHONDIR)/gradtrace

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD) demo $(PACK)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r t what; \
	    do printf '  make %-13s %s\n' "$$t" "$$what"; done
