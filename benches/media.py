"""Clips, shows and what FFmpeg says of results."""

import json
import os
import re
import subprocess

from measure import Failed
from peers import ROOT

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
FPS = 30
BITS = 16  # of a frame number in a marked clip
MARK = (320, 180)  # size at which marks are read


def ffmpeg(*args):
    done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, args)], capture_output=True)
    if done.returncode:
        raise Failed(f"ffmpeg: {done.stderr.decode(errors='replace')[-600:]}")
    return done.stdout


def probe(path, *args):
    done = subprocess.run(["ffprobe", "-v", "error", "-of", "json", *args, path], capture_output=True, check=True)
    return json.loads(done.stdout)


def once(path, make):
    """Makes a file if it is not there; half-made ones never get the name."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name("part-" + path.name)
        make(part)
        os.rename(part, path)
    return path


def detailed(cache):
    """8 s of 1080p30 that is hard to encode: moving patterns, fine texture, grain. H.264 High, 8 Mbit/s, AAC."""
    picture = (
        "mandelbrot=s=2400x1350:r=30:maxiter=300,trim=end_frame=1,loop=-1:1,setpts=N/30/TB,"
        "crop=1920:1080:x='240+200*sin(t/2)':y='135+100*cos(t/3)'[m];"
        "testsrc2=s=640x360:r=30[t];[m][t]overlay=x='640+500*sin(t)':y='360+250*cos(t*0.7)',noise=alls=4:allf=t,format=yuv420p"
    )
    return once(cache / "detailed-2.mov", lambda out: ffmpeg(
        "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000",
        "-frames:v", 240, "-t", 8, "-c:v", "libx264", "-preset", "fast", "-profile:v", "high", "-bf", 0, "-g", 60,
        "-sc_threshold", 0, "-b:v", "8M", "-maxrate", "8M", "-bufsize", "8M", "-c:a", "aac", "-ac", 2, "-b:a", "128k", out))


def marked(cache, camera, frames=240, size="1280x720"):
    """A clip whose pictures carry camera (top row, first box) and frame number (16 boxes) in black and white."""
    width, height = map(int, size.split("x"))
    cell = width // (BITS + 4)
    boxes = [f"drawbox=x={cell}:y=0:w={cell * (BITS + 2)}:h={height // 6}:color=black:t=fill"]
    if camera:
        boxes.append(f"drawbox=x={cell}:y=0:w={cell}:h={height // 6}:color=white:t=fill")
    # The last box is always white: no picture of nothing reads as a number.
    boxes.append(f"drawbox=x={cell * (BITS + 2)}:y=0:w={cell}:h={height // 6}:color=white:t=fill")
    for bit in range(BITS):
        boxes.append(f"drawbox=x={cell * (2 + bit)}:y=0:w={cell}:h={height // 6}:color=white:t=fill:enable='mod(floor(n/{2**bit})\\,2)'")
    return once(cache / f"marked-{camera}-{frames}-{size}.mov", lambda out: ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=s={size}:r={FPS}," + ",".join(boxes),
        "-frames:v", frames, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-bf", 0, "-g", FPS,
        "-sc_threshold", 0, "-b:v", "4M", "-maxrate", "4M", "-bufsize", "2M", out))


def marks(path):
    """For each picture of a file its (camera, frame number), or None when it carries no mark."""
    width, height = MARK
    raw = ffmpeg("-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-vf", f"scale={width}:{height}:flags=area,format=gray",
                 "-f", "rawvideo", "-")
    size, found = width * height, []
    cell, row = width / (BITS + 4), height // 12
    for start in range(0, len(raw) - size + 1, size):
        line = raw[start + row * width : start + (row + 1) * width]
        bits = [line[int(cell * (1.5 + at))] for at in range(BITS + 2)]
        if any(70 < bit < 180 for bit in bits) or bits[-1] < 128:
            found.append(None)
        else:
            number = sum((bits[1 + at] > 128) << at for at in range(BITS))
            found.append((int(bits[0] > 128), number))
    return found


def logo(path):
    return once(path, lambda out: ffmpeg(
        "-f", "lavfi", "-i", "color=red@0.0:s=300x120,format=rgba,"
        "geq=r='200+55*X/W':g='80*Y/H':b='40':a='if(lt(hypot((X-150)/150\\,(Y-60)/60)\\,1)\\,200\\,0)'", "-frames:v", 1, out))


def psnr_y(coded, reference):
    """PSNR of luma in dB, over all pictures, by FFmpeg's filter. Pictures are paired by number: a raw stream has no times."""
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "info", "-i", coded, "-i", reference, "-lavfi", "[0:v]setpts=N/30/TB[a];[1:v]setpts=N/30/TB[b];[a][b]psnr", "-f", "null", "-"],
        capture_output=True, text=True)
    found = re.search(r"PSNR y:([\d.]+|inf)", done.stderr)
    if not found:
        raise Failed(f"no PSNR: {done.stderr[-400:]}")
    return float(found.group(1))


def show(path, cameras, seconds, shots=None, destinations=(), overlays=(), recording=None, **program):
    """Writes a show file and returns its path."""
    settings = {"width": 1920, "height": 1080, "fps": FPS, "bitrate_kbps": 4500, "keyframe": "60f"} | program
    document = {
        "vistter": 1,
        "program": settings,
        "audio": {"from": "program"},
        "cameras": [{"id": f"cam{at}", "url": url} for at, url in enumerate(cameras)],
        "overlays": [{"id": file.name.split(".")[0], "file": str(file), "layer": at} for at, file in enumerate(overlays)],
        "timeline": {
            "shots": shots or [{"camera": "cam0", "for": 3600}],
            "loop": True,
            "overlays": [{"overlay": file.name.split(".")[0], "at": 1, "for": max(2, seconds - 3)} for file in overlays],
            "stop_after": seconds,
        },
        "destinations": [{"id": f"out{at}", "url": url} for at, url in enumerate(destinations)],
    }
    if recording:
        document["recording"] = {"file": str(recording)}
    path.write_text(json.dumps(document, indent=1))
    return path


def overlay_files(work):
    """The three overlays of the job, with their picture, in a folder of their own."""
    folder = work / "overlays"
    folder.mkdir(parents=True, exist_ok=True)
    logo(folder / "logo.png")
    found = []
    for name in ("logo", "lower-third", "ticker"):
        text = (ROOT / f"benches/overlays/{name}.ocl.json").read_text()
        target = folder / f"{name}.ocl.json"
        target.write_text(text)
        found.append(target)
    return found


def overlay_filter(seconds):
    """FFmpeg's filter graph for the same three overlays: [0:v] camera, [1:v] logo, result [v]."""
    ticker = "BREAKING  ticker text runs from right to left across the whole width of the picture  +++"
    box = f"drawtext=fontfile={FONT}:fontcolor=white"
    return (
        f"[1:v]format=rgba,fade=t=in:st=1:d=1:alpha=1,fade=t=out:st={seconds - 3}:d=1:alpha=1[logo];"
        f"[0:v]fps={FPS}[b];[b][logo]overlay=1560:40:shortest=1[o];"
        f"[o]drawbox=x=80:y=820:w=900:h=130:color=black@0.6:t=fill,{box}:text='Lower third name':x=110:y=840:fontsize=48,"
        f"{box}:text='and a second line of text':x=110:y=895:fontsize=32,"
        f"drawbox=x=0:y=1010:w=1920:h=70:color=navy@0.8:t=fill,"
        f"{box}:text='{ticker}':x=w-mod(t*160\\,w+tw):y=1025:fontsize=40,format=yuv420p[v]"
    )
