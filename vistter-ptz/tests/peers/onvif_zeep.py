"""Drives an ONVIF camera with PyPI onvif-zeep, a strict client that checks each answer against ONVIF's own schemas.

onvif_zeep.py PORT USER PASSWORD; ends with 0 if everything went as it should.
"""

import pathlib
import sys
import time

import onvif

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
# The wheel unpacks its schemas beside the package, not into it.
wsdl = next(p for p in (pathlib.Path(onvif.__file__).parents[1] / "wsdl", pathlib.Path(sys.prefix) / "wsdl") if p.is_dir())


def near(a, b):
    return abs(a - b) < 0.01


def wait_until_idle():
    end = time.monotonic() + 20
    while ptz.GetStatus({"ProfileToken": token}).MoveStatus.PanTilt != "IDLE":
        assert time.monotonic() < end, "the camera moves for ever"
    return ptz.GetStatus({"ProfileToken": token}).Position


def refused(call, *args):
    try:
        call(*args)
    except onvif.ONVIFError as e:
        return str(e)
    raise AssertionError(f"{call} was not refused")


camera = onvif.ONVIFCamera("127.0.0.1", port, user, password, str(wsdl))
device = camera.devicemgmt
assert device.GetDeviceInformation().Model == "Simulated PTZ"
assert device.GetSystemDateAndTime().UTCDateTime.Date.Year >= 2024
assert any("type/ptz" in s.ScopeItem for s in device.GetScopes())
assert device.GetCapabilities({"Category": "All"}).PTZ.XAddr.endswith("/onvif/ptz")
assert len(device.GetServices({"IncludeCapability": False})) == 4
device.GetNetworkInterfaces(), device.GetUsers(), device.GetHostname()

media = camera.create_media_service()
profiles = media.GetProfiles()
token = profiles[0].token
encoder = profiles[0].VideoEncoderConfiguration
assert (encoder.Encoding, encoder.Resolution.Width, encoder.H264.GovLength) == ("H264", 1920, 50)
assert profiles[0].PTZConfiguration.NodeToken == "node"
setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
assert media.GetStreamUri({"StreamSetup": setup, "ProfileToken": token}).Uri.startswith("rtsp://")
media.GetVideoSources(), media.GetSnapshotUri({"ProfileToken": token})

ptz = camera.create_ptz_service()
node = ptz.GetNodes()[0]
assert node.HomeSupported and node.MaximumNumberOfPresets == 300
assert node.SupportedPTZSpaces.AbsolutePanTiltPositionSpace[0].XRange.Max == 1
ptz.GetConfigurations(), ptz.GetServiceCapabilities()
ptz.AbsoluteMove({"ProfileToken": token, "Position": {"PanTilt": {"x": 0.5, "y": -0.25}, "Zoom": {"x": 0.5}}})
assert ptz.GetStatus({"ProfileToken": token}).MoveStatus.PanTilt == "MOVING"
at = wait_until_idle()
assert near(at.PanTilt.x, 0.5) and near(at.PanTilt.y, -0.25) and near(at.Zoom.x, 0.5), at
far = {"ProfileToken": token, "Position": {"PanTilt": {"x": 9, "y": 0}}}
assert "range" in refused(ptz.AbsoluteMove, far)
stage = ptz.SetPreset({"ProfileToken": token, "PresetName": "Bühne & <1>"})
presets = ptz.GetPresets({"ProfileToken": token})
assert [(p.token, p.Name) for p in presets] == [(stage, "Bühne & <1>")], presets
assert near(presets[0].PTZPosition.PanTilt.x, 0.5)
ptz.ContinuousMove({"ProfileToken": token, "Velocity": {"PanTilt": {"x": -0.5, "y": 0}}})
time.sleep(0.2)
ptz.Stop({"ProfileToken": token, "PanTilt": True, "Zoom": True})
at = wait_until_idle()
assert at.PanTilt.x < 0.5, at
ptz.RelativeMove({"ProfileToken": token, "Translation": {"PanTilt": {"x": 0.1, "y": 0.1}}})
wait_until_idle()
ptz.GotoPreset({"ProfileToken": token, "PresetToken": stage})
assert near(wait_until_idle().PanTilt.x, 0.5)
assert "preset" in refused(ptz.GotoPreset, {"ProfileToken": token, "PresetToken": "nope"})
ptz.GotoHomePosition({"ProfileToken": token})
assert near(wait_until_idle().PanTilt.x, 0)
ptz.RemovePreset({"ProfileToken": token, "PresetToken": stage})
assert ptz.GetPresets({"ProfileToken": token}) in ([], None)
wrong = onvif.ONVIFCamera("127.0.0.1", port, user, "wrong", str(wsdl))
assert "authorized" in refused(wrong.devicemgmt.GetDeviceInformation)
print("ok")
