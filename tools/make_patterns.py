#!/usr/bin/env python3
"""Draws the nail-art patterns that ship with Lacquer: looks/patterns/*.png, 128x192, tip at top.

Each pattern tiles vertically: on a long nail it is repeated (docs/LOOKS.md).

Usage: make_patterns.py OUT_DIR     Needs Pillow.
"""
import math
import pathlib
import random
import sys

from PIL import Image, ImageDraw

WIDTH, HEIGHT, OVER = 128, 192, 4


class Page:
    """A transparent canvas, OVER times as large, in final pixels."""

    def __init__(self):
        self.image = Image.new("RGBA", (WIDTH * OVER, HEIGHT * OVER), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    # What crosses the top or bottom edge continues at the opposite edge.
    def blob(self, x, y, rx, ry, color):
        for shift in (-HEIGHT, 0, HEIGHT):
            self.draw.ellipse([(x - rx) * OVER, (y + shift - ry) * OVER, (x + rx) * OVER,
                               (y + shift + ry) * OVER], fill=color)

    def shape(self, points, color):
        for shift in (-HEIGHT, 0, HEIGHT):
            self.draw.polygon([(x * OVER, (y + shift) * OVER) for x, y in points], fill=color)

    def line(self, points, width, color):
        for shift in (-HEIGHT, 0, HEIGHT):
            self.draw.line([(x * OVER, (y + shift) * OVER) for x, y in points], fill=color,
                           width=round(width * OVER), joint="curve")

    def save(self, path):
        # Averaged with premultiplied alpha, because clear pixels' colour would fringe the edges.
        small = self.image.convert("RGBa").resize((WIDTH, HEIGHT), Image.BOX).convert("RGBA")
        small.quantize(64, method=Image.Quantize.FASTOCTREE).save(path, optimize=True)


def dots(page, _):
    for row in range(8):
        for column in range(-1, 6):
            page.blob(column * 28 + 14 * (row % 2) + 8, row * 24 + 8, 6.5, 6.5,
                      (255, 250, 243, 255))


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
    for row in range(4):
        for column in range(3):
            heart(page, column * 46 + 18 + 23 * (row % 2), row * 48 + 20, 9.5, (205, 22, 58, 255))


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


def scatter(dice, apart, tries=4000):
    """Random points, no two of which are nearer than that, also across the top and bottom edge."""
    places = []
    for _ in range(tries):
        x, y = dice.uniform(-6, WIDTH + 6), dice.uniform(0, HEIGHT)
        down = [min(abs(y - b), HEIGHT - abs(y - b)) for _, b in places]
        if all(math.hypot(x - a, d) > apart for (a, _), d in zip(places, down)):
            places.append((x, y))
    return places


def rosette(page, dice, x, y, size):
    lean, flat = dice.uniform(-0.5, 0.5), dice.uniform(0.72, 0.95)

    def at(angle, radius):
        dx, dy = radius * math.cos(angle), radius * flat * math.sin(angle)
        return (x + dx * math.cos(lean) - dy * math.sin(lean),
                y + dx * math.sin(lean) + dy * math.cos(lean))

    bumps = [dice.uniform(0.85, 1.15) for _ in range(7)]
    page.shape([at(i * math.tau / 42, size * 0.74 * bumps[i // 6]) for i in range(42)],
               (150, 88, 40, 235))
    count, turn = dice.choice((2, 3, 3, 4)), dice.uniform(0, math.tau)
    for number in range(count):
        begin = turn + number * math.tau / count
        sweep = math.tau / count * dice.uniform(0.55, 0.82)
        thick = dice.uniform(0.8, 1.25)
        for step in range(25):
            t = step / 24
            radius = size * 0.25 * thick * (0.55 + 0.45 * math.sin(math.pi * t))
            page.blob(*at(begin + sweep * t, size * (0.95 + 0.1 * math.sin(5 * t + begin))),
                      radius, radius, (32, 20, 15, 255))


def leopard(page, dice):
    places = scatter(dice, 20.0)
    for number, (x, y) in enumerate(places):
        if number % 7 == 5:
            page.blob(x, y, dice.uniform(3.5, 5.5), dice.uniform(3.5, 4.5), (32, 20, 15, 255))
        else:
            rosette(page, dice, x, y, dice.uniform(8.2, 10.6))


def stars(page, dice):
    for x, y, size in [(28, 30, 15), (96, 58, 19), (42, 96, 12), (88, 128, 11), (30, 156, 17),
                       (104, 176, 9), (70, 18, 7), (64, 150, 6), (14, 76, 6), (112, 98, 6)]:
        turn = dice.uniform(-0.2, 0.2)
        page.shape([(x + (size if i % 2 == 0 else size * 0.42) * math.sin(turn + i * math.pi / 5),
                     y - (size if i % 2 == 0 else size * 0.42) * math.cos(turn + i * math.pi / 5))
                    for i in range(10)], (238, 201, 112, 255))


def wander(dice, reach):
    """A smooth curve from the picture's top to its bottom that ends at the same x: y -> x."""
    waves = [(reach * dice.uniform(0.4, 1.0) / k ** 1.2, k, dice.uniform(0, math.tau))
             for k in (1, 2, 3, 5, 8)]
    return lambda y: sum(far * math.sin(math.tau * k * y / HEIGHT + start)
                         for far, k, start in waves)


def vein(page, way, top, bottom, widest, ink):
    """Dots along a curve, so that its width may vary: down to nothing at both ends."""
    steps = int((bottom - top) * 3)
    for step in range(steps + 1):
        y = top + step / 3
        swell = 0.55 + 0.45 * math.sin(y * 0.11 + widest * 9)
        end = 1.0 if bottom - top >= HEIGHT else math.sin(math.pi * step / steps) ** 0.6
        radius = 0.5 * widest * swell * end
        if radius > 0.08:
            page.blob(way(y), y, radius, radius, ink)


def marble(page, dice):
    # Each layer is drawn opaque and made translucent afterwards: overlapping dots stay even.
    for widest, alpha, count in ((15.0, 26, 3), (6.5, 48, 4), (1.7, 170, 3), (0.9, 120, 5)):
        layer = Page()
        for number in range(count):
            middle = WIDTH * (number + dice.uniform(0.2, 0.8)) / count
            path = wander(dice, 26 if widest > 1 else 34)
            whole = widest > 1.5 and number % 2 == 0
            top = 0 if whole else dice.uniform(0, HEIGHT)
            length = HEIGHT if whole else dice.uniform(60, 120)
            vein(layer, lambda y, m=middle, p=path: m + p(y), top, top + length, widest,
                 (120, 122, 134, 255))
        thin = layer.image.getchannel("A").point(lambda a, most=alpha: a * most // 255)
        layer.image.putalpha(thin)
        page.image.alpha_composite(layer.image)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for draw in (dots, stripes, gingham, hearts, daisies, leopard, stars, marble):
        page = Page()
        draw(page, random.Random(7))
        page.save(folder / f"{draw.__name__}.png")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
