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
    source = (ROOT / "shared/mapping/src/claim.rs").read_text()
    lease = int(re.search(r"const LEASE: Duration = Duration::from_secs\((\d+)\)", source)[1])
    for queue, worker in (("InboundQueue", "InboundWorker"), ("OutboundQueue", "OutboundWorker")):
        function = properties(worker)
        assert function["Timeout"] < lease < properties(queue)["VisibilityTimeout"]
        source = function["Events"]["Queue"]["Properties"]
        assert source["BatchSize"] == 1
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["ScalingConfig"] == {"MaximumConcurrency": 10}
    assert properties("TelegramWebhook")["Timeout"] == properties("IntercomWebhook")["Timeout"] == 5


@scene("every queue keeps messages for two weeks, in lanes, encrypted, and only workers decide to give one up")
def queues(cast):
    lasting = {
        "FifoQueue": True,
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "MaximumMessageSize": 1 << 20,
        "MessageRetentionPeriod": 14 * 24 * 3600,
        "SqsManagedSseEnabled": True,
    }
    for queue in ("InboundQueue", "OutboundQueue", "InboundDeadLetters", "OutboundDeadLetters"):
        assert lasting.items() <= properties(queue).items(), queue
    for queue in ("InboundQueue", "OutboundQueue"):
        assert properties(queue)["RedrivePolicy"]["maxReceiveCount"] == 1000, queue


@scene("the schedules call once, and nothing throttles what the vendors deliver")
def once(cast):
    never_again = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    for schedule in ("SweepSchedule", "WatchSchedule", "RotationSchedule"):
        assert properties(schedule)["Target"]["RetryPolicy"] == never_again
    assert properties("OutboundWorker")["EventInvokeConfig"] == never_again
    assert "DefaultRouteSettings" not in properties("ApiStage")
    assert "RouteSettings" not in properties("ApiStage")
    assert not any("ReservedConcurrentExecutions" in function for function in functions().values())


@scene("Telegram takes the webhook secret that the stack makes")
def taken_by_telegram(cast):
    made = properties("Secret")["GenerateSecretString"]
    assert made["GenerateStringKey"] == "telegram_webhook_secrets"
    assert made["ExcludePunctuation"] and made["PasswordLength"] <= 256


@scene("every alarm can send an e-mail")
def alarms(cast):
    for name, resource in template()["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            action = resource["Properties"]["AlarmActions"]["Fn::If"]
            assert action[:2] == ["HasAlarmEmail", [{"Ref": "AlarmTopic"}]], name


def functions():
    resources = template()["Resources"].items()
    return {name: one["Properties"] for name, one in resources if one["Type"] == "AWS::Serverless::Function"}


TABLE = {"GetItem", "BatchGetItem", "Query", "PutItem", "DeleteItem"}
OWN_QUEUE = {"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "SendMessage"}
# What a function does, and nothing else; beside this, each reads the secret and writes its log.
RIGHTS = {
    "TelegramWebhook": {"Table": {"GetItem", "BatchGetItem", "PutItem"}, "InboundQueue": {"SendMessage"}},
    "InboundWorker": {
        "Table": TABLE,
        "InboundQueue": OWN_QUEUE,
        "InboundDeadLetters": {"SendMessage"},
        "OutboundQueue": {"SendMessage"},
    },
    "IntercomWebhook": {"OutboundQueue": {"SendMessage"}},
    "OutboundWorker": {"Table": TABLE, "OutboundQueue": OWN_QUEUE, "OutboundDeadLetters": {"SendMessage"}},
}


def rights(role):
    """What a role may do with which resource."""
    found = {}
    [policy] = properties(role)["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Allow"
        actions, resources = statement["Action"], statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            [(_, attribute)] = resource.items()
            for action in actions if isinstance(actions, list) else [actions]:
                found.setdefault(attribute[0], set()).add(action.partition(":")[2])
    return found


@scene("each function may do what it does, where it does it, and nothing else")
def least_privilege(cast):
    for function, wanted in RIGHTS.items():
        besides = {"Secret": {"GetSecretValue"}, f"{function}Log": {"CreateLogStream", "PutLogEvents"}}
        assert rights(f"{function}Role") == wanted | besides, function
    assert rights("ScheduleRole") == {"OutboundWorker": {"InvokeFunction"}}
    # Nobody changes the secret but where it is to rotate by itself.
    resources = template()["Resources"]
    writers = [name for name, resource in resources.items() if "PutSecretValue" in str(resource)]
    assert writers == ["RotationPolicy"]
    rotation = resources["RotationPolicy"]
    assert rotation["Condition"] == resources["RotationSchedule"]["Condition"] == "RotatesWebhookSecret"
    assert template()["Parameters"]["RotateWebhookSecretDays"]["Default"] == 0
    assert rotation["Properties"]["Roles"] == [{"Ref": "OutboundWorkerRole"}]
    [statement] = rotation["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "secretsmanager:PutSecretValue"
    assert statement["Resource"] == {"Fn::GetAtt": ["Secret", "Id"]}
    # The webhook sees which chats got another id, and nothing else of the table.
    [policy] = properties("TelegramWebhookRole")["Policies"]
    [table] = [one for one in policy["PolicyDocument"]["Statement"] if "dynamodb" in str(one)]
    assert table["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["chat#*"]}}


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
