"""Camera and destination for the benchmarks: the same GStreamer camera and nginx that the tests use."""

import json
import pathlib
import socket
import subprocess
import sys
import time

from measure import Failed

# The system's own Python: Debian's GStreamer bindings are not visible to one from elsewhere.
PYTHON = "/usr/bin/python3" if sys.platform == "linux" else "python3"
ROOT = pathlib.Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Camera:
    """A looping clip behind an RTSP server; keys as `tests/peers/cam_gst.py` explains."""

    def __init__(self, cache, **keys):
        words = [f"{key}={value}" for key, value in keys.items()]
        script = ROOT / "tests/peers/cam_gst.py"
        self.process = subprocess.Popen(
            [PYTHON, script, "--cache", cache, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        ready = self.process.stdout.readline()
        if not ready:
            raise Failed("the camera did not start")
        self.url = json.loads(ready)["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Nginx:
    """An RTMP server that records what is published as FLV."""

    def __init__(self, work):
        self.dir = work
        self.records = work / "rec"
        self.records.mkdir(parents=True, exist_ok=True)
        for old in self.records.iterdir():
            old.unlink()
        self.rtmp = free_port()
        (work / "nginx.conf").write_text(
            f"load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;\n"
            f"daemon off; master_process off; pid {work}/pid; error_log {work}/error.log;\n"
            f"events {{ worker_connections 64; }}\n"
            f"rtmp {{ server {{ listen 127.0.0.1:{self.rtmp}; chunk_size 4096;\n"
            f"  application live {{ live on; record all; record_path {self.records}; record_suffix .flv; }} }} }}\n"
        )
        keeper = 'nginx -p "$1" -c "$1/nginx.conf" & read _ || :; kill -9 $! 2>/dev/null; wait'
        self.process = subprocess.Popen(
            ["sh", "-c", keeper, "sh", work], stdin=subprocess.PIPE, stderr=open(work / "start.log", "w"),
            env={"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.rtmp)) == 0:
                    return
            time.sleep(0.05)
        raise Failed(f"nginx did not start: {(work / 'start.log').read_text()}")

    def url(self, key=""):
        return f"rtmp://127.0.0.1:{self.rtmp}/live" + (f"/{key}" if key else "")

    def recording(self, key):
        path = self.records / f"{key}.flv"
        if not path.exists():
            raise Failed(f"nothing was published as {key}")
        return path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
