//! ONVIF devices that others wrote, on loopback ports: the mock of crate `oxvif`, with and without a password, and a camera
//! on crate `onvif-server`; and the WS-Discovery responder of `oxvif`. Prints `NAME ADDRESS` for each, and ends with its
//! standard input.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use onvif_server::generated::DeviceInfo;
use onvif_server::{
    DeviceService, EventService, ImagingService, ImagingSettings, MediaService, OnvifError, OnvifServer, PTZPreset,
    PTZService, PTZStatusResult,
};
use oxvif::DiscoveredDevice;
use oxvif::mock::{DiscoveryResponder, MockServer};
use tokio::io::AsyncReadExt;

type Answer<T> = Result<T, OnvifError>;

/// The head behind `onvif-server`: the crate has the protocol, its user brings the motors.
#[derive(Clone, Default)]
struct Head {
    presets: Arc<Mutex<BTreeMap<String, String>>>,
    moving: Arc<Mutex<bool>>,
}

#[async_trait]
impl DeviceService for Head {
    async fn get_device_information(&self) -> Answer<DeviceInfo> {
        let own = str::to_owned;
        Ok(DeviceInfo {
            manufacturer: own("onvif-server"),
            model: own("Head"),
            firmware_version: own("0.1.0"),
            serial_number: own("1"),
            hardware_id: own("1"),
        })
    }
}

#[async_trait]
impl MediaService for Head {
    async fn get_stream_uri(&self, _profile: &str) -> Answer<String> {
        Ok("rtsp://127.0.0.1:554/stream".into())
    }
}

#[async_trait]
impl PTZService for Head {
    async fn continuous_move(&self, _profile: &str, pan: f32, tilt: f32, zoom: f32) -> Answer<()> {
        *self.moving.lock().unwrap() = (pan, tilt, zoom) != (0.0, 0.0, 0.0);
        Ok(())
    }
    async fn stop(&self, _profile: &str, _pan_tilt: bool, _zoom: bool) -> Answer<()> {
        *self.moving.lock().unwrap() = false;
        Ok(())
    }
    async fn get_status(&self, _profile: &str) -> Answer<PTZStatusResult> {
        let moving = *self.moving.lock().unwrap();
        Ok(PTZStatusResult { pan_tilt_moving: moving, zoom_moving: false })
    }
    async fn get_presets(&self, _profile: &str) -> Answer<Vec<PTZPreset>> {
        let all = self.presets.lock().unwrap();
        Ok(all.iter().map(|(token, name)| PTZPreset { token: token.clone(), name: name.clone() }).collect())
    }
    async fn set_preset(&self, _profile: &str, name: Option<&str>, token: Option<&str>) -> Answer<String> {
        let mut all = self.presets.lock().unwrap();
        let token = token.map_or_else(|| format!("p{}", all.len() + 1), str::to_owned);
        all.insert(token.clone(), name.unwrap_or(&token).to_owned());
        Ok(token)
    }
    async fn goto_preset(&self, _profile: &str, token: &str) -> Answer<()> {
        let known = self.presets.lock().unwrap().contains_key(token);
        if known { Ok(()) } else { Err(OnvifError::ActionNotSupported) }
    }
    async fn remove_preset(&self, _profile: &str, token: &str) -> Answer<()> {
        self.presets.lock().unwrap().remove(token);
        Ok(())
    }
}

#[async_trait]
impl ImagingService for Head {
    async fn get_imaging_settings(&self, _source: String) -> Answer<ImagingSettings> {
        Ok(ImagingSettings { brightness: Some(50.0), contrast: Some(40.0), ..ImagingSettings::default() })
    }
}

#[async_trait]
impl EventService for Head {}

#[tokio::main]
async fn main() {
    let open = MockServer::builder().start().await.expect("oxvif");
    println!("oxvif {}", open.device_url());
    let locked = MockServer::builder().enforce_auth(true).start().await.expect("oxvif");
    println!("oxvif-locked {}", locked.device_url());

    let announced = DiscoveredDevice {
        endpoint: "urn:uuid:00000000-0000-4000-8000-000000000001".into(),
        types: vec!["dn:NetworkVideoTransmitter".into()],
        scopes: vec!["onvif://www.onvif.org/name/Mock%20Camera".into(), "onvif://www.onvif.org/hardware/oxvif".into()],
        xaddrs: vec![open.device_url().to_owned()],
    };
    let responder = DiscoveryResponder::spawn("127.0.0.1:0", false, announced).await.expect("discovery of oxvif");
    println!("discovery {}", responder.local_addr());

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("a port").port();
    let head = Head::default();
    let server = OnvifServer::builder()
        .port(port)
        .advertised_host("127.0.0.1")
        .auth("admin", "secret")
        .device_service(head.clone())
        .media_service(head.clone())
        .ptz_service(head.clone())
        .imaging_service(head.clone())
        .event_service(head)
        .build()
        .expect("onvif-server");
    let router = server.into_router().expect("onvif-server");
    tokio::spawn(async move { axum::serve(listener, router).await });
    println!("onvif-server http://127.0.0.1:{port}/onvif/device_service");
    println!("ready");
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
}
