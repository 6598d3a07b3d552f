"""Operators' files in deploy/: checked against their schemas and the real server, so that a metric,
option or probe that is renamed in one is missed in the other."""
import json
import re
import shutil
import subprocess

import httpx
import pytest
import yaml

from conftest import LACQUER, ROOT, plain, tool
from triton import Stub, free_port, serving

DEPLOY = ROOT / "deploy"
ELSEWHERE = ("up", "nv_inference_count", "nv_inference_exec_count", "lacquer_triton_up")


def promtool(*args, **kwargs):
    done = subprocess.run([tool("promtool"), *args], capture_output=True, text=True, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def metrics(server):
    httpx.post(f"{server.url}/api/process", files={"image": plain()}, timeout=30)
    return httpx.get(f"{server.url}/metrics").text


def known(metrics):
    """Every name that can be queried: the server's metrics and those that the rules record."""
    names = set(re.findall(r"^([a-z_:]+)", metrics, re.M))
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return names | {rule["record"] for group in groups for rule in group["rules"]
                    if "record" in rule} | set(ELSEWHERE)


def names_in(expression):
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\bby \([^)]*\)', "", expression)
    return set(re.findall(r"\b[a-z][a-z0-9_:]*_[a-z0-9_:]+\b", bare)) - {
        "histogram_quantile", "label_values"}


def check_families(text):
    """Every family is described, once and first, and its samples are adjacent."""
    family, told, samples = None, {}, 0
    for line in text.splitlines():
        if line.startswith("# "):
            _, what, name, _ = line.split(" ", 3)
            family = name if what == "HELP" else family
            assert name == family and told.setdefault(name,
                                                      []) == ([] if what == "HELP" else ["HELP"])
            told[name].append(what)
            continue
        name = re.match("[a-zA-Z_:][a-zA-Z0-9_:]*", line)[0]
        tail = name.removeprefix(family)
        assert tail == "" or ("HELP" in told[family]
                              and tail in ("_bucket", "_sum", "_count")), line
        samples += 1
    assert samples > 0 and all(each == ["HELP", "TYPE"] for each in told.values()), told


def test_metrics_are_valid_for_prometheus(metrics):
    assert promtool("check", "metrics", input=metrics) == ""
    check_families(metrics)


def test_metrics_with_triton_are_valid_for_prometheus():
    """Two servers, one of them down, and a fallback."""
    one, away = Stub(), f"http://127.0.0.1:{free_port()}"
    try:
        with serving("--triton-url", one.url, "--triton-url", away, "--fallback",
                     "openvino") as server:
            reply = httpx.post(f"{server.url}/api/process", files={"image": plain()}, timeout=30)
            assert reply.status_code in (200, 422), reply.text
            text = httpx.get(f"{server.url}/metrics").text
    finally:
        one.stop()
    assert promtool("check", "metrics", input=text) == ""
    check_families(text)
    assert f'lacquer_triton_up{{url="{one.url}"}} 1' in text
    assert f'lacquer_triton_up{{url="{away}"}} 0' in text
    assert text.count("lacquer_triton_requests_total{") == 4


def test_metrics_reflect_the_load(server, metrics):
    assert re.search(r'^lacquer_build_info\{version="[\w.-]+",engine="\w+",model="nail"\} 1$',
                     metrics, re.M)
    for name in ("lacquer_workers", "lacquer_sessions_max", "lacquer_worker_busy_seconds_total",
                 "lacquer_frame_memory_max_bytes", "process_cpu_seconds_total"):
        assert server.metric(name) > 0, name
    for name in ("lacquer_frames_in_flight", "lacquer_frames_waiting",
                 "lacquer_queue_oldest_seconds"):
        assert server.metric(name) == 0, name
    for reason in ("replaced", "client_gone", "stopping", "stale", "late", "busy", "rate"):
        assert f'lacquer_frames_dropped_total{{reason="{reason}"}}' in metrics


def test_prometheus_configuration_and_alerts():
    said = promtool("check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))
    assert "1 rule files found" in said
    promtool("test", "rules", str(DEPLOY / "prometheus" / "alerts_test.yml"))


def test_alerts_use_existing_metrics(metrics):
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    for rule in rules:
        assert names_in(rule["expr"]) <= known(metrics), rule["expr"]
        assert "record" in rule or {"summary", "description"} <= rule["annotations"].keys()
    assert sum("alert" in rule for rule in rules) >= 8


def test_dashboard_uses_existing_metrics(metrics, tmp_path):
    board = json.loads((DEPLOY / "grafana" / "lacquer.json").read_text())
    panels, places = board["panels"], set()
    assert len({panel["id"] for panel in panels}) == len(panels) >= 12
    rules = []
    for panel in panels:
        for target in panel["targets"]:
            assert names_in(target["expr"]) <= known(metrics), target["expr"]
            rules.append(target["expr"].replace("$__rate_interval", "1m")
                         .replace("$instance", ".*"))
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & places and at["x"] + at["w"] <= 24, panel["title"]
        places |= cells
    # Prometheus' own parser reads each expression.
    (tmp_path / "board.yml").write_text(json.dumps({"groups": [{"name": "board", "rules": [
        {"record": f"panel:{i}", "expr": expr} for i, expr in enumerate(rules)]}]}))
    promtool("check", "rules", str(tmp_path / "board.yml"))


def options_of_serve():
    said = subprocess.run([LACQUER, "serve", "--help"], capture_output=True, text=True).stdout
    return set(re.findall(r"--[a-z][a-z-]+", said))


# Keys of the Compose specification, as far as they are plausible here, and the types of their
# values.
COMPOSE_SERVICE = {
    "build": (str, dict), "command": (str, list), "container_name": str, "cpus": (int, float, str),
    "depends_on": (list, dict), "deploy": dict, "devices": list, "entrypoint": (str, list),
    "environment": (list, dict), "expose": list, "extra_hosts": (list, dict), "healthcheck": dict,
    "image": str, "init": bool, "ipc": str, "mem_limit": (int, str), "network_mode": str,
    "networks": (list, dict), "ports": list, "read_only": bool, "restart": str, "scale": int,
    "secrets": list, "security_opt": list, "shm_size": (int, str), "stop_grace_period": str,
    "stop_signal": str, "tmpfs": (str, list), "ulimits": dict, "user": str, "volumes": list,
    "working_dir": str,
}
COMPOSE_DEPLOY = {"mode": str, "replicas": int, "resources": dict, "restart_policy": dict,
                  "update_config": dict, "endpoint_mode": str, "labels": (list, dict)}


def held_against(keys, given, where):
    for key, value in given.items():
        assert key in keys, f"{where}: '{key}' is no key of the specification"
        assert isinstance(value, keys[key]), f"{where}: '{key}' is a {type(value).__name__}"


def test_compose_file_follows_the_specification():
    """A misspelt key or a value of the wrong type can be found without an engine."""
    whole = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    held_against({"name": str, "services": dict, "volumes": dict, "networks": dict,
                  "secrets": dict, "configs": dict}, whole, "the file")
    for name, service in whole["services"].items():
        held_against(COMPOSE_SERVICE, service, name)
        held_against(COMPOSE_DEPLOY, service.get("deploy", {}), f"{name}'s deploy")
        assert ("image" in service) != ("build" in service), name
        if grace := service.get("stop_grace_period"):
            assert re.fullmatch(r"([0-9]+(ms|s|m|h))+", grace), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source[0] in "./" or source in whole.get("volumes", {}), volume
        for other in service.get("depends_on", []):
            assert other in whole["services"], other
        for mode in (service.get("ipc"), service.get("network_mode")):
            if mode and mode.startswith("service:"):
                assert mode.split(":")[1] in whole["services"], mode


def test_compose_file_uses_existing_options():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert set(services) == {"lacquer", "balancer", "triton", "prometheus", "grafana"}
    node = services["lacquer"]
    assert node["deploy"]["replicas"] == 2 and "ports" not in node
    given = {arg.split("=")[0] for arg in node["command"] if arg.startswith("--")}
    assert given <= options_of_serve()
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (DEPLOY / source).exists(), source
        if image := service.get("image"):
            assert ":" in image and not image.endswith(":latest")
    # Only the users' port and the operator's own are open.
    assert services["balancer"]["ports"] == ["8080:8080"]
    assert services["grafana"]["ports"] == ["127.0.0.1:3000:3000"]
    assert not any("ports" in services[name] for name in ("triton", "prometheus"))
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    hosts = {name.split(":")[0] for job in jobs for config in
             job.get("dns_sd_configs", []) + job.get("static_configs", [])
             for name in config.get("names", []) + config.get("targets", [])}
    assert hosts <= set(services)


@pytest.fixture(scope="module")
def kubernetes():
    parts = yaml.safe_load_all((DEPLOY / "kubernetes" / "lacquer.yaml").read_text())
    return {part["kind"]: part for part in parts}


def test_kubernetes_objects_fit_together(kubernetes):
    versions = {kind: part["apiVersion"] for kind, part in kubernetes.items()}
    assert versions == {"Deployment": "apps/v1", "Service": "v1",
                        "NetworkPolicy": "networking.k8s.io/v1",
                        "PodDisruptionBudget": "policy/v1",
                        "HorizontalPodAutoscaler": "autoscaling/v2"}
    spec = kubernetes["Deployment"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"] == labels
    assert kubernetes["Service"]["spec"]["selector"] == labels
    assert kubernetes["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    scaler = kubernetes["HorizontalPodAutoscaler"]["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment",
                                        "name": kubernetes["Deployment"]["metadata"]["name"]}
    assert scaler["minReplicas"] >= 2 and "replicas" not in spec
    # With a disruption budget of one pod and two replicas, one always serves.
    assert kubernetes["PodDisruptionBudget"]["spec"]["maxUnavailable"] < scaler["minReplicas"]


def test_kubernetes_container(kubernetes, server):
    spec = kubernetes["Deployment"]["spec"]["template"]["spec"]
    container, = spec["containers"]
    args = dict(arg.split("=") for arg in container["args"][1:])
    assert args.keys() <= options_of_serve()
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = container[kind]["httpGet"]
        assert httpx.get(f"{server.url}{probe['path']}").status_code == 200
        assert probe["port"] == container["ports"][0]["name"]
    # A stopping pod reports that at /readyz for longer than the probe needs to notice, and ends in
    # time.
    seen_s = container["readinessProbe"]["periodSeconds"] * (
        container["readinessProbe"]["failureThreshold"] + 1)
    assert seen_s < int(args["--drain-delay"])
    assert int(args["--drain-delay"]) + 30 + 5 < spec["terminationGracePeriodSeconds"]
    # The pod security standard "restricted".
    security = container["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"] and security["capabilities"] == {"drop": ["ALL"]}
    assert not security["allowPrivilegeEscalation"] and security["readOnlyRootFilesystem"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["resources"]["limits"] == container["resources"]["requests"]


def test_counters_are_queried_at_the_admin_port(kubernetes):
    template = kubernetes["Deployment"]["spec"]["template"]
    container, = template["spec"]["containers"]
    args = dict(arg.split("=") for arg in container["args"][1:])
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    notes = template["metadata"]["annotations"]
    assert notes["prometheus.io/port"] == ports["admin"] == args["--admin-port"] != ports["http"]
    # The port belongs to no service, and the policy admits only the monitoring namespace.
    assert [port["name"] for port in kubernetes["Service"]["spec"]["ports"]] == ["http"]
    policy = kubernetes["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"] == template["metadata"]["labels"]
    rules = {rule["ports"][0]["port"]: rule.get("from") for rule in policy["ingress"]}
    assert rules["http"] is None and rules["admin"] and rules.keys() == {"http", "admin"}
    # compose: Prometheus queries the same port, which is not published.
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    admin, = (arg.split("=")[1] for arg in services["lacquer"]["command"] if "--admin-port" in arg)
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    asked, = (job["dns_sd_configs"][0]["port"] for job in jobs if job["job_name"] == "lacquer")
    assert int(admin) == asked and "ports" not in services["lacquer"]


def test_autoscaler_has_its_metric(kubernetes, metrics):
    rules = yaml.safe_load((DEPLOY / "kubernetes" / "custom-metrics.yaml").read_text())
    metric, = kubernetes["HorizontalPodAutoscaler"]["spec"]["metrics"]
    name = metric["pods"]["metric"]["name"]
    assert rules["rules"]["custom"][0]["seriesQuery"].startswith(name + "{")
    assert f"# TYPE {name} gauge" in metrics


def test_systemd_unit(tmp_path):
    """systemd's own assessment: nothing unknown in it, and an exposure of at most 1.5 of 10."""
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("no systemd-analyze here")
    text = (DEPLOY / "systemd" / "lacquer.service").read_text()
    command = re.search(r"^ExecStart=/usr/local/bin/lacquer serve (.*) \$LACQUER_ARGS$", text, re.M)
    assert set(re.findall(r"--[a-z-]+", command[1])) <= options_of_serve()
    unit = tmp_path / "lacquer.service"
    unit.write_text(text.replace("/usr/local/bin/lacquer", "/bin/true"))
    done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if "lacquer.service" in line]
    assert done.returncode == 0 and complaints == [], done.stderr
    done = subprocess.run([analyze, "security", "--offline=true", "--threshold=15", unit],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
