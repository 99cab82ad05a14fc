"""The stack on the emulator: template.yaml itself, deployed, updated, looked into."""

import hashlib
import io
import json
import time
import zipfile
from pathlib import Path

import boto3
import yaml
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[3]
NAME = "bridge"
BUCKET = "artefacts"


def is_known(resource):
    """Not what the emulator cannot make: saved queries, and alarms on sums. cfn-lint looks at them."""
    is_query = resource["Type"] == "AWS::Logs::QueryDefinition"
    return not is_query and not (resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"])


def template():
    """template.yaml with the short forms of its functions (!Ref and the like) written out."""

    class Loader(yaml.SafeLoader):
        pass

    def function(loader, name, node):
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)
        if name == "GetAtt":
            value = value.split(".", 1)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}

    Loader.add_multi_constructor("!", function)
    return yaml.load((ROOT / "template.yaml").read_text(), Loader)


class Stack:
    """The deployed stack."""

    def __init__(self, endpoint, binary_of):
        self.endpoint = endpoint
        self.parameters = {}
        self.template = template()
        resources = self.template["Resources"]
        self.template["Resources"] = {name: resource for name, resource in resources.items() if is_known(resource)}
        self.binaries = {name: binary_of(name, function["CodeUri"]) for name, function in self.functions().items()}
        config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, read_timeout=180)
        session = boto3.Session()
        self.client = lambda service: session.client(service, endpoint_url=endpoint, config=config)
        self.cloudformation = self.client("cloudformation")
        self.sqs = self.client("sqs")
        self.logs = self.client("logs")

    def create(self, parameters):
        """Uploads the artefacts and makes the stack."""
        self.client("s3").create_bucket(Bucket=BUCKET)
        for name, function in self.functions().items():
            function["CodeUri"] = f"s3://{BUCKET}/{self.upload(self.binaries[name])}"
        self.deploy("create_stack", parameters)

    def update(self, parameters):
        """Changes parameters, and nothing else."""
        self.deploy("update_stack", parameters)

    def functions(self):
        resources = self.template["Resources"]
        return {
            name: resource["Properties"]
            for name, resource in resources.items()
            if resource["Type"] == "AWS::Serverless::Function"
        }

    def upload(self, binary):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, binary.read_bytes())
        key = f"{hashlib.sha256(packed.getvalue()).hexdigest()}.zip"
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=packed.getvalue())
        return key

    def deploy(self, action, parameters):
        self.parameters |= parameters
        # Too long to be sent along, as for SAM, which takes the same way.
        body = json.dumps(self.template, default=str)
        self.client("s3").put_object(Bucket=BUCKET, Key="template.json", Body=body.encode())
        getattr(self.cloudformation, action)(
            StackName=NAME,
            TemplateURL=f"{self.endpoint}/{BUCKET}/template.json",
            Parameters=[{"ParameterKey": key, "ParameterValue": str(value)} for key, value in self.parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        while (status := self.describe()["StackStatus"]).endswith("IN_PROGRESS"):
            time.sleep(0.1)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise AssertionError(f"{status}: {self.failures()}")

    def describe(self):
        return self.cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]

    def failures(self):
        events = self.cloudformation.describe_stack_events(StackName=NAME)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
        return [(event["LogicalResourceId"], event.get("ResourceStatusReason")) for event in failed]

    def outputs(self):
        return {output["OutputKey"]: output["OutputValue"] for output in self.describe()["Outputs"]}

    def resources(self):
        """Physical names by logical ones."""
        if not self.parameters:
            return {}
        resources = self.cloudformation.describe_stack_resources(StackName=NAME)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def api_host(self):
        """The name by which the emulator knows the API."""
        return f"{self.resources()['Api']}.execute-api.localhost"

    def log(self, function):
        """Everything that a function has logged, line by line, as it was written."""
        group = self.resources()[f"{function}Log"]
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]

    def secret(self):
        """What the secret holds."""
        value = self.client("secretsmanager").get_secret_value(SecretId=self.resources()["Secret"])
        return json.loads(value["SecretString"])

    def fill_secret(self, **changes):
        """Changes keys of the secret, as an operator does in the console."""
        text = json.dumps(self.secret() | changes)
        self.client("secretsmanager").put_secret_value(SecretId=self.resources()["Secret"], SecretString=text)

    def waiting(self, queue):
        """How many messages a queue holds, seen or unseen."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.resources()[queue]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def invoke(self, function, event):
        """Calls a function; the answer, and whether it failed."""
        name = self.resources()[function]
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        return answer["Payload"].read().decode(), "FunctionError" in answer
