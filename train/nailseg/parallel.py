"""Data-parallel training on one machine: worker processes that train on different samples and
average their gradients after every step, so that all of them hold the same weights.
"""
import contextlib
import multiprocessing
import os
import tempfile

import torch
import torch.distributed as dist


class Alone:
    """The only worker: its gradients and its clock are already the average."""

    rank, count = 0, 1

    def average(self, parameters):
        pass

    def agree(self, seconds, stopping):
        return seconds, stopping


class Workers:
    """One of `count` workers; `rendezvous` is the path of a file that does not exist yet and at
    which they find each other."""

    def __init__(self, rank, count, rendezvous):
        self.rank, self.count = rank, count
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        dist.init_process_group("gloo", f"file://{rendezvous}", rank=rank, world_size=count)

    def mean(self, values):
        dist.all_reduce(values)
        return values.div_(self.count)

    def average(self, parameters):
        """Replaces each gradient by its mean over the workers."""
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = self.mean(torch.cat([g.flatten() for g in grads]))
        for grad, part in zip(grads, flat.split([g.numel() for g in grads])):
            grad.copy_(part.view_as(grad))

    def agree(self, seconds, stopping):
        """The mean of the workers' clocks, and whether any of them wants to stop: otherwise one
        would wait for the others for ever."""
        values = self.mean(torch.tensor([seconds, float(stopping)], dtype=torch.float64))
        return values[0].item(), values[1].item() > 0


@contextlib.contextmanager
def started(count, target, args):
    """Starts workers 1 .. count - 1, each of which calls target(args, workers), and yields worker
    0's Workers; the others are joined at the end, or ended if worker 0 fails."""
    if count == 1:
        yield Alone()
        return
    with tempfile.TemporaryDirectory() as folder:
        path, context = os.path.join(folder, "rendezvous"), multiprocessing.get_context("spawn")
        others = [context.Process(target=enter, args=(target, args, rank, count, path), daemon=True)
                  for rank in range(1, count)]
        for process in others:
            process.start()
        try:
            yield Workers(0, count, path)
        except BaseException:
            for process in others:
                process.terminate()
            raise
        finally:
            for process in others:
                process.join()
            dist.destroy_process_group()


def enter(target, args, rank, count, path):
    """What a started process runs."""
    target(args, Workers(rank, count, path))
    dist.destroy_process_group()
