# Sourced by tools/setup.sh: determines the system, what its archive offers, and which packages are
# too old. All of it is reported before anything is installed.

say() { printf 'setup: %s\n' "$*" >&2; }

give_up() {
    say "$@"
    exit 1
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

may_be_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }

machine=$(uname -m)
[ "$machine" != arm64 ] || machine=aarch64

# "Debian GNU/Linux 12 (bookworm), x86_64"
system_name() {
    local name
    # shellcheck source=/dev/null
    name=$(. "${LACQUER_OS_RELEASE:-/etc/os-release}" 2>/dev/null && echo "${PRETTY_NAME:-}") ||
        true
    echo "${name:-an unknown system}, $machine"
}

# $1 is at least version $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The version of package $1 that is or would be installed; empty if the archive has none.
version_of() {
    local version
    version=$(LC_ALL=C apt-cache policy "$1" 2>/dev/null | awk '/^  Candidate:/ {print $2}')
    [ "$version" = '(none)' ] || echo "${version#*:}"
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Checks requirements for which there is no other source.
check_system() {
    local libc
    case $machine in
    x86_64 | aarch64) ;;
    armv* | i?86) give_up "$(system_name): a 32-bit system, for which there is no OpenVINO;" \
        "install the 64-bit one (Raspberry Pi OS 64-bit, Debian arm64 or amd64)" ;;
    *) give_up "$(system_name): there is no OpenVINO for this processor, only for x86_64 and" \
        "aarch64" ;;
    esac
    command -v apt-get >/dev/null ||
        give_up "$(system_name): no apt-get here. Lacquer is set up on" \
            "Debian 12 and 13 and Ubuntu 22.04 and 24.04; elsewhere use the container (README.md)"
    libc=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
    # The oldest that OpenVINO's wheel is built for.
    local oldest=2.28
    [ "$machine" = x86_64 ] || oldest=2.35
    at_least "$libc" $oldest ||
        give_up "$(system_name) is too old: OpenVINO needs glibc $oldest and" \
            "this is $libc. Debian 12 and Ubuntu 22.04 are new enough; or use the container" \
            "(README.md)"
}

# Set by choose_sources: programs taken from PyPI, because the archive's are too old; and $python.
meson_from_pypi='' node_from_pypi='' spng_from_pypi=''

# The version of the installed command $1, or else of package $2 in the archive.
version_here() {
    local version
    version=$({ "$1" --version 2>/dev/null || true; } | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1)
    echo "${version:-$(version_of "$2")}"
}

needed_meson() { sed -n "s/.*meson_version: '>= \([0-9.]*\)'.*/\1/p" meson.build; }

choose_meson() {
    local has needs
    needs=$(needed_meson)
    has=$(PATH=${PATH//"$PWD/.deps/bin:"/} version_here meson meson)
    at_least "${has:-0}" "$needs" || {
        say "meson ${has:-is not here} (Lacquer needs $needs): taking PyPI's, into .deps"
        meson_from_pypi=1
    }
    has=$(PATH=${PATH//"$PWD/.deps/bin:"/} version_here ninja ninja-build)
    at_least "${has:-0}" 1.11 || {
        say "ninja ${has:-is not here} (Lacquer needs 1.11): taking PyPI's, into .deps"
        meson_from_pypi=1
    }
}

choose_spng() {
    [ -n "$(version_of libspng-dev)" ] || {
        say "no libspng in this archive: building PyPI's, in .deps"
        spng_from_pypi=1
    }
}

choose_node() {
    local has
    has=$(PATH=${PATH//"$PWD/.deps/bin:"/} version_here node nodejs)
    at_least "${has:-0}" 18 || {
        say "Node ${has:-is not here} (the tests need 18): taking PyPI's, into .deps"
        node_from_pypi=1
    }
}

# numpy and others are pinned at versions that need Python 3.11.
choose_python() {
    local has name
    has=$(version_here python3 python3)
    python=python3
    at_least "${has:-0}" 3.11 && return
    for name in python3.13 python3.12 python3.11; do
        [ -n "$(version_of $name)" ] || continue
        say "Python $has is too old for the tests (3.11): taking $name for them"
        python=$name
        return
    done
    give_up "Python $has is too old for the tests, which need 3.11, and $(system_name) has no newer"
}

# $1: build or test.
choose_sources() {
    local ssl
    ssl=$(version_of libssl-dev)
    at_least "${ssl:-9}" 3.0 ||
        give_up "$(system_name) is too old: its OpenSSL is $ssl and Lacquer" \
            "needs 3.0. Debian 12 and Ubuntu 22.04 are new enough; or use the container (README.md)"
    local avif
    avif=$(version_of libavif-dev)
    at_least "${avif:-9}" 0.9.2 || give_up "$(system_name) is too old: its libavif is $avif and" \
        "Lacquer needs 0.9.2. Use Debian 12, Ubuntu 22.04 or the container (README.md)"
    choose_meson
    choose_spng
    [ "$1" != test ] || {
        choose_node
        choose_python
    }
}
