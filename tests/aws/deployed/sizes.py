"""The largest files, and how much memory a function needs for them."""

import re
from pathlib import Path

from deployed.runner import eventually, scene
from deployed.scenes import ADA, LINKED, processes

MB = 1 << 20


@scene("a file of 20 MB, the largest that Telegram gives to bots, arrives; its function needs less than 100 MB")
def largest_in(cast):
    cast.stage.act("customer_sends", who=ADA, topic=LINKED, bytes=20 * MB)
    eventually(lambda: [20 * MB] in [message["files"] for message in cast.conversation(LINKED)["messages"]], within=60)
    assert peak(cast, "InboundWorker") < 100


@scene("a file of 50 MB, the largest that bots can send, arrives; its function needs less than 150 MB")
def largest_out(cast):
    cast.stage.act("agent_sends", conversation=cast.conversation(LINKED)["id"], bytes=50 * MB)
    eventually(lambda: [50 * MB] in [seen["files"] for seen in cast.stage.act("topic", topic=LINKED)], within=60)
    assert peak(cast, "OutboundWorker") < 150


def peak(cast, function):
    """The most memory that a process of the function has had, in MB."""
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in processes(cast, function)]
    most = max(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) for status in statuses) / 1024
    print(f"       {function}: {most:.0f} MB")
    return most
