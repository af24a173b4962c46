# SPDX-License-Identifier: MIT
# GNU make, not recursive. A folder dropped into plugins/ becomes build/plugins/NAME.so; nothing is listed here.
#   make [B=debug|release|asan|tsan|cov|valgrind|fuzz] [all|check|unit|install|...]   V=1 shows the commands, WERROR=0 keeps
#   warnings from being errors, OUT=DIR builds elsewhere. `make help` names the targets.
-include config.mak
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

VERSION := 0.1.0
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
STATEDIR ?= /var/lib
T ?= 60
B ?= $(or $(firstword $(filter fuzz cov valgrind,$(MAKECMDGOALS:%-quick=%))),release)
ifeq ($(filter $(B),debug release asan tsan cov valgrind fuzz),)
$(error unknown variant B=$(B): debug, release, asan, tsan, cov, valgrind and fuzz are known)
endif
OUT ?= build/$(B)
ifeq ($(B)$(origin CC),fuzzdefault)
CC := clang
endif
Q := $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)' '$(2)')

# ---- what there is
core_src := $(filter-out core/app/main.c,$(wildcard core/*/*.c))
plugins := $(sort $(foreach f,$(wildcard plugins/*/*.c),$(notdir $(patsubst %/,%,$(dir $(f))))))
unit := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
support_src := $(wildcard tests/support/*.c)
tools := $(patsubst tests/tools/%.c,%,$(wildcard tests/tools/*.c))
fuzzers := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
test_plugin_src := $(wildcard scripts/template/*.c tests/plugins/*.c) tests/abi/frozen.c
headers := $(wildcard core/*/*.h core/include/glane/*.h)
core_obj := $(core_src:%.c=$(OUT)/obj/%.o)
main_obj := $(OUT)/obj/core/app/main.o
support_obj := $(support_src:%.c=$(OUT)/obj/%.o)
plug_so := $(plugins:%=$(OUT)/plugins/%.so)
test_plug_so := $(patsubst %.c,$(OUT)/test-plugins/%.so,$(notdir $(test_plugin_src)))
unit_bin := $(unit:%=$(OUT)/tests/%)
tool_bin := $(tools:%=$(OUT)/tools/%)
fuzz_bin := $(fuzzers:%=$(OUT)/fuzz/%)
fuzz_common := $(OUT)/obj/tests/fuzz/support.o $(OUT)/obj/tests/fuzz/rows.o
fuzz_replay := $(if $(fuzzers),$(OUT)/tests/fuzz_replay)
products := $(OUT)/glane $(plug_so)
ifeq ($(OUT),build/release)
products += build/glane $(plugins:%=build/plugins/%.so)
endif
plugin_objs = $(patsubst %.c,$(OUT)/obj/%.o,$(wildcard plugins/$(1)/*.c))
lone := $(filter-out $(foreach p,$(plugins),$(if $(wildcard plugins/$(p)/$(p).c),$(p))),$(plugins))

# ---- how it is compiled
no_compiler := help clean format format-check layers sizes abi-check dist uninstall
ifneq ($(filter-out $(no_compiler),$(or $(MAKECMDGOALS),all)),)
# One word per flag that this compiler takes; the first word is the compiler's version.
gcc_warn := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
harden := -fstack-protector-strong -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero
probed := $(shell $(CC) -dumpfullversion 2>/dev/null || $(CC) -dumpversion; for f in $(gcc_warn) $(harden); do \
	$(CC) -Werror $$f -x c -c /dev/null -o /dev/null 2>/dev/null && echo $$f; done)
libs := libcurl libxml-2.0 jansson libarchive libzstd zlib libcrypto libseccomp
lib_cflags := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(libs)))
lib_ldflags := $(shell pkg-config --libs $(libs))
cmocka_cflags := $(shell pkg-config --cflags cmocka 2>/dev/null)
cmocka_libs := $(shell pkg-config --libs cmocka 2>/dev/null || echo -lcmocka)
ifeq ($(lib_ldflags),)
$(error the libraries $(libs) are not all there: scripts/install-deps installs what is missing)
endif
is_clang := $(findstring clang,$(shell $(CC) --version 2>/dev/null))
endif

warn := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wmissing-declarations -Wundef -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wpointer-arith -Wnull-dereference \
	-Wdouble-promotion -Wswitch-enum -Wimplicit-fallthrough $(filter $(gcc_warn),$(probed)) \
	$(if $(filter 0,$(WERROR)),,-Werror)
# Fortify needs an optimising compiler, and gives way to a level that the user chose.
fortify := $(if $(findstring FORTIFY_SOURCE,$(CPPFLAGS)$(CFLAGS))$(filter -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
sanitize := -fno-sanitize-recover=all -fno-omit-frame-pointer
variant_debug := -O0 -g3
variant_release := -O2 -g $(fortify) $(filter $(harden),$(probed))
variant_asan := -O1 -g $(sanitize) -fsanitize=address,undefined
variant_tsan := -O1 -g $(sanitize) -fsanitize=thread
variant_cov := -O0 -g --coverage -DSANDBOX_NONE='"coverage build"' -include tests/support/counted.h
variant_valgrind := -O1 -g -DUNDER_VALGRIND
variant_fuzz := -O1 -g $(sanitize) -fsanitize=fuzzer-no-link,address,undefined
variant := $(variant_$(B))
base_flags := -std=c11 -D_GNU_SOURCE -fPIC -fno-common -fvisibility=hidden $(warn) $(variant)
core_flags := $(base_flags) -Icore/include -Icore $(lib_cflags) -DGLANE_VERSION='"$(VERSION)"'
link_flags := $(filter -fsanitize% --coverage,$(variant)) -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
# clang leaves __asan_* to the program that loads the .so
no_undefined := $(if $(and $(is_clang),$(filter asan tsan fuzz,$(B))),,-Wl,-z,defs)
banned := $(patsubst %,-include %,$(wildcard core/base/banned.h))
sys_libs := -lm -ldl -lpthread
compile = $(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS)
link = $(CC) $(link_flags) $(CFLAGS)

all: $(products) | prune
	@:
lib: $(OUT)/libglane.a
	@:
test-bins: all $(unit_bin) $(fuzz_replay) $(tool_bin) $(test_plug_so)
	@:

# ---- stamps: files rewritten only when their text changes, so that what depends on them is rebuilt only then
stamp = $(if $(call differ,$(file <$@),$(1)),$(file >$@,$(1)))
differ = $(subst x$(strip $(1)),,x$(strip $(2)))$(subst x$(strip $(2)),,x$(strip $(1)))
stamps := $(OUT)/flags $(OUT)/libglane.list $(OUT)/plugin.map $(plugins:%=$(OUT)/lists/%)
$(stamps): FORCE | $(OUT)/lists
$(OUT)/lists:
	@mkdir -p $@
$(OUT)/flags:
	$(call stamp,$(CC) $(firstword $(probed)) $(core_flags) $(banned) $(link_flags) $(no_undefined) $(lib_ldflags) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS))
$(OUT)/libglane.list:
	$(call stamp,$(core_obj))
$(OUT)/plugin.map:
	$(call stamp,{ global: glane_plugin_v*; local: *; };)
$(plugins:%=$(OUT)/lists/%): $(OUT)/lists/%:
	$(call stamp,$(call plugin_objs,$*) $(LIBS_$*))

# ---- objects
$(OUT)/obj/core/%.o: FLAGS = $(core_flags) $(banned)
$(OUT)/obj/core/base/mem.o: FLAGS = $(core_flags)
$(OUT)/obj/plugins/%.o: FLAGS = $(base_flags) -Icore/include
$(OUT)/obj/tests/%.o: FLAGS = $(core_flags) -Itests $(cmocka_cflags)
$(OUT)/obj/scripts/template/%.o $(OUT)/obj/tests/plugins/%.o: FLAGS = $(base_flags) -Icore/include
$(OUT)/obj/tests/abi/%.o: FLAGS = $(base_flags) # the header beside it, and no other
$(OUT)/obj/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(compile) -MMD -MP -c -o $@ $<

# ---- program and plugins
$(OUT)/libglane.a: $(core_obj) $(OUT)/libglane.list
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $(core_obj)
$(OUT)/glane: $(main_obj) $(OUT)/libglane.a
	$(call say,LD,$@)
	$(Q)$(link) -pie -o $@ $^ $(lib_ldflags) $(sys_libs) $(LDFLAGS)
# $(1): objects, $(2): extra libraries. The loader refuses a file that others may write.
link_plugin = $(Q)mkdir -p $(@D) && $(link) -shared $(no_undefined) -Wl,--version-script,$(OUT)/plugin.map -o $@ $(1) $(2) $(LDFLAGS) && \
	chmod go-w $@
define plugin_rule
$(OUT)/plugins/$(1).so: $(call plugin_objs,$(1)) $(OUT)/lists/$(1) $(OUT)/plugin.map
	$$(call say,SO,$$@)
	$$(call link_plugin,$$(filter %.o,$$^),$$(LIBS_$(1)))
endef
$(foreach p,$(filter-out $(lone),$(plugins)),$(eval $(call plugin_rule,$(p))))
$(foreach p,$(lone),$(eval $(OUT)/plugins/$(p).so: ; @echo 'plugins/$(p) has no $(p).c' >&2; exit 1))
define test_plugin_rule
$(OUT)/test-plugins/$(basename $(notdir $(1))).so: $(OUT)/obj/$(1:.c=.o) $(OUT)/plugin.map
	$$(call say,SO,$$@)
	$$(call link_plugin,$$<)
endef
$(foreach s,$(test_plugin_src),$(eval $(call test_plugin_rule,$(s))))
build/glane $(plugins:%=build/plugins/%.so): build/%: build/release/%
	$(Q)mkdir -p $(@D) && install -m 755 $< $@

# A plugin whose folder is gone leaves no .so behind.
stale := $(filter-out $(plug_so) $(test_plug_so),$(wildcard $(OUT)/plugins/*.so $(OUT)/test-plugins/*.so)) \
	$(if $(filter build/release,$(OUT)),$(filter-out $(products),$(wildcard build/plugins/*.so)))
prune:
	$(if $(strip $(stale)),$(Q)rm -f $(stale))

# ---- tests
$(unit_bin): $(OUT)/tests/%: $(OUT)/obj/tests/unit/%.o $(support_obj) $(OUT)/libglane.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link) -pie -o $@ $^ $(lib_ldflags) $(cmocka_libs) $(sys_libs) $(LDFLAGS)
$(tool_bin): $(OUT)/tools/%: $(OUT)/obj/tests/tools/%.o $(OUT)/libglane.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link) -pie -o $@ $^ $(lib_ldflags) $(sys_libs) $(LDFLAGS)
suites_env := GLANE_TOP='$(CURDIR)' GLANE_OUT='$(abspath $(OUT))' GLANE='$(abspath $(OUT)/glane)' B=$(B) \
	ASAN_OPTIONS=$${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=$${UBSAN_OPTIONS:-print_stacktrace=1}
runs = $(shell find tests/run $(wildcard plugins/*/test.py) -maxdepth 1 -type f -perm -u+x 2>/dev/null | LC_ALL=C sort)
check: test-bins
	@$(suites_env) scripts/run-suites -o $(OUT)/log -c layers=scripts/layers -c sizes=scripts/sizes -c abi-check=scripts/abi-check \
		-c 'hdr-check=$(MAKE) -sk hdr-check B=$(B)' $(unit_bin) $(fuzz_replay) $(runs)
unit: $(unit_bin) $(test_plug_so)
	@$(suites_env) scripts/run-suites -o $(OUT)/log $(unit_bin)
# Suites under valgrind, every process of them: `make valgrind` (an hour or two), `make valgrind S='tests/run/show.py'`. Left out are those that kill,
# starve or time the program, that build others, or that have processes crash on purpose. Whole runs need valgrind 3.21, for pidfd_open().
memcheck := valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect --trace-children=yes \
	--child-silent-after-fork=yes --trace-children-skip='/usr/*,/bin/*,*/python3*' --log-file=$(abspath $(OUT))/log/valgrind/%p.txt
quick_there := areas clock diag dims erase file host inflate json map mem options outlet page payload px read_json row secrets sha256 slice strbuf \
	tsv url verify wire words
valgrind-quick: S = $(quick_there:%=$(OUT)/tests/test_%)
valgrind: S = $(unit_bin) $(fuzz_replay) $(filter-out $(uncounted) $(patsubst %,tests/run/%.py,abi evil poison powercut starved tools),$(runs))
valgrind valgrind-quick: test-bins
	@mkdir -p $(OUT)/log/valgrind && rm -f $(OUT)/log/valgrind/*
	@printf '%s\n' '#!/bin/sh' 'exec $(memcheck) $(abspath $(OUT)/glane) "$$@"' >$(OUT)/under-valgrind && chmod +x $(OUT)/under-valgrind
	@$(suites_env) GLANE='$(abspath $(OUT)/under-valgrind)' GLANE_TEST_WRAP='$(memcheck)' GLANE_TEST_TIMEOUT=7200 \
		scripts/run-suites -o $(OUT)/log/valgrind $(S) || { find $(OUT)/log/valgrind -name '*.txt' -size +0 | head -n 20 | xargs -r head -n 30; exit 1; }
# `make suites`: unit and integration tests without the source checks, for the variants
suites: test-bins
	@$(suites_env) scripts/run-suites -o $(OUT)/log $(unit_bin) $(fuzz_replay) $(runs)
# Against other programs of the field, which the suites install from PyPI into build/; in CI and by hand.
interop: test-bins
	@$(suites_env) scripts/run-suites -o $(OUT)/log/interop $(wildcard tests/interop/*.py)

# Once, when a major is frozen: the same bytes from the same sources by the same compiler, which the test can tell from others.
frozen := -std=c11 -Os -fPIC -fvisibility=hidden -shared -nostartfiles -s -Wl,--build-id=none,--hash-style=gnu,--as-needed \
	-Wl,-z,noseparate-code,-z,noexecstack,-z,norelro
frozen-abi: $(OUT)/plugin.map
	@! test -e tests/abi/frozen-$$(uname -m | tr _ -).so || { echo 'it is frozen: somebody has it (tests/abi/README.md)' >&2; exit 1; }
	$(CC) $(frozen) -Wl,--version-script,$< -DFROZEN_SOURCE='"'$$(cat tests/abi/frozen.c tests/abi/plugin-1.0.h | sha256sum | cut -c 1-32)'"' \
		-o tests/abi/frozen-$$(uname -m | tr _ -).so tests/abi/frozen.c
	chmod 644 tests/abi/frozen-*.so

# Each header compiles alone; the public one also as C++, with a plugin.
hdr-check: $(headers:core/%=$(OUT)/hdr/%.ok) $(OUT)/hdr/plugin.cc.ok
	@:
$(OUT)/hdr/%.ok: core/% $(OUT)/flags $(OUT)/hdr/empty.c
	$(Q)mkdir -p $(@D) && $(CC) $(core_flags) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $(@:.ok=.d) -include $< -x c -fsyntax-only $(OUT)/hdr/empty.c
	@touch $@
$(OUT)/hdr/plugin.cc.ok: core/include/glane/plugin.h tests/abi/plugin.cc $(OUT)/hdr/empty.c
	$(Q)mkdir -p $(@D) && $(CXX) -Wall -Wextra -Wpedantic -Werror -Icore/include -include $< -x c++ -fsyntax-only $(OUT)/hdr/empty.c
	$(Q)$(CXX) -std=c++20 -Wall -Wextra -Wpedantic -Wno-missing-field-initializers -Werror -Icore/include -fsyntax-only tests/abi/plugin.cc
	@touch $@
$(OUT)/hdr/empty.c:
	@mkdir -p $(@D) && echo 'extern int nothing;' >$@
layers sizes abi-check:
	@scripts/$@

# tests/README.md says what is where. `make fuzz F='csv json' T=600` for some targets and longer.
F ?= $(fuzzers:fuzz_%=%)
fuzz: $(F:%=$(OUT)/fuzz/fuzz_%)
	@mkdir -p $(OUT)/log
	@set -e; for f in $(F); do echo "  FUZZ $$f $(T) s"; mkdir -p $(OUT)/corpus/$$f; dict=tests/fuzz/dict/$$f.dict; \
		$(OUT)/fuzz/fuzz_$$f -max_total_time=$(T) -max_len=4096 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
		-artifact_prefix=$(OUT)/fuzz/$$f- $$(test ! -f $$dict || echo -dict=$$dict) \
		$(OUT)/corpus/$$f tests/fuzz/corpus/$$f >$(OUT)/log/fuzz-$$f.log 2>&1 \
		|| { tail -n 40 $(OUT)/log/fuzz-$$f.log; exit 1; }; done
$(fuzz_bin): $(OUT)/fuzz/%: $(OUT)/obj/tests/fuzz/%.o $(fuzz_common) $(OUT)/obj/tests/fuzz/libfuzzer.o $(OUT)/libglane.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link) -fsanitize=fuzzer -o $@ $^ $(lib_ldflags) $(sys_libs) $(LDFLAGS)
$(fuzz_replay): $(fuzzers:%=$(OUT)/obj/tests/fuzz/%.o) $(fuzz_common) $(OUT)/obj/tests/fuzz/replay.o $(OUT)/libglane.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(link) -pie -o $@ $^ $(lib_ldflags) $(sys_libs) $(LDFLAGS)
# What of core/ the suites reach; the counters begin anew. Left out: suites that kill, starve or time the program, or build others.
# `make cov S='tests/run/show.py'` runs only these.
uncounted := $(patsubst %,tests/run/%.py,environment faults history killed memory seeded)
S ?= $(unit_bin) $(fuzz_replay) $(filter-out $(uncounted),$(runs))
cov: test-bins
	@find $(OUT) -name '*.gcda' -delete
	-@$(suites_env) nice -n 5 scripts/run-suites -o $(OUT)/log $(S)
	@scripts/coverage --out $(OUT) --floor 85

# ---- tools
c_files := $(filter-out tests/abi/%,$(wildcard core/*/*.c core/*/*.h plugins/*/*.c plugins/*/*.h scripts/template/*.c tests/*/*.c tests/*/*.h)) # what is frozen keeps its bytes
tidy = xargs -r -P $$(nproc) -n 4 sh -c 'clang-tidy --quiet "$$@" -- -std=c11 -D_GNU_SOURCE -Icore/include '"$$FLAGS" tidy
tidy: export FLAGS = -Icore $(lib_cflags) -DGLANE_VERSION=\"$(VERSION)\"
tidy:
	@mkdir -p build
	$(Q)printf '%s\n' $(wildcard core/*/*.c plugins/*/*.c) | $(tidy) 2>build/tidy.err || \
		{ grep -v 'warnings generated' build/tidy.err; exit 1; }
cppcheck:
	$(Q)cppcheck -q -j $$(nproc) --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --std=c11 \
		--suppress=missingIncludeSystem --suppress=preprocessorErrorDirective --suppress=uninitvar -D_GNU_SOURCE -D__linux__ -DGLANE_VERSION='"$(VERSION)"' -Icore/include -Icore core plugins
format:
	clang-format -i $(c_files)
format-check:
	@clang-format --dry-run -Werror $(c_files)
compdb: export COMMAND = cc $(core_flags) -c
compdb:
	@mkdir -p build && printf '%s\n' $(wildcard core/*/*.c) | awk -v dir='$(CURDIR)' \
		'BEGIN {c = ENVIRON["COMMAND"]; gsub(/["\\]/, "\\\\&", c); printf "["} END {print "]"} \
		{printf "%s{\"directory\": \"%s\", \"file\": \"%s\", \"command\": \"%s %s\"}", (NR > 1 ? ",\n" : ""), dir, $$0, c, $$0}' \
		>build/compile_commands.json
bench: all
	@$(suites_env) scripts/bench
dist:
	@mkdir -p build
	git archive --prefix=glane-$(VERSION)/ -o build/glane-$(VERSION).tar.gz HEAD
install: all
	@scripts/install-tree install '$(DESTDIR)' '$(PREFIX)' '$(SYSCONFDIR)' '$(STATEDIR)' $(OUT)
uninstall:
	@scripts/install-tree uninstall '$(DESTDIR)' '$(PREFIX)'
clean:
	rm -rf build
help:
	@echo 'all check unit suites valgrind interop hdr-check layers sizes abi-check fuzz cov tidy cppcheck format format-check compdb bench install uninstall dist clean'
.PHONY: all lib test-bins prune check unit suites valgrind valgrind-quick interop hdr-check layers sizes abi-check frozen-abi fuzz cov tidy cppcheck format format-check compdb bench \
	install uninstall dist clean help FORCE
FORCE:

-include $(wildcard $(OUT)/obj/*/*/*.d $(OUT)/hdr/*/*.d $(OUT)/hdr/*/*/*.d)
