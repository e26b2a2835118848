"""The figures. Each takes a `Bench` and returns rows for the table: (what, ours, FFmpeg, ratio, remark)."""

import json
import math
import statistics
import time
from urllib.parse import urlsplit

import control
import media
import ocl
from measure import Failed, start
from peers import Camera, Nginx
from taps import RtmpTap, RtspTap

PRESETS = ("ultrafast", "superfast", "veryfast")
RATE = ["-b:v", "4500k", "-maxrate", "4500k", "-bufsize", "9000k", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0"]
TUNE = ["-tune", "psnr"]  # x264 aims at the eye by default and would look worse than it is by this measure


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}" if theirs else "-"


def media_seconds(path):
    """Seconds of picture in a recording, by counting pictures: stamps may lie."""
    packets = media.probe(path, "-select_streams", "v:0", "-count_packets", "-show_entries", "stream=nb_read_packets")
    return int(packets["streams"][0]["nb_read_packets"]) / media.FPS


def ours_job(bench, camera, seconds):
    """Camera to three destinations with three overlays, by vistter."""
    with Nginx(bench.fresh("nginx")) as server:
        outs = [server.url(key) for key in "abc"]
        show = media.show(bench.work / "job.json", [camera.url], seconds, destinations=outs, overlays=media.overlay_files(bench.work))
        cost = bench.run([bench.vistter, "run", show], seconds + 60)
        return cost, [media_seconds(server.recording(key)) for key in "abc"]


def ffmpeg_job(bench, camera, seconds, preset):
    """The same by FFmpeg."""
    with Nginx(bench.fresh("nginx")) as server:
        outs = "|".join(f"[f=flv:onfail=ignore]{server.url(key)}" for key in "abc")
        media.overlay_files(bench.work)
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-rtsp_transport", "tcp", "-i", camera.url]
        command += ["-loop", "1", "-framerate", media.FPS, "-i", bench.work / "overlays/logo.png"]
        command += ["-filter_complex", media.overlay_filter(seconds), "-map", "[v]", "-map", "0:a", "-c:a", "copy"]
        command += ["-c:v", "libx264", "-preset", preset, *TUNE, *RATE, "-flags", "+global_header", "-t", seconds, "-f", "tee", outs]
        cost = bench.run(command, seconds + 90)
        return cost, [media_seconds(server.recording(key)) for key in "abc"]


def encoders(bench):
    """PSNR of luma and CPU for the camera's clip at the job's settings, each encoder alone: {name: (dB, CPU s per media s)}."""
    clip = media.detailed(bench.cache)
    raw = media.once(bench.cache / "detailed-2.y4m", lambda out: media.ffmpeg("-i", clip, "-map", "0:v", "-f", "yuv4mpegpipe", out))
    length, found = 8.0, {}
    coded = bench.work / "coded.h264"
    for effort in ("low", "high"):
        cost = bench.run([bench.example("encode_y4m"), raw, coded, 4500, 60, effort], 300)
        found[f"vistter, effort {effort}"] = (media.psnr_y(coded, raw), cost.cpu / length, size_kbps(coded, length))
    ours = found["vistter, effort low"][2]
    for preset in PRESETS:
        points, asked = [], 4500
        for _ in range(2):  # the second time at the rate that should give our size: more bits are a better picture
            rate = ["-b:v", f"{asked:.0f}k", "-maxrate", f"{asked:.0f}k", "-bufsize", f"{asked * 2:.0f}k", *RATE[6:]]
            cost = bench.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", raw, "-c:v", "libx264", "-preset", preset, *TUNE, *rate, coded], 300)
            points.append((size_kbps(coded, length), media.psnr_y(coded, raw)))
            asked *= ours / points[0][0]
        bench.note(f"x264 {preset}: " + ", ".join(f"{decibels:.2f} dB at {kbps:.0f} kbit/s" for kbps, decibels in points))
        found[f"x264 {preset}"] = (at_rate(ours, points), cost.cpu / length, ours)
    coded.unlink()
    return found


def at_rate(kbps, points):
    """PSNR at a rate, on the line through two points over the logarithm of the rate."""
    (low, a), (high, b) = points
    return b if abs(math.log(high / low)) < 0.002 else a + (b - a) * math.log(kbps / low) / math.log(high / low)


def size_kbps(path, seconds):
    return path.stat().st_size * 8 / seconds / 1000


def job(bench):
    """The job: one camera, three overlays, one encode, three destinations."""
    quality = encoders(bench)
    for name, (decibels, cpu, kbps) in quality.items():
        bench.note(f"encoder alone, {name}: {decibels:.2f} dB PSNR-Y at {kbps:.0f} kbit/s, {cpu:.3f} CPU s per media s")
    mine = quality["vistter, effort low"][0]
    rows, costs = [], {}
    seconds = bench.seconds
    with Camera(bench.cache, file=media.detailed(bench.cache)) as camera:
        mine_cost = []
        for preset in ("", *PRESETS, ""):  # ours before and after, so that a machine that changes its pace shows
            if not preset:
                ours, lengths = ours_job(bench, camera, seconds)
                mine_cost.append(ours.cpu / lengths[0])
                bench.peak["vistter"] = ours.peak_mb
                bench.note(f"vistter published {', '.join(f'{x:.1f}' for x in lengths)} s of {seconds} s: {mine_cost[-1]:.3f} CPU s per media s")
                continue
            cost, lengths = ffmpeg_job(bench, camera, seconds, preset)
            costs[preset] = cost.cpu / lengths[0]
            bench.peak[f"FFmpeg {preset}"] = cost.peak_mb
            bench.note(f"FFmpeg {preset} published {', '.join(f'{x:.1f}' for x in lengths)} s of {seconds} s")
    ours_per = statistics.mean(mine_cost)
    for preset in PRESETS:
        better = quality[f"x264 {preset}"][0] - mine
        remark = f"its PSNR-Y is {better:+.2f} dB to ours at the same bitrate"
        rows.append((f"1. the job, CPU s per media s, against x264 {preset}", f"{ours_per:.3f}", f"{costs[preset]:.3f}", ratio(ours_per, costs[preset]), remark))
    equal = equal_quality(mine, [(quality[f"x264 {preset}"][0], costs[preset]) for preset in PRESETS])
    rows.append(("**1. the job at equal PSNR-Y** (FFmpeg between presets, by interpolation)", f"{ours_per:.3f}", f"{equal:.3f}", ratio(ours_per, equal), f"{mine:.2f} dB"))
    return rows


def equal_quality(decibels, points):
    """FFmpeg's cost at our quality: between the two presets around it, or the nearest one."""
    points = sorted(points)
    if decibels <= points[0][0]:
        return points[0][1]
    for (low, cheap), (high, dear) in zip(points, points[1:]):
        if decibels <= high:
            return cheap + (dear - cheap) * (decibels - low) / (high - low)
    return points[-1][1]


def idle_cameras(bench):
    """Two more cameras that nobody looks at, next to one decode."""
    seconds = max(15, bench.seconds // 2)
    clip = media.detailed(bench.cache)
    program = {"width": 640, "height": 360, "bitrate_kbps": 800}
    with Camera(bench.cache, file=clip) as one, Camera(bench.cache, file=clip) as two, Camera(bench.cache, file=clip) as three:
        urls = [one.url, two.url, three.url]
        extra, rounds = [], 3
        for _ in range(rounds):  # alternating, so that a neighbour's load hits both alike
            costs = []
            for cameras in (urls[:1], urls):
                record = bench.fresh("idle") / "out.mp4"
                show = media.show(bench.work / "idle.json", cameras, seconds, recording=record, **program)
                costs.append(bench.run([bench.vistter, "run", show], seconds + 60).cpu / seconds)
            extra.append((costs[1] - costs[0]) / 2)
        decode = ["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", one.url, "-map", "0:v", "-t", seconds, "-f", "null", "-"]
        theirs = bench.run(decode, seconds + 60).cpu / seconds
    idle = statistics.median(extra)
    bench.note(f"one idle camera cost {', '.join(f'{x:.4f}' for x in extra)} CPU s per second in {rounds} rounds")
    # The difference of two runs of the whole program: near nothing it is mostly the machine's noise, so bound it.
    remark = f"rounds from {min(extra):+.3f} to {max(extra):+.3f}; the ratio is the largest round's"
    return [("2. one idle 1080p30 camera, CPU s per second, against one decode", f"{idle:+.3f}", f"{theirs:.3f}", f"≤ {max(0, max(extra)) / theirs:.2f}", remark)]


def blend(bench):
    """Three layers at 1080p: ours alone, FFmpeg's filter graph less the same run without filters."""
    files = media.overlay_files(bench.work)
    rows = []
    frames = 300
    raw = media.once(bench.cache / "detailed-2.y4m", lambda out: media.ffmpeg("-i", media.detailed(bench.cache), "-map", "0:v", "-f", "yuv4mpegpipe", out))
    plain = ["ffmpeg", "-nostdin", "-v", "error", "-stream_loop", "1", "-i", raw, "-frames:v", frames]
    logo = ["-loop", "1", "-framerate", media.FPS, "-i", bench.work / "overlays/logo.png"]
    graph = media.overlay_filter(frames // media.FPS)
    base = bench.run([*plain, "-f", "null", "-"], 300)
    full = bench.run([*plain[:-2], *logo, "-filter_complex", graph, "-map", "[v]", "-frames:v", frames, "-f", "null", "-"], 300)
    theirs = (full.cpu - base.cpu) / frames * 1000
    for name, chosen in (("logo, lower third, ticker", files), ("logo and lower third", files[:2])):
        ours = bench.output([bench.example("blend_bench"), frames, *chosen])
        if chosen is files:
            rows.append((f"3. blend at 1080p, ms per frame: {name}", ours, f"{theirs:.2f}", ratio(float(ours), theirs), "FFmpeg: overlay, drawbox, drawtext"))
        else:
            bench.note(f"blend of {name} without the ticker: {ours} ms per frame")
    return rows


def cuts(bench):
    """A hundred cuts, half a second apart, between two cameras whose pictures carry numbers."""
    count, length = 100, 15
    seconds = (count + 6) * length / media.FPS
    clips = [media.marked(bench.cache, at) for at in (0, 1)]
    with Camera(bench.cache, file=clips[0]) as one, Camera(bench.cache, file=clips[1]) as two:
        record = bench.fresh("cuts") / "out.mp4"
        shots = [{"camera": f"cam{at}", "for": f"{length}f"} for at in (0, 1)]
        show = media.show(bench.work / "cuts.json", [one.url, two.url], seconds, shots=shots, recording=record, width=1280, height=720, bitrate_kbps=3000)
        bench.run([bench.vistter, "run", show], seconds + 60)
    seen = media.marks(record)
    start_up = next((at for at in range(len(seen) - 30) if all(seen[at : at + 30])), None)
    if start_up is None:
        raise Failed("the recording shows no cameras")
    late = black = repeated = skipped = made = 0
    first = -(-start_up // length) * length  # the first cut after both cameras were there
    for at in range(first, min(len(seen), first + count * length)):
        made += at % length == 0
        expected = at // length % 2
        if seen[at] is None:
            black += 1
        elif seen[at][0] != expected:
            late += 1
        elif at % length and seen[at - 1] and seen[at - 1][0] == expected:
            step = (seen[at][1] - seen[at - 1][1]) % 240
            repeated += step == 0
            skipped += step > 1
    bench.note(f"cameras were on air {start_up / media.FPS:.1f} s after the start")
    remark = f"{made} cuts, {min(len(seen), first + count * length) - first} frames looked at"
    return [("4. cuts: frames late / black / repeated / skipped", f"{late} / {black} / {repeated} / {skipped}", "-", "-", remark)]


# What is run, with our delay in milliseconds.
LATENCY = {"vistter delay_ms 100 (default)": 100, "vistter delay_ms 40": 40, "FFmpeg": None}


def latency(bench):
    """Camera packet in to RTMP bytes out."""
    rows, seconds = [], bench.seconds
    clip = media.marked(bench.cache, 0)
    found = {}
    with Camera(bench.cache, file=clip, rtp_offset=0) as camera, Nginx(bench.fresh("nginx")) as server:
        source = urlsplit(camera.url)
        for name in LATENCY:
            inlet, outlet = RtspTap("127.0.0.1", source.port), RtmpTap("127.0.0.1", server.rtmp)
            url, out = f"rtsp://127.0.0.1:{inlet.port}{source.path}", f"rtmp://127.0.0.1:{outlet.port}/live/{name.split()[0].lower()}"
            if LATENCY[name]:
                show = media.show(bench.work / "latency.json", [url], seconds, destinations=[out], width=1280, height=720, bitrate_kbps=3000, delay_ms=LATENCY[name])
                bench.run([bench.vistter, "run", show], seconds + 60)
            else:
                command = ["ffmpeg", "-nostdin", "-v", "error", "-fflags", "nobuffer", "-flags", "low_delay", "-rtsp_transport", "tcp", "-i", url]
                command += ["-vf", f"fps={media.FPS}", "-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", *RATE, "-t", seconds, "-f", "flv", out]
                bench.run(command, seconds + 60)
            time.sleep(0.5)
            inlet.close(), outlet.close()
            found[name] = delays(bench.work / "latency.flv", inlet, outlet)
    for name in [name for name in LATENCY if LATENCY[name]]:
        for at, quantile in ((0, "p50"), (1, "p99")):
            ours, theirs = found[name][at], found["FFmpeg"][at]
            what = f"5. added latency {quantile}, frames (of 33 ms), {name.partition(' ')[2]}"
            rows.append((what, f"{ours:.1f}", f"{theirs:.1f}", ratio(ours, theirs), f"{found[name][2]} pictures repeated or passed over of {found[name][3]}; FFmpeg, at its fastest settings, {found['FFmpeg'][2]}"))
    return rows


def delays(path, inlet, outlet):
    """Median and 99th percentile in frames, how often the next picture was not the next number, and of how many."""
    outlet.save(path)
    numbers = media.marks(path)
    sent = sorted(outlet.messages, key=lambda message: message[1])
    # Camera time of a picture: its RTP stamp is one second plus its place in the endless loop (cam_gst.py).
    arrived = {}
    for stamp, now in inlet.pictures.items():
        arrived.setdefault(round(stamp / 90000 * media.FPS - media.FPS) % 240, []).append(now)
    waits = []
    for (now, _), mark in zip(sent, numbers):
        times = [then for then in arrived.get(mark[1], []) if then <= now] if mark else []
        if times:
            waits.append((now - max(times)) * media.FPS)
    waits, numbers = waits[media.FPS * 3 :], numbers[media.FPS * 3 :]  # past the start
    pairs = [(a[1], b[1]) for a, b in zip(numbers, numbers[1:]) if a and b]
    uneven = sum((b - a) % 240 != 1 for a, b in pairs)
    if len(waits) < media.FPS * 3:
        raise Failed(f"only {len(waits)} pictures could be followed ({len(inlet.pictures)} in, {len(sent)} out)")
    return statistics.median(waits), statistics.quantiles(waits, n=100)[98], uneven, len(pairs)


def memory(bench):
    """Peak of the job, and growth of a looping show."""
    rows = []
    if "vistter" in bench.peak:
        theirs = bench.peak["FFmpeg superfast"]
        rows.append(("6. peak memory of the job, MB", f"{bench.peak['vistter']:.0f}", f"{theirs:.0f}", ratio(bench.peak["vistter"], theirs), "x264 superfast"))
    seconds = 1800 if bench.long else max(60, bench.seconds)
    clips = [media.marked(bench.cache, at) for at in (0, 1)]
    with Camera(bench.cache, file=clips[0]) as one, Camera(bench.cache, file=clips[1]) as two, Nginx(bench.fresh("nginx")) as server:
        shots = [{"camera": f"cam{at}", "for": 5} for at in (0, 1)]
        show = media.show(bench.work / "long.json", [one.url, two.url], seconds, shots=shots, destinations=[server.url("a")],
                          overlays=media.overlay_files(bench.work), width=1280, height=720, bitrate_kbps=3000)
        running, samples = start([bench.vistter, "run", show], bench.work / "long.log"), []
        bench.say([bench.vistter, "run", show])
        began = time.monotonic()
        while running.alive() and time.monotonic() - began < seconds - 1:
            samples.append(running.resident_mb())
            time.sleep(1)
        running.wait(90)
    tenth = max(1, len(samples) // 10)
    early, late = statistics.median(samples[tenth * 2 : tenth * 3]), statistics.median(samples[-tenth:])
    rows.append((f"6. growth of memory over {seconds // 60} min of looping show, MB", f"{late - early:+.1f}", "-", "-", f"{early:.0f} MB after a fifth, {late:.0f} MB at the end"))
    return rows


def presets(bench):
    """Cuts between presets of two simulated PTZ cameras, judged from the program's pixels."""
    answer = json.loads(bench.output([bench.example("preset_cuts"), 200, 1.8]))
    bench.note(f"said by the example: {answer}")
    if answer["cuts"] != 200 or answer["wrong_view"]:
        raise Failed(f"the show was not the planned one: {answer}")
    remark = "over RTSP and ONVIF on loopback; each camera is moved while the other one is on air; FFmpeg has no such thing"
    return [("9. preset shots of 200 that went on air while the picture still moved", str(answer["moved_on_air"]), "-", "-", remark)]


FIGURES = {1: job, 2: idle_cameras, 3: blend, 4: cuts, 5: latency, 6: memory, 7: control.onboarding_and_health, 8: ocl.figure, 9: presets}
NAMES = {"ocl": 8, "presets": 9}
