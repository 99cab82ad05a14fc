"""What the measured functions stand on: a secret and queues on the emulator, and the requests that they answer."""

import hashlib
import hmac
import json
import os

import boto3

CHAT, HOOK_SECRET, CLIENT_SECRET = -1001000000001, "hook", "client"
QUEUES = {
    "INBOUND_QUEUE_URL": "inbound.fifo",
    "OUTBOUND_QUEUE_URL": "outbound.fifo",
    "INBOUND_DEAD_LETTERS_URL": "inbound-dead.fifo",
    "OUTBOUND_DEAD_LETTERS_URL": "outbound-dead.fifo",
}


class Ground:
    """An account that has what the functions name in their environment."""

    def __init__(self, endpoint):
        client = boto3.Session().client
        secret = {
            "telegram_bot_token": f"1000001:{'a' * 35}",
            "telegram_webhook_secrets": [HOOK_SECRET],
            "intercom_access_token": "token",
            "intercom_client_secrets": [CLIENT_SECRET],
        }
        client("secretsmanager", endpoint_url=endpoint).create_secret(Name="secret", SecretString=json.dumps(secret))
        sqs = client("sqs", endpoint_url=endpoint)
        attributes = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"}
        urls = {key: sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"] for key, name in QUEUES.items()}
        settings = {"TELEGRAM_CHATS": str(CHAT), "SECRET_ID": "secret", "TABLE_NAME": "table"}
        self.environment = os.environ | urls | settings


def telegram(count):
    """A customer's message."""
    message = {
        "message_id": count,
        "date": 1770000000,
        "message_thread_id": 7,
        "is_topic_message": True,
        "chat": {"id": CHAT, "type": "supergroup", "title": "Example Customers", "is_forum": True},
        "from": {"id": 4000001, "is_bot": False, "first_name": "Ada"},
        "text": "where is my parcel?",
    }
    body = json.dumps({"update_id": count, "message": message})
    return event("/telegram-webhook", {"x-telegram-bot-api-secret-token": HOOK_SECRET}, body)


def intercom(count):
    """An agent's reply."""
    part = {
        "type": "conversation_part",
        "id": str(count),
        "part_type": "comment",
        "body": "<p>it is in the van</p>",
        "created_at": 1770000000,
        "author": {"type": "admin", "id": "7", "name": "Grace"},
        "attachments": [],
    }
    item = {
        "type": "conversation",
        "id": "300000000000001",
        "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [part], "total_count": 1},
    }
    notification = {
        "type": "notification_event",
        "app_id": "workspace",
        "id": f"notif_{count}",
        "topic": "conversation.admin.replied",
        "data": {"type": "notification_event_data", "item": item},
    }
    body = json.dumps(notification)
    signature = hmac.new(CLIENT_SECRET.encode(), body.encode(), hashlib.sha1).hexdigest()
    return event("/intercom-webhook", {"x-hub-signature": f"sha1={signature}"}, body)


def event(path, headers, body):
    """As an HTTP API brings it."""
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "headers": headers,
        "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default"},
        "body": body,
        "isBase64Encoded": False,
    }


FUNCTIONS = {"telegram-ingress": telegram, "intercom-replies": intercom}
