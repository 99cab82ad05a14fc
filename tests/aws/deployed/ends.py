"""What earlier scenes have begun, and what is true at the end."""

import json
import time

from deployed.runner import eventually, scene
from deployed.scenes import DOUBTED, FUNCTIONS, HOOK_SECRET, QUEUES, entries

# The sweep leaves to notifications what is younger, and a claim is not taken over before its lease ends.
SWEEP_LEAVES_ALONE = 125
DEAD_WORKER_IS_NOTICED = 130

# ---- What was begun ---------------------------------------------------------------------------------------------------------------------


@scene("the sweep finds what no notification brought")
def swept(cast):
    time.sleep(max(0, cast.begun["lost"] + SWEEP_LEAVES_ALONE - time.monotonic()))
    assert not cast.in_topic("nobody was told of this")
    schedule = cast.stack.client("scheduler").get_schedule(Name=cast.stack.resources()["SweepSchedule"])
    answer, failed = cast.stack.invoke("OutboundWorker", json.loads(schedule["Target"]["Input"]))
    assert not failed, answer
    eventually(lambda: cast.in_topic("nobody was told of this"))


@scene("a reply of which nobody knew whether it arrived arrives")
def settled(cast):
    eventually(lambda: cast.in_topic("did you get this?", DOUBTED), within=90)


@scene("the message of the killed worker arrives, once")
def recovered(cast):
    noticed_in = cast.begun["killed"] + DEAD_WORKER_IS_NOTICED - time.monotonic()
    eventually(lambda: cast.in_inbox("the worker of this one dies"), within=noticed_in + 60)
    assert cast.in_inbox("the worker of this one dies") == 1


# ---- What is left -----------------------------------------------------------------------------------------------------------------------


@scene("nothing is left in a queue, and no vendor has a complaint")
def clean(cast):
    # Where the stack is updated, AWS lets workers end their work. The emulator kills them, and their messages come again.
    for queue in QUEUES:
        eventually(lambda: cast.stack.waiting(queue) == 0, within=DEAD_WORKER_IS_NOTICED + 60)
    assert cast.stage.act("violations") == []


@scene("where the token belongs to another workspace, nothing is carried")
def moved(cast):
    cast.stage.act("move_token", workspace="elsewhere")
    # Processes believe for ten minutes whom their token belongs to; these are new ones.
    cast.stack.update({"AgentNames": "full"})
    cast.replies("nobody may carry this")
    eventually(lambda: any("metric.wrong_workspace" in line for line in cast.errors("OutboundWorker")))
    assert not cast.in_topic("nobody may carry this")


@scene("every line of the logs is JSON, and none holds a text, a name or a secret")
def discreet(cast):
    secrets = [cast.stage.bot_token, cast.stage.access_token, cast.stage.client_secret, HOOK_SECRET]
    told = ["parcel", "in the van", "shut", "Ada", "ada_example", "Grace"]
    for function in FUNCTIONS:
        lines = cast.stack.log(function)
        assert entries(lines), function
        for text in secrets + told:
            assert not any(text in line for line in lines), f"{function} logs {text!r}"
