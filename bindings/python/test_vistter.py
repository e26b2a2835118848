"""VistterStream from Python: shows that run, and their recordings as FFmpeg's tools see them."""

import json
import pathlib
import subprocess
import tempfile
import time
import unittest

import vistter

SECRET = "hunter2"


def show(cameras, **more):
    return json.dumps({
        "vistter": 1,
        "program": {"width": 320, "height": 180, "fps": 15, "bitrate_kbps": 500},
        "cameras": cameras,
        **more,
    })


class Checking(unittest.TestCase):
    def test_version(self):
        self.assertRegex(vistter.version(), r"^\d+\.\d+\.\d+$")

    def test_every_fault_has_its_place(self):
        text = show([{"id": "gate", "ulr": f"rtsp://me:{SECRET}@127.0.0.1/"}])
        faults = vistter.check_show(text)
        self.assertTrue(faults)
        self.assertEqual(faults[0].severity, vistter.Severity.ERROR)
        self.assertEqual((faults[0].pointer, faults[0].line), ("/cameras/0/ulr", 1))
        self.assertIn("url", faults[0].help)
        self.assertNotIn(SECRET, repr(faults))
        self.assertEqual(vistter.check_show("{")[0].code, "JSON-SYNTAX")

    def test_a_good_show_has_no_faults(self):
        self.assertEqual(vistter.check_show(show(
            [{"id": "gate", "url": "rtsp://127.0.0.1/"}],
            timeline={"shots": [{"camera": "gate", "for": 5}]},
            recording={"file": "show.mp4"},
        )), [])

    def test_a_faulty_show_does_not_start(self):
        with self.assertRaises(vistter.VistterError.Show) as caught:
            vistter.Program.start(show([{"id": "gate"}]), ".")
        self.assertTrue(caught.exception.faults)


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def until(self, program, what, seconds=60):
        """Polls the status, paced by the program's own events."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = json.loads(program.status_json())
            if what(status):
                return status
            program.next_event_json(200)
        self.fail(f"not reached: {json.dumps(status, indent=1)}")

    def test_a_show_whose_camera_is_dead_records_the_slate(self):
        program = vistter.Program.start(show(
            [{"id": "gate", "url": f"rtsp://me:{SECRET}@127.0.0.1:1/"}],
            timeline={"shots": [{"camera": "gate", "for": 600}]},
            overlays=[{"id": "logo", "file": "missing.json"}],
            recording={"file": "show.mp4"},
        ), str(self.folder))
        self.assertIn("missing.json", " ".join(program.troubles()))
        status = self.until(program, lambda s: s["outputs"][0]["packets"] > 5 * 62)
        self.assertEqual(status["on_air"], "slate")
        self.assertNotIn(SECRET, json.dumps(status))
        with self.assertRaises(vistter.VistterError.Failed) as caught:
            program.cut("gaet")
        self.assertEqual(caught.exception.kind, "Config")
        self.assertIn("gate", caught.exception.reason)
        program.cut("gate")
        program.commit(json.dumps([
            {"do": "show", "overlay": "logo"},
            {"do": "set", "overlay": "logo", "layer": "box", "properties": {"opacity": 0.5}, "over": 1},
            {"do": "marker", "name": "goal"},
        ]))
        program.next_step("logo")
        program.marker("goal")
        for wrong in ('[{"do": "dance"}]', '[{"do": "next", "overlay": "lgoo"}]', '[{"do": "next", "overlay": "logo", "at": 3}]'):
            with self.assertRaises(vistter.VistterError.Failed) as caught:
                program.commit(wrong)
            self.assertEqual(caught.exception.kind, "Config")
        last = program.stop()
        self.assertEqual(program.stop(), last)
        self.assertEqual(json.loads(last)["outputs"][0]["state"], "stopped")
        with self.assertRaises(vistter.VistterError.Failed) as caught:
            program.slate()
        self.assertEqual(caught.exception.kind, "Closed")
        self.judge(self.folder / "show.mp4")

    def judge(self, file):
        check = ["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-i", file, "-map", "0", "-f", "null", "-"]
        done = subprocess.run(check, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        probe = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", file]
        found = json.loads(subprocess.run(probe, capture_output=True, text=True, check=True).stdout)
        streams = {s["codec_name"]: s for s in found["streams"]}
        self.assertEqual((streams["h264"]["width"], streams["h264"]["r_frame_rate"]), (320, "15/1"))
        self.assertIn("aac", streams)
        self.assertGreater(float(found["format"]["duration"]), 4)


if __name__ == "__main__":
    unittest.main()
