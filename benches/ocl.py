"""Figure 8: what overlays cost at 1080p60 on one core, next to FFmpeg and GStreamer drawing the same picture."""

import json
import os
import subprocess

import media
from media import FONT

FPS = 60
WORDS = "Harbour fair opens at ten on the north pier   +++   ferry to the island every hour   +++   storm warning for the coast"


def figure(bench):
    """Three animated layers, a static scene next to a copy of its pixels, by CPU time of one thread; a document of a thousand cues."""
    bench.note(f"load average {os.getloadavg()[0]:.1f}: CPU time counts, so that a neighbour's load shows little, but it shows")
    animated, turning = ours(bench, "animated", 3000), ours(bench, "turning", 3000)
    static, opaque, copy = (ours(bench, scene, 20000) for scene in ("static", "opaque", "copy"))
    share = f"{animated / (1000 / FPS) * 100:.1f} % of the {1000 / FPS:.1f} ms of a frame"
    rows = []
    theirs = ffmpeg(bench, 600)
    rows.append(("8. OCL at 1080p60, ms per frame: logo, lower third with a clock, ticker, all moving", f"{animated:.4f}", f"{theirs:.2f}", ratio(animated, theirs), f"{share}; FFmpeg: overlay, drawbox, drawtext"))
    if gstreamer_has("compositor", "gdkpixbufoverlay"):
        for name, cost in (("compositor, three pictures with alpha", compositor(bench, 300)), ("gdkpixbufoverlay, three pictures", pixbufs(bench, 300))):
            rows.append((f"8. the same against GStreamer: {name}", f"{animated:.4f}", f"{cost:.2f}", ratio(animated, cost), "its texts are pictures drawn beforehand: it has no work with letters"))
    else:
        bench.note("GStreamer's compositor and gdkpixbufoverlay are not installed")
    rows.append(("8. the same, the logo scaling and turning too", f"{turning:.4f}", f"{theirs:.2f}", ratio(turning, theirs), "FFmpeg does not turn it"))
    for name, cost in (("a static scene", static), ("a static scene, opaque boxes", opaque)):
        rows.append((f"8. {name}, ms per frame, against a plain copy of the pixels it touches", f"{cost:.4f}", f"{copy:.4f}", ratio(cost, copy), "the second column is the copy"))
    cues = json.loads(bench.output([bench.example("timeline_cost")]))
    rows.append((f"8. a document of {cues['cues']} cues: read, check and compile, ms", f"{cues['read_check_compile_ms']:.2f}", "-", "-", "the least of 30 rounds; no peer has such documents"))
    rows.append(("8. what is on at a frame of it, µs", f"{cues['state_at_us']:.3f}", "-", "-", f"scattered frames; {cues['on_average']:.1f} layers are on"))
    return rows


def ratio(ours, theirs):
    return f"{ours / theirs:.3f}" if theirs > 0 else "-"


def ours(bench, scene, frames):
    """CPU ms per frame: the difference of two runs, so that preparing does not count. The least of three."""
    def cost(n):
        return min(bench.run([bench.example("ocl_cost"), scene, n], 120).cpu for _ in range(3))

    low = frames // 10
    spent = (cost(frames) - cost(low)) / (frames - low) * 1000
    wall = json.loads((bench.work / "log").read_text())
    bench.note(f"{scene}: {spent:.4f} ms CPU per frame; longest frame {wall['longest_ms']:.2f} ms by the clock")
    return max(spent, 0.0)


def ffmpeg(bench, frames):
    """FFmpeg's graph for the same picture, less the same run without filters."""
    folder = bench.fresh("ocl")
    media.logo(folder / "logo.png")
    source = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", f"color=gray:s=1920x1080:r={FPS},format=yuv420p"]
    text = f"drawtext=fontfile={FONT}:fontcolor=white"
    graph = (
        "[1:v]format=yuva420p,fade=t=in:d=1:alpha=1[logo];[0:v][logo]overlay=1552:54:shortest=1,"
        f"drawbox=x=96+mod(n\\,200):y=800:w=960:h=156:color=black@0.88:t=fill,{text}:text='Harbour Entrance':x=136+mod(n\\,200):y=820:fontsize=54,"
        f"{text}:text='Live since %{{pts\\:hms}}':x=136+mod(n\\,200):y=890:fontsize=36,"
        f"drawbox=x=0:y=1008:w=1920:h=72:color=black@0.9:t=fill,{text}:text='{WORDS}':x=w-mod(n*4\\,w+tw):y=1022:fontsize=36[v]"
    )
    graph = graph.replace("96+mod(n\\,200):y=800", "96:y=800")  # drawbox knows no frame number: its box stands still
    tail = ["-frames:v", frames, "-f", "null", "-"]
    base = bench.run([*source, *tail], 300)
    logo = ["-loop", "1", "-framerate", FPS, "-i", folder / "logo.png"]
    full = bench.run([*source, *logo, "-filter_complex", graph, "-map", "[v]", *tail], 300)
    return (full.cpu - base.cpu) / frames * 1000


def gstreamer_has(*elements):
    try:
        return all(subprocess.run(["gst-inspect-1.0", e], capture_output=True).returncode == 0 for e in elements)
    except OSError:
        return False


def pictures(bench):
    """The three layers as PNG files with alpha: (file, x, y)."""
    folder = bench.fresh("ocl-pictures")
    found = []
    for name, size, place, text in (("logo", "304x100", (1552, 54), "LOGO"), ("third", "960x156", (96, 800), "Harbour Entrance"), ("ticker", "1920x72", (0, 1008), WORDS)):
        file = folder / f"{name}.png"
        draw = f"color=black@0.8:s={size},format=rgba,drawtext=fontfile={FONT}:fontcolor=white:fontsize=40:x=20:y=20:text='{text}'"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", draw, "-frames:v", "1", file], check=True)
        found.append((file, *place))
    return found


def source(frames):
    return ["videotestsrc", f"num-buffers={frames}", "pattern=black", "!", f"video/x-raw,format=I420,width=1920,height=1080,framerate={FPS}/1"]


def gst(bench, chain, frames):
    return bench.run(["gst-launch-1.0", "-q", *chain], 300).cpu / frames * 1000


def compositor(bench, frames):
    base = gst(bench, [*source(frames), "!", "fakesink"], frames)
    chain = ["compositor", "name=c", "background=black"]
    layers = pictures(bench)
    for i, (_, x, y) in enumerate(layers, 1):
        chain += [f"sink_{i}::xpos={x}", f"sink_{i}::ypos={y}", f"sink_{i}::zorder={i}"]
    chain += ["!", "fakesink", *source(frames), "!", "c.sink_0"]
    for i, (file, _, _) in enumerate(layers, 1):
        chain += ["filesrc", f"location={file}", "!", "pngdec", "!", "videoconvert", "!", "video/x-raw,format=AYUV", "!", "imagefreeze", f"num-buffers={frames}",
                  "!", f"video/x-raw,framerate={FPS}/1", "!", f"c.sink_{i}"]
    return gst(bench, chain, frames) - base


def pixbufs(bench, frames):
    base = gst(bench, [*source(frames), "!", "fakesink"], frames)
    chain = source(frames)
    for file, x, y in pictures(bench):
        chain += ["!", "gdkpixbufoverlay", f"location={file}", f"offset-x={x}", f"offset-y={y}"]
    return gst(bench, [*chain, "!", "fakesink"], frames) - base
