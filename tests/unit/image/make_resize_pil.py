#!/usr/bin/env python3
"""Writes resize_pil.h: what PIL's BILINEAR makes of a few noise pictures. Needs Pillow.

Usage: make_resize_pil.py > resize_pil.h
"""
from PIL import Image, __version__

SIZES = [(23, 17, 9, 7), (7, 5, 11, 8), (40, 3, 13, 6)]


def noise(count, state):
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        yield state >> 24


print(f"""// Made by make_resize_pil.py with Pillow {__version__}: width, height, the same after
// resizing, and the pixels. The sources are noise from the generator in that script, seeded with
// 1000 width + height.
#pragma once

#include <stdint.h>

static const struct {{
    int from[2], to[2];
    uint8_t pixels[{max(w * h * 3 for _, _, w, h in SIZES)}];
}} resize_pil[] = {{""")
for width, height, to_width, to_height in SIZES:
    pixels = bytes(noise(width * height * 3, width * 1000 + height))
    picture = Image.frombytes("RGB", (width, height), pixels)
    values = picture.resize((to_width, to_height), Image.BILINEAR).tobytes()
    print(f"    {{{{{width}, {height}}}, {{{to_width}, {to_height}}}, {{")
    for at in range(0, len(values), 18):
        print("         " + " ".join(f"{value}," for value in values[at : at + 18]))
    print("     }},")
print("};")
