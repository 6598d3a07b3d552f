#!/usr/bin/env bash
# Validates deploy/kubernetes with the schemas of Kubernetes itself and rejects unknown fields. The
# schemas come in a package of 18 MB that nothing else needs, so `make test` does not run this.
#
#   tools/check_kubernetes.sh [VERSION...]      default: the oldest and the newest version tested
#
# custom-metrics.yaml is not checked: it is part of another program's configuration, not an object.
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
# Makes sure that a mistake is detected.
if sed 's/minReplicas:/minReplica:/' deploy/kubernetes/lacquer.yaml |
    "$venv/bin/kubernetes-validate" --strict --quiet /dev/stdin >/dev/null 2>&1; then
    echo "check_kubernetes: a misspelt field was not found" >&2
    exit 1
fi
