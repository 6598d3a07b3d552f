"""The training loop: one process or several (parallel.py), a core each, and a schedule that follows
the clock.

Time is the scarce resource, so the schedule is a share of --hours rather than a count of steps: the
learning rate warms up, stays, then falls, while crops grow. Every epoch saves last.pt; stable.pt is
the state just before the rate falls, from which a run with more hours can continue.
"""
import json
import os
import signal
import sys
import time

import cv2
import numpy as np
import torch

from . import augment, checkpoint, compact, data, evaluate, pretrained
from .light import begin, make
from .loss import imitation, nail_loss
from .optim import Mixed
from .parallel import Alone, started


class Average:
    """Exponential moving average of weights and batch-norm statistics."""

    def __init__(self, model, decay):
        self.decay, self.steps = decay, 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model):
        self.steps += 1
        d = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for k, v in model.state_dict().items():
            if v.dtype.is_floating_point:
                self.state[k].lerp_(v, 1 - d)
            else:
                self.state[k].copy_(v)


def rate(progress, opt):
    """The learning rate at this share of the run, relative to its maximum."""
    if progress < opt["warmup"]:
        return max(progress / opt["warmup"], .02)
    if progress < opt["decay_from"]:
        return 1.0
    left = max(1 - progress, 0) / (1 - opt["decay_from"])
    return max(left * left * (3 - 2 * left), .005)


def phase(progress, phases):
    """The phase at this share of the run."""
    return next((p for p in phases if progress < p["until"]), phases[-1])


class Run:
    """One training run and all of its state. learned: initialise stages from external weights if
    they can be. maps: the folder of a teacher's maps."""

    def __init__(self, config, out, root, hours, synth=None, learned=True, maps=None):
        self.config, self.out = config, out
        self.budget = hours * 3600
        opt = config["optimiser"]
        torch.manual_seed(config["seed"])
        self.model = make(**config["model"])
        if self.model.pretrained and learned:
            pretrained.load(self.model)
        if config.get("rounded"):
            compact.train_rounded(self.model)
        self.layout = torch.channels_last
        self.model.to(memory_format=self.layout)
        self.forward = self.model  # or its compiled form
        self.average = Average(self.model, opt["ema"])
        self.opt = Mixed(self.model, opt)
        self.seconds, self.epoch, self.images, self.best = 0.0, 0, 0, 0.0
        self.evaluated = -1e9
        self.interrupted, self.stopping = False, False  # stopping: all workers agree
        self.at, self.stop_at, self.teacher = 0.0, None, None
        self.workers = Alone()
        self.store = data.Store(root, synth, config["data"]["synth_max"], maps,
                                config["data"].get("labels"))
        self.val = data.load(data.list_set(root, "val"))
        self.test = data.load(data.list_set(root, "a"))

    def progress(self):
        return self.seconds / self.budget

    def tick(self):
        """Adds the time since the last call, including measurements, to the run's."""
        now = time.monotonic()
        self.seconds, self.at = self.seconds + now - self.at, now

    def state(self):
        return {"config": self.config, "model": self.model.state_dict(),
                "ema": self.average.state, "ema_steps": self.average.steps,
                "optimiser": self.opt.state_dict(), "seconds": self.seconds,
                "epoch": self.epoch, "images": self.images, "best": self.best}

    def save(self, name):
        if self.workers.rank > 0:
            return
        checkpoint.save(os.path.join(self.out, name), self.state())

    def compile(self):
        """Compiles the network by TorchInductor, which is a sixth faster with channels first."""
        self.layout = torch.contiguous_format
        self.forward = torch.compile(self.model.to(memory_format=self.layout))

    def begin(self, path):
        """Takes a checkpoint's weights; of another network's those that fit (light.py)."""
        if checkpoint.load(path)["config"]["model"] == self.config["model"]:
            return self.resume(path, weights_only=True)
        begin(self.model, checkpoint.network(path))
        self.average = Average(self.model, self.config["optimiser"]["ema"])

    def resume(self, path, weights_only=False):
        s = checkpoint.load(path)
        if s["config"]["model"] != self.config["model"]:
            raise SystemExit(f"cannot resume: the config's [model] differs from that of '{path}'")
        if not weights_only and "optimiser" not in s:
            raise SystemExit(f"cannot resume: '{path}' holds weights alone; give it to --weights")
        self.model.load_state_dict(s["model"])
        self.average.state, self.average.steps = s["ema"], s["ema_steps"]
        if weights_only:
            return
        self.opt.load_state_dict(s["optimiser"])
        self.seconds, self.epoch = s["seconds"], s["epoch"]
        self.images, self.best = s["images"], s["best"]

    def log(self, **row):
        if self.workers.rank > 0:
            return
        row = {"epoch": self.epoch, "minutes": round(self.seconds / 60, 2),
               "images": self.images, **row}
        with open(os.path.join(self.out, "log.jsonl"), "a") as f:
            f.write(json.dumps(row) + "\n")
        print(json.dumps(row), file=sys.stderr, flush=True)

    def step(self, rng, ph):
        """Runs one optimiser step; returns the loss."""
        self.opt.scale = rate(self.progress(), self.config["optimiser"])
        mix = self.config["mix"] | ph.get("mix", {})
        x, y = data.batch(rng, self.store, ph["batch"], ph["size"], ph["fit"], mix,
                          augment.sample)
        x = torch.from_numpy(x).permute(0, 3, 1, 2).float().div_(255)
        x = x.contiguous(memory_format=self.layout)
        y = torch.from_numpy(y).float().div_(255)
        label = y[:, :1]
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config["bf16"]):
            logits = self.forward(x)
        loss = nail_loss(logits.float(), label, **self.config["loss"])
        if self.config["distil"]["weight"] > 0:
            taught = self.teacher(x) if self.teacher else y[:, 1:]
            loss = loss + self.config["distil"]["weight"] * imitation(
                logits.float(), taught, label, self.config["loss"]["edge"])
        self.opt.zero_grad(set_to_none=True)
        loss.backward()
        self.workers.average(self.model.parameters())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.opt.step()
        self.average.update(self.model)
        self.images += ph["batch"] * self.workers.count
        return loss.item()

    def run_epoch(self):
        """Trains on about `epoch_images` samples, then saves a checkpoint; returns the mean
        loss."""
        self.store.rescan()
        rng = np.random.default_rng((self.config["seed"], self.epoch, self.workers.rank))
        self.model.train()
        losses, done = [], 0
        ph = phase(self.progress(), self.config["phase"])
        self.model.freeze(ph.get("freeze", 0))
        while done < self.config["epoch_images"] and not self.stopping:
            before = self.progress()
            losses.append(self.step(rng, ph))
            done += ph["batch"] * self.workers.count
            self.tick()
            if before < self.config["optimiser"]["decay_from"] <= self.progress():
                self.save("stable.pt")
            stop = self.interrupted or self.progress() >= 1 or (
                self.stop_at and time.time() > self.stop_at)
            self.seconds, self.stopping = self.workers.agree(self.seconds, stop)
            if len(losses) % 20 == 0 and self.workers.rank == 0:
                self.show(losses, done, ph)
        self.epoch += 1
        return float(np.mean(losses)) if losses else float("nan")

    def show(self, losses, done, ph):
        bar = "#" * int(20 * done / self.config["epoch_images"])
        print(f"\repoch {self.epoch} [{bar:<20}] {ph['size']} px  loss {np.mean(losses):.4f}  "
              f"{100 * self.progress():.1f} % of the run", end="", file=sys.stderr, flush=True)

    def measure(self):
        """IoU of the averaged weights on val and on test A; keeps best.pt by val."""
        if self.workers.rank > 0:
            return
        net = make(**self.config["model"]).to(memory_format=torch.channels_last)
        net.load_state_dict(self.average.state)
        run = evaluate.torch_runner(net.eval())
        val, _ = evaluate.evaluate(run, self.val)
        test, _ = evaluate.evaluate(run, self.test)
        self.log(val_iou=round(val["iou"], 4), val_mean=round(val["mean_iou"], 4),
                 val_bf=round(val["boundary_f"], 4), a_iou=round(test["iou"], 4),
                 a_mean=round(test["mean_iou"], 4), a_bf=round(test["boundary_f"], 4),
                 false_paint=round(val["false_paint"] or 0, 6))
        self.evaluated = self.seconds
        if val["iou"] > self.best:
            self.best = val["iou"]
            self.save("best.pt")

    def go(self):
        self.at = time.monotonic()
        while not self.stopping and self.progress() < 1:
            loss = self.run_epoch()
            self.save("last.pt")
            ph = phase(self.progress(), self.config["phase"])
            self.log(loss=round(loss, 4), size=ph["size"], synth=len(self.store.synth),
                     rate=round(rate(self.progress(), self.config["optimiser"]), 4))
            due = self.seconds - self.evaluated >= 60 * self.config["eval_minutes"]
            if due or self.stopping:
                self.measure()
        self.save("last.pt")


def clock(text):
    """The next moment at which the wall clock shows HH:MM."""
    h, m = map(int, text.split(":"))
    now = time.localtime()
    at = time.mktime((*now[:3], h, m, 0, 0, 0, -1))
    return at if at > time.time() else at + 86400


def taught_folder(args):
    """--teacher, if it is a folder of maps; None: a model."""
    if not args.teacher:
        raise SystemExit("the config distils: name a model with --teacher, such as "
                         "../models/nail.onnx, or a folder that `nailseg teach` has written")
    return args.teacher if os.path.isdir(args.teacher) else None


def prepared(args, workers):
    """The run that the command line describes."""
    from .config import read
    config = read(args.config)
    last = os.path.join(args.out, "last.pt")
    start = args.start or (last if os.path.exists(last) else None)
    if config["model"].get("kind") == "light" and not (start or args.weights):
        raise SystemExit("a light network begins with a trained default one: name it with "
                         "--weights, such as ../models/nail.weights")
    distils = config["distil"]["weight"] > 0
    maps = taught_folder(args) if distils else None
    run = Run(config, args.out, args.data, args.hours or config["hours"], args.synth,
              learned=not (start or args.weights), maps=maps)
    run.workers = workers
    if distils and not maps:
        from .teacher import Teacher
        run.teacher = Teacher(args.teacher, "bf16" if args.teacher_bf16 else "f32")
    run.stop_at = clock(args.stop_at) if args.stop_at else None
    if args.weights and not start:
        run.begin(args.weights)
    if start:
        run.resume(start)
    if args.compile:
        run.compile()
    if args.until_stop and run.stop_at:
        run.budget = run.seconds + run.stop_at - time.time()
    run.budget, _ = workers.agree(run.budget, False)
    return run


def work(args, workers):
    """One worker's share of the run."""
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    run = prepared(args, workers)

    def stop(*_):
        run.interrupted = True
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    count = sum(p.numel() for p in run.model.parameters())
    if workers.rank == 0:
        print(f"{len(run.store.photos)} photos, {count} parameters, from {run.seconds / 60:.1f} of "
              f"{run.budget / 60:.1f} minutes", file=sys.stderr, flush=True)
    run.go()


def main(args):
    os.makedirs(args.out, exist_ok=True)
    with started(args.workers, work, args) as workers:
        work(args, workers)
    return 0
