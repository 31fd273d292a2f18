# SPDX-License-Identifier: GPL-2.0-or-later
#
# make            build the library, the module and the programs
# make test       every test there is; ends in "N passed, N failed"
# make html       the documentation as a site in build/html
# make demo       show logins and the enrolment page with real servers; make serve leaves them running
# make bench      measure (BENCH=quick or full)
# make clients    play each client's logins in full, and write docs/clients.md
# make lint       every static check       make format   rewrite with clang-format
# make matrix     logins and attacks at SITES sites drawn from SEED, or at the one numbered SITE
# make chaos      a cluster under load in which something breaks every few seconds: 5 minutes, or an hour by CHAOS=full
# make pictures    every page and state of the enrollment page, in build/pictures
# make reload     LOGINS logins while the server gets a HUP each second
# make fuzz       every fuzzer, FUZZ_SECONDS each; new inputs go to build/corpus
# make model      the protocol in spin, with longer histories than in make test
# make mutants    COUNT changes of PART (core, module, page, command) drawn from SEED, and whether a test notices
# make coverage   which lines and branches of core no unit test runs
# make install    DESTDIR, PREFIX and the folders below; never overwrites a configuration file
# make uninstall  only when no configuration of the server names the module
# make dist       the sources as build/peruser-mfa-VERSION.tar.xz
# make deb        Debian packages, in build/deb
# make test-packages   install, upgrade, remove and purge them in fresh systems (SUITES="bookworm trixie")
# make test-platforms  build and test in fresh systems (PLATFORMS="bullseye bookworm trixie i386 s390x")
# make clean      remove what was built; make distclean the downloads too
#
# V=release, asan, tsan or fuzz chooses how things are compiled; each has its own build/$(V).
# WERROR=-Werror  warnings are errors, as they are in "make test" and "make lint"
# SECCOMP=no      the page without its filter of system calls, and without libseccomp
# SYSTEMD=no      install no units
# FREERADIUS_INCLUDE, FREERADIUS_SRC: see tools/freeradius_headers.sh

V            ?= release
ifeq ($(filter $(V),release asan tsan fuzz),)
$(error V=$(V): must be release, asan, tsan or fuzz)
endif
B            := build/$(V)
FUZZ_SECONDS ?= 20
BENCH        ?= quick
PYTHON       ?= /usr/bin/python3
ifeq ($(origin CC),default)
CC           := gcc
endif
export PYTHONDONTWRITEBYTECODE := 1
# make VERBOSE=1 shows whole commands
Q            := $(if $(VERBOSE),,@)
say           = $(if $(VERBOSE),,@printf '  %-8s %s\n' '$(1)' '$(2)')

VERSION      := $(shell cat VERSION)
WERROR       ?= $(if $(filter release,$(V)),,-Werror)
SECCOMP      ?= yes
SYSTEMD      ?= yes

# ---- where things are installed; programs, configuration files and units name these folders

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
CGIDIR     ?= $(PREFIX)/lib/cgi-bin
SHAREDIR   ?= $(PREFIX)/share/peruser-mfa
DOCDIR     ?= $(PREFIX)/share/doc/peruser-mfa
MANDIR     ?= $(PREFIX)/share/man
LOCALEDIR  ?= $(PREFIX)/share/locale
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
UNITDIR    ?= $(PREFIX)/lib/systemd/system
PAGE_CONFDIR ?= /etc/peruser-mfa
STATEDIR   ?= /var/lib/peruser-mfa
# Where the packaged server looks.
FR_LIBDIR  ?= /usr/lib/freeradius
FR_CONFDIR ?= /etc/freeradius/3.0

# ---- how things are compiled

WARN := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wformat=2 -Wundef \
	-Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough -Wswitch-enum

CFLAGS_release  := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
	-Wframe-larger-than=4096
LDFLAGS_release := -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
CFLAGS_asan     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_asan    := -fsanitize=address,undefined -Wl,--as-needed
CFLAGS_tsan     := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS_tsan    := -fsanitize=thread -Wl,--as-needed
CFLAGS_fuzz     := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
LDFLAGS_fuzz    := -fsanitize=fuzzer,address,undefined -Wl,--as-needed
ifeq ($(V),fuzz)
CC := clang
endif

# What pkg-config says, or $3 where it knows nothing: Debian's packages before it is installed.
PKG_CONFIG ?= pkg-config
pkg_config  = $(or $(shell $(PKG_CONFIG) $1 $2 2>/dev/null),$3)
XML_CFLAGS  := $(patsubst -I%,-isystem %,$(call pkg_config,--cflags,libxml-2.0,-I/usr/include/libxml2))

ALL_CFLAGS  = -std=gnu11 -D_GNU_SOURCE -I. -I$(B)/include $(XML_CFLAGS) -fPIC $(WARN) $(WERROR) $(CFLAGS_$(V)) \
	-MMD -MP $(TIME_CFLAGS) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LDFLAGS_$(V)) $(LDFLAGS)

# The packaged server is built with NDEBUG; without it its structures have another layout.
FR_CFLAGS   := -DNDEBUG -isystem build/include -include freeradius/autoconf.h -include freeradius/build.h

# ---- what there is

CORE_SRC   := $(wildcard core/*.c)
MODULE_SRC := $(wildcard rlm_peruser_mfa/*.c)
ENROLL_SRC := $(wildcard enroll/*.c)
ADMIN_SRC  := $(wildcard admin/*.c admin/*/*.c)
C_FILES    := $(wildcard core/*.[ch] rlm_peruser_mfa/*.[ch] enroll/*.[ch] admin/*.[ch] admin/*/*.[ch] tests/*/*.[ch])

CORE_LIB   := $(B)/libmfacore.a
ENROLL_LIB := $(if $(ENROLL_SRC),$(B)/libenroll.a)
ADMIN_LIB  := $(if $(ADMIN_SRC),$(B)/libadmin.a)
PART_LIBS  := $(ENROLL_LIB) $(ADMIN_LIB) $(CORE_LIB)
MODULE     := $(if $(MODULE_SRC),$(B)/rlm_peruser_mfa.so)
PROGRAMS   := $(if $(ENROLL_SRC),$(B)/peruser-mfa-enroll) $(if $(ADMIN_SRC),$(B)/peruser-mfa)
LOCALES    := $(patsubst enroll/po/%.po,$(B)/locale/%/LC_MESSAGES/peruser-mfa-enroll.mo,$(wildcard enroll/po/*.po))
MAN_PAGES  := $(addprefix $(B)/man/,rlm_peruser_mfa.5 peruser_mfa.conf.5 admin.conf.5 enroll.conf.5)
MAN_DATE   := $(shell sed -n 's/^\.Dd //p' docs/man/peruser-mfa.8)
UNIT_BIN   := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
TSAN_BIN   := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/tsan_*.c))
FUZZ_BIN   := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
PRELOADS   := $(patsubst tests/lib/%.c,$(B)/lib/%.so,$(wildcard tests/lib/*.c))
BENCH_BIN  := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*load.c))
BENCH_LIB  := $(B)/libbench.a

# The module takes what it needs and no more: the server loads all of it.
CORE_LIBS  := $(call pkg_config,--libs,ldap lber,-lldap -llber) $(call pkg_config,--libs,liboath libcrypto,-loath -lcrypto) \
	$(call pkg_config,--libs,libcurl jansson,-lcurl -ljansson) -pthread
SECCOMP_LIBS := $(if $(filter yes,$(SECCOMP)),$(call pkg_config,--libs,libseccomp,-lseccomp))
ALL_LIBS   := $(call pkg_config,--libs,libconfuse libqrencode libpskc libxml-2.0,-lconfuse -lqrencode \
	-lpskc -lxml2) -lfcgi $(SECCOMP_LIBS) $(CORE_LIBS)

.PHONY: all unit tsan fuzzers preloads bench-programs test clients html matrix chaos reload pictures model mutants coverage demo serve \
	bench lint format fuzz install uninstall dist deb test-packages test-platforms clean distclean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(CORE_LIB) $(MODULE) $(PROGRAMS) $(LOCALES) $(MAN_PAGES)
unit: $(UNIT_BIN)
tsan: $(TSAN_BIN)
fuzzers: $(FUZZ_BIN)
preloads: $(PRELOADS)
bench-programs: $(BENCH_BIN)

# ---- building

build/packages-%: tools/packages.txt
	@mkdir -p build
	@sh tools/install_packages.sh $*
	@touch $@

build/include/freeradius: tools/freeradius_headers.sh | build/packages-build
	sh $< build/include build/dl
	@touch $@

# What the programs know of this build; written anew only when it has changed.
FOLDERS := BINDIR CGIDIR SHAREDIR DOCDIR MANDIR LOCALEDIR BASHDIR UNITDIR PAGE_CONFDIR STATEDIR FR_LIBDIR FR_CONFDIR
BUILD_HEADER := $(B)/include/mfa_build.h
define BUILD_HEADER_TEXT
/* SPDX-License-Identifier: GPL-2.0-or-later */
#define MFA_VERSION "$(VERSION)"
#define MFA_SECCOMP $(if $(filter yes,$(SECCOMP)),1,0)
$(foreach name,$(FOLDERS),#define MFA_$(name) "$($(name))"
)
endef
export BUILD_HEADER_TEXT
$(BUILD_HEADER): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$BUILD_HEADER_TEXT" >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# The pages are written as HTML; each file becomes a function, and the build fails when one is not in order.
HTML_HEADER := $(B)/include/mfa_html.h
$(HTML_HEADER): tools/html.awk $(sort $(wildcard enroll/html/*.html))
	@mkdir -p $(@D)
	$(call say,HTML,$@)
	$(Q)LC_ALL=C.UTF-8 awk -f $^ >$@
$(ENROLL_SRC:%.c=$(B)/%.o): | $(HTML_HEADER)

# These turn times into dates and give none to a library, whose time_t may have 32 bits.
$(addprefix $(B)/,core/text.o enroll/layout.o admin/output.o): TIME_CFLAGS := -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64

$(B)/%.o: %.c Makefile | build/packages-build $(BUILD_HEADER)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/rlm_peruser_mfa/%.o: rlm_peruser_mfa/%.c Makefile | build/packages-build build/include/freeradius $(BUILD_HEADER)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(FR_CFLAGS) $(ALL_CFLAGS) -c $< -o $@

$(CORE_LIB): $(CORE_SRC:%.c=$(B)/%.o)
$(ENROLL_LIB): $(patsubst %.c,$(B)/%.o,$(filter-out enroll/main.c,$(ENROLL_SRC)))
$(ADMIN_LIB): $(patsubst %.c,$(B)/%.o,$(filter-out admin/main.c,$(ADMIN_SRC)))
$(BENCH_LIB): $(patsubst %.c,$(B)/%.o,$(filter-out %load.c,$(wildcard tests/bench/*.c)))
$(PART_LIBS) $(BENCH_LIB):
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) qcs $@ $^

$(B)/rlm_peruser_mfa.so: $(MODULE_SRC:%.c=$(B)/%.o) $(CORE_LIB) rlm_peruser_mfa/export.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(filter %.o %.a,$^) -Wl,--version-script=rlm_peruser_mfa/export.map $(ALL_LDFLAGS) \
		$(CORE_LIBS) -o $@

$(B)/peruser-mfa-enroll: $(B)/enroll/main.o $(ENROLL_LIB) $(CORE_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $^ $(ALL_LDFLAGS) $(ALL_LIBS) -o $@

$(B)/peruser-mfa: $(B)/admin/main.o $(ADMIN_LIB) $(CORE_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $^ $(ALL_LDFLAGS) $(ALL_LIBS) -o $@

$(B)/enroll/assets.o: enroll/page.css enroll/page.js enroll/icon.svg

$(B)/locale/%/LC_MESSAGES/peruser-mfa-enroll.mo: enroll/po/%.po | build/packages-build
	@mkdir -p $(@D)
	$(call say,MSGFMT,$@)
	$(Q)msgfmt --check-format -o $@ $<

# Each configuration file explains its items where they stand; its man page is made from it.
$(B)/man/peruser_mfa.conf.5: raddb/mods-config/peruser_mfa/peruser_mfa.conf
$(B)/man/peruser_mfa.conf.5: WHAT := settings that the FreeRADIUS module, the enrollment page and peruser-mfa share
$(B)/man/peruser_mfa.conf.5: PLACE := $(FR_CONFDIR)/mods-config/peruser_mfa/peruser_mfa.conf
$(B)/man/admin.conf.5: raddb/mods-config/peruser_mfa/admin.conf
$(B)/man/admin.conf.5: WHAT := settings of the peruser-mfa command
$(B)/man/admin.conf.5: PLACE := $(FR_CONFDIR)/mods-config/peruser_mfa/admin.conf
$(B)/man/enroll.conf.5: enroll/enroll.conf
$(B)/man/enroll.conf.5: WHAT := settings of the MFA enrollment page
$(B)/man/enroll.conf.5: PLACE := $(PAGE_CONFDIR)/enroll.conf
$(B)/man/rlm_peruser_mfa.5: raddb/mods-available/peruser_mfa
$(B)/man/rlm_peruser_mfa.5: WHAT := FreeRADIUS module for optional one-time codes per user, kept in LDAP
$(B)/man/rlm_peruser_mfa.5: PLACE := $(FR_CONFDIR)/mods-available/peruser_mfa
$(MAN_PAGES): tools/conf_man.awk
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)awk -v name=$(@F) -v what='$(WHAT)' -v date='$(MAN_DATE)' -v path='$(PLACE)' -v top=peruser_mfa -f $< \
		$(filter-out $<,$^) >$@

# ---- programs of the tests; those of enroll/ and admin/ are tested without their main.c

$(patsubst $(B)/unit/%,$(B)/tests/unit/%.o,$(UNIT_BIN) $(TSAN_BIN)): | build/packages-test
$(B)/unit/%: $(B)/tests/unit/%.o $(PART_LIBS) | build/packages-test
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $^ $(ALL_LDFLAGS) -lcmocka $(ALL_LIBS) -ldl -o $@

$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(PART_LIBS) | build/packages-test
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $^ $(ALL_LDFLAGS) $(ALL_LIBS) -o $@

$(B)/bench/%: $(B)/tests/bench/%.o $(BENCH_LIB) $(CORE_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $^ $(ALL_LDFLAGS) $(CORE_LIBS) -o $@

# To be put in front of a server by LD_PRELOAD; never with a sanitizer of its own.
$(B)/lib/%.so: tests/lib/%.c Makefile | build/packages-build
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. -fPIC -O2 -g $(WARN) $(WERROR) -shared $< -Wl,-z,initfirst -ldl -o $@

# ---- running

test: | build/packages-build build/packages-demo build/packages-test build/packages-lint
	$(PYTHON) tools/run_tests.py

matrix: export SITES := $(or $(SITES),100)
matrix: all preloads | build/packages-demo build/packages-test
	cd tests && $(PYTHON) -B -m pytest -q --tb=short e2e/test_site_matrix.py

chaos: all preloads | build/packages-demo build/packages-test
	$(PYTHON) -B tests/chaos/run.py --seconds $(if $(filter full,$(CHAOS)),3600,300) $(if $(SEED),--seed $(SEED))

reload: export LOGINS := $(or $(LOGINS),10000)
reload: all preloads | build/packages-demo build/packages-test
	cd tests && $(PYTHON) -B -m pytest -q --tb=short e2e/test_hup.py -k test_a_reload_loses_no_login

model: | build/packages-test
	$(PYTHON) tests/model/check.py full

mutants: all unit preloads | build/packages-demo build/packages-test
	$(PYTHON) tools/mutants.py $(or $(PART),core) $(or $(COUNT),100) $(or $(SEED),1)

coverage: | build/packages-build build/packages-test
	$(PYTHON) tools/coverage.py

pictures: export MFA_SHOTS := $(CURDIR)/build/pictures
pictures: all preloads | build/packages-demo build/packages-test
	rm -rf $(MFA_SHOTS)
	cd tests && $(PYTHON) -B -m pytest -q --tb=short e2e/test_enroll_browser.py

clients: all preloads | build/packages-build build/packages-demo build/packages-test
	CLIENTS=full $(PYTHON) tools/run_tests.py e2e -- $(wildcard tests/e2e/test_clients_*.py)
	$(PYTHON) tools/client_table.py build/test/e2e.xml docs/clients.md

html: | build/packages-lint
	sh tools/html.sh build/html

demo: all | build/packages-demo
	@$(PYTHON) demo/demo.py

serve: all | build/packages-demo
	@$(PYTHON) demo/demo.py --serve

bench: all bench-programs | build/packages-demo build/packages-bench
	BENCH=$(BENCH) $(PYTHON) tests/bench/run.py

lint test: export FR_CFLAGS := $(FR_CFLAGS)
lint test: export CC := $(CC)
lint: WERROR := -Werror
lint: all build/include/freeradius | build/packages-lint
	$(PYTHON) tools/lint.py

format: | build/packages-lint
	clang-format -i $(C_FILES)

fuzz: | build/packages-test
	$(MAKE) V=fuzz fuzzers
	FUZZ_SECONDS=$(FUZZ_SECONDS) sh tools/fuzz.sh build/fuzz/fuzz build/corpus

show-%:
	@echo '$($*)'

clean:
	rm -rf $(filter-out build/dl,$(wildcard build/*))
distclean:
	rm -rf build

# ---- installing

FOLDERS_GIVEN = $(foreach name,DESTDIR $(FOLDERS),$(name)='$($(name))')

install: all
	$(FOLDERS_GIVEN) SYSTEMD='$(SYSTEMD)' sh tools/install.sh $(B)

uninstall:
	$(FOLDERS_GIVEN) sh tools/uninstall.sh

dist:
	@sh tools/dist.sh build

# ---- packages and other systems

deb: | build/packages-build build/packages-package
	@sh tools/deb.sh build/deb

test-packages: | build/packages-package
	@sh tools/test_packages.sh $(SUITES)

test-platforms: | build/packages-package
	@sh tools/test_platforms.sh $(PLATFORMS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
