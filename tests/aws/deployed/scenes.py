"""What has to be true of the deployed stack, in the order in which it is played."""

import json
import os
import re
import signal
import time
from pathlib import Path

from deployed.runner import eventually, scene
from deployed.stage import request
from deployed.tool import begin

LINKED, DOUBTED, OTHER = 0, 1, 2
ADA, KEN = 0, 1
QUEUES = ["InboundQueue", "OutboundQueue", "InboundDeadLetters", "OutboundDeadLetters"]
FUNCTIONS = ["TelegramWebhook", "InboundWorker", "IntercomWebhook", "OutboundWorker"]
HOOK_SECRET = "hook_secret_of_the_test"
SECRET_TOKEN = "X-Telegram-Bot-Api-Secret-Token"


def tokens(cast):
    """What a person has who sets the bridge up; Telegram's secret is chosen here to be known to the test."""
    return {
        "TELEGRAM_BOT_TOKEN": cast.stage.bot_token,
        "TELEGRAM_WEBHOOK_SECRET": HOOK_SECRET,
        "INTERCOM_ACCESS_TOKEN": cast.stage.access_token,
        "INTERCOM_CLIENT_SECRET": cast.client_secrets,
    }


class Cast:
    """The stack, the stage, and what one scene leaves to a later one."""

    def __init__(self, stack, stage):
        self.stack = stack
        self.client_secrets = stage.client_secret
        self.stage = stage
        self.begun = {}

    def says(self, text, topic=LINKED, who=ADA):
        self.stage.act("customer_says", who=who, topic=topic, text=text)

    def replies(self, text, topic=LINKED):
        self.stage.act("agent_replies", conversation=self.conversation(topic)["id"], html=f"<p>{text}</p>")

    def conversation(self, topic):
        """The conversation of a topic; they are opened in this order."""
        return self.stage.act("inbox")[topic]

    def in_inbox(self, text):
        """How often the agents read this."""
        messages = [message for conversation in self.stage.act("inbox") for message in conversation["messages"]]
        return sum(text in message["text"] for message in messages)

    def in_topic(self, text, topic=LINKED):
        """How often the customer reads this from the bot."""
        return sum(text in seen["text"] for seen in self.stage.act("topic", topic=topic) if seen["by_bot"])

    def tell_what_was_logged(self):
        """For whoever looks into a failure."""
        if "Api" in self.stack.resources():
            for function in FUNCTIONS:
                print(f"---- {function}", *self.stack.log(function)[-12:], sep="\n")

    def runs(self, function):
        """How often a function was called."""
        return sum(line.startswith("START") for line in self.stack.log(function))

    def errors(self, function):
        return [line for line in entries(self.stack.log(function)) if line.get("level") == "ERROR"]


def entries(lines):
    """What the function itself has logged: one JSON object a line."""
    return [json.loads(line) for line in lines if not re.match(r"(START|END|REPORT|INIT_START) ", line)]


# ---- Deployed, and nothing more --------------------------------------------------------------------------------------------------------


@scene("the stack is made from the template, but for saved queries and alarms on sums, which the emulator does not know")
def deployed(cast):
    cast.stack.create(
        {
            "TelegramChats": cast.stage.chat,
            "TelegramApiUrl": cast.stage.telegram_api_url,
            "IntercomApiUrl": cast.stage.intercom_api_url,
            "GroupMessagesPerMinute": 1200,
        }
    )
    cast.stage.act("lead", endpoint=cast.stack.endpoint, host=cast.stack.api_host())


@scene("without its secret, the stack answers HEAD, and 503 to what it cannot check")
def unfilled(cast):
    for path in ("telegram-webhook", "intercom-webhook"):
        assert request("HEAD", f"{cast.stage.url}/{path}")[0] == 200, path
        assert request("POST", f"{cast.stage.url}/{path}", "{}")[0] == 503, path
    assert all(seen["retry_after"] for seen in cast.stage.act("passed") if seen["status"] == 503)


@scene("the log names the key that is missing")
def names_the_key(cast):
    for function in ("TelegramWebhook", "IntercomWebhook"):
        eventually(lambda: any("telegram_bot_token" in line["error"] for line in cast.errors(function)))


@scene("bridgectl setup fills it in, it is in use without a deploy, both vendors can register, and the ping is waited for")
def filled(cast):
    setup = begin(cast, "setup", "--yes", "--wait=1", **tokens(cast))
    ready = {SECRET_TOKEN: HOOK_SECRET}
    eventually(lambda: request("POST", f"{cast.stage.url}/telegram-webhook", "{}", ready)[0] == 200, within=60)
    # Who saves the URL in the Developer Hub does so after it was shown.
    eventually(lambda: "Waiting for it" in setup.so_far(), within=60)
    cast.stage.act("subscribe", url=f"{cast.stage.url}/intercom-webhook")
    _, said = setup.end()
    for words in (
        "the secret ",
        "TELEGRAM_BOT_TOKEN, TELEGRAM_WEBHOOK_SECRET, INTERCOM_ACCESS_TOKEN, INTERCOM_CLIENT_SECRET",
        f"Telegram delivers what @support_bot hears to {cast.stage.url}/telegram-webhook",
        "ok: it came",
    ):
        assert words in said, f"{words}: {said}"
    for secret in tokens(cast).values():
        assert secret not in said, said


# ---- Both ways -----------------------------------------------------------------------------------------------------------------------


@scene("a customer's message becomes a conversation")
def inbound(cast):
    cast.says("where is my parcel?")
    eventually(lambda: cast.in_inbox("where is my parcel?"))
    eventually(lambda: cast.conversation(LINKED)["title"] == "Delivery 17")


@scene("an agent's reply appears in the topic")
def outbound(cast):
    cast.replies("it is <b>in the van</b>")
    eventually(lambda: cast.in_topic("it is in the van"))


@scene("ten messages in a row arrive in this order, once each")
def order(cast):
    texts = [f"number {count} of ten" for count in range(10)]
    for text in texts:
        cast.says(text)
    eventually(lambda: cast.in_inbox(texts[-1]))
    arrived = [message["text"] for message in cast.conversation(LINKED)["messages"]]
    assert [text for text in arrived if text in texts] == texts, arrived


@scene("an update that Telegram repeats is carried once")
def repeated(cast):
    before = len(cast.stage.act("passed"))
    cast.stage.act("repeat_update")
    eventually(lambda: len(cast.stage.act("passed")) > before)
    cast.says("after the repeated one")
    eventually(lambda: cast.in_inbox("after the repeated one"))
    assert cast.in_inbox("number 9 of ten") == 1


@scene("a request without the right proof gets 401 and leaves nothing in the queues")
def strangers(cast):
    for path, proof in (("telegram-webhook", SECRET_TOKEN), ("intercom-webhook", "X-Hub-Signature")):
        for headers in ({}, {proof: "wrong"}):
            answer = request("POST", f"{cast.stage.url}/{path}", '{"update_id": 1}', headers)
            assert answer == (401, ""), answer


# ---- What is begun here ends later, while other scenes are played ---------------------------------------------------------------------


@scene("a notification that Intercom loses leaves no trace, yet")
def lost(cast):
    cast.stage.act("lose_notifications", lose=True)
    cast.replies("nobody was told of this")
    cast.stage.act("lose_notifications", lose=False)
    cast.begun["lost"] = time.monotonic()


@scene("a worker is killed in the middle of a call")
def killed(cast):
    cast.stage.act("fault", vendor="intercom", call="POST /conversations", fault="hang", times=1)
    cast.says("the worker of this one dies", topic=OTHER)
    eventually(lambda: any("lane" in line for line in entries(cast.stack.log("TelegramWebhook"))))
    time.sleep(2)
    dying = processes(cast, "InboundWorker")
    assert dying, "no worker runs"
    for pid in dying:
        os.kill(pid, signal.SIGKILL)
    cast.begun["killed"] = time.monotonic()


def processes(cast, function):
    """The process ids of a function."""
    name = f"AWS_LAMBDA_FUNCTION_NAME={cast.stack.resources()[function]}".encode()
    return [pid for pid, environment in environments() if name in environment.split(b"\0")]


def environments():
    """Process ids and environments of what may be looked at."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            yield int(path.parent.name), path.read_bytes()
        except OSError:
            continue


# ---- When something goes wrong ---------------------------------------------------------------------------------------------------------


@scene("a reply that Telegram wants later comes then: its visibility outlives the reported failure")
def throttled(cast):
    cast.stage.act("fault", vendor="telegram", call="sendMessage", fault={"throttle": 6}, times=1)
    begun, runs = time.monotonic(), cast.runs("OutboundWorker")
    cast.replies("please wait a little")
    eventually(lambda: cast.in_topic("please wait a little"))
    took = time.monotonic() - begun
    assert 6 <= took < 12, f"after {took:.1f} s"
    runs = eventually(lambda: cast.runs("OutboundWorker") - runs)
    assert runs == 2, f"the worker ran {runs} times"


@scene("a reply that Telegram refuses for good is among the dead letters, and the agent reads so")
def refused(cast):
    cast.stage.act("fault", vendor="telegram", call="sendMessage", fault={"refuse": 413}, times=1)
    cast.replies("nobody takes this")
    eventually(lambda: cast.stack.waiting("OutboundDeadLetters") == 1)
    eventually(lambda: [note for note in cast.conversation(LINKED)["messages"] if note["kind"] == "note"][1:])
    assert not cast.in_topic("nobody takes this")


@scene("put back into the queue, the dead letter is delivered")
def redriven(cast):
    sqs, resources = cast.stack.sqs, cast.stack.resources()
    dead, queue = resources["OutboundDeadLetters"], resources["OutboundQueue"]
    everything = {"MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]}
    [letter] = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5, **everything)["Messages"]
    assert letter["MessageAttributes"]["gave_up"]["StringValue"] == "1", letter["MessageAttributes"]
    sqs.send_message(
        QueueUrl=queue,
        MessageBody=letter["Body"],
        MessageGroupId=letter["Attributes"]["MessageGroupId"],
        MessageDeduplicationId=f"redrive-{letter['MessageId']}",
        MessageAttributes=letter["MessageAttributes"],
    )
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
    eventually(lambda: cast.in_topic("nobody takes this"))


# ---- Changes while it runs -------------------------------------------------------------------------------------------------------------


@scene("a client secret rotates without a deploy, and no reply is lost")
def rotated(cast):
    cast.client_secrets = f"{cast.stage.act('rotate_client_secret')}, {cast.stage.client_secret}"
    cast.stack.fill_secret(intercom_client_secrets=cast.client_secrets)
    before = len(cast.stage.act("passed"))
    cast.replies("signed with the new secret")
    eventually(lambda: cast.in_topic("signed with the new secret"))
    assert all(seen["status"] == 200 for seen in cast.stage.act("passed")[before:])


@scene("an update of the stack changes a setting and keeps the URLs")
def updated(cast):
    urls = {key: url for key, url in cast.stack.outputs().items() if key.endswith("WebhookUrl")}
    cast.replies("with a name above it")
    eventually(lambda: cast.in_topic("Grace\nwith a name above it"))
    cast.stack.update({"AgentNames": "none"})
    assert urls.items() <= cast.stack.outputs().items()
    cast.replies("without a name above it")
    eventually(lambda: cast.in_topic("without a name above it"))
    assert not cast.in_topic("Grace\nwithout a name above it")


def without_rights(cast, function, service):
    """Takes from a role the rights in one service; gives what brings them back."""
    iam, role = cast.stack.client("iam"), cast.stack.resources()[f"{function}Role"]
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    rights = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]

    def give(statements):
        document = json.dumps(rights | {"Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)

    others = [statement for statement in rights["Statement"] if f"{service}:" not in str(statement["Action"])]
    assert others != rights["Statement"], f"{function} has no rights in {service}"
    give(others)
    return lambda: give(rights["Statement"])


@scene("a webhook that may not write to its queue answers 503, and Telegram brings the message again")
def webhook_without_rights(cast):
    give_back = without_rights(cast, "TelegramWebhook", "sqs")
    before = len(cast.stage.act("passed"))
    cast.says("the queue was shut")
    eventually(lambda: [seen for seen in cast.stage.act("passed")[before:] if seen["status"] == 503])
    assert any("AccessDenied" in line.get("problem", "") for line in cast.errors("TelegramWebhook"))
    give_back()
    eventually(lambda: cast.in_inbox("the queue was shut"))


@scene("a worker that may not use the table keeps its message until it may")
def worker_without_rights(cast):
    give_back = without_rights(cast, "InboundWorker", "dynamodb")
    cast.says("the table was shut")
    eventually(lambda: any("AccessDenied" in line for line in cast.stack.log("InboundWorker")))
    assert not cast.in_inbox("the table was shut")
    give_back()
    eventually(lambda: cast.in_inbox("the table was shut"))
