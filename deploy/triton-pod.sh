#!/bin/sh
# The entry point of deploy/Dockerfile.triton: runs Triton on the GPU and Lacquer in front of it.
# Until Triton is ready (TensorRT first builds engines, which takes minutes), and whenever it is
# down, Lacquer detects nails on the processor. Arguments, such as --token-file, are passed to
# `lacquer serve`.
#
#   LACQUER_MODELS         the model repository, a persistent volume; /models
#   LACQUER_TRITON_REPO    options of `lacquer triton-repo`, for the first start;
#                          --gpu --tensorrt fp16
#   LACQUER_TRITON_SERVER  further options of tritonserver; none
set -eu
models=${LACQUER_MODELS:-/models}
# Removes a model that an interrupted start left half written: Triton would try to load it.
rm -rf "$models"/.nail.??????
if [ ! -d "$models/nail" ]; then
    # shellcheck disable=SC2086 # they are several options
    lacquer triton-repo --out "$models" --name nail ${LACQUER_TRITON_REPO---gpu --tensorrt fp16}
fi

# Triton has no authentication, so it listens only on loopback. It is restarted when it ends.
while :; do
    # shellcheck disable=SC2086 # they are several options
    tritonserver --model-repository="$models" --http-address=127.0.0.1 --allow-grpc=false \
        --metrics-address=127.0.0.1 ${LACQUER_TRITON_SERVER-} || true
    echo "triton-pod: tritonserver has ended; it is started again" >&2
    sleep 1
done &

exec lacquer serve --host=0.0.0.0 --triton-url=http://127.0.0.1:8000 --triton-model=nail \
    --fallback=openvino "$@"
