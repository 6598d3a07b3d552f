#!/usr/bin/env python3
"""Runs a test program as on a processor with fewer instructions, by setting oneDNN's limit.

  isa.py ISA PROGRAM

Exits 77, which skips the test, if this processor lacks the instructions that the limit names: the
limit would then change nothing, and the test would say nothing about other machines.
"""
import os
import pathlib
import sys

FLAGS = {"SSE41": "sse4_1", "AVX2": "avx2", "AVX2_VNNI": "avx_vnni",
         "AVX512_CORE": "avx512f avx512bw avx512dq avx512vl", "AVX512_CORE_VNNI": "avx512_vnni",
         "AVX512_CORE_BF16": "avx512_bf16", "AVX512_CORE_FP16": "avx512_fp16",
         "AVX512_CORE_AMX": "amx_tile amx_int8 amx_bf16"}


def main(isa, program):
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    lines = [line for line in text.splitlines() if line.startswith("flags")]
    has = set(lines[0].split()) if lines else set()
    missing = [flag for flag in FLAGS[isa].split() if flag not in has]
    if missing:
        print(f"skipped: this processor has no {', '.join(missing)}")
        return 77
    os.environ["ONEDNN_MAX_CPU_ISA"] = isa
    os.execv(program, [program])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
