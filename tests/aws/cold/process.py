"""One process of a function, on a runtime API of its own: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html."""

import io
import itertools
import json
import os
import subprocess
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAY_TAKE = 60
COUNT = itertools.count(1)


class RuntimeApi(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A process that is ended hangs up on us."""


class Process:
    """Started, asked so many times, measured."""

    def __init__(self, binary, environment, request, calls):
        self.events = [json.dumps(request(next(COUNT))).encode() for _ in range(calls)]
        self.asked, self.answers, self.trouble = [], [], None
        self.first_answer = self.resident = self.cpu = None
        self.over = threading.Event()
        self.api = RuntimeApi(("127.0.0.1", 0), handler(self))
        threading.Thread(target=self.api.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        lambdas = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": binary.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": "group",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        }
        self.begun = time.perf_counter()
        self.process = subprocess.Popen([binary], env=environment | lambdas, stdout=subprocess.DEVNULL)

    def end(self):
        """Waits for the last answer, looks at what it took, and ends the process."""
        answered = self.over.wait(MAY_TAKE)
        with open(f"/proc/{self.process.pid}/status") as status:
            self.resident = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        self.process.kill()
        _, _, used = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        self.cpu = used.ru_utime + used.ru_stime
        self.api.shutdown()
        self.api.server_close()
        if self.trouble or not answered:
            raise SystemExit(f"{self.process.args[0]}: {self.trouble or 'no answer'}")

    def answered(self, body):
        now = time.perf_counter()
        self.answers.append(now - self.asked[-1])
        if len(self.answers) == 1:
            self.first_answer = now - self.begun
        if json.loads(body).get("statusCode") != 200:
            self.trouble = body.decode()
        if self.trouble or not self.events:
            self.over.set()


def handler(process):
    """What the process finds under AWS_LAMBDA_RUNTIME_API."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1

        def log_message(self, *_):
            pass

        def do_GET(self):
            if not process.events:
                # What has nothing to do is frozen.
                time.sleep(MAY_TAKE)
                return
            event = process.events.pop(0)
            process.asked.append(time.perf_counter())
            headers = {
                "Lambda-Runtime-Aws-Request-Id": f"request-{len(process.asked)}",
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 5) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:measured",
                "Content-Type": "application/json",
            }
            self.answer(200, headers, event)

        def do_POST(self):
            body = self.body()
            self.answer(202, {}, b"{}")
            if self.path.endswith("/response"):
                process.answered(body)
            else:
                process.trouble = body.decode()
                process.over.set()

        def body(self):
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def answer(self, status, headers, body):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    return Handler


class Measured:
    """What is known of one build of a function."""

    def __init__(self, binary):
        self.size = binary.stat().st_size
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.write(binary, "bootstrap")
        self.zipped = len(packed.getvalue())
        self.first, self.cpu, self.warm, self.resident = [], [], [], 0

    def started(self, process):
        self.first.append(process.first_answer)
        self.cpu.append(process.cpu)
