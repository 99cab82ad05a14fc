"""What is true at the end."""

from deployed.later import DEAD_WORKER_IS_NOTICED
from deployed.runner import eventually, scene
from deployed.scenes import FUNCTIONS, HOOK_SECRET, QUEUES, entries


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
