"""Figure 7: cameras found fit, and watched. FFmpeg has nothing like it, so these stand alone."""

import json
import re
import statistics
import subprocess
import time

from measure import Failed, start

CAMERAS = 200
RUNS = 5


class Simulated:
    """Simulated cameras in a process of their own: what they cost is not ours. Ends with the block."""

    def __init__(self, bench, command, lines):
        bench.say(command)
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        self.addresses = [self.process.stdout.readline().strip() for _ in range(lines)]
        if not all(a.startswith("onvif://") for a in self.addresses):
            raise Failed("the simulated cameras did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def overhead(line):
    """A line such as "move status: 40 moves, overhead 44 / 94 / 135 ms (least, median, most)"."""
    evidence, rest = line.split(": ", 1)
    moves, (least, median, most) = rest.split(" ", 1)[0], re.findall(r"\d+", rest.split("overhead", 1)[1])
    return (f"7. a go-to by {evidence}, longer than the motors' own time, ms", median, "-", "-", f"{least} to {most} over {moves} moves, simulated VISCA camera")


def onboarding_and_health(bench):
    """Onboarding of one camera with a cold start, what a go-to takes beyond its motors, and the health of 200 cameras on loopback."""
    walls, pictures = [], []
    with Simulated(bench, [bench.example("simulated_camera")], 1) as one:
        for _ in range(RUNS):
            cost = bench.run([bench.vistter, "onboard", one.addresses[0], "--json"], 60)
            with open(bench.work / "log") as log:
                report = next(v for v in map(json.loads, log) if v["type"] == "report")
            steps = [step["step"] for step in report["steps"]]
            walls.append(cost.wall)
            pictures.append(sum(s["took_secs"] for s in report["steps"][: steps.index("first_frame") + 1]))
    remark = f"worst {max(walls):.2f}; the first picture after {statistics.median(pictures):.2f}, then watched for two keyframes; {len(steps)} steps, cold start"
    rows = [("7. onboarding of a simulated ONVIF camera, s", f"{statistics.median(walls):.2f}", "-", "-", remark)]
    rows += [overhead(line) for line in bench.output([bench.example("goto_overhead")]).splitlines()]
    cpu, resident = [], []
    with Simulated(bench, [bench.example("health_cost"), "cameras", CAMERAS], CAMERAS) as many:
        for count in (0, CAMERAS):
            addresses = bench.work / f"cameras-{count}"
            addresses.write_text("\n".join(many.addresses[:count]))
            command = [bench.example("health_cost"), "watch", addresses, bench.seconds]
            bench.say(command)
            running = start(command, bench.work / "log")
            time.sleep(bench.seconds - 1)
            resident.append(running.resident_mb())
            cpu.append(running.wait(30).cpu)
    cpu, grown = (cpu[1] - cpu[0]) / bench.seconds * 1000, resident[1] - resident[0]
    remark = f"a question to each every 10 s: {grown / CAMERAS * 1024:.0f} kB and {cpu / CAMERAS * 1000:.0f} µs of CPU a second for each camera"
    rows.append((f"7. health of {CAMERAS} cameras: CPU ms per second / MB", f"{cpu:.1f} / {grown:.1f}", "-", "-", remark))
    return rows
