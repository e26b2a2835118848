"""Runs a program and says what it cost: CPU seconds and peak memory, from the kernel's own accounts."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass


class Failed(Exception):
    """A program did not do its work; the message says which and why."""


@dataclass
class Cost:
    cpu: float  # seconds, user and system, all threads
    wall: float  # seconds
    peak_mb: float  # resident


def shown(command):
    """The command as one would type it."""
    quoted = ["'" + word + "'" if any(c in word for c in " ;*[]()|'\\") else word for word in map(str, command)]
    return " ".join(quoted)


def run(command, limit, log, stdin=None):
    """Runs to the end. `log` is the file for stdout and stderr; a failure shows its last lines."""
    running = start(command, log, stdin)
    return running.wait(limit)


class start:
    """A program that runs while something else is measured or watched."""

    def __init__(self, command, log, stdin=None):
        self.command, self.log = command, log
        self.began = time.monotonic()
        with open(log, "wb") as out:
            self.process = subprocess.Popen(list(map(str, command)), stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=out)

    def cpu(self):
        """CPU seconds so far."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def alive(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:  # not poll(): that would take the accounts with it
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"

    def interrupt(self, limit=30):
        self.process.send_signal(signal.SIGINT)
        return self.wait(limit)

    def wait(self, limit):
        end = time.monotonic() + limit
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                self.process.kill()
                os.wait4(self.process.pid, 0)
                self.process.returncode = -9
                raise Failed(f"{self.name()} did not end within {limit:.0f} s: {self.tail()}")
            time.sleep(0.05)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode not in (0, 255):  # FFmpeg ends with 255 when interrupted
            raise Failed(f"{self.name()} ended with {self.process.returncode}: {self.tail()}")
        return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - self.began, usage.ru_maxrss / 1024)

    def name(self):
        return os.path.basename(str(self.command[0]))

    def tail(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-800:].strip()
