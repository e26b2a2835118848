//! An ONVIF camera behind [`PtzDriver`].

use async_trait::async_trait;
use vistter_core::ports::{Preset, PtzCaps, PtzDriver, PtzPosition, PtzStatus, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::client::{OnvifClient, OnvifOptions};
use super::device::{About, Setup};
use super::endpoint::Endpoint;
use super::pullpoint::PullPoint;
use super::services::{self, Node, PTZ};
use super::xml::{Element, escape};

/// An ONVIF camera. Finds its services at the first call, and again after the connection to them was refused.
#[derive(Debug)]
pub struct OnvifDriver {
    pub(super) client: OnvifClient,
    pub(super) about: Option<About>,
    pub(super) setup: Option<Setup>,
    /// What the last ContinuousMove drove.
    driven: PtzVelocity,
    /// Listens to the camera's events, from the first move on.
    events: Option<PullPoint>,
}

impl OnvifDriver {
    /// A driver that has not connected.
    pub fn new(options: OnvifOptions) -> Self {
        Self {
            client: OnvifClient::new(options),
            about: None,
            setup: None,
            driven: PtzVelocity::default(),
            events: None,
        }
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

    async fn say(&mut self, operation: &str, more: &str) -> Result<Element> {
        let setup = self.setup().await?;
        let body = services::ptz(operation, &setup.profile, more);
        let result = call(&mut self.client, &setup.ptz, PTZ, operation, &body).await;
        if result.as_ref().is_err_and(|e| matches!(e.kind(), ErrorKind::Refused | ErrorKind::Closed)) {
            (self.about, self.setup) = (None, None); // perhaps it was restarted, with other tokens
        }
        result
    }

    /// Listens to events before the first move, where the camera has any.
    async fn listen(&mut self) -> Result<()> {
        let about = self.about().await?;
        self.setup().await?;
        if let (None, true, Some(xaddr)) = (&self.events, self.client.policy().events, about.services.events) {
            self.events = Some(PullPoint::start(self.client.options(), xaddr));
        }
        Ok(())
    }
    fn moved(&self) {
        if let Some(e) = &self.events {
            e.watch().moved();
        }
    }

    async fn drive(&mut self, v: PtzVelocity, within: Option<MediaTime>) -> Result<()> {
        let spaces = self.setup().await?.node.spaces;
        let policy = self.client.policy();
        let turned = PtzVelocity {
            pan: if policy.invert_pan { -v.pan } else { v.pan },
            tilt: if policy.invert_tilt { -v.tilt } else { v.tilt },
            zoom: v.zoom,
        };
        let stands = v == PtzVelocity::default();
        let mut more = format!("<tptz:Velocity>{}</tptz:Velocity>", spaces.drive(turned, policy.zero_axes || stands));
        if let Some(t) = within.filter(|_| policy.timeout) {
            more.push_str(&format!("<tptz:Timeout>{}</tptz:Timeout>", duration(t)));
        }
        self.moved();
        self.say("ContinuousMove", &more).await.map(drop)
    }
}

/// An operation of a service.
pub(super) async fn call(
    client: &mut OnvifClient,
    to: &Endpoint,
    service: &str,
    operation: &str,
    body: &str,
) -> Result<Element> {
    client.call(to, &format!("{service}/{operation}"), body).await
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
        let (spaces, policy) = (&node.spaces, self.client.policy());
        let absolute = !spaces.position.is_empty() || !spaces.zoom.is_empty();
        Ok(PtzCaps {
            absolute,
            relative: absolute || !spaces.translation.is_empty() || !spaces.zoom_translation.is_empty(),
            continuous: !spaces.velocity.is_empty() || !spaces.zoom_velocity.is_empty(),
            home: node.home,
            // Not announced reliably anywhere: the answers tell.
            position: policy.position,
            moving: policy.move_status,
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
    async fn views(&mut self) -> Result<Vec<(Preset, Option<PtzPosition>)>> {
        let e = self.say("GetPresets", "").await?;
        let spaces = self.setup().await?.node.spaces;
        Ok(services::views(&e, &spaces))
    }
    async fn go_to(&mut self, preset: &Preset) -> Result<()> {
        let mut more = format!("<tptz:PresetToken>{}</tptz:PresetToken>", escape(&preset.token));
        self.listen().await?;
        if self.client.policy().goto_speed {
            more.push_str("<tptz:Speed><tt:PanTilt x=\"1\" y=\"1\"/><tt:Zoom x=\"1\"/></tptz:Speed>");
        }
        if let Some(e) = &self.events {
            e.watch().went_to(&preset.token);
        }
        let result = self.say("GotoPreset", &more).await.map(drop);
        if result.is_err() {
            self.moved();
        }
        result
    }
    async fn stop(&mut self) -> Result<()> {
        self.setup().await?;
        let zero = PtzVelocity::default();
        if self.client.policy().stop {
            // Both flags: some Hikvision refuse a Stop that names one only.
            match self.say("Stop", "<tptz:PanTilt>true</tptz:PanTilt><tptz:Zoom>true</tptz:Zoom>").await {
                Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::Rejected) => {}
                result => {
                    self.driven = zero;
                    return result.map(drop);
                }
            }
        }
        self.drive(zero, None).await?;
        self.driven = zero;
        Ok(())
    }
    async fn moving(&mut self) -> Result<Option<bool>> {
        Ok(self.status().await?.moving)
    }
    async fn status(&mut self) -> Result<PtzStatus> {
        let e = self.say("GetStatus", "").await?;
        let spaces = self.setup.as_ref().map(|s| s.node.spaces.clone()).unwrap_or_default();
        let (status, policy) = (services::status(&e, &spaces), self.client.policy());
        // What it says by itself goes before what it answers.
        let told = self.events.as_ref().and_then(|e| e.watch().moving());
        Ok(PtzStatus {
            position: status.position.filter(|_| policy.position),
            moving: told.or(status.moving.filter(|_| policy.move_status)),
        })
    }
    /// Without a speed: devices were seen to refuse one whose space they do not know.
    async fn absolute(&mut self, to: PtzPosition, _speed: Option<f32>) -> Result<()> {
        let vector = self.setup().await?.node.spaces.write(to);
        if vector.is_empty() {
            let e = Error::new(ErrorKind::Unsupported, "this camera cannot be sent to a position");
            return Err(e.at(self.describe()).next("use its presets"));
        }
        self.listen().await?;
        self.moved();
        self.say("AbsoluteMove", &format!("<tptz:Position>{vector}</tptz:Position>")).await.map(drop)
    }
    /// By an absolute move from where it is: translation spaces are the part of ONVIF that devices agree on least. A camera
    /// that cannot be sent to a position, or does not tell its own, gets a RelativeMove.
    async fn relative(&mut self, by: PtzPosition, speed: Option<f32>) -> Result<()> {
        let spaces = self.setup().await?.node.spaces;
        let absolute = !spaces.position.is_empty() || !spaces.zoom.is_empty();
        let from = if absolute { self.status().await?.position } else { None };
        if let Some(from) = from {
            let to = PtzPosition { pan: from.pan + by.pan, tilt: from.tilt + by.tilt, zoom: from.zoom + by.zoom };
            return self.absolute(to, speed).await;
        }
        let vector = spaces.translate(by);
        if vector.is_empty() {
            let what = "this camera does not tell its position, so it cannot be moved by a distance";
            return Err(Error::new(ErrorKind::Unsupported, what).at(self.describe()).next("use its presets"));
        }
        self.moved();
        self.say("RelativeMove", &format!("<tptz:Translation>{vector}</tptz:Translation>")).await.map(drop)
    }
    async fn continuous(&mut self, velocity: PtzVelocity, within: MediaTime) -> Result<()> {
        self.setup().await?;
        let stands = |v: f32| v == 0.0;
        let (was, is) = (self.driven, velocity);
        let left_out = (stands(is.zoom) && !stands(was.zoom))
            || (stands(is.pan) && stands(is.tilt) && !(stands(was.pan) && stands(was.tilt)));
        if left_out && !self.client.policy().zero_axes {
            self.stop().await?; // an axis that is not named goes on as it does
        }
        // Before it is said: it may be heard and its answer lost.
        self.driven = velocity;
        self.drive(velocity, Some(within)).await
    }
    async fn home(&mut self) -> Result<()> {
        self.listen().await?;
        self.moved();
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
        self.setup().await?;
        if !self.client.policy().remove {
            let e = Error::new(ErrorKind::Unsupported, "this model is known to remove all presets instead of one");
            return Err(e
                .at(self.describe())
                .next("remove it in the camera's own pages, or allow it: --quirk remove=send"));
        }
        let token = format!("<tptz:PresetToken>{}</tptz:PresetToken>", escape(&preset.token));
        self.say("RemovePreset", &token).await.map(drop)
    }
}
