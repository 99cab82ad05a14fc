"""What is counted: things happen that an operator has to see."""

import hashlib
import hmac
import json

from deployed.runner import eventually, scene
from deployed.scenes import DOUBTED, HOOK_SECRET, SECRET_TOKEN, entries
from deployed.stage import request

REPLY = "POST /conversations/{id}/reply"


def counted(cast, metric, function):
    """How much of it a function has counted."""
    return sum(line.get(metric, 0) for line in metrics(cast, function))


def metrics(cast, function):
    return [line for line in entries(cast.stack.log(function)) if "_aws" in line]


@scene("an answer that Telegram owes is waited for; the reply may come twice")
def doubted(cast):
    cast.says("is this the contract?", topic=DOUBTED)
    eventually(lambda: cast.in_inbox("is this the contract?"))
    cast.stage.act("fault", vendor="telegram", call="sendMessage", fault={"refuse": 500}, times=1)
    cast.replies("did you get this?", topic=DOUBTED)
    eventually(lambda: any("learn what Telegram did" in line for line in cast.stack.log("OutboundWorker")))


@scene("a refused token is counted, and what waits for it is carried")
def refused_tokens(cast):
    cast.stage.act("fault", vendor="intercom", call=REPLY, fault={"refuse": 401}, times=1)
    cast.says("our token was refused")
    eventually(lambda: cast.in_inbox("our token was refused"))
    cast.stage.act("fault", vendor="telegram", call="sendMessage", fault={"refuse": 401}, times=1)
    cast.replies("and the other one")
    eventually(lambda: cast.in_topic("and the other one"))
    for function in ("InboundWorker", "OutboundWorker"):
        assert counted(cast, "TokenRefused", function) == 1, function


@scene("a message that Intercom wants later comes then; one that it refuses is given up")
def intercom_says_no(cast):
    cast.stage.act("fault", vendor="intercom", call=REPLY, fault={"throttle": 2}, times=1)
    cast.says("a little later")
    eventually(lambda: cast.in_inbox("a little later"))
    cast.stage.act("fault", vendor="intercom", call=REPLY, fault={"refuse": 422}, times=1)
    cast.says("Intercom does not take this")
    eventually(lambda: cast.stack.waiting("InboundDeadLetters") == 1)
    eventually(lambda: counted(cast, "Undeliverable", "InboundWorker"))
    eventually(lambda: cast.in_topic("Please send it again"))
    cast.stack.sqs.purge_queue(QueueUrl=cast.stack.resources()["InboundDeadLetters"])


@scene("replies wait for their turn in the pace of the group")
def paced(cast):
    cast.stack.update({"GroupMessagesPerMinute": 20})
    cast.replies("the first of two")
    cast.replies("the second of two")
    eventually(lambda: cast.in_topic("the second of two"), within=40)
    assert counted(cast, "PaceWaits", "OutboundWorker")


def message(chat, **content):
    """An update as Telegram makes it."""
    sender = {"id": 5000001, "is_bot": False, "first_name": "Ada"}
    written = {"message_id": 1, "date": 1, "chat": {"id": chat, "type": "supergroup"}, "from": sender} | content
    return {"update_id": 900000000 + len(str(content)), "message": written}


def update(cast, body):
    """Posts an update as Telegram does."""
    return request("POST", f"{cast.stage.url}/telegram-webhook", json.dumps(body), {SECRET_TOKEN: HOOK_SECRET})[0]


def notification(cast, body):
    """Posts a notification as Intercom does."""
    signature = hmac.new(cast.stage.client_secret.encode(), body, hashlib.sha1).hexdigest()
    signed = {"X-Hub-Signature": f"sha1={signature}"}
    return request("POST", f"{cast.stage.url}/intercom-webhook", body, signed)[0]


@scene("webhooks that cannot be carried are taken and counted")
def taken(cast):
    chat = int(cast.stage.chat)
    anonymous = {"id": chat, "type": "supergroup"}
    elsewhere = {"app_id": "another", "id": "notif_1", "topic": "conversation.admin.replied"}
    item = {"type": "conversation", "id": "1"}
    assert update(cast, message(-1009999999999, text="hello")) == 200
    assert update(cast, message(chat, text="x" * (1 << 20))) == 200
    assert update(cast, message(chat, text="from staff", message_id=900000001, sender_chat=anonymous)) == 200
    assert update(cast, {"update_id": 900000002, "kind_of_tomorrow": {"chat": anonymous}}) == 200
    assert notification(cast, b"{") == 200
    assert notification(cast, json.dumps({"app_id": "any", "topic": "ping"}).encode()) == 200
    assert notification(cast, json.dumps(elsewhere | {"data": {"item": item}}).encode()) == 200
    for metric, function in (
        ("Strangers", "TelegramWebhook"),
        ("Lost", "TelegramWebhook"),
        ("NotCarried", "TelegramWebhook"),
        ("SkippedStaff", "InboundWorker"),
        ("Unreadable", "IntercomWebhook"),
        ("NotCarried", "IntercomWebhook"),
        ("NotCarried", "OutboundWorker"),
    ):
        eventually(lambda: counted(cast, metric, function))
    [refused] = [line for line in cast.errors("TelegramWebhook") if "refuses an update" in line["message"]]
    assert refused["body.length"] > 1 << 20, refused
