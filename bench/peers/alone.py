#!/usr/bin/env python3
"""Times the model alone in the TFLite runtime: no decoding, no painting, no network.

  alone.py --model M.tflite [--threads N] [--seconds 5] [--frames 3]

Threads 0: the runtime's default number.
Prints one JSON object: frames, fps, p50_ms, p95_ms, p99_ms, cpu_percent.
"""
import argparse
import json
from time import perf_counter, process_time

import numpy as np

from nails import Detector


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", required=True)
    options.add_argument("--threads", type=int, default=0)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--frames", type=int, default=3)
    chosen = options.parse_args()
    detector = Detector(chosen.model, chosen.threads)
    shape = (1, detector.height, detector.width, 3)
    tensor = np.random.default_rng(1).random(shape, dtype=np.float32)
    for _ in range(2):
        detector.infer(tensor)
    times, start, cpu = [], perf_counter(), process_time()
    while perf_counter() - start < chosen.seconds or len(times) < chosen.frames:
        before = perf_counter()
        detector.infer(tensor)
        times.append((perf_counter() - before) * 1000)
    wall, cpu = perf_counter() - start, process_time() - cpu
    p50, p95, p99 = np.percentile(times, (50, 95, 99))
    print(json.dumps({"frames": len(times), "fps": round(len(times) / wall, 3),
                      "p50_ms": round(p50, 3), "p95_ms": round(p95, 3),
                      "p99_ms": round(p99, 3), "cpu_percent": round(100 * cpu / wall, 1)}))


if __name__ == "__main__":
    main()
