#!/usr/bin/env python3
"""Is this recording what platforms want? Constant frame rate, keyframe every 2 s, sound and picture together.

    check_recording.py FILE [--seconds N]    N: how long it should be, within 1.5 s
"""

import json
import subprocess
import sys


def main():
    path = sys.argv[1]
    wanted = float(sys.argv[3]) if sys.argv[2:3] == ["--seconds"] else None
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_packets", path]
    probed = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    kinds = {stream["codec_type"]: stream for stream in probed["streams"]}
    faults = []
    for kind, codec in (("video", "h264"), ("audio", "aac")):
        if kinds.get(kind, {}).get("codec_name") != codec:
            sys.exit(f"{path}: no {codec} {kind} track")
    packets = {kind: [p for p in probed["packets"] if p["codec_type"] == kind] for kind in kinds}
    times = [float(p["pts_time"]) for p in packets["video"]]
    keys = [float(p["pts_time"]) for p in packets["video"] if "K" in p["flags"]]
    up, down = kinds["video"]["avg_frame_rate"].split("/")
    frame = int(down) / int(up)
    steps = [b - a for a, b in zip(times, times[1:])]
    if any(abs(step - frame) > 0.0015 for step in steps):
        faults.append(f"frame distances from {min(steps):.4f} to {max(steps):.4f} s, not {frame:.4f} s each")
    gaps = [b - a for a, b in zip(keys, keys[1:])]
    if not keys or keys[0] != times[0]:
        faults.append("does not begin with a keyframe")
    if any(gap > 2.0 + frame for gap in gaps):
        faults.append(f"keyframes up to {max(gaps):.2f} s apart")
    offset = abs(times[0] - float(packets["audio"][0]["pts_time"]))
    if offset > 0.05:
        faults.append(f"sound and picture start {offset * 1000:.0f} ms apart")
    length = times[-1] - times[0] + frame
    if wanted is not None and abs(length - wanted) > 1.5:
        faults.append(f"{length:.2f} s long, not {wanted:.0f} s")
    picture = f"{kinds['video']['width']}x{kinds['video']['height']}"
    print(f"{path}: {length:.2f} s, {picture}, {1 / frame:.2f} frames a second, {len(keys)} keyframes, {len(times)} frames")
    for fault in faults:
        print(f"{path}: {fault}", file=sys.stderr)
    sys.exit(bool(faults))


main()
