"""How the light network is built: its initial weights, its teacher, its storage."""
import pathlib

import pytest

np = pytest.importorskip("numpy", reason="the training requirements are not installed")
torch = pytest.importorskip("torch", reason="PyTorch is not installed")
torch.set_num_threads(1)
import torch.nn.functional as F  # noqa: E402
from nailseg import compact, config, export, light, loss, model  # noqa: E402
from test_model import assert_folding_changes_nothing, shaken  # noqa: E402

CONFIG = config.read(pathlib.Path(__file__).resolve().parents[2] / "train/config/light.toml")
DEFAULT = {"lite": 2, "decoder": [12, 16, 32, 48]}


@pytest.fixture(scope="module", name="default")
def shaken_default():
    return shaken(light.make(**DEFAULT))


@pytest.mark.parametrize("more", [{}, {"deepest": 0, "decoder": [12, 16, 32]}])
def test_folding_changes_nothing(more):
    net = shaken(light.make(**(CONFIG["model"] | more)))
    torch.nn.init.normal_(net.correct.weight)
    assert_folding_changes_nothing(net)


def test_it_starts_as_the_default_at_half_the_resolution(default):
    net = light.make(**CONFIG["model"])
    light.begin(net, default)
    net.eval()
    x = torch.rand(1, 3, 64, 64)
    near, far = x, F.avg_pool2d(x, 2)
    with torch.no_grad():
        for mine, theirs in list(zip(net.stages, default.stages))[:4]:
            near, far = mine(near), theirs(far)
            assert torch.allclose(near, far, atol=1e-3 * far.abs().max().item())
    assert torch.equal(net.head.weight, default.head.weight)


def test_a_narrower_block_keeps_the_channels_that_count(default):
    wide = default.stages[1][0]
    hidden, kept = wide.dw.conv.out_channels, wide.dw.conv.out_channels // 2
    with torch.no_grad():
        wide.down.conv.weight[:, torch.randperm(hidden)[kept:]] = 0
    narrow = model.MBConv(16, 24, 3, 2, 3).eval()
    light.fill(narrow, wide)
    x = torch.rand(1, 16, 16, 16)
    with torch.no_grad():
        assert torch.allclose(narrow(x), wide(x), atol=1e-4)


def without_surplus(net, detail, kernel):
    """A light network in which all but `detail` features of the last step, and all but the centre
    of the filters at 1/32, have weights of zero."""
    with torch.no_grad():
        net.last.conv.weight[:, net.head.in_channels + detail:] = 0
        net.correct.weight[:, detail:] = 0
        ring = (5 - kernel) // 2
        for block in [*net.stages[3][3:], *net.stages[4]]:
            centre = block.dw.conv.weight[..., ring:5 - ring, ring:5 - ring].clone()
            block.dw.conv.weight.zero_()
            block.dw.conv.weight[..., ring:5 - ring, ring:5 - ring] = centre
    return net


def test_it_starts_as_another_light_network(default):
    whole = light.make(**CONFIG["model"])
    light.begin(whole, default)
    torch.nn.init.normal_(whole.correct.weight)
    without_surplus(whole, 14, 3).eval()
    net = light.make(**(CONFIG["model"] | {"kernel": 3, "refine": [0, 1, 1], "detail": 14}))
    light.begin(net, whole)
    net.eval()
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.allclose(net(x), whole(x), atol=1e-3 * whole(x).abs().max().item())


def test_a_network_with_fewer_blocks_keeps_the_others(default):
    whole = light.make(**CONFIG["model"])
    light.begin(whole, default)
    net = light.make(**(CONFIG["model"] | {"late": 1}))
    light.begin(net, whole)
    assert len(whole.stages[3]) == len(net.stages[3]) + 2
    x = torch.rand(1, 3, 64, 64)
    a, b = net.eval(), whole.eval()
    with torch.no_grad():
        for mine, theirs in zip(a.stages[:3], b.stages):
            x, y = mine(x), theirs(x)
            assert torch.equal(x, y)
        assert torch.equal(a.stages[3](x), b.stages[3][:4](x))


def test_distillation_loss_is_least_at_the_teachers_probabilities():
    torch.manual_seed(4)
    label, wanted = torch.zeros(1, 1, 16, 16), torch.randn(1, 1, 16, 16)
    label[..., 4:9, 4:9] = 1
    best = loss.imitation(wanted, torch.sigmoid(wanted), label)
    for other in (wanted + .2, wanted - .2, wanted * 0):
        assert loss.imitation(other, torch.sigmoid(wanted), label) > best


def test_weights_in_eight_bits_give_the_rounded_network(tmp_path, default):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    net = light.make(**CONFIG["model"])
    light.begin(net, default)
    net = compact.rounded(export.rounded(net.eval()))
    path = str(tmp_path / "light.onnx")
    export.write_onnx(export.Probability(net).eval(), path, (64, 96))
    whole = pathlib.Path(path).stat().st_size
    compact.store(path)
    export.halve(path)
    assert pathlib.Path(path).stat().st_size < .3 * whole
    assert all(len(w.dims) < 4 or np.prod(w.dims) < 64 or w.data_type in (
        onnx.TensorProto.INT8, onnx.TensorProto.FLOAT16) for w in onnx.load(path).graph.initializer)
    session = runtime.InferenceSession(path)
    tensors = [np.random.default_rng(1).random((1, 3, *size), np.float32)
               for size in ((64, 96), (96, 64))]
    assert export.difference(lambda x: session.run(None, {"image": x})[0][0, 0], net,
                             tensors) < export.GRAPH_MAX


def test_training_with_rounded_weights_computes_what_the_file_will(default):
    nets = [light.make(**CONFIG["model"]) for _ in range(2)]
    for net in nets:
        light.begin(net, default)
    plain, learner = nets
    names = list(learner.state_dict())
    compact.train_rounded(learner)
    assert list(learner.state_dict()) == names
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        exact, learnt = plain.eval()(x), learner.eval()(x)
        stored = compact.rounded(export.rounded(plain))(x)
    # The rest: the file's scales and small weights are float16.
    assert (learnt - stored).abs().mean() < .4 * (exact - stored).abs().mean()
    learner(x).sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0
               for name, p in learner.named_parameters() if name.endswith("dw.conv.weight"))


def test_an_unknown_kind_is_named():
    with pytest.raises(SystemExit, match="heavy"):
        light.make(kind="heavy")


def test_dropped_outputs_drop_their_weights():
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    from onnx import helper, numpy_helper
    weights = [numpy_helper.from_array(np.full((2, 2), i, np.float32), f"w{i}") for i in (1, 2)]
    nodes = [helper.make_node("MatMul", ["x", f"w{i}"], [f"y{i}"]) for i in (1, 2)]
    ends = [helper.make_tensor_value_info(n, 1, [1, 2]) for n in ("x", "y1", "y2")]
    net = helper.make_model(helper.make_graph(nodes, "two", ends[:1], ends[1:], weights))
    compact.drop_outputs(net, 1)
    onnx.checker.check_model(net, full_check=True)
    assert [o.name for o in net.graph.output] == ["y1"]
    assert [w.name for w in net.graph.initializer] == ["w1"] and len(net.graph.node) == 1
