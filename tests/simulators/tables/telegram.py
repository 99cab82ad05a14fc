#!/usr/bin/env python3
"""Makes src/telegram/table.json: what each simulated Bot API method accepts.

Usage: tables/telegram.py api.json > src/telegram/table.json

`api.json` is the machine-made description of the Bot API documentation (https://core.telegram.org/bots/api) from
https://github.com/PaulSonOfLars/telegram-bot-api-spec. The table keeps names, types and closed sets of values, no prose.
"""

import json
import re
import sys

METHODS = """
getMe setWebhook deleteWebhook getWebhookInfo getUpdates getFile
getChat getChatMember getChatAdministrators getChatMemberCount
sendMessage sendPhoto sendDocument sendVideo sendAudio sendVoice sendAnimation sendSticker sendMediaGroup
sendChatAction editMessageText deleteMessage deleteMessages setMessageReaction copyMessage
createForumTopic editForumTopic closeForumTopic reopenForumTopic deleteForumTopic
closeGeneralForumTopic reopenGeneralForumTopic
""".split()

ACTIONS = re.compile(r"\b(?:typing|choose_sticker|find_location|(?:upload|record)_\w+)\b")


def values(owner, field):
    """The closed set of values that the documentation names for a field, if it names one."""
    text = field["description"]
    if owner == "MessageEntity" and field["name"] == "type":
        return re.findall(r'"([a-z_]+)" ?\(', text)
    if owner == "ReactionTypeEmoji" and field["name"] == "emoji":
        return re.findall(r'"([^"]+)"', text)
    if owner == "sendChatAction" and field["name"] == "action":
        return ACTIONS.findall(text)
    fixed = re.search(r'(?:must be|always) "?([a-z_]+)"?$', text)
    return [fixed.group(1)] if field["name"] == "type" and fixed else None


def fields(owner, described):
    out = {}
    for field in described:
        entry = {"types": field["types"]}
        if field["required"]:
            entry["required"] = True
        allowed = values(owner, field)
        if allowed:
            entry["values"] = allowed
        out[field["name"]] = entry
    return out


def lines(table):
    """One line a method or type, so that a change of the API reads well as a difference."""
    parts = []
    for key, value in table.items():
        if isinstance(value, dict):
            rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items())
            parts.append(f"{json.dumps(key)}: {{\n{rows}\n }}")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n " + ",\n ".join(parts) + "\n}"


def main():
    with open(sys.argv[1], encoding="utf-8") as source:
        api = json.load(source)
    methods = {name: fields(name, api["methods"][name].get("fields", [])) for name in METHODS}
    types, wanted = {}, []

    def want(described):
        for entry in described.values():
            wanted.extend(name.removeprefix("Array of ").removeprefix("Array of ") for name in entry["types"])

    for described in methods.values():
        want(described)
    while wanted:
        name = wanted.pop()
        if name in types or name not in api["types"] or name == "InputFile":
            continue
        kind = api["types"][name]
        if kind.get("subtypes"):
            types[name] = {"subtypes": kind["subtypes"]}
            wanted.extend(kind["subtypes"])
        else:
            types[name] = {"fields": fields(name, kind.get("fields", []))}
            want(types[name]["fields"])
    table = {
        "source": f"Derived by tables/telegram.py from https://core.telegram.org/bots/api, {api['version']} of"
        f" {api['release_date']}, as described by https://github.com/PaulSonOfLars/telegram-bot-api-spec",
        "licence": "Facts of a published interface: names, types and allowed values, without its descriptions; this"
        " selection is under this project's licence",
        "methods": methods,
        "types": dict(sorted(types.items())),
    }
    print(lines(table))


if __name__ == "__main__":
    main()
