"""The loss of training: cross-entropy weighted towards edges, and overlap."""
import torch
import torch.nn.functional as F


def edge_band(label, radius=2):
    """1 within `radius` pixels of a nail's outline, 0 elsewhere."""
    k = 2 * radius + 1
    grown = F.max_pool2d(label, k, 1, radius)
    shrunk = -F.max_pool2d(-label, k, 1, radius)
    return grown - shrunk


def nail_loss(logits, label, edge=3.0, overlap=0.5, picture=0.5):
    """Edge-weighted cross-entropy + soft Jaccard over the batch + soft Dice over each picture.

    The first gives every pixel a gradient, the second has the form of the reported figure, the
    third keeps small nails from being outweighed by close-ups. Labels are coverage in 0..1.
    """
    weight = 1 + edge * edge_band(label)
    bce = (F.binary_cross_entropy_with_logits(logits, label, reduction="none") * weight).mean()
    p = torch.sigmoid(logits)
    hit, both = (p * label).sum((1, 2, 3)), (p + label).sum((1, 2, 3))
    jaccard = 1 - (hit.sum() + 1) / (both.sum() - hit.sum() + 1)
    dice = 1 - (2 * hit + 8) / (both + 8)
    return bce + overlap * jaccard + picture * dice.mean()


def imitation(logits, probability, label, edge=3.0):
    """Cross-entropy against a teacher's probabilities, weighted as in nail_loss."""
    weight = 1 + edge * edge_band(label)
    return (F.binary_cross_entropy_with_logits(logits, probability, reduction="none") *
            weight).mean()
