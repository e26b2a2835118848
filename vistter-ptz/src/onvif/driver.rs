//! An ONVIF camera behind [`PtzDriver`].

use async_trait::async_trait;
use vistter_core::ports::{Preset, PtzCaps, PtzDriver, PtzPosition, PtzStatus, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::client::{Endpoint, OnvifClient, OnvifOptions};
use super::services::{self, DEVICE, DeviceInfo, MEDIA1, MEDIA2, Node, PTZ, Profile, Services};
use super::xml::{Element, escape};

/// What was found out about the camera, once.
#[derive(Clone, Debug)]
struct Setup {
    ptz: Endpoint,
    profile: String,
    node: Node,
}

/// An ONVIF camera. Finds its services at the first call, and again after the connection to them was refused.
#[derive(Debug)]
pub struct OnvifDriver {
    client: OnvifClient,
    setup: Option<Setup>,
}

impl OnvifDriver {
    /// A driver that has not connected.
    pub fn new(options: OnvifOptions) -> Self {
        Self { client: OnvifClient::new(options), setup: None }
    }
    /// The client below, for what is no motion.
    pub fn client(&mut self) -> &mut OnvifClient {
        &mut self.client
    }
    /// The head that moves it, with its ranges.
    ///
    /// # Errors
    /// `Unsupported` for a camera that cannot be moved; what the device or the way to it says.
    pub async fn node(&mut self) -> Result<Node> {
        Ok(self.setup().await?.node)
    }

    /// Who made the device.
    ///
    /// # Errors
    /// What the device or the way to it says.
    pub async fn information(&mut self) -> Result<DeviceInfo> {
        let device = self.client.device().await?;
        let e = call(&mut self.client, &device, DEVICE, "GetDeviceInformation", "<tds:GetDeviceInformation/>").await?;
        Ok(DeviceInfo::read(&e))
    }
    /// Its media profiles: from Media2, where they tell H.265, and else from Media1.
    ///
    /// # Errors
    /// What the device or the way to it says.
    pub async fn profiles(&mut self) -> Result<Vec<Profile>> {
        let (device, services) = self.services().await?;
        profiles(&mut self.client, &device, &services).await
    }
    /// The RTSP address of a profile, as the device gives it. It may name another host than the device was found at.
    ///
    /// # Errors
    /// What the device or the way to it says.
    pub async fn stream_uri(&mut self, profile: &str) -> Result<String> {
        let (device, services) = self.services().await?;
        let token = escape(profile);
        let none = || Error::new(ErrorKind::Unsupported, "the camera has no media service");
        let e = match (&services.media2, &services.media1) {
            (Some(m), _) => {
                let body = format!(
                    "<tr2:GetStreamUri><tr2:Protocol>RTSP</tr2:Protocol><tr2:ProfileToken>{token}</tr2:ProfileToken></tr2:GetStreamUri>"
                );
                call(&mut self.client, &Endpoint::of_xaddr(m, &device), MEDIA2, "GetStreamUri", &body).await?
            }
            (None, Some(m)) => {
                let body = format!(
                    "<trt:GetStreamUri><trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP\
                     </tt:Protocol></tt:Transport></trt:StreamSetup><trt:ProfileToken>{token}</trt:ProfileToken></trt:GetStreamUri>"
                );
                call(&mut self.client, &Endpoint::of_xaddr(m, &device), MEDIA1, "GetStreamUri", &body).await?
            }
            (None, None) => return Err(none()),
        };
        let uri = e.text_at(&["Uri"]).or_else(|| e.text_at(&["MediaUri", "Uri"])).map(str::to_owned);
        uri.ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "the camera gave no stream address").at(self.client.describe())
        })
    }

    async fn services(&mut self) -> Result<(Endpoint, Services)> {
        let device = self.client.device().await?;
        let body = "<tds:GetServices><tds:IncludeCapability>false</tds:IncludeCapability></tds:GetServices>";
        let services = match call(&mut self.client, &device, DEVICE, "GetServices", body).await {
            Ok(e) => Services::read(&e),
            Err(e) if is_final(&e) => return Err(e),
            Err(_) => Services::default(),
        };
        if services != Services::default() {
            return Ok((device, services));
        }
        // Devices from before ONVIF 2.0, and some that answer GetServices with nothing.
        let body = "<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>";
        let e = call(&mut self.client, &device, DEVICE, "GetCapabilities", body).await?;
        Ok((device, Services::read_capabilities(&e)))
    }

    async fn setup(&mut self) -> Result<Setup> {
        if let Some(s) = &self.setup {
            return Ok(s.clone());
        }
        let (device, services) = self.services().await?;
        let fixed = |what: &str| Error::new(ErrorKind::Unsupported, what).at(self.client.describe());
        let Some(xaddr) = &services.ptz else {
            return Err(fixed("this camera has no PTZ service: it cannot be moved"));
        };
        let ptz = Endpoint::of_xaddr(xaddr, &device);
        let profiles = profiles(&mut self.client, &device, &services).await?;
        let nodes = Node::read_all(&call(&mut self.client, &ptz, PTZ, "GetNodes", "<tptz:GetNodes/>").await?);
        let fixed = |what: &str| Error::new(ErrorKind::Unsupported, what).at(self.client.describe());
        // Some devices leave the PTZ configuration out of their profiles and take any.
        let profile = profiles.iter().find(|p| p.ptz_node.is_some()).or_else(|| profiles.first());
        let Some(profile) = profile else { return Err(fixed("this camera has no media profile")) };
        let named = nodes.iter().find(|n| profile.ptz_node.as_ref() == Some(&n.token));
        let Some(node) = named.or_else(|| nodes.first()) else {
            return Err(fixed("this camera has a PTZ service without a node: it cannot be moved"));
        };
        let setup = Setup { ptz, profile: profile.token.clone(), node: node.clone() };
        self.setup = Some(setup.clone());
        Ok(setup)
    }

    async fn say(&mut self, operation: &str, more: &str) -> Result<Element> {
        let setup = self.setup().await?;
        let body = services::ptz(operation, &setup.profile, more);
        let result = call(&mut self.client, &setup.ptz, PTZ, operation, &body).await;
        if result.as_ref().is_err_and(|e| matches!(e.kind(), ErrorKind::Refused | ErrorKind::Closed)) {
            self.setup = None; // perhaps it was restarted, with other tokens
        }
        result
    }
}

async fn call(client: &mut OnvifClient, to: &Endpoint, service: &str, operation: &str, body: &str) -> Result<Element> {
    client.call(to, &format!("{service}/{operation}"), body).await
}

async fn profiles(client: &mut OnvifClient, device: &Endpoint, services: &Services) -> Result<Vec<Profile>> {
    if let Some(m) = &services.media2 {
        let body = "<tr2:GetProfiles><tr2:Type>All</tr2:Type></tr2:GetProfiles>";
        match call(client, &Endpoint::of_xaddr(m, device), MEDIA2, "GetProfiles", body).await {
            Ok(e) if e.child("Profiles").is_some() => return Ok(Profile::read_all(&e)),
            Err(e) if is_final(&e) || services.media1.is_none() => return Err(e),
            _ => {}
        }
    }
    let none = || Error::new(ErrorKind::Unsupported, "the camera has no media service").at(client.describe());
    let m = services.media1.as_ref().ok_or_else(none)?;
    let e = call(client, &Endpoint::of_xaddr(m, device), MEDIA1, "GetProfiles", "<trt:GetProfiles/>").await?;
    Ok(Profile::read_all(&e))
}

/// Another question would fare no better.
fn is_final(e: &Error) -> bool {
    use ErrorKind as K;
    matches!(e.kind(), K::Unauthorized | K::Timeout | K::Refused | K::Closed | K::NameResolution)
}

fn duration(t: MediaTime) -> String {
    let ms = t.millis().max(0);
    format!("PT{}.{:03}S", ms / 1000, ms % 1000)
}

#[async_trait]
impl PtzDriver for OnvifDriver {
    fn describe(&self) -> String {
        self.client.describe()
    }
    async fn capabilities(&mut self) -> Result<PtzCaps> {
        let node = self.setup().await?.node;
        Ok(PtzCaps {
            absolute: !node.spaces.position.is_empty() || !node.spaces.zoom.is_empty(),
            relative: !node.spaces.position.is_empty() || !node.spaces.zoom.is_empty(),
            continuous: !node.spaces.velocity.is_empty() || !node.spaces.zoom_velocity.is_empty(),
            home: node.home,
            // Not announced reliably anywhere: the answers tell.
            position: true,
            moving: true,
            list_presets: true,
            save_presets: node.max_presets != Some(0),
            max_presets: node.max_presets,
        })
    }
    async fn position(&mut self) -> Result<Option<PtzPosition>> {
        Ok(self.status().await?.position)
    }
    async fn presets(&mut self) -> Result<Vec<Preset>> {
        Ok(services::presets(&self.say("GetPresets", "").await?))
    }
    async fn go_to(&mut self, preset: &Preset) -> Result<()> {
        let token = format!("<tptz:PresetToken>{}</tptz:PresetToken>", escape(&preset.token));
        self.say("GotoPreset", &token).await.map(drop)
    }
    async fn stop(&mut self) -> Result<()> {
        self.say("Stop", "<tptz:PanTilt>true</tptz:PanTilt><tptz:Zoom>true</tptz:Zoom>").await.map(drop)
    }
    async fn moving(&mut self) -> Result<Option<bool>> {
        Ok(self.status().await?.moving)
    }
    async fn status(&mut self) -> Result<PtzStatus> {
        let e = self.say("GetStatus", "").await?;
        let spaces = self.setup.as_ref().map(|s| s.node.spaces.clone()).unwrap_or_default();
        Ok(services::status(&e, &spaces))
    }
    /// Without a speed: devices were seen to refuse one whose space they do not know.
    async fn absolute(&mut self, to: PtzPosition, _speed: Option<f32>) -> Result<()> {
        let vector = self.setup().await?.node.spaces.write(to);
        if vector.is_empty() {
            let e = Error::new(ErrorKind::Unsupported, "this camera cannot be sent to a position");
            return Err(e.at(self.describe()).next("use its presets"));
        }
        self.say("AbsoluteMove", &format!("<tptz:Position>{vector}</tptz:Position>")).await.map(drop)
    }
    /// By an absolute move from where it is: translation spaces are the part of ONVIF that devices agree on least.
    async fn relative(&mut self, by: PtzPosition, speed: Option<f32>) -> Result<()> {
        let unknown = || {
            Error::new(
                ErrorKind::Unsupported,
                "this camera does not tell its position, so it cannot be moved by a distance",
            )
        };
        let from = self.status().await?.position.ok_or_else(unknown)?;
        let to = PtzPosition { pan: from.pan + by.pan, tilt: from.tilt + by.tilt, zoom: from.zoom + by.zoom };
        self.absolute(to, speed).await
    }
    async fn continuous(&mut self, velocity: PtzVelocity, within: MediaTime) -> Result<()> {
        let speed = self.setup().await?.node.spaces.drive(velocity);
        let more = format!("<tptz:Velocity>{speed}</tptz:Velocity><tptz:Timeout>{}</tptz:Timeout>", duration(within));
        self.say("ContinuousMove", &more).await.map(drop)
    }
    async fn home(&mut self) -> Result<()> {
        self.say("GotoHomePosition", "").await.map(drop)
    }
    async fn save_preset(&mut self, name: &str, replace: Option<&Preset>) -> Result<Preset> {
        let mut more = format!("<tptz:PresetName>{}</tptz:PresetName>", escape(name));
        if let Some(p) = replace {
            more.push_str(&format!("<tptz:PresetToken>{}</tptz:PresetToken>", escape(&p.token)));
        }
        let e = self.say("SetPreset", &more).await?;
        // Some devices leave the token out when an existing preset was written.
        let token = e.text_at(&["PresetToken"]).map(str::to_owned).or_else(|| replace.map(|p| p.token.clone()));
        let none = || Error::new(ErrorKind::Protocol, "the camera stored the preset and did not say under which token");
        Ok(Preset { token: token.ok_or_else(|| none().at(self.describe()))?, name: name.to_owned() })
    }
    async fn remove_preset(&mut self, preset: &Preset) -> Result<()> {
        let token = format!("<tptz:PresetToken>{}</tptz:PresetToken>", escape(&preset.token));
        self.say("RemovePreset", &token).await.map(drop)
    }
}
