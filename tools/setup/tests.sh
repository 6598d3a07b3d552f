# Sourced by tools/setup.sh: installs what only the tests need.

get_test_tools() {
    local sum
    sum=$(cat tests/requirements.txt tests/e2e/package*.json tools/setup/tests.sh <(
        "$python" --version) | sha256sum)
    fresh tests "$sum" && return
    say "fetching the tests' tools: 220 MB, 490 MB on disk"
    venv
    pip_install -r tests/requirements.txt
    (cd tests/e2e && npm ci --silent --no-audit --no-fund)
    printf '%s' "$sum" >.deps/tests.stamp
}

# Prints the libraries on which the package in file $1 depends; "a|b" for alternatives.
libraries_of() {
    dpkg-deb -f "$1" Depends Pre-Depends | sed 's/^[A-Za-z-]*: //' | tr ',' '\n' |
        sed 's/([^)]*)//g; s/ //g; s/:any//g' | grep -E '^lib' | sort -u
}

# The balancers and promtool for testing deploy/: unpacked here, because their packages would start
# services when installed. Debian 12 and Ubuntu have promtool in the package prometheus.
get_servers() {
    local packages sum package libraries
    sum=$(cat tools/setup/tests.sh /etc/os-release | sha256sum)
    fresh servers "$sum" && return
    packages=(haproxy nginx "$(pick 'promtool|prometheus')")
    say "fetching ${packages[*]}: 20 to 30 MB"
    rm -rf .deps/servers
    mkdir -p .deps/servers/debs .deps/servers/bin
    (cd .deps/servers/debs && { apt-get download -q "${packages[@]}" >/dev/null 2>&1 ||
        { refresh_lists && apt-get download -q "${packages[@]}"; } >/dev/null; })
    for package in .deps/servers/debs/*.deb; do
        dpkg-deb -x "$package" .deps/servers
    done
    mapfile -t libraries < <(for package in .deps/servers/debs/{haproxy,nginx}_*.deb; do
        libraries_of "$package"
    done)
    need_packages "${libraries[@]}"
    mv .deps/servers/usr/sbin/{haproxy,nginx} .deps/servers/usr/bin/promtool .deps/servers/bin/
    rm -rf .deps/servers/{debs,etc,lib,usr,var}
    printf '%s' "$sum" >.deps/servers.stamp
}

# A real tritonserver; if it is not available, its tests are skipped and report that.
get_tritonserver() {
    local sum folder=.deps/tritonserver
    sum=$(cat tools/triton.txt tools/setup/tests.sh | sha256sum)
    fresh tritonserver "$sum" && return
    [ "$(.deps/venv/bin/python -c 'import sys; print(*sys.version_info[:2])')" = "3 11" ] &&
        [ "$machine" = x86_64 ] || {
        say "no tritonserver for this Python or processor: its tests will be skipped"
        return
    }
    need_packages libpython3.11
    say "fetching tritonserver: 40 MB, 216 MB on disk"
    rm -rf $folder
    pip_install --no-deps --target $folder -r tools/triton.txt
    cp $folder/pytriton/tritonserver/python_backend_stubs/3.11/triton_python_backend_stub \
        $folder/pytriton/tritonserver/backends/python/
    chmod +x $folder/pytriton/tritonserver/{bin/tritonserver,backends/python/*_stub}
    rm -rf $folder/pytriton/tritonserver/python_backend_stubs
    printf '%s' "$sum" >.deps/tritonserver.stamp
}
