"""What bridgectl doctor says of the stack, and whether it notices what breaks."""

import json

from deployed.runner import eventually, scene
from deployed.scenes import HOOK_SECRET, tokens
from deployed.tool import run


@scene("the doctor notices that the table has no backups: the emulator leaves out of the template what it is asked for next")
def without_backups(cast):
    # Telegram remembers its last error, which earlier scenes made, until the webhook is registered again.
    webhook = f"{cast.stage.url}/telegram-webhook"
    updates = ["message", "edited_message", "my_chat_member", "message_reaction"]
    cast.stage.bot_api("setWebhook", url=webhook, secret_token=HOOK_SECRET, allowed_updates=updates, max_connections=40)
    code, said = run(cast, "doctor")
    assert code == 2, said
    assert "BROKEN    Point-in-time recovery is off" in said, said
    assert "WARNING   Finished records do not expire" in said, said
    table = {"TableName": cast.stack.resources()["Table"]}
    dynamodb = cast.stack.client("dynamodb")
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(**table, PointInTimeRecoverySpecification=recovery)
    expiry = {"AttributeName": "expires_at", "Enabled": True}
    dynamodb.update_time_to_live(**table, TimeToLiveSpecification=expiry)


@scene("of a stack that is well, the doctor says so, for people and for programs")
def well(cast):
    code, said = run(cast, "doctor")
    assert code == 0, said
    for words in (
        "ok        The stack bridge is ",
        "ok        Point-in-time recovery is on",
        " messages are on their way to Telegram",
        "ok        Nothing was given up on its way to Intercom",
        "ok        telegram-ingress was deployed on ",
        "ok        The queue towards Telegram is read",
        "ok        The task sweep is called by schedule, rate(5 minutes)",
        "ok        The task watch is called by schedule, rate(5 minutes)",
        "ok        The bot token is that of @support_bot",
        f"ok        Telegram delivers to {cast.stage.url}/telegram-webhook",
        "ok        Example Customers",
        f"ok        {cast.stage.url}/intercom-webhook opens to Intercom's proof and to no other",
        " 0 to look at, 0 broken, 0 unchecked.",
    ):
        assert words in said, f"{words}: {said}"
    code, said = run(cast, "doctor", "--json")
    told = json.loads(said)
    assert (code, told["version"], told["level"]) == (0, 1, "ok"), said
    assert all(finding["check"] and finding["found"] for finding in told["findings"]), said


@scene("a queue that nobody reads, a webhook that is gone: the doctor says which, and setup mends what is its")
def unwell(cast):
    functions, worker = cast.stack.client("lambda"), cast.stack.resources()["InboundWorker"]
    [trigger] = functions.list_event_source_mappings(FunctionName=worker)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=trigger["UUID"], Enabled=False)
    cast.stage.bot_api("deleteWebhook")
    code, said = run(cast, "doctor")
    assert code == 2, said
    assert "BROKEN    Nobody reads the queue towards Intercom" in said, said
    assert "BROKEN    No webhook is registered with Telegram" in said, said
    functions.update_event_source_mapping(UUID=trigger["UUID"], Enabled=True)
    code, said = run(cast, "setup", "--yes", "--wait=0", **tokens(cast))
    assert code == 0, said
    assert said.count("  done: ") == 1, said
    cast.says("back again?")
    eventually(lambda: cast.in_inbox("back again?"))
