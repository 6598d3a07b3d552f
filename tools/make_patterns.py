#!/usr/bin/env python3
"""Draws the nail-art patterns that come with Lacquer: looks/patterns/*.png, 128x192, tip at the top.

Usage: make_patterns.py OUT_DIR     Needs Pillow.
"""
import math
import pathlib
import random
import sys

from PIL import Image, ImageDraw

WIDTH, HEIGHT, OVER = 128, 192, 4


class Page:
    """A clear page drawn OVER times as large, in final pixels."""

    def __init__(self):
        self.image = Image.new("RGBA", (WIDTH * OVER, HEIGHT * OVER), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    def blob(self, x, y, rx, ry, color):
        self.draw.ellipse([(x - rx) * OVER, (y - ry) * OVER, (x + rx) * OVER, (y + ry) * OVER],
                          fill=color)

    def shape(self, points, color):
        self.draw.polygon([(x * OVER, y * OVER) for x, y in points], fill=color)

    def line(self, points, width, color):
        self.draw.line([(x * OVER, y * OVER) for x, y in points], fill=color,
                       width=round(width * OVER), joint="curve")

    def save(self, path):
        # Averaged with alpha multiplied in, or clear pixels' colour would fringe the edges.
        small = self.image.convert("RGBa").resize((WIDTH, HEIGHT), Image.BOX).convert("RGBA")
        small.quantize(64, method=Image.Quantize.FASTOCTREE).save(path, optimize=True)


def dots(page, _):
    for row in range(-1, 9):
        for column in range(-1, 6):
            page.blob(column * 28 + 14 * (row % 2) + 8, row * 26 + 8, 6.5, 6.5, (255, 250, 243, 255))


def stripes(page, _):
    for column in range(5):
        page.shape([(column * 28 + 6, 0), (column * 28 + 18, 0), (column * 28 + 18, HEIGHT),
                    (column * 28 + 6, HEIGHT)], (255, 252, 246, 255))
        page.line([(column * 28 + 23, 0), (column * 28 + 23, HEIGHT)], 1.5, (24, 26, 46, 255))


def gingham(page, _):
    for row in range(0, HEIGHT, 32):
        page.shape([(0, row), (WIDTH, row), (WIDTH, row + 16), (0, row + 16)], (255, 255, 255, 140))
    over = Page()
    for column in range(0, WIDTH, 32):
        over.shape([(column, 0), (column + 16, 0), (column + 16, HEIGHT), (column, HEIGHT)],
                   (255, 255, 255, 140))
    page.image.alpha_composite(over.image)


def heart(page, x, y, size, color):
    points = []
    for i in range(60):
        t = i * math.tau / 60
        points.append((x + size * 16 * math.sin(t) ** 3 / 16,
                       y - size * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t)
                                   - math.cos(4 * t)) / 16))
    page.shape(points, color)


def hearts(page, _):
    for row in range(5):
        for column in range(3):
            heart(page, column * 46 + 18 + 23 * (row % 2), row * 42 + 14, 9.5, (205, 22, 58, 255))


def flower(page, x, y, size, turn, petal, middle):
    for i in range(5):
        a = turn + i * math.tau / 5
        page.blob(x + size * 0.62 * math.cos(a), y + size * 0.62 * math.sin(a), size * 0.46,
                  size * 0.46, petal)
    page.blob(x, y, size * 0.30, size * 0.30, middle)


def daisies(page, dice):
    for x, y, size in [(30, 34, 19), (92, 62, 23), (38, 104, 22), (98, 142, 20), (34, 172, 17),
                       (84, 12, 13), (10, 70, 11), (64, 138, 10)]:
        flower(page, x, y, size, dice.random(), (255, 252, 248, 255), (246, 190, 40, 255))


def leopard(page, dice):
    for row in range(9):
        for column in range(6):
            x = column * 26 + 13 * (row % 2) + dice.uniform(-4, 4)
            y = row * 24 + dice.uniform(-4, 4)
            start, size = dice.uniform(0, math.tau), dice.uniform(7.0, 9.5)
            page.blob(x, y, size * 0.72, size * 0.62, (150, 88, 40, 235))
            for part in range(3):
                a0 = start + part * 2.1
                arc = [(x + size * math.cos(a0 + t * 0.17), y + size * 0.85 * math.sin(a0 + t * 0.17))
                       for t in range(9)]
                page.line(arc, 4.2, (32, 20, 15, 255))
                for end in (arc[0], arc[-1]):
                    page.blob(*end, 2.1, 2.1, (32, 20, 15, 255))


def stars(page, dice):
    for x, y, size in [(28, 30, 15), (96, 58, 19), (42, 96, 12), (88, 128, 11), (30, 156, 17),
                       (104, 176, 9), (70, 18, 7), (64, 150, 6), (14, 76, 6), (112, 98, 6)]:
        turn = dice.uniform(-0.2, 0.2)
        page.shape([(x + (size if i % 2 == 0 else size * 0.42) * math.sin(turn + i * math.pi / 5),
                     y - (size if i % 2 == 0 else size * 0.42) * math.cos(turn + i * math.pi / 5))
                    for i in range(10)], (238, 201, 112, 255))


def marble(page, dice):
    for _ in range(5):
        x, points = dice.uniform(0, WIDTH), []
        for step in range(30):
            points.append((x, step * HEIGHT / 28 - 4))
            x += dice.uniform(-9, 9.5)
        page.line(points, dice.uniform(4, 8), (170, 172, 180, 70))
        page.line(points, dice.uniform(1.0, 2.2), (96, 98, 110, 210))


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for draw in (dots, stripes, gingham, hearts, daisies, leopard, stars, marble):
        page = Page()
        draw(page, random.Random(7))
        page.save(folder / f"{draw.__name__}.png")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
