"""bridgectl, as an operator runs it on the stack."""

import os
import subprocess
import tempfile
from pathlib import Path

from deployed.stack import NAME, ROOT

BRIDGECTL = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/bridgectl"


class Run:
    """A command that is under way."""

    def __init__(self, command, environment):
        self.said = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen(
            [BRIDGECTL, *command],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=self.said,
            stderr=subprocess.STDOUT,
        )

    def so_far(self):
        """What it has printed."""
        return Path(self.said.name).read_text()

    def end(self):
        """Waits for its end: exit code, and what it printed."""
        return self.process.wait(180), self.so_far()


def begin(cast, *command, **environment):
    """Begins a command on the stack. No resolver knows the name of the emulator's API, so that it is told the road there."""
    return Run([*command, "--stack", NAME, "--public-url", cast.stage.url], environment)


def run(cast, *command, **environment):
    """Runs a command on the stack: exit code, and what it printed."""
    return begin(cast, *command, **environment).end()
