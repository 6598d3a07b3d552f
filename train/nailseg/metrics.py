"""The figures of `lacquer eval` (src/eval/metrics.h defines them), at full picture size.

Masks are boolean arrays. The two programs must agree within 0.1 points; tests/train compares the
definitions with small pictures counted by hand.
"""
import cv2
import numpy as np

from . import traits

TOLERANCE_PX, AREA_MIN = 2, 20
SUMS = ("inter", "union", "found", "missed", "false", "painted", "blank_pixels")


def outline(mask):
    """Nail pixels with one of four neighbours outside the nail; the picture's edge is not an
    outline."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    m = mask.astype(np.uint8)
    return (m - cv2.erode(m, cross, borderType=cv2.BORDER_CONSTANT, borderValue=1)) > 0


def grown(edge, px):
    """An outline widened by a disc of radius px."""
    y, x = np.ogrid[-px:px + 1, -px:px + 1]
    return cv2.dilate(edge.astype(np.uint8), (x * x + y * y <= px * px).astype(np.uint8)) > 0


def boundary_f(mask, truth, px=TOLERANCE_PX):
    """2PR/(P+R) of the outlines within px pixels; 1 if both are empty."""
    a, b = outline(mask), outline(truth)
    if not a.any() or not b.any():
        return float(a.any() == b.any())
    precision, recall = (a & grown(b, px)).sum() / a.sum(), (b & grown(a, px)).sum() / b.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def components(mask, other, share):
    """(all, covered): components of mask, and those of which at least `share` lies on other."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    area = np.bincount(labels.ravel(), minlength=count)[1:]
    both = np.bincount(labels[other], minlength=count)[1:]
    large = area >= AREA_MIN
    return int(large.sum()), int((large & (both >= share * area)).sum())


def score(mask, truth):
    """One picture's counts, its own IoU and boundary F."""
    inter, union = int((mask & truth).sum()), int((mask | truth).sum())
    drawn, found = components(truth, mask, .5)
    predicted, true = components(mask, truth, .25)
    blank = not truth.any()
    return {"inter": inter, "union": union, "iou": inter / union if union else 1.0,
            "boundary_f": boundary_f(mask, truth), "found": found, "missed": drawn - found,
            "false": predicted - true, "painted": int(mask.sum()) if blank else 0,
            "blank_pixels": mask.size if blank else 0}


def total(rows):
    """Sums and means over pictures, under the keys that `lacquer eval --json` prints."""
    s = {k: sum(r[k] for r in rows) for k in SUMS}
    return {"images": len(rows), "iou": s["inter"] / s["union"] if s["union"] else 1.0,
            "mean_iou": float(np.mean([r["iou"] for r in rows])),
            "boundary_f": float(np.mean([r["boundary_f"] for r in rows])),
            "found": s["found"], "missed": s["missed"], "false": s["false"],
            "false_paint": s["painted"] / s["blank_pixels"] if s["blank_pixels"] else None}


def groups(rows):
    """Totals by class: rows are (counts, {"tone": "light", …}); pictures without a class are left
    out."""
    out = {trait: {} for trait in traits.CLASSES}
    for trait, classes in traits.CLASSES.items():
        for name, _ in classes:
            part = [counts for counts, of in rows if of[trait] == name]
            if part:
                out[trait][name] = total(part)
    return out
