//! What there is: who made the device, its services, profiles and streams, and how its head is set up.

use vistter_core::{Error, ErrorKind, Result};

use super::driver::{OnvifDriver, call};
use super::endpoint::Endpoint;
use super::quirks::Policy;
use super::services::{DEVICE, DeviceInfo, MEDIA1, MEDIA2, Node, PTZ, Profile, Services};
use super::xml::escape;

/// What was found out about the device, once.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) device: Endpoint,
    pub(super) services: Services,
}

/// What was found out about its head, once.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) ptz: Endpoint,
    pub(super) profile: String,
    pub(super) node: Node,
}

impl OnvifDriver {
    /// Who made the device.
    ///
    /// # Errors
    /// What the device or the way to it says.
    pub async fn information(&mut self) -> Result<DeviceInfo> {
        let device = self.client.device().await?;
        let e = call(&mut self.client, &device, DEVICE, "GetDeviceInformation", "<tds:GetDeviceInformation/>").await?;
        let info = DeviceInfo::read(&e);
        self.client.meet(&info);
        Ok(info)
    }
    /// How this model is spoken to: the default, changed by what is known of it and by what the user said.
    ///
    /// # Errors
    /// What the device or the way to it says.
    pub async fn policy(&mut self) -> Result<Policy> {
        self.about().await?;
        Ok(self.client.policy())
    }
    /// Its media profiles: from Media2, where they tell H.265, and else from Media1.
    ///
    /// # Errors
    /// What the device or the way to it says.
    pub async fn profiles(&mut self) -> Result<Vec<Profile>> {
        let About { device, services } = self.about().await?;
        if let Some(m) = services.media2.as_ref().filter(|_| self.client.policy().media2 || services.media1.is_none()) {
            let body = "<tr2:GetProfiles><tr2:Type>All</tr2:Type></tr2:GetProfiles>";
            match call(&mut self.client, &Endpoint::of_xaddr(m, &device), MEDIA2, "GetProfiles", body).await {
                Ok(e) if e.child("Profiles").is_some() => return Ok(Profile::read_all(&e)),
                Err(e) if is_final(&e) || services.media1.is_none() => return Err(e),
                _ => {}
            }
        }
        let m = services.media1.as_ref().ok_or_else(|| no_media().at(self.client.describe()))?;
        let to = Endpoint::of_xaddr(m, &device);
        let e = call(&mut self.client, &to, MEDIA1, "GetProfiles", "<trt:GetProfiles/>").await?;
        Ok(Profile::read_all(&e))
    }
    /// The RTSP address of a profile, as the device gives it. It may name another host than the device was found at.
    ///
    /// # Errors
    /// What the device or the way to it says.
    pub async fn stream_uri(&mut self, profile: &str) -> Result<String> {
        let About { device, services } = self.about().await?;
        let token = escape(profile);
        let media2 = services.media2.as_ref().filter(|_| self.client.policy().media2 || services.media1.is_none());
        let e = match (media2, &services.media1) {
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
            (None, None) => return Err(no_media().at(self.client.describe())),
        };
        let uri = e.text_at(&["Uri"]).or_else(|| e.text_at(&["MediaUri", "Uri"])).map(str::to_owned);
        uri.ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "the camera gave no stream address").at(self.client.describe())
        })
    }

    /// Device, model and services; asked once.
    pub(super) async fn about(&mut self) -> Result<About> {
        if let Some(a) = &self.about {
            return Ok(a.clone());
        }
        let device = self.client.device().await?;
        match self.information().await {
            // A user without rights for this may still move the camera; its model is unknown then.
            Err(e) if is_final(&e) && (e.kind() != ErrorKind::Unauthorized || self.client.method().is_none()) => {
                return Err(e);
            }
            _ => {}
        }
        let about = About { services: self.services(&device).await?, device };
        self.about = Some(about.clone());
        Ok(about)
    }

    async fn services(&mut self, device: &Endpoint) -> Result<Services> {
        let body = "<tds:GetServices><tds:IncludeCapability>false</tds:IncludeCapability></tds:GetServices>";
        let services = match call(&mut self.client, device, DEVICE, "GetServices", body).await {
            Ok(e) => Services::read(&e),
            Err(e) if is_final(&e) => return Err(e),
            Err(_) => Services::default(),
        };
        if services != Services::default() {
            return Ok(services);
        }
        // Devices from before ONVIF 2.0, and some that answer GetServices with nothing.
        let body = "<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>";
        let e = call(&mut self.client, device, DEVICE, "GetCapabilities", body).await?;
        Ok(Services::read_capabilities(&e))
    }

    /// The head; asked once.
    pub(super) async fn setup(&mut self) -> Result<Setup> {
        if let Some(s) = &self.setup {
            return Ok(s.clone());
        }
        let About { device, services } = self.about().await?;
        let place = self.client.describe();
        let fixed = |what: &str| Error::new(ErrorKind::Unsupported, what).at(place.clone());
        let Some(xaddr) = &services.ptz else {
            return Err(fixed("this camera has no PTZ service: it cannot be moved"));
        };
        let ptz = Endpoint::of_xaddr(xaddr, &device);
        let profiles = self.profiles().await?;
        let nodes = Node::read_all(&call(&mut self.client, &ptz, PTZ, "GetNodes", "<tptz:GetNodes/>").await?);
        // Some devices leave the PTZ configuration out of their profiles and take any.
        let profile = profiles.iter().find(|p| p.ptz_node.is_some()).or_else(|| profiles.first());
        let Some(profile) = profile else { return Err(fixed("this camera has no media profile")) };
        let named = nodes.iter().find(|n| profile.ptz_node.as_ref() == Some(&n.token));
        let Some(node) = named.or_else(|| nodes.first()) else {
            return Err(fixed("this camera has a PTZ service without a node: it cannot be moved"));
        };
        let setup = Setup { ptz, profile: profile.offer.token.clone(), node: node.clone() };
        self.setup = Some(setup.clone());
        Ok(setup)
    }
}

fn no_media() -> Error {
    Error::new(ErrorKind::Unsupported, "the camera has no media service")
}

/// Another question would fare no better.
pub(super) fn is_final(e: &Error) -> bool {
    use ErrorKind as K;
    matches!(e.kind(), K::Unauthorized | K::Timeout | K::Refused | K::Closed | K::NameResolution | K::Tls)
}
