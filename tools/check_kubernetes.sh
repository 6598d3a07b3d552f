#!/usr/bin/env bash
# Holds deploy/kubernetes against the schemas of Kubernetes itself, unknown fields refused. They
# come with a package of 18 MB that nothing else needs, which is why this is no part of `make test`.
#
#   tools/check_kubernetes.sh [VERSION...]      default: the oldest and the newest that are tried
#
# custom-metrics.yaml is a piece of another program's configuration and no object: it is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.deps/venv-kubernetes
versions=("$@")
[ $# -gt 0 ] || versions=(1.25 1.33)

if [ ! -x "$venv/bin/kubernetes-validate" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" --disable-pip-version-check -q install kubernetes-validate==1.33.1
fi
for version in "${versions[@]}"; do
    "$venv/bin/kubernetes-validate" --strict -k "$version" deploy/kubernetes/lacquer.yaml
done
# What it would say of a mistake.
if sed 's/minReplicas:/minReplica:/' deploy/kubernetes/lacquer.yaml |
    "$venv/bin/kubernetes-validate" --strict --quiet /dev/stdin >/dev/null 2>&1; then
    echo "check_kubernetes: a misspelt field was not found" >&2
    exit 1
fi
