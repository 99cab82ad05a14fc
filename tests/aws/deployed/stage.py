"""The other side of the stack: both vendors, played by the simulators, and the people who use them."""

import json
import subprocess
import urllib.error
import urllib.request

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Stage:
    """The running program `aws-stage`."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary], stdout=subprocess.PIPE, text=True)
        self.program = json.loads(self.process.stdout.readline())

    def close(self):
        self.process.terminate()
        self.process.wait(10)

    def __getattr__(self, name):
        return self.program[name]

    def act(self, do, **details):
        """Has something happen, or looks at what there is."""
        status, body = request("POST", f"{self.url}/act", json.dumps({"do": do} | details))
        if status != 200:
            raise AssertionError(f"{do}: {body}")
        return json.loads(body)

    def bot_api(self, method, **parameters):
        """Calls Telegram as the bot's owner does."""
        url = f"{self.telegram_api_url}/bot{self.bot_token}/{method}"
        status, body = request("POST", url, json.dumps(parameters))
        assert status == 200, body


def request(method, url, body=None, headers=None):
    """One HTTP request: status and body."""
    headers = {"content-type": "application/json"} | (headers or {})
    data = body.encode() if isinstance(body, str) else body
    try:
        with OPENER.open(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
