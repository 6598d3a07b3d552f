"""A short soak test; tests/e2e/soak.py describes it."""
import os

from soak import soak

SECONDS = int(os.environ.get("LACQUER_SOAK_SECONDS", "30"))  # tools/test.sh gives it a minute


def test_mixed_users():
    run, warm, hot, left = soak(SECONDS, 50, 1, report=10)
    assert not run.wrong
    assert run.count["replies"] > 30 and run.count["pictures"] > 0
    assert run.count["broken"] > 0 and run.count["hostile"] > 20
    # In such a short run, buffers are still growing to their final sizes; the long run allows 2 %.
    assert hot < warm * 1.1, (warm, hot)
    assert left <= 2
