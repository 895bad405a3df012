# SPDX-License-Identifier: Apache-2.0
"""Runs commands of the real binary: against a running server, or on the store of one that was stopped."""

import json
import os
import pty
import subprocess

from rampart import BINARY, DEADLINE_SECONDS

KEY = "ENABLE_PROFILE_CACHE"


class CommandLine:
    """Commands that work on one server, or on its data folder."""

    def __init__(self, server, way):
        self.server = server
        self.way = way
        if way == "data":
            assert server.stop() == 0

    @property
    def place(self):
        return ["--data", self.server.data] if self.way == "data" else ["--server", f"http://127.0.0.1:{self.server.port}"]

    def run(self, *arguments, stdin=subprocess.DEVNULL, text=None, status=None):
        """With a status, the command must end with it."""
        source = {"input": text} if text is not None else {"stdin": stdin}
        result = subprocess.run(
            [BINARY, *map(str, arguments), *self.place], capture_output=True, text=True, timeout=DEADLINE_SECONDS,
            cwd=self.server.folder, **source)
        assert status is None or result.returncode == status, (arguments, result)
        return result

    def json(self, *arguments, status=0):
        return json.loads(self.run(*arguments, "--json", status=status).stdout)

    def answering(self, answer, *arguments):
        """Runs a command whose standard input is a terminal at which somebody types."""
        ours, theirs = pty.openpty()
        try:
            os.write(ours, (answer + "\n").encode())
            return self.run(*arguments, stdin=theirs)
        finally:
            os.close(ours)
            os.close(theirs)
