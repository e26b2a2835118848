"""Figure 7: cameras found fit, and watched. FFmpeg has nothing like it, so these stand alone."""

import json
import statistics
import subprocess

from measure import Failed
from peers import Camera

CAMERAS = 200
RUNS = 5


class OnvifCameras:
    """Simulated ONVIF cameras in a process of their own; their stream is a real RTSP server's."""

    def __init__(self, bench, count, stream):
        command = [bench.example("health_cost"), "cameras", count, stream]
        bench.say(command)
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        self.addresses = []
        for line in self.process.stdout:
            if line.strip() == "ready":
                return
            self.addresses.append(line.strip())
        raise Failed("the simulated cameras did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def onboarding_and_health(bench):
    """Onboarding of one camera with a cold start, and the health of 200 cameras on loopback."""
    rows = []
    with Camera(bench.cache) as camera:
        with OnvifCameras(bench, 1, camera.url) as one:
            walls, pictures = [], []
            for _ in range(RUNS):
                cost = bench.run([bench.vistter, "onboard", one.addresses[0], "--json"], 60)
                with open(bench.work / "log") as log:
                    report = next(v for v in map(json.loads, log) if v["type"] == "report")
                walls.append(cost.wall)
                pictures.append(sum(s["took_secs"] for s in report["steps"][: names(report).index("first_frame") + 1]))
            remark = f"most {max(walls):.2f}; first picture after {statistics.median(pictures):.2f}, then 1 s of watching; {len(report['steps'])} steps, cold start"
            rows.append(("7. onboarding of a simulated ONVIF camera, s", f"{statistics.median(walls):.2f}", "-", "-", remark))
        with OnvifCameras(bench, CAMERAS, camera.url) as many:
            costs = []
            for count in (0, CAMERAS):
                addresses = bench.work / f"cameras-{count}"
                addresses.write_text("\n".join(many.addresses[:count]))
                costs.append(bench.run([bench.example("health_cost"), "watch", addresses, bench.seconds], bench.seconds + 30))
    none, all_of_them = costs
    share = (all_of_them.cpu - none.cpu) / bench.seconds * 1000
    grown = all_of_them.peak_mb - none.peak_mb
    remark = f"a question to each every 10 s; {grown / CAMERAS * 1024:.0f} kB and {share / CAMERAS * 1000:.0f} µs of CPU a second for each camera"
    rows.append((f"7. health of {CAMERAS} cameras: CPU ms per second / MB", f"{share:.1f} / {grown:.1f}", "-", "-", remark))
    return rows


def names(report):
    return [step["step"] for step in report["steps"]]
