"""The network: shapes, folding, learning, checkpoints, and the graph that is exported."""
import pathlib

import pytest

np = pytest.importorskip("numpy", reason="the training requirements are not installed")
torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from nailseg import checkpoint, config, loss, model, optim, train  # noqa: E402

DEFAULT = config.read(pathlib.Path(__file__).resolve().parents[2] / "train/config/default.toml")
SMALL = {"widths": [8, 8, 16, 16, 16], "depths": [0, 1, 1, 1, 1], "decoder": [8, 8, 8, 8],
         "blocks": ["res", "rep", "inverted", "partial", "res"]}


def shaken(net):
    """Random batch-norm statistics, so that folding has something to get wrong."""
    torch.manual_seed(3)
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, .2)
            m.running_var.uniform_(.5, 2)
            m.weight.data.uniform_(.5, 1.5)
            m.bias.data.normal_(0, .2)
    return net.eval()


@pytest.mark.parametrize("arguments", [DEFAULT["model"], SMALL])
def test_folding_changes_nothing(arguments):
    net = shaken(model.NailNet(**arguments))
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before = net(x)
        after = net.fuse()(x)
    assert before.shape == (1, 1, 32, 48)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
    assert torch.allclose(before, after, atol=1e-3 * before.abs().max().item())


def test_loss_is_small_only_for_the_right_answer():
    y = torch.zeros(2, 1, 32, 32)
    y[0, :, 8:20, 8:20] = 1
    right, wrong = (y * 2 - 1) * 9, (1 - y * 2) * 9
    assert loss.nail_loss(right, y) < .05 < 1 < loss.nail_loss(wrong, y)


def test_a_few_steps_learn_one_picture():
    torch.manual_seed(1)
    net = model.NailNet(**SMALL)
    x, y = torch.zeros(4, 3, 64, 64), torch.zeros(4, 1, 32, 32)
    x[:, :, 16:40, 16:48] = 1
    y[:, :, 8:20, 8:24] = 1
    opt = optim.Mixed(net, {"lr": 2e-3, "lr_muon": .02, "weight_decay": .01})
    first = last = None
    for _ in range(30):
        value = loss.nail_loss(net(x), y)
        opt.zero_grad()
        value.backward()
        opt.step()
        first, last = first or value.item(), value.item()
    assert last < first * .35


@pytest.mark.parametrize("shape", [(12, 40), (40, 12)])
def test_orthogonal_evens_out_singular_values(shape):
    torch.manual_seed(2)
    values = torch.linalg.svdvals(optim.orthogonal(torch.randn(shape)))
    assert values.min() > .5 and values.max() < 1.5


def test_every_parameter_is_in_one_group():
    net = model.NailNet(**SMALL)
    parts = optim.groups(net, DEFAULT["optimiser"])
    ids = [id(p) for g in parts for p in g["params"]]
    assert sorted(ids) == sorted(id(p) for p in net.parameters())
    assert all(g["params"] for g in parts)


def test_rate_warms_up_stays_and_falls():
    o = {"warmup": .1, "decay_from": .5}
    assert train.rate(.05, o) == .5 and train.rate(.3, o) == 1
    assert 0 < train.rate(.99, o) < .01 and train.rate(.75, o) == .5


def test_average_follows_weights_and_statistics():
    net = model.NailNet(**SMALL)
    average = train.Average(net, .9)
    for p in net.parameters():
        p.data.fill_(2.0)
    for _ in range(200):
        average.update(net)
    assert all(torch.allclose(average.state[k], v.to(average.state[k].dtype), atol=1e-3)
               for k, v in net.state_dict().items())


def test_export_agrees_with_the_checkpoint_at_other_sizes(tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("openvino", reason="the OpenVINO Python package is not installed")
    from nailseg import export
    net = shaken(model.NailNet(**SMALL))
    state = net.state_dict()
    checkpoint.save(tmp_path.as_posix() + "/c.pt", {"config": {"model": SMALL}, "ema": state})
    net = checkpoint.network(tmp_path / "c.pt")
    path = str(tmp_path / "m.onnx")
    export.write_onnx(export.Probability(net).eval(), path, (64, 96))
    assert export.compare(net, path, [(64, 96), (96, 64), (32, 32)]) < 1e-3
    export.halve(path)
    assert export.compare(net, path, [(64, 96)]) < 2e-2
