"""Python programs in virtual environments of their own, installed once for each version of their list."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path


def installed(where: Path, requirements: Path, what: str):
    """Makes the virtual environment, unless it holds these very requirements already."""
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = where / "requirements.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"installing {what}", file=sys.stderr)
    venv.create(where, with_pip=True, clear=True)
    pip = [where / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    # The list is complete, so that nothing is left to be resolved.
    subprocess.run([*pip, "install", "--no-deps", "--require-hashes", "--requirement", requirements], check=True)
    stamp.write_text(wanted)
