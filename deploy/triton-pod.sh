#!/bin/sh
# What the image of deploy/Dockerfile.triton runs: Triton on the GPU, Lacquer before it. Lacquer
# answers from the processor until Triton is ready (TensorRT builds engines first, which takes
# minutes) and whenever it is not. Arguments go to `lacquer serve`, as --token-file.
#
#   LACQUER_MODELS         the model repository, a volume that stays; /models
#   LACQUER_TRITON_REPO    options of `lacquer triton-repo`, for the first start;
#                          --gpu --tensorrt fp16
#   LACQUER_TRITON_SERVER  further options of tritonserver; none
set -eu
models=${LACQUER_MODELS:-/models}
# What a start that was cut off left half written: Triton would take it for a model.
rm -rf "$models"/.nail.??????
if [ ! -d "$models/nail" ]; then
    # shellcheck disable=SC2086 # they are several options
    lacquer triton-repo --out "$models" --name nail ${LACQUER_TRITON_REPO---gpu --tensorrt fp16}
fi

# Triton has no passwords: nobody outside reaches it. It is started again when it ends.
while :; do
    # shellcheck disable=SC2086 # they are several options
    tritonserver --model-repository="$models" --http-address=127.0.0.1 --allow-grpc=false \
        --metrics-address=127.0.0.1 ${LACQUER_TRITON_SERVER-} || true
    echo "triton-pod: tritonserver has ended; it is started again" >&2
    sleep 1
done &

exec lacquer serve --host=0.0.0.0 --triton-url=http://127.0.0.1:8000 --triton-model=nail \
    --fallback=openvino "$@"
