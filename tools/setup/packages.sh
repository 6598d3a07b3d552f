# Sourced by tools/setup.sh: the system's packages. If systems have different names for a package,
# the names are listed together, and the first one in the archive is used.

build_packages=(gcc libc6-dev ninja-build pkg-config python3 python3-venv ca-certificates libssl-dev
    libseccomp-dev liblcms2-dev libjpeg-dev libturbojpeg0-dev libwebp-dev libavif-dev
    libjansson-dev libcurl4-openssl-dev libcmocka-dev protobuf-c-compiler libprotobuf-c-dev
    libonnx-dev esbuild brotli)

# libheif1 is loaded for HEIC and never linked with; the last three are for liblacquer's ABI and for
# programs of others that use it.
test_packages=(openssl curl patchelf libegl1 libgl1-mesa-dri valgrind libc6-dbg libheif1
    abigail-tools cmake g++ zbar-tools)

# Packages without which tests are skipped. Ubuntu's chromium is a snap, which does not work in a
# container.
wanted_packages() {
    case $(version_of chromium) in
    '' | *snap*) say "no chromium in this archive: the tests in a browser will be skipped" ;;
    *) echo chromium ;;
    esac
    # They emulate older x86-64 processors, and ARM64.
    [ "$machine" != x86_64 ] || echo qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    echo ccache clang # four builds are tested; ccache reuses objects of earlier runs
    echo "libclang-rt-dev|libclang-rt-$(clang_version)-dev|libclang-common-$(clang_version)-dev"
}

# Packages to build the page's own engine (tools/wasm.sh); none if the archive lacks one of them.
device_packages() {
    local name names=(clang lld wasi-libc binaryen zstd "libclang-rt-$(clang_version)-dev-wasm32")
    for name in "${names[@]}"; do
        is_installed "$name" || [ -n "$(version_of "$name")" ] || {
            say "no $name in this archive: the page's own engine is left out"
            return
        }
    done
    echo "${names[@]}"
}

clang_version() { version_of clang | cut -d. -f1; }

# The first of "a|b|c" that is installed, or else that the archive has.
pick() {
    local name
    for name in ${1//|/ }; do is_installed "$name" && echo "$name" && return; done
    for name in ${1//|/ }; do [ -n "$(version_of "$name")" ] && echo "$name" && return; done
    return 1
}

# Condenses apt-get's output to one line every ten seconds.
show_progress() {
    local line fetched=0 unpacked=0 ready=0 next=$((SECONDS + 10))
    while read -r line; do
        case $line in
        Get:*) fetched=$((fetched + 1)) ;;
        'Unpacking '*) unpacked=$((unpacked + 1)) ;;
        'Setting up '*) ready=$((ready + 1)) ;;
        esac
        [ $SECONDS -lt $next ] || {
            say "  of $1: $fetched fetched, $unpacked unpacked, $ready ready"
            next=$((SECONDS + 10))
        }
    done
}

install_packages() {
    local plan count
    plan=$(LC_ALL=C as_root apt-get install --assume-no --no-install-recommends "$@" 2>&1 || true)
    count=$(sed -n 's/.* \([0-9]*\) newly installed.*/\1/p' <<<"$plan")
    say "installing ${count:-the} packages: $*"
    grep -E '^(Need to get|After this)' <<<"$plan" | sed 's/^/setup:   /' >&2 || true
    as_root env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get install -qy \
        --no-install-recommends "$@" 2>&1 </dev/null | tee .deps/apt.log |
        show_progress "${count:-all}" || {
        tail -n 15 .deps/apt.log >&2
        give_up "apt-get failed; all of what it said is in .deps/apt.log"
    }
}

# Installs each of the named packages that is missing.
need_packages() {
    local spec name missing=() unknown=()
    for spec in "$@"; do
        name=$(pick "$spec") || {
            unknown+=("$spec")
            continue
        }
        is_installed "$name" || missing+=("$name")
    done
    [ ${#unknown[@]} -eq 0 ] || give_up "$(system_name) has no package ${unknown[*]}"
    [ ${#missing[@]} -gt 0 ] || return 0
    may_be_root || give_up "these packages are missing and there is no sudo; as root run:" \
        "apt-get install ${missing[*]}"
    install_packages "${missing[@]}"
}

# A minimal system has no lists yet, and an old one names files that are gone.
refresh_lists() {
    may_be_root || return 0
    say "reading the lists of packages"
    as_root apt-get update -q >/dev/null ||
        say "apt-get update failed: going on with the lists here"
}

all_installed() {
    local spec
    for spec in "$@"; do is_installed "$spec" || return; done
}

# $1: build, device or test.
get_packages() {
    local names=("${build_packages[@]}") more
    [ "$1" != test ] || names+=("${test_packages[@]}")
    all_installed "${names[@]}" || refresh_lists
    choose_sources "$1"
    [ -n "$meson_from_pypi" ] || names+=(meson)
    [ -n "$spng_from_pypi" ] && names+=(zlib1g-dev) || names+=(libspng-dev)
    [ "$1" != test ] || {
        mapfile -t more < <(wanted_packages | tr ' ' '\n')
        names+=("${more[@]}")
        [ "$python" = python3 ] || names+=("$python" "$python-venv")
        [ -n "$node_from_pypi" ] || command -v node >/dev/null || names+=(nodejs)
        [ -n "$node_from_pypi" ] || command -v npm >/dev/null || names+=(npm)
    }
    [ "$1" = build ] || {
        mapfile -t more < <(device_packages | tr ' ' '\n')
        names+=("${more[@]}")
        [ -n "$node_from_pypi" ] || command -v npm >/dev/null || names+=(npm)
    }
    need_packages "${names[@]}"
}
