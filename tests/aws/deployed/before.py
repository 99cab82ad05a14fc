"""What can be said without deploying: of the template, where the emulator drops it, and of what the functions are made of."""

import re
import subprocess
import zlib

from deployed.runner import scene
from deployed.stack import ROOT, template

PACKAGES = ["telegram-ingress", "intercom-replies"]

# None of these may be linked into a function: another database, another world, another TLS library or credential chain.
FOREIGN = {
    "aws-config",
    "aws-lc-rs",
    "aws-smithy-http-client",
    "axum",
    "libsqlite3-sys",
    "local",
    "native-tls",
    "openssl-sys",
    "rusqlite",
    "simulators",
}
# And of these, one version.
ONCE = {"h2", "hyper", "reqwest", "ring", "rustls", "tokio"}

LARGEST_BINARY = 8 << 20
LARGEST_ZIP = 3 << 20
# What Amazon Linux 2023 has.
NEWEST_GLIBC = (2, 34)


def properties(resource):
    return template()["Resources"][resource]["Properties"]


@scene("the template passes cfn-lint")
def linted(cast):
    lint = ROOT / ".venv/bin/cfn-lint"
    run = subprocess.run([lint, ROOT / "template.yaml"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@scene("table and secret outlive the stack; the table expires, can be restored, and is encrypted")
def kept(cast):
    for name in ("Table", "Secret"):
        resource = template()["Resources"][name]
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain", name
    table = properties("Table")
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert table["SSESpecification"]["SSEEnabled"]
    assert table["DeletionProtectionEnabled"]


@scene("a worker is dead before its message can be seen again, and a message is alone in its invocation")
def clocks(cast):
    for queue, worker in (("InboundQueue", "InboundWorker"), ("OutboundQueue", "OutboundWorker")):
        function = properties(worker)
        assert function["Timeout"] < 125 < properties(queue)["VisibilityTimeout"]
        source = function["Events"]["Queue"]["Properties"]
        assert source["BatchSize"] == 1
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@scene("no policy allows everything, or something everywhere")
def least_privilege(cast):
    for name, resource in template()["Resources"].items():
        for policy in resource["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                wanted = [statement["Action"], statement["Resource"]]
                assert not re.search(r"\*", str(wanted)), f"{name}: {wanted}"


@scene("every setting of the bridge is a parameter, and reaches the functions")
def settings(cast):
    source = (ROOT / "shared/bridge/src/config.rs").read_text().partition("mod tests")[0]
    known = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+|STAFF)"', source))
    given = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert known, "config.rs is written in another way now"
    assert known <= given.keys(), known - given.keys()


@scene("every field that counts something has a metric, and every metric a field")
def named(cast):
    sources = {path: path.read_text().partition("mod tests")[0] for path in ROOT.glob("shared/*/src/**/*.rs")}
    table = sources.pop(ROOT / "shared/host/src/metrics.rs")
    counting = {field for source in sources.values() for field in re.findall(r"\bmetric\.(\w+) =", source)}
    known = set(re.findall(r'"metric\.(\w+)"', table))
    assert counting == known, counting ^ known


@scene("neither another database, nor the simulators, nor a second TLS library is linked")
def lean(cast):
    for package in PACKAGES:
        command = ["cargo", "tree", "--locked", "--package", package, "--edges", "normal", "--prefix", "none"]
        tree = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        crates = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
        names = [name for name, _ in crates]
        assert not FOREIGN & set(names), FOREIGN & set(names)
        assert all(names.count(name) <= 1 for name in ONCE), [crate for crate in crates if crate[0] in ONCE]


@scene("the binaries are small, and run on Amazon Linux 2023")
def small(cast):
    for name, binary in cast.stack.binaries.items():
        symbols = subprocess.run(["objdump", "-T", binary], capture_output=True, text=True, check=True).stdout
        newest = max(tuple(map(int, found)) for found in re.findall(r"GLIBC_(\d+)\.(\d+)", symbols))
        size = binary.stat().st_size
        print(f"       {name}: {size:,} bytes, glibc {newest[0]}.{newest[1]}")
        assert newest <= NEWEST_GLIBC, newest
        if "debug" not in binary.parts:
            zipped = len(zlib.compress(binary.read_bytes(), 9))
            print(f"       {name}: {zipped:,} bytes zipped")
            assert size <= LARGEST_BINARY and zipped <= LARGEST_ZIP, (size, zipped)
