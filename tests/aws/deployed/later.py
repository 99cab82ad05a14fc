"""What earlier scenes have begun."""

import json
import time

from deployed.runner import eventually, scene
from deployed.scenes import DOUBTED

# The sweep leaves to notifications what is younger, and a claim is not taken over before its lease ends.
SWEEP_LEAVES_ALONE = 125
DEAD_WORKER_IS_NOTICED = 130


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
