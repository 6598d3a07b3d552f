# Thin wrappers: each sets up what it needs (the system's packages, OpenVINO in .deps/) and calls
# meson.
#
#   make serve    build and run on http://localhost:8080        (PORT=9000 make serve)
#                 ENGINE=tensorrt: on an NVIDIA GPU, in the same process (docs/ENGINES.md)
#   make build    build only: build/lacquer
#   make test     everything that can be tested on this machine
#   make test-quick  tests of the folders that changed since SINCE=COMMIT (default: that have
#                 uncommitted changes), in under a minute
#   make bench    measure the comparison table and the kernels
#   make install  install in /usr/local (DESTDIR and PREFIX are supported)
#   make deb      Debian packages of the program and the library, in build/deb
#   make wheel    the Python package, in build/wheel
#   make device   the runtime that detects nails on the visitor's own device, in build/device
#   make npm      the npm package of the page's element, in build/npm
#   make dist     the source tarball of the last commit, in build
BUILD ?= build
PREFIX ?= /usr/local
PYTHON := .deps/venv/bin/python
# Programs that the set-up installed because the system's versions are too old.
export PATH := $(CURDIR)/.deps/bin:$(PATH)
export PKG_CONFIG_PATH := $(CURDIR)/.deps/spng/lib/pkgconfig:$(PKG_CONFIG_PATH)

# Meson uses ccache if it is installed. This lets it reuse objects compiled in other checkouts.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

# On a terminal ninja shows one line that counts the steps; a log does not get it.
QUIET := $(if $(MAKE_TERMOUT),,--quiet)

.PHONY: all ready build gpu serve test test-quick bench install deb wheel device npm dist clean
all: build

$(BUILD)/build.ninja:
	meson setup $(BUILD) --buildtype=release --prefix=$(PREFIX) >/dev/null

# Configures the build folder again, to find what the set-up downloaded later (such as the page's
# engine for `make test`).
define configure_again
@[ ! -f $(BUILD)/build.ninja ] || \
	[ -z "$$(find .deps -maxdepth 1 -name '*.stamp' -newer $(BUILD)/build.ninja)" ] || \
	meson setup --reconfigure $(BUILD) >/dev/null
endef

ready:
	@tools/setup.sh build
	$(configure_again)
	@$(MAKE) -s $(BUILD)/build.ninja
	@[ -e $(BUILD)/lacquer ] || echo "setup: compiling, a minute or two on two cores" >&2

build: ready
	@ninja -C $(BUILD) $(QUIET)

gpu:
	@tools/setup.sh gpu

serve: ready $(if $(filter tensorrt cuda,$(ENGINE)),gpu)
	@ninja -C $(BUILD) $(QUIET) lacquer
	@exec $(BUILD)/lacquer serve $(if $(ENGINE),--engine $(ENGINE)) $(ARGS)

test:
	@tools/setup.sh test
	$(configure_again)
	@tools/test.sh $(BUILD)

test-quick:
	@python3 tools/test_quick.py $(BUILD) $(SINCE)

bench: build
	@bench/peers/setup.sh
	@meson test -C $(BUILD) --benchmark --verbose
	@$(BUILD)/lacquer bench --peers

install: build
	@meson install -C $(BUILD) --no-rebuild

deb:
	@tools/setup.sh build
	@tools/deb.sh $(BUILD)/deb

wheel: build
	@tools/wheel.sh $(BUILD)

device: ready
	@tools/setup.sh device
	$(configure_again)
	@ninja -C $(BUILD) $(QUIET) lacquer device.stamp

npm: device
	@tools/npm.sh $(BUILD)

dist:
	@tools/dist.sh $(BUILD)

clean:
	rm -rf $(BUILD) build-asan
