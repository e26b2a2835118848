#!/usr/bin/python3
"""One RTSP camera with real content, on GStreamer's RTSP server, that a test can break on purpose.

    cam_gst.py --cache DIR [key=value ...]

It encodes a moving test picture (and a beeping tone) once with ffmpeg into DIR, then loops the compressed clip: a
camera costs almost no CPU. It answers on stdout, one JSON object a line, and obeys lines on stdin. When stdin closes
it ends, so no camera outlives the test that started it.

Keys (defaults):
  port=0 (any free one, kept over restarts)  path=/cam
  codec=h264|h265   profile=baseline|main|high   bframes=0   slices=1   size=1280x720   fps=25 (or 30000/1001)
  gop=50 (frames)   kbps=2000   hue=0 (degrees: tells cameras apart)   headers=both|sdp|inband (where SPS and PPS are)
  audio=none|aac|alaw|ulaw    file= (loop this .mov or .mp4 instead of a made clip)
  auth=none|basic|digest  user=admin  password=secret    transport=any|tcp|udp    cert= (PEM: makes it rtsps)
  rtp_offset= (first RTP timestamp less one second; random if empty)
Commands:
  stall | resume        RTSP still answers, no RTP comes
  freeze | thaw         the whole process stands still, its sockets stay open
  drop                  closes all connections, keeps listening
  kill | start          SIGKILL; start again on the same port
  restart key=value ..  kill, change keys, start
  loss PERCENT          that share of the RTP packets is not sent
  jump SECONDS          RTP timestamps jump by that much from now on
"""

import hashlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction

DEFAULTS = dict(
    port="0", path="/cam", codec="h264", profile="main", bframes="0", slices="1", size="1280x720", fps="25", gop="50",
    kbps="2000", hue="0", headers="both", audio="none", file="", auth="none", user="admin", password="secret",
    transport="any", cert="", rtp_offset="",
)
CLIP_KEYS = ("codec", "profile", "bframes", "slices", "size", "fps", "gop", "kbps", "hue", "audio")
VIDEO = ("h264", "h265")
RTP_CLOCK = dict(h264=90_000, h265=90_000, aac=48_000, alaw=8_000, ulaw=8_000)


def tell(**fields):
    print(json.dumps(fields), flush=True)


def keys(words, base):
    spec = dict(base)
    for word in words:
        key, _, value = word.partition("=")
        if key not in DEFAULTS:
            sys.exit(f"cam_gst.py: unknown key {key!r}; known: {' '.join(DEFAULTS)}")
        spec[key] = value
    return spec


# ---------------------------------------------------------------- the clip


def clip_frames(spec):
    """Whole GOPs, 8 s or more: 8 s is a whole number of AAC frames at 48 kHz, so sound and picture loop together."""
    gop = int(spec["gop"])
    return max(1, math.ceil(8 * Fraction(spec["fps"]) / gop)) * gop


def clip(spec, cache):
    """The clip for these keys, encoded at most once. Processes may race: the last rename wins, all results are equal."""
    if spec["file"]:
        return spec["file"]
    wanted = {key: spec[key] for key in CLIP_KEYS}
    name = hashlib.sha256(json.dumps([2, wanted], sort_keys=True).encode()).hexdigest()[:16]
    done = os.path.join(cache, f"{name}.mov")
    if os.path.exists(done):
        return done
    os.makedirs(cache, exist_ok=True)
    seconds = float(clip_frames(spec) / Fraction(spec["fps"]))
    kbps, gop = spec["kbps"], spec["gop"]
    cmd = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    cmd += ["-f", "lavfi", "-i", f"testsrc2=size={spec['size']}:rate={spec['fps']},hue=h={spec['hue']}"]
    if spec["audio"] != "none":
        rate = RTP_CLOCK[spec["audio"]]
        cmd += ["-f", "lavfi", "-i", f"sine=frequency=440:beep_factor=4:sample_rate={rate}"]
    cmd += ["-frames:v", str(clip_frames(spec)), "-pix_fmt", "yuv420p", "-g", gop, "-b:v", f"{kbps}k"]
    if spec["codec"] == "h264":
        cmd += ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", spec["profile"], "-bf", spec["bframes"]]
        cmd += ["-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k"]
        cmd += ["-x264-params", f"slices={spec['slices']}:b-adapt=0:scenecut=0:keyint={gop}:min-keyint={gop}:open-gop=0"]
    else:
        x265 = f"log-level=error:bframes={spec['bframes']}:b-adapt=0:keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0"
        cmd += ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", x265]
    if spec["audio"] == "aac":
        cmd += ["-c:a", "aac", "-b:a", "96k", "-ac", "2"]
    elif spec["audio"] != "none":
        cmd += ["-c:a", "pcm_alaw" if spec["audio"] == "alaw" else "pcm_mulaw", "-ac", "1"]
    part = f"{done}.{os.getpid()}.mov"
    subprocess.run(cmd + ["-t", f"{seconds:.6f}", part], check=True, stdin=subprocess.DEVNULL)
    os.rename(part, done)
    return done


# ---------------------------------------------------------------- the worker: one RTSP server


class Track:
    """Access units of one elementary stream: (bytes, pts, dts, is_key), nanoseconds from the start of the clip."""

    def __init__(self, kind):
        self.kind, self.caps, self.units, self.period = kind, None, [], 0


def load(Gst, path):
    """Demux the whole clip into memory."""
    pipeline = Gst.parse_launch(f'filesrc location="{path}" ! qtdemux name=demux')
    tracks = []
    parsers = {
        "video/x-h264": ("h264", "h264parse ! video/x-h264,stream-format=byte-stream,alignment=au"),
        "video/x-h265": ("h265", "h265parse ! video/x-h265,stream-format=byte-stream,alignment=au"),
        "audio/mpeg": ("aac", "aacparse ! audio/mpeg,stream-format=raw"),
        "audio/x-alaw": ("alaw", "identity"),
        "audio/x-mulaw": ("ulaw", "identity"),
    }

    def on_pad(_, pad):
        kind, parser = parsers.get(pad.get_current_caps().get_structure(0).get_name(), (None, None))
        if kind is None:
            return
        track = Track(kind)
        tracks.append(track)
        queue = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0"
        sink = "appsink name=sink sync=false async=false emit-signals=true"
        branch = Gst.parse_bin_from_description(f"{queue} ! {parser} ! {sink}", True)

        def on_sample(appsink):
            sample = appsink.emit("pull-sample")
            buffer = sample.get_buffer()
            track.caps = sample.get_caps()
            dts = buffer.dts if buffer.dts != Gst.CLOCK_TIME_NONE else buffer.pts
            key = not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
            length = buffer.duration if buffer.duration != Gst.CLOCK_TIME_NONE else 0
            track.units.append((buffer.extract_dup(0, buffer.get_size()), buffer.pts, dts, key, length))
            return Gst.FlowReturn.OK

        branch.get_by_name("sink").connect("new-sample", on_sample)
        pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    pipeline.get_by_name("demux").connect("pad-added", on_pad)
    pipeline.set_state(Gst.State.PLAYING)
    end = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    if end is None or end.type == Gst.MessageType.ERROR:
        sys.exit(f"cam_gst.py: cannot read {path}: {end and end.parse_error()}")
    pipeline.set_state(Gst.State.NULL)
    for track in tracks:
        if track.kind in ("alaw", "ulaw"):  # 20 ms a packet, as cameras send it
            raw = b"".join(unit[0] for unit in track.units)
            tick = Gst.SECOND // 50
            track.units = [(raw[at : at + 160], at // 160 * tick, at // 160 * tick, True, tick) for at in range(0, len(raw) - 159, 160)]
        first = min(unit[1] for unit in track.units)
        track.period = max(unit[1] + unit[4] for unit in track.units) - first
        track.units = [(data, pts - first, dts - first, key) for data, pts, dts, key, _ in track.units]
    return tracks


class Faults:
    """What is broken at the moment; written by the command thread, read by the streaming threads."""

    stalled = False
    loss = 0.0
    jump = 0.0


def worker(spec, path):
    import gi

    for name in ("Gst", "GstRtsp", "GstRtspServer"):
        gi.require_version(name, "1.0")
    from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer

    Gst.init(None)
    tracks = load(Gst, path)
    faults = Faults()

    interval = {"both": -1, "inband": -1, "sdp": 0}[spec["headers"]]
    payloaders = dict(
        h264=f"rtph264pay config-interval={interval} aggregate-mode=zero-latency", h265=f"rtph265pay config-interval={interval}",
        aac="rtpmp4gpay", alaw="rtppcmapay", ulaw="rtppcmupay",
    )
    fixed_types = dict(alaw=8, ulaw=0)

    def launch():
        branches = []
        for index, track in enumerate(tracks):
            source = f"appsrc name=src{index} is-live=true format=time block=false max-buffers=200 max-bytes=0 leaky-type=downstream"
            kind = fixed_types.get(track.kind, 96 + index)
            offset = f"timestamp-offset={spec['rtp_offset']}" if spec["rtp_offset"] else ""
            branches.append(f"{source} ! {payloaders[track.kind]} name=pay{index} pt={kind} mtu=1400 {offset}")
        return "( " + "  ".join(branches) + " )"

    def feed(stop, source, track, start):
        """Push access units when they are due, for ever. A first offset keeps DTS positive under B-frames."""
        round_, at = 0, 0
        while not stop.is_set():
            data, pts, dts, key = track.units[at]
            base = round_ * track.period + Gst.SECOND
            wait = start + (base + dts) / 1e9 - 1 - time.monotonic()
            if wait > 0 and stop.wait(wait):
                return
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts, buffer.dts = base + pts, base + dts
            if not key:
                buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
            if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return
            at += 1
            if at == len(track.units):
                at, round_ = 0, round_ + 1

    def on_packet(pad, info, clock):
        """Every RTP packet passes here: the place for loss, stall and wrong timestamps."""
        if faults.stalled:
            return Gst.PadProbeReturn.DROP
        if not faults.loss and not faults.jump:
            return Gst.PadProbeReturn.OK
        if info.type & Gst.PadProbeType.BUFFER_LIST:
            buffers = info.get_buffer_list()
            packets = [buffers.get(at) for at in range(buffers.length())]
        else:
            packets = [info.get_buffer()]
        for packet in packets:
            if random.random() * 100 >= faults.loss:
                push_rewritten(pad, packet, clock)
        return Gst.PadProbeReturn.DROP

    def push_rewritten(pad, packet, clock):
        data = bytearray(packet.extract_dup(0, packet.get_size()))
        stamp = int.from_bytes(data[4:8], "big") + int(faults.jump * clock)  # RFC 3550 §5.1
        data[4:8] = (stamp & 0xFFFF_FFFF).to_bytes(4, "big")
        copy = Gst.Buffer.new_wrapped(bytes(data))
        copy.pts, copy.dts = packet.pts, packet.dts
        peer = pad.get_peer()
        if peer is not None:
            peer.chain(copy)

    def on_configure(_, media):
        stop = threading.Event()
        start = time.monotonic()
        element = media.get_element()
        for index, track in enumerate(tracks):
            pad = element.get_by_name(f"pay{index}").get_static_pad("src")
            mask = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
            pad.add_probe(mask, on_packet, RTP_CLOCK[track.kind])
            source = element.get_by_name(f"src{index}")
            source.set_property("caps", track.caps)
            threading.Thread(target=feed, args=(stop, source, track, start), daemon=True).start()
        media.connect("unprepared", lambda _: stop.set())

    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(spec["port"])
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch())
    factory.set_shared(True)
    factory.set_latency(0)
    lower = GstRtsp.RTSPLowerTrans
    factory.set_protocols(dict(any=lower.TCP | lower.UDP, tcp=lower.TCP, udp=lower.UDP)[spec["transport"]])
    factory.connect("media-configure", on_configure)
    if spec["auth"] != "none" or spec["cert"]:
        auth = GstRtspServer.RTSPAuth()
        if spec["cert"]:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(spec["cert"]))
        token = GstRtspServer.RTSPToken.new()
        token.set_string("media.factory.role", "viewer")
        permissions = GstRtspServer.RTSPPermissions.new()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        if spec["auth"] == "none":
            auth.set_default_token(token)
        elif spec["auth"] == "basic":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(spec["user"], spec["password"]), token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(spec["user"], spec["password"], token)
        server.set_auth(auth)
        factory.set_permissions(permissions)

    clients = set()

    def on_client(_, client):
        clients.add(client)
        tell(event="client", now=len(clients))
        client.connect("closed", lambda gone: (clients.discard(gone), tell(event="gone", now=len(clients))))

    server.connect("client-connected", on_client)
    server.get_mount_points().add_factory(spec["path"], factory)
    if server.attach(None) == 0:
        sys.exit(f"cam_gst.py: port {spec['port']} is taken")
    GLib.timeout_add_seconds(2, lambda: server.get_session_pool().cleanup() >= 0)
    loop = GLib.MainLoop()

    def drop():
        for client in list(clients):
            client.close()
        tell(ok="drop")
        return False

    def obey():
        for line in sys.stdin:
            name, *words = line.split()
            if name == "drop":
                GLib.idle_add(drop)
                continue
            if name in ("stall", "resume"):
                faults.stalled = name == "stall"
            elif name == "loss":
                faults.loss = float(words[0])
            elif name == "jump":
                faults.jump += float(words[0])
            tell(ok=name)
        loop.quit()

    threading.Thread(target=obey, daemon=True).start()
    tell(event="ready", port=server.get_bound_port())
    loop.run()


# ---------------------------------------------------------------- the supervisor: survives freeze and kill


class Supervisor:
    def __init__(self, spec, cache):
        self.spec, self.cache, self.child = spec, cache, None

    def start(self):
        path = clip(self.spec, self.cache)
        arguments = [sys.executable, os.path.abspath(__file__), "--worker", path] + [f"{k}={v}" for k, v in self.spec.items()]
        self.child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for line in self.child.stdout:
            said = json.loads(line)
            if said.get("event") == "ready":
                self.spec["port"] = str(said["port"])
                break
        else:
            sys.exit(self.child.wait() or 1)
        threading.Thread(target=self.relay, args=(self.child.stdout,), daemon=True).start()
        scheme = "rtsps" if self.spec["cert"] else "rtsp"
        tell(event="ready", url=f"{scheme}://127.0.0.1:{self.spec['port']}{self.spec['path']}", pid=self.child.pid)

    @staticmethod
    def relay(stream):
        for line in stream:
            sys.stdout.write(line)
            sys.stdout.flush()

    def kill(self):
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()

    def obey(self, line):
        name, *words = line.split()
        if name in ("freeze", "thaw"):
            self.child.send_signal(signal.SIGSTOP if name == "freeze" else signal.SIGCONT)
            tell(ok=name)
        elif name == "kill":
            self.kill()
            tell(ok=name)
        elif name in ("start", "restart"):
            self.kill()
            self.spec = keys(words, self.spec)
            self.start()
            tell(ok=name)
        elif name in ("stall", "resume", "drop", "loss", "jump"):
            self.child.stdin.write(line)
            self.child.stdin.flush()
        else:
            tell(error=f"unknown command {name}")


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--worker"]:
        return worker(keys(arguments[2:], DEFAULTS), arguments[1])
    if arguments[:1] != ["--cache"] or len(arguments) < 2:
        sys.exit(__doc__)
    supervisor = Supervisor(keys(arguments[2:], DEFAULTS), arguments[1])
    try:
        supervisor.start()
        for line in sys.stdin:
            if line.strip():
                supervisor.obey(line)
    finally:
        supervisor.kill()


if __name__ == "__main__":
    main()
