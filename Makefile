# Ferry's build, whole. `make help` lists what it can do.
#
# The first `make` runs tools/setup, which installs missing tools and fills build/deps; that writes
# build/deps/config.mk (the compiler and its paths), which make then reads and starts anew.
#
#   DEBUG=0       leave FERRY_DEBUG's checks out; builds in build/release
#   WERROR=-Werror  warnings are errors (as in make test)
#   RUNFLAGS=...  options for tools/run      GDBFLAGS=...  options for gdb

DEBUG    ?= 1
WERROR   ?=
PYTHON   ?= /usr/bin/python3
RUNFLAGS ?=
GDBFLAGS ?=
BOOTS    ?= 200

MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL)$(filter clean distclean,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

DEPS := build/deps
B    := $(if $(filter 0,$(DEBUG)),build/release,build)
O    := $B/obj

ifneq ($(filter-out help clean distclean doctor,$(or $(MAKECMDGOALS),all)),)
include $(DEPS)/config.mk
endif
$(DEPS)/config.mk: tools/setup tools/needs
	@PYTHON=$(PYTHON) tools/setup

# --- What there is: a file in the right folder needs no line here ------------------------------------

find    = $(sort $(shell find $1 -name '$2' 2>/dev/null))
KERNEL  := $(call find,kernel drivers,*.c) $(call find,boot kernel drivers,*.asm)
LWIP    := $(sort $(wildcard $(addprefix $(DEPS)/lwip/src/,core/*.c core/ipv4/*.c netif/ethernet.c)))
PROGRAMS := $(patsubst user/%.c,$B/user/%,$(wildcard user/*.c))
GUEST    := $(patsubst tests/guest/%.c,$B/guest/%,$(wildcard tests/guest/*.c))
DISKTEST := $(patsubst tests/disk/%.c,$B/disktest/%,$(wildcard tests/disk/*.c))
UNIT     := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/*.c))
OBJECTS := $(KERNEL:%=$O/%.o) $(LWIP:%=$O/%.o)
OURS    := $(call find,kernel drivers user tests labs,*.[ch])

# --- Flags --------------------------------------------------------------------------------------------

MUSL     := $(DEPS)/musl/usr/include/i386-linux-musl
MUSL_LIB := $(DEPS)/musl/usr/lib/i386-linux-musl

# No header of the host is in reach: the compiler's own, Linux's ABI, and musl's for prototypes.
COMMON := -std=gnu11 -O2 -g -march=i686 -mtune=generic -fno-pie -fno-pic -fcf-protection=none \
          -fno-stack-protector -fno-strict-aliasing -fno-common -Wall -Wextra -Wno-unused-parameter \
          -ffile-prefix-map=$(CURDIR)=. -MD -MP -nostdinc
# A task that waits lies on its own stack in somebody's list, and takes itself out: no dangling pointer.
KCFLAGS := $(COMMON) -ffreestanding -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
           -Wno-dangling-pointer -mgeneral-regs-only $(if $(filter 0,$(DEBUG)),,-DFERRY_DEBUG) -I. -Ikernel/net/lwip \
           -isystem $(GCC_INC) -isystem $(DEPS)/include -isystem $(DEPS)/lwip/src/include -isystem $(MUSL)
UCFLAGS := $(COMMON) -I. -Iuser/lib -Itests/guest/lib -isystem $(MUSL) -isystem $(DEPS)/include \
           -isystem $(GCC_INC)
LINK    := $(CC) -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack

# --- Building -----------------------------------------------------------------------------------------

.PHONY: all kernel programs disk
all: kernel $B/ferry.iso disk ## build the kernel, the boot image and the disk image
kernel: $B/ferry.elf ## build the kernel alone
programs: $(PROGRAMS) $(GUEST) $(DISKTEST) ## build the user programs and guest tests
disk: $B/disk.img $(DISKTEST)

# Everything compiled is compiled again when the flags or the compiler change; WERROR is no such flag,
# so that `make run` after `make test` finds its work done.
$O/flags: force
	@mkdir -p $O; echo '$(CC) $(KCFLAGS) $(UCFLAGS)' | cmp -s - $@ || echo '$(CC) $(KCFLAGS) $(UCFLAGS)' >$@

$O/$(DEPS)/lwip/%.c.o: $(DEPS)/lwip/%.c $O/flags
	@mkdir -p $(@D); echo "  CC  $<"
	@$(CC) $(KCFLAGS) -w -c $< -o $@
$O/user/%.c.o: user/%.c $O/flags
	@mkdir -p $(@D); echo "  CC  $<"
	@$(CC) $(UCFLAGS) $(WERROR) -c $< -o $@
$O/tests/guest/%.c.o: tests/guest/%.c $O/flags
	@mkdir -p $(@D); echo "  CC  $<"
	@$(CC) $(UCFLAGS) $(WERROR) -c $< -o $@
$O/tests/disk/%.c.o: tests/disk/%.c $O/flags
	@mkdir -p $(@D); echo "  CC  $<"
	@$(CC) $(UCFLAGS) $(WERROR) -c $< -o $@
$O/%.c.o: %.c $O/flags
	@mkdir -p $(@D); echo "  CC  $<"
	@$(CC) $(KCFLAGS) $(WERROR) -c $< -o $@
$O/%.asm.o: %.asm $O/flags
	@mkdir -p $(@D); echo "  ASM $<"
	@nasm -f elf32 -g -F dwarf -w+orphan-labels $(if $(WERROR),-Werror) -I. -MD $(@:.o=.d) $< -o $@

# The kernel is linked twice: the second time with a table of its own functions' names, for backtraces.
# The table has a section of its own behind the code, so no function moves (mksyms --check).
$O/objects.list: force
	@mkdir -p $O; echo '$(OBJECTS)' | cmp -s - $@ || echo '$(OBJECTS)' >$@
$O/pass1.elf: $(OBJECTS) linker.ld tools/mksyms $O/objects.list
	@$(PYTHON) tools/mksyms </dev/null >$O/nosyms.S && $(CC) -c $O/nosyms.S -o $O/nosyms.o
	@$(LINK) -Wl,-T,linker.ld $(OBJECTS) $O/nosyms.o $(LIBGCC) -o $@
$B/ferry.elf: $O/pass1.elf
	@echo "  LD  $@"
	@$(NM) $< | $(PYTHON) tools/mksyms >$O/syms.S && $(CC) -c $O/syms.S -o $O/syms.o
	@$(LINK) -Wl,-T,linker.ld,-Map,$B/ferry.map $(OBJECTS) $O/syms.o $(LIBGCC) -o $@
	@$(NM) $@ | $(PYTHON) tools/mksyms --check $O/syms.S

$B/ferry.iso: $B/ferry.elf boot/grub.cfg
	@echo "  ISO $@"
	@rm -rf $B/iso && mkdir -p $B/iso/boot/grub && cp boot/grub.cfg $B/iso/boot/grub/
	@$(OBJCOPY) --strip-debug $< $B/iso/boot/ferry.elf
	@$(GRUB_MKRESCUE) --fonts= --locales= --themes= --compress=no -o $@ --install-modules="normal iso9660 \
	    biosdisk multiboot serial terminal echo test minicmd" $B/iso >$O/iso.log 2>&1 || { cat $O/iso.log; exit 1; }

.PRECIOUS: $O/user/%.c.o $O/tests/guest/%.c.o $O/tests/disk/%.c.o
# A user program is one file, with what it uses of user/lib, against musl.
LIBS := $O/user/lib.a $O/tests/guest/lib.a
CRT  := $(addprefix $(MUSL_LIB)/,crt1.o crti.o)
$O/user/lib.a: $(patsubst %,$O/%.o,$(call find,user/lib,*.c))
$O/tests/guest/lib.a: $(patsubst %,$O/%.o,$(call find,tests/guest/lib,*.c))
$(LIBS): $O/flags
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $(filter %.o,$^)
$B/user/%: $O/user/%.c.o $O/user/lib.a
	@mkdir -p $(@D); echo "  LD  $@"
	@$(LINK) $(CRT) $^ $(MUSL_LIB)/libc.a $(LIBGCC) $(MUSL_LIB)/crtn.o -o $@
$B/disktest/%: $O/tests/disk/%.c.o
	@mkdir -p $(@D); echo "  LD  $@"
	@$(LINK) $(CRT) $^ $(MUSL_LIB)/libc.a $(LIBGCC) $(MUSL_LIB)/crtn.o -o $@
$B/guest/%: $O/tests/guest/%.c.o $O/tests/guest/lib.a $O/user/lib.a
	@mkdir -p $(@D); echo "  LD  $@"
	@$(LINK) $(CRT) $^ $(MUSL_LIB)/libc.a $(LIBGCC) $(MUSL_LIB)/crtn.o -o $@

# The disk: programs, guest tests, BusyBox, the files of user/root, and /data (see tools/mkdata).
build/data/SHA256SUMS: tools/mkdata
	@$(PYTHON) tools/mkdata build/data
$B/disk.img: $(PROGRAMS) $(GUEST) build/data/SHA256SUMS tools/mkroot tools/mkdisk tests/guest/mkbadelf.py \
             $(call find,user/root,*) $(DEPS)/config.mk
	@echo "  IMG $@"
	@PYTHON=$(PYTHON) tools/mkroot $B/root $(PROGRAMS) -- $(GUEST)
	@$(PYTHON) tools/mkdisk --data build/data $@ $B/root

# --- Using --------------------------------------------------------------------------------------------

.PHONY: run gdb test unit lint format bench boots doctor help clean distclean force
run: all ## boot from GRUB in QEMU: a shell on this terminal, http on localhost:8080
	@$(PYTHON) tools/run --iso $B/ferry.iso --disk $B/disk.img $(RUNFLAGS)
gdb: kernel disk ## QEMU stopped at the kernel's entry, and gdb, in one terminal
	@$(PYTHON) tools/run --kernel $B/ferry.elf --disk $B/disk.img --debugger $(RUNFLAGS) -- $(GDBFLAGS)
test: ## everything: lint, unit tests, then guest and system tests in QEMU
	@$(MAKE) --no-print-directory WERROR=-Werror all programs unit
	@PYTHON=$(PYTHON) $(PYTHON) tools/test
unit: $(UNIT) ## build the unit tests (for the host, with sanitizers) into build/unit
lint: ## check the format, and what cppcheck has to say
	@tools/mklint $(OURS)
format: ## put our C files into the format of .clang-format
	@clang-format -i $(OURS)
bench: ## measure the paths in a release build
	@$(MAKE) --no-print-directory DEBUG=0 all
	@$(PYTHON) tools/bench --build build/release
boots: kernel disk ## boot BOOTS=200 times; every boot must end well
	@$(PYTHON) tools/run --kernel $B/ferry.elf --disk $B/disk.img --repeat $(BOOTS) $(RUNFLAGS) </dev/null
doctor: ## each tool, its version, and the line that installs what is missing
	@PYTHON=$(PYTHON) tools/doctor
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r t d; do printf '  make %-9s %s\n' "$$t" "$$d"; done
clean: ## remove what was built (build/deps stays)
	@find build -mindepth 1 -maxdepth 1 ! -name deps ! -name data -exec rm -rf {} + 2>/dev/null || true
distclean: ## remove build/ altogether
	@rm -rf build

# A unit test names the kernel's source files that it tests: "// units: kernel/a.c kernel/b.c"
UNIT_CFLAGS := -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wextra \
               -Wno-unused-parameter $(WERROR) -DFERRY_UNIT -I. -Itests/unit
$B/unit/%: tests/unit/%.c $O/flags $(call find,kernel drivers tests/unit,*.[ch])
	@mkdir -p $(@D); echo "  CC  $< (host)"
	@gcc $(UNIT_CFLAGS) $< $$(sed -n '1,10s|^// units:||p' $<) -lcmocka -o $@

-include $(shell find $O -name '*.d' 2>/dev/null)
