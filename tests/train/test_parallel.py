"""Workers that train on different samples: what they average, and how they end."""
import pytest

pytest.importorskip("numpy", reason="the training requirements are not installed")
torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from nailseg import parallel  # noqa: E402


def step(folder, workers):
    """A worker's gradient is its number, and the second worker wants to stop."""
    used, unused = (torch.nn.Parameter(torch.zeros(2, 3)) for _ in range(2))
    used.grad = torch.full((2, 3), float(workers.rank + 1))
    workers.average([used, unused])
    told = workers.agree(10.0 * (workers.rank + 1), workers.rank == 1)
    torch.save({"grad": used.grad, "told": told, "count": workers.count},
               folder / f"{workers.rank}.pt")


def test_workers_average_gradients_and_stop_together(tmp_path):
    with parallel.started(2, step, tmp_path) as workers:
        step(tmp_path, workers)
    for rank in range(2):
        seen = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert torch.equal(seen["grad"], torch.full((2, 3), 1.5))
        assert seen["told"] == (15.0, True) and seen["count"] == 2


def test_one_worker_changes_nothing(tmp_path):
    with parallel.started(1, step, tmp_path) as workers:
        step(tmp_path, workers)
    seen = torch.load(tmp_path / "0.pt", weights_only=True)
    assert torch.equal(seen["grad"], torch.ones(2, 3)) and seen["told"] == (10.0, False)


def fail(folder, workers):
    raise SystemExit(f"worker {workers.rank} cannot read {folder}")


def test_a_failure_of_the_first_worker_ends_the_others(tmp_path):
    with pytest.raises(SystemExit, match="worker 0"):
        with parallel.started(2, fail, tmp_path) as workers:
            fail(tmp_path, workers)
