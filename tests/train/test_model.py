"""The network: shapes, folding, learning, checkpoints, and the graph that is exported."""
import pathlib

import pytest

np = pytest.importorskip("numpy", reason="the training requirements are not installed")
torch = pytest.importorskip("torch", reason="PyTorch is not installed")
torch.set_num_threads(1)  # threads that wait for a busy core cost more than they gain
from nailseg import average, checkpoint, config, loss, model, optim, pretrained, train  # noqa: E402

DEFAULT = config.read(pathlib.Path(__file__).resolve().parents[2] / "train/config/default.toml")
SMALL = {"widths": [8, 8, 16, 16, 16], "depths": [0, 1, 1, 1, 1], "decoder": [8, 8, 8, 8],
         "blocks": ["res", "rep", "inverted", "partial", "res"]}


def shaken(net):
    """Random batch-norm statistics, so that an error in folding shows."""
    torch.manual_seed(3)
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, .2)
            m.running_var.uniform_(.5, 2)
            m.weight.data.uniform_(.5, 1.5)
            m.bias.data.normal_(0, .2)
    return net.eval()


def assert_folding_changes_nothing(net):
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before = net(x)
        after = net.fuse()(x)
    assert before.shape == (1, 1, 32, 48)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
    assert torch.allclose(before, after, atol=1e-3 * before.abs().max().item())


@pytest.mark.parametrize("arguments", [DEFAULT["model"], SMALL])
def test_folding_changes_nothing(arguments):
    assert_folding_changes_nothing(shaken(model.NailNet(**arguments)))


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
    opt = optim.Mixed(net, DEFAULT["optimiser"] | {"lr_muon": .02, "weight_decay": .01})
    first = last = None
    for _ in range(60):
        value = loss.nail_loss(net(x), y)
        opt.zero_grad()
        value.backward()
        opt.step()
        first, last = first or value.item(), value.item()
    assert last < first * .35


@pytest.mark.parametrize("shape", [(12, 40), (40, 12)])
def test_orthogonal_equalises_singular_values(shape):
    torch.manual_seed(2)
    values = torch.linalg.svdvals(optim.orthogonal(torch.randn(shape)))
    assert values.min() > .5 and values.max() < 1.5


@pytest.mark.parametrize("arguments", [DEFAULT["model"], SMALL])
def test_every_parameter_is_in_one_group(arguments):
    net = model.NailNet(**arguments)
    parts = optim.groups(net, DEFAULT["optimiser"])
    ids = [id(p) for g in parts for p in g["params"]]
    assert sorted(ids) == sorted(id(p) for p in net.parameters())
    assert all(g["params"] for g in parts)


def lite_state():
    """The contents of the package of initial weights, by its names, with random values."""
    torch.manual_seed(5)
    state = {"_conv_stem.weight": torch.randn(32, 3, 3, 3)}

    def bn(name, c):
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{name}.{part}"] = torch.rand(c) + .5

    bn("_bn0", 32)
    cin, number = 32, 0
    for n, k, _, expand, c in model.LITE0:
        for _ in range(n):
            at, mid = f"_blocks.{number}.", cin * expand
            if expand > 1:
                state[at + "_expand_conv.weight"] = torch.randn(mid, cin, 1, 1)
                bn(at + "_bn0", mid)
            state[at + "_depthwise_conv.weight"] = torch.randn(mid, 1, k, k)
            bn(at + "_bn1", mid)
            state[at + "_project_conv.weight"] = torch.randn(c, mid, 1, 1)
            bn(at + "_bn2", c)
            cin, number = c, number + 1
    return state


def test_learned_weights_reach_every_stage():
    net = model.NailNet(**DEFAULT["model"]).eval()
    untouched = {k: v.clone() for k, v in net.stages.state_dict().items()}
    state = lite_state()
    pretrained.load(net, state)
    same = [k for k, v in net.stages.state_dict().items()
            if torch.equal(v, untouched[k]) and not k.endswith("num_batches_tracked")]
    assert not same
    # The first convolution gets 0..1 and returns what it was trained to return for -1..1, except at
    # the border.
    x = torch.rand(1, 3, 16, 16)
    kernel = torch.nn.functional.conv2d(x * 2 - 1, state["_conv_stem.weight"], None, 2, 1)
    scale = state["_bn0.weight"] / torch.sqrt(state["_bn0.running_var"] + model.LITE_EPS)
    wanted = ((kernel - state["_bn0.running_mean"].reshape(-1, 1, 1)) * scale.reshape(-1, 1, 1)
              + state["_bn0.bias"].reshape(-1, 1, 1)).clamp(0, 6)
    with torch.no_grad():
        assert torch.allclose(net.stages[0][0](x)[..., 1:, 1:], wanted[..., 1:, 1:], atol=1e-4)


def test_frozen_stages_stay_as_they_are():
    net = model.NailNet(**DEFAULT["model"]).train()
    net.freeze(2)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    net(torch.rand(2, 3, 64, 64)).sum().backward()
    after = net.state_dict()
    still = [torch.equal(after[k], before[k]) for k in after
             if k.startswith(("stages.0", "stages.1"))]
    assert all(still)
    assert not torch.equal(after["stages.2.0.dw.bn.running_mean"],
                           before["stages.2.0.dw.bn.running_mean"])
    assert all((p.grad is None) == name.startswith(("stages.0.", "stages.1."))
               for name, p in net.named_parameters())


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


def kept(folder, **more):
    """A checkpoint of a small network with random statistics; (path, network)."""
    net = shaken(model.NailNet(**SMALL))
    net.head.weight.data.mul_(20)  # otherwise every pixel would get nearly the same probability
    with torch.no_grad():
        net.head.bias -= net(torch.rand(1, 3, 64, 96)).mean()
    path = str(folder / "c.pt")
    checkpoint.save(path, {"config": {"model": SMALL}, "ema": net.state_dict(), **more})
    return path, checkpoint.network(path)


@pytest.mark.parametrize("ending, package", [(".onnx", "openvino"), (".tflite", "ai_edge_litert")])
def test_export_agrees_with_the_checkpoint_at_other_sizes(tmp_path, ending, package):
    pytest.importorskip(package, reason=f"the package {package} is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed")
    from nailseg import export
    _, trained = kept(tmp_path)
    net = export.rounded(trained)
    run = export.write(net, str(tmp_path / ("m" + ending)), (64, 96))
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.sigmoid(net(x)).std() > .05
    tensors = [np.random.default_rng(1).random((1, 3, *size), np.float32)
               for size in ((64, 96), (96, 64), (32, 32))]
    assert export.difference(run, net, tensors) < export.GRAPH_MAX
    assert export.difference(run, trained, tensors) < export.ROUNDING_MAX


def test_packed_weights_are_small_and_the_same_network(tmp_path):
    path, net = kept(tmp_path, ema_steps=7, images=100, seconds=60.0)
    packed = str(tmp_path / "m.weights")
    checkpoint.pack(packed, checkpoint.load(path))
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before, after = torch.sigmoid(net(x)), torch.sigmoid(checkpoint.network(packed)(x))
    assert (before - after).abs().max() < 1e-2
    assert checkpoint.load(packed)["ema_steps"] == 7
    assert (tmp_path / "m.weights").stat().st_size < .8 * (tmp_path / "c.pt").stat().st_size


def test_an_average_lies_between_its_parts(tmp_path):
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        net = shaken(model.NailNet(**SMALL))
        states.append({"config": {"model": SMALL}, "ema": net.state_dict(), "ema_steps": 7,
                       "images": 3, "seconds": 60.0, "model": net.state_dict()})
    middle = average.mean(states, (3, 1))
    for name, tensor in middle["ema"].items():
        a, b = states[0]["ema"][name], states[1]["ema"][name]
        if tensor.dtype.is_floating_point:
            assert torch.allclose(tensor, .75 * a + .25 * b, atol=1e-6)
    checkpoint.pack(str(tmp_path / "middle.weights"), middle)
    again = average.mean([checkpoint.load(tmp_path / "middle.weights"), middle], (1, 1))
    assert again["images"] == 3 and again["seconds"] == 60
    other = {**states[0], "ema": {"one": torch.zeros(1)}}
    with pytest.raises(SystemExit, match="different networks"):
        average.mean([states[0], other], (1, 1))


def test_an_unreadable_checkpoint_is_named(tmp_path):
    for name in ("bad.weights", "bad.pt"):
        (tmp_path / name).write_bytes(b"not an archive")
        with pytest.raises(SystemExit, match=name):
            checkpoint.load(tmp_path / name)
    with pytest.raises(SystemExit, match="none.weights"):
        checkpoint.load(tmp_path / "none.weights")


def photos(root):
    """The smallest set of photos with which a run can start."""
    cv2 = pytest.importorskip("cv2")
    folders = [root / "nails-cc-by" / "images", root / "nails-cc-by" / "masks",
               root / "test-a-cc0" / "images", root / "test-a-cc0" / "masks"]
    for folder in folders:
        folder.mkdir(parents=True)
    mask = np.zeros((80, 96), np.uint8)
    mask[30:50, 30:60] = 255
    image = np.dstack([mask // 2 + 60] * 3)
    (root / "nails-cc-by" / "splits.csv").write_text("stem,use\np1,train\np2,val\n")
    for folder, stem in (("nails-cc-by", "p1"), ("nails-cc-by", "p2"), ("test-a-cc0", "p3")):
        cv2.imwrite(str(root / folder / "images" / (stem + ".jpg")), image)
        cv2.imwrite(str(root / folder / "masks" / (stem + ".png")), mask)


def test_a_run_continues_from_packed_weights(tmp_path):
    photos(tmp_path / "data")
    path, net = kept(tmp_path, ema_steps=500, images=100, seconds=60.0)
    packed = str(tmp_path / "m.weights")
    checkpoint.pack(packed, checkpoint.load(path))
    settings = DEFAULT | {"model": SMALL, "bf16": False}
    run = train.Run(settings, str(tmp_path), str(tmp_path / "data"), hours=1)
    run.resume(packed, weights_only=True)
    for state in (run.model.state_dict(), run.average.state):
        assert all(torch.allclose(state[k].float(), v.float(), atol=2e-3)
                   for k, v in net.state_dict().items())
    rng = np.random.default_rng(1)
    run.step(rng, DEFAULT["phase"][0] | {"batch": 2, "size": 64})
    assert run.average.steps == 501 and run.images == 2
    with pytest.raises(SystemExit, match="weights alone"):
        run.resume(packed)
