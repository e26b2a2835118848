#!/usr/bin/env python3
"""Draws logo.png, the demo's badge: python3 make_logo.py (standard library only)."""

import math
import struct
import zlib
from pathlib import Path

SIZE, OVER = 256, 4  # pixels; samples a pixel in each direction
TOP, BOTTOM = (58, 160, 255), (104, 72, 214)


def rounded_box(x, y, cx, cy, half, radius):
    """Signed distance to a rounded square, negative inside."""
    dx, dy = abs(x - cx) - half + radius, abs(y - cy) - half + radius
    return math.hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - radius


def segment(x, y, ax, ay, bx, by):
    """Distance to a line segment."""
    t = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
    t = min(max(t, 0), 1)
    return math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay))


def sample(x, y):
    """Premultiplied RGBA, 0 to 1."""
    badge = rounded_box(x, y, 128, 122, 104, 46)
    if badge > 0:
        shadow = rounded_box(x, y, 128, 130, 100, 46)
        return (0, 0, 0, 0.38 * math.exp(-((max(shadow, 0) / 9) ** 2)) if shadow < 26 else 0)
    if math.hypot(x - 186, y - 70) < 17:
        return (1.0, 0.33, 0.36, 1)
    if min(segment(x, y, 76, 84, 124, 172), segment(x, y, 124, 172, 157, 112)) < 15:
        return (1, 1, 1, 1)
    t = (x + y - 42) / 428
    edge = 0.16 if badge > -3 else 0
    return (*((a + (b - a) * t) / 255 * (1 - edge) + edge for a, b in zip(TOP, BOTTOM)), 1)


def pixel(px, py):
    total = [0.0] * 4
    for i in range(OVER * OVER):
        s = sample(px + (i % OVER + 0.5) / OVER, py + (i // OVER + 0.5) / OVER)
        total = [a + b for a, b in zip(total, s)]
    alpha = total[3] / OVER**2
    colour = [round(255 * v / total[3]) if alpha else 0 for v in total[:3]]
    return bytes((*colour, round(255 * alpha)))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(SIZE)) for y in range(SIZE))
header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
Path(__file__).with_name("logo.png").write_bytes(png)
