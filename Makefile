# gradtrace: one file, no recursion.  `make help` lists the targets.

VERSION = 0.1.0
PREFIX  = /usr/local
BUILD   = build
CUDA    = auto

CC      = gcc
OPT     = -O2 -g
# -ffp-contract=off on every file: a fused multiply-add rounds once where the source rounds twice,
# and the same trace must give the same bits with every compiler.
CFLAGS  = -std=c11 $(OPT) -ffp-contract=off -fPIC -pthread -fvisibility=hidden
WARN    = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
          -Wmissing-prototypes -Wvla -Werror
LDFLAGS =

LIB_DIRS = lib lib/base lib/policy lib/trace lib/record lib/replay lib/study
PKGS     = hdf5 json-c zlib
CPPFLAGS = $(addprefix -I,$(LIB_DIRS)) -DGTR_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS     = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

LIB_SRC   = $(sort $(wildcard $(addsuffix /*.c,$(LIB_DIRS))))
TOOL_SRC  = $(sort $(wildcard tools/*.c))
LIB_OBJ   = $(LIB_SRC:%.c=$(BUILD)/%.o)
TOOL_OBJ  = $(TOOL_SRC:%.c=$(BUILD)/%.o)

PROGRAM = $(BUILD)/gradtrace
STATIC  = $(BUILD)/libgradtrace.a
SHARED  = $(BUILD)/libgradtrace.so

.PHONY: all
all: $(PROGRAM) $(SHARED)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c $< -o $@

$(STATIC): $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(SHARED): $(LIB_OBJ)
	$(CC) -shared -Wl,-soname,libgradtrace.so.0 -pthread $(LDFLAGS) -o $@ $^ $(LIBS)

$(PROGRAM): $(TOOL_OBJ) $(STATIC)
	$(CC) -pthread $(LDFLAGS) -o $@ $^ $(LIBS)

-include $(LIB_OBJ:.o=.d) $(TOOL_OBJ:.o=.d)

.PHONY: clean
clean:
	rm -rf build demo
