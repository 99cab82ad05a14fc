"""What the template shows an operator, against what was counted and logged while everything was played."""

import json
import re

from deployed.counted import metrics
from deployed.runner import scene
from deployed.scenes import FUNCTIONS, entries
from deployed.stack import NAME, template

OURS = {"Ref": "AWS::StackName"}
DIMENSION = "Function"

# Only a conversation that Intercom does not find makes the inbound worker ask whose the token is; of a notification, however long, the
# queue gets a short form; and parts are unread in conversations of more than 500.
NOT_PLAYED = {
    ("WrongWorkspace", "InboundWorker"),
    ("Lost", "IntercomWebhook"),
    ("UnreadParts", "InboundWorker"),
    ("UnreadParts", "OutboundWorker"),
}


@scene("everything that is counted is on the dashboard, and what alarms and dashboard name is counted")
def compared(cast):
    emitted = set()
    for function in FUNCTIONS:
        for line in metrics(cast, function):
            [directive] = line["_aws"]["CloudWatchMetrics"]
            assert (directive["Namespace"], directive["Dimensions"]) == (NAME, [[DIMENSION]]), line
            assert line[DIMENSION] == cast.stack.resources()[function], line
            emitted |= {(metric["Name"], function) for metric in directive["Metrics"]}
    alarms, dashboard = in_alarms(), in_dashboard()
    assert emitted <= dashboard, f"not on the dashboard: {sorted(emitted - dashboard)}"
    assert alarms <= dashboard, f"not on the dashboard: {sorted(alarms - dashboard)}"
    assert dashboard - emitted == NOT_PLAYED, f"never counted: {sorted(dashboard - emitted)}"


@scene("the fields that saved queries ask for are logged")
def asked(cast):
    for functions, fields in queried():
        logged = {field for function in functions for line in entries(cast.stack.log(function)) for field in line}
        assert fields <= logged, f"nobody logs {sorted(fields - logged)}"


def of_type(wanted):
    return {name: resource["Properties"] for name, resource in template()["Resources"].items() if resource["Type"] == wanted}


def in_alarms():
    """Metrics and functions that alarms name."""
    found = set()
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        simple = [alarm] if "MetricName" in alarm else []
        for metric in simple + [part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part]:
            if metric["Namespace"] == OURS:
                [dimension] = metric["Dimensions"]
                assert dimension["Name"] == DIMENSION, name
                found.add((metric["MetricName"], dimension["Value"]["Ref"]))
    return found


def in_dashboard():
    """The same of the dashboard."""
    found = set()
    for dashboard in of_type("AWS::CloudWatch::Dashboard").values():
        for widget in json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]:
            for namespace, metric, dimension, value, *_ in widget["properties"].get("metrics", []):
                if namespace == "${AWS::StackName}":
                    assert dimension == DIMENSION, metric
                    found.add((metric, value.removeprefix("${").removesuffix("}")))
    return found


def queried():
    """Fields that saved queries ask for, each with the functions whose logs they ask."""
    for query in of_type("AWS::Logs::QueryDefinition").values():
        functions = [group["Ref"].removesuffix("Log") for group in query["LogGroupNames"]]
        text = re.sub(r"#.*|/.*?/|\bas \w+", "", query["QueryString"])
        yield functions, set(re.findall(r"`([^`]+)`", text)) | set(re.findall(r"ispresent\((\w+)\)", text))
