"""What looks after the stack: bridgectl, as an operator runs it, and the schedule that watches the vendors."""

import json
import subprocess
import tempfile
import time

from deployed.counted import REPLY, counted
from deployed.runner import eventually, scene
from deployed.scenes import DOUBTED, KEN, LINKED, OTHER
from deployed.stack import NAME
from deployed.tool import BRIDGECTL, run


RESTORED = "restored"


def bridgectl(*command, code=0):
    """Runs a command on the stack; what it prints."""
    done = subprocess.run([BRIDGECTL, *command, "--stack", NAME], capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def items(cast):
    """Everything in the table."""
    pages = cast.stack.client("dynamodb").get_paginator("scan").paginate(TableName=cast.stack.resources()["Table"])
    return [item for page in pages for item in page["Items"]]


# ---- Dead letters ----------------------------------------------------------------------------------------------------------------------


@scene("bridgectl redrive shows what was given up and nothing of what it says, and puts it back when it is told to")
def redriven(cast):
    # Where nobody was told within the hour that something did not arrive: another word of it would wait for the end of that.
    cast.stage.act("fault", vendor="telegram", call="sendMessage", fault={"refuse": 413}, times=1)
    cast.replies("no luck at first", topic=DOUBTED)
    eventually(lambda: cast.stack.waiting("OutboundDeadLetters") == 1)
    eventually(lambda: cast.stack.waiting("OutboundQueue") == 0)
    give_up(cast, "neither is this taken", topic=DOUBTED)
    shown = bridgectl("redrive")
    assert shown.count("given up (1): ") == 2 and "to Intercom" in shown and "to Telegram" in shown, shown
    assert "2 of 2 dead letters are meant; nothing was changed" in shown, shown
    assert "luck" not in shown and "neither" not in shown, shown
    assert "1 of 1 dead letters are back" in bridgectl("redrive", "--yes", "--queue", "outbound")
    eventually(lambda: cast.in_topic("no luck at first", DOUBTED))
    assert not cast.in_inbox("neither is this taken")
    assert "1 of 1 dead letters are back" in bridgectl("redrive", "--yes")
    eventually(lambda: cast.in_inbox("neither is this taken"))
    assert bridgectl("redrive") == "There are no dead letters.\n"


def give_up(cast, text, **where):
    """A message that Intercom refuses for good, until everybody is told."""
    cast.stage.act("fault", vendor="intercom", call=REPLY, fault={"refuse": 422}, times=1)
    cast.says(text, **where)
    eventually(lambda: cast.stack.waiting("InboundDeadLetters") == 1)
    for queue in ("InboundQueue", "OutboundQueue"):
        eventually(lambda: cast.stack.waiting(queue) == 0)


# ---- One person ------------------------------------------------------------------------------------------------------------------------


@scene("bridgectl erase leaves nothing of a person, and nobody else notices")
def erased(cast):
    cast.says("somebody else asks", topic=OTHER, who=KEN)
    eventually(lambda: cast.in_inbox("somebody else asks"))
    give_up(cast, "and is not heard", topic=OTHER, who=KEN)
    customer = str(cast.stage.customers[KEN])
    who = {"pk": {"S": f"customer#{customer}"}, "sk": {"S": "contact"}}
    [contact] = [item["contact"]["S"] for item in items(cast) if who.items() <= item.items()]
    erase = ["erase", "--customer", customer, "--contact", "archive"]
    told = bridgectl(*erase, "--dry-run")
    assert "1 of 1 messages in the queue (dead letters, to Intercom): would be removed." in told, told
    assert "1 links that they share with others: would be taken out of them." in told, told
    assert cast.stack.waiting("InboundDeadLetters") == 1
    told = bridgectl(*erase)
    assert f"Intercom: the contact {contact} archived." in told, told
    assert cast.stack.waiting("InboundDeadLetters") == 0
    left = json.dumps(items(cast))
    assert customer not in left and contact not in left
    cast.says("and the other goes on", topic=OTHER)
    eventually(lambda: cast.in_inbox("and the other goes on"))


# ---- The map ---------------------------------------------------------------------------------------------------------------------------


@scene("bridgectl export and import bring back what the table has lost")
def exported(cast):
    goes_on(cast, bring_back(cast), "imported")


@scene("so they do from a table that was restored to a point in time")
def restored(cast):
    tables = cast.stack.client("dynamodb")
    tables.restore_table_to_point_in_time(
        SourceTableName=cast.stack.resources()["Table"], TargetTableName=RESTORED, UseLatestRestorableTime=True
    )
    tables.get_waiter("table_exists").wait(TableName=RESTORED, WaiterConfig={"Delay": 1})
    goes_on(cast, bring_back(cast, "--table", RESTORED), "restored")
    tables.delete_table(TableName=RESTORED)


def bring_back(cast, *source):
    """Exports the map, loses a link and imports it; the conversation."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/map.jsonl"
        count = int(bridgectl("export", *source, "--to", file).split()[0])
        lost = lose_link(cast)
        told = bridgectl("import", "--from", file)
    assert f"2 were put, {count - 2} are there already, 0 stay" in told, told
    assert "The watermark of workspace" in told, told
    return lost


@scene("bridgectl reconcile --map rebuilds from Intercom what the table has lost")
def rebuilt(cast):
    lost = lose_link(cast)
    told = bridgectl("reconcile", "--map", "--dry-run")
    assert "; 1 topics would be linked anew" in told, told
    told = bridgectl("reconcile", "--map")
    assert "; 1 topics were linked anew" in told, told
    goes_on(cast, lost, "rebuilt")


def lose_link(cast):
    """Removes both ends of a link from the table; the conversation."""
    conversation = cast.conversation(LINKED)["id"]
    linked = [item for item in items(cast) if item.get("conversation", {}).get("S") == conversation and item["kind"]["S"] == "link"]
    reverse = [item for item in items(cast) if item["pk"]["S"].endswith(f"#{conversation}") and item["kind"]["S"] == "reverse"]
    assert (len(linked), len(reverse)) == (1, 1), (linked, reverse)
    for item in linked + reverse:
        key = {half: item[half] for half in ("pk", "sk")}
        cast.stack.client("dynamodb").delete_item(TableName=cast.stack.resources()["Table"], Key=key)
    return conversation


def goes_on(cast, conversation, how):
    """Both ways, in the conversation that there was."""
    before = len(cast.stage.act("inbox"))
    cast.says(f"asked after it was {how}")
    eventually(lambda: cast.in_inbox(f"asked after it was {how}"))
    assert len(cast.stage.act("inbox")) == before
    assert cast.conversation(LINKED)["id"] == conversation
    cast.replies(f"answered after it was {how}")
    eventually(lambda: cast.in_topic(f"answered after it was {how}"))


# ---- Secrets, and what the vendors say ---------------------------------------------------------------------------------------------------


@scene("bridgectl rotate webhook-secret does every step, and no message is lost")
def rotated(cast):
    told = bridgectl("rotate", "webhook-secret", "--keep-old", "0s")
    assert [line[:6] for line in told.splitlines()][:4] == [f"{step} of 4" for step in (1, 2, 3, 4)], told
    assert f"The stack {NAME} is" in told.partition("The doctor says:")[2], told
    before = len(cast.stage.act("passed"))
    cast.says("proved with the new secret")
    eventually(lambda: cast.in_inbox("proved with the new secret"))
    assert all(seen["status"] == 200 for seen in cast.stage.act("passed")[before:])


@scene("where the stack is told to, the schedule rotates the webhook secret step by step; before that it may not")
def rotates_by_itself(cast):
    task = {"task": "rotate", "days": 30}
    assert "RotationSchedule" not in cast.stack.resources()
    hours_later(cast, "ended", hours=31 * 24)
    before = cast.stack.secret()
    _, failed = cast.stack.invoke("OutboundWorker", task)
    assert failed and cast.stack.secret() == before
    cast.stack.update({"RotateWebhookSecretDays": task["days"]})
    schedule = cast.stack.client("scheduler").get_schedule(Name=cast.stack.resources()["RotationSchedule"])
    assert json.loads(schedule["Target"]["Input"]) == task
    assert steps(cast, task) == ("begun", 2)
    assert steps(cast, task) == ("begun", 2), "every process reads it first"
    cast.says("while both are good")
    eventually(lambda: cast.in_inbox("while both are good"))
    hours_later(cast, "begun", hours=1)
    eventually(lambda: steps(cast, task) == ("registered", 2))
    hours_later(cast, "registered", hours=1)
    assert steps(cast, task) == ("ended", 1)
    after = cast.stack.secret()
    [old], [new] = before["telegram_webhook_secrets"], after["telegram_webhook_secrets"]
    assert old != new and all(after[key] == before[key] for key in before if not key.startswith("telegram_webhook"))
    before = len(cast.stage.act("passed"))
    cast.says("proved with the newest secret")
    eventually(lambda: cast.in_inbox("proved with the newest secret"))
    assert all(seen["status"] == 200 for seen in cast.stage.act("passed")[before:])


def steps(cast, task):
    """Lets the schedule's hour come; how far the rotation is, and how many secrets are good."""
    cast.stack.invoke("OutboundWorker", task)
    secret = cast.stack.secret()
    return secret["telegram_webhook_rotation"]["step"], len(secret["telegram_webhook_secrets"])


def hours_later(cast, step, hours):
    """Lets time pass since a step."""
    cast.stack.fill_secret(telegram_webhook_rotation={"step": step, "at": int(time.time()) - 3600 * hours})


@scene("bridgectl setup changes the list of chats, which is a parameter, and no other")
def listed(cast):
    cast.stack.update({"TelegramChats": 0})
    before = given(cast)
    # The emulator kills the functions that it changes, so that the doctor's last look may meet one that is gone.
    _, said = run(cast, "setup", "--yes", "--wait=0", f"--chats={cast.stage.chat}")
    assert "The doctor's last look:" in said, said
    assert f"the parameter TelegramChats of the stack {NAME} becomes {cast.stage.chat}" in said, said
    cast.stack.parameters["TelegramChats"] = cast.stage.chat
    assert given(cast) == before | {"TelegramChats": str(cast.stage.chat)}
    eventually(lambda: run(cast, "doctor")[0] in (0, 1))
    cast.says("listed again")
    eventually(lambda: cast.in_inbox("listed again"))


def given(cast):
    """The parameters of the stack."""
    return {one["ParameterKey"]: one["ParameterValue"] for one in cast.stack.describe()["Parameters"]}


@scene("the watch counts a webhook that is not ours, deliveries that fail, and what waits")
def watched(cast):
    schedule = cast.stack.client("scheduler").get_schedule(Name=cast.stack.resources()["WatchSchedule"])
    watch = json.loads(schedule["Target"]["Input"])
    answer, failed = cast.stack.invoke("OutboundWorker", watch)
    assert not failed, answer
    assert not counted(cast, "WebhookMisconfigured", "OutboundWorker")
    secret = cast.stack.secret()["telegram_webhook_secrets"][0]
    cast.stage.bot_api("setWebhook", url=f"{cast.stage.url}/elsewhere", secret_token=secret)
    cast.says("nobody is at this door")
    eventually(lambda: webhook_fails(cast, watch))
    for metric in ("WebhookMisconfigured", "WebhookBacklog"):
        assert counted(cast, metric, "OutboundWorker"), metric
    cast.stage.bot_api("setWebhook", url=f"{cast.stage.url}/telegram-webhook", secret_token=secret)
    eventually(lambda: cast.in_inbox("nobody is at this door"))


def webhook_fails(cast, watch):
    answer, failed = cast.stack.invoke("OutboundWorker", watch)
    assert not failed, answer
    return counted(cast, "WebhookFailing", "OutboundWorker")
