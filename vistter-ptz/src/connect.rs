//! A camera's control address, as people write it, and the driver that speaks to it.

use std::sync::Arc;

use vistter_core::clock::Clock;
use vistter_core::config::Address;
use vistter_core::ports::PtzDriver;
use vistter_core::{Error, ErrorKind, Result};

use crate::onvif::quirks::Change;
use crate::onvif::tls::TlsOptions;
use crate::onvif::{OnvifDriver, OnvifOptions};
use crate::visca::units::Units;
use crate::visca::{TCP_PORT, Transport, UDP_PORT, ViscaDriver, ViscaOptions};

/// What belongs to a camera beside its address.
#[derive(Clone, Debug, Default)]
pub struct DriverOptions {
    /// What this ONVIF camera needs; goes before what its address says.
    pub quirks: Vec<Change>,
    /// Which certificates are trusted over TLS; as it is, the first one that the camera shows to this program.
    pub tls: TlsOptions,
}

/// The driver for `onvif://[USER:PASSWORD@]HOST[:PORT][#QUIRK,…]`, `visca://HOST[:PORT][#units=NAME]` (UDP) or
/// `visca-tcp://HOST[:PORT]`.
/// Nothing is connected yet. `http://` is ONVIF too, as discovery finds it, and `https://` ONVIF over TLS. Without a port
/// `onvif://` asks the usual ones; VISCA takes 52381 (UDP) or 5678 (TCP). A quirk is what this camera needs
/// ([`quirks`](crate::onvif::quirks)), such as `stop=zero`; VISCA units are those of a model ([`Units::TABLES`]).
///
/// # Errors
/// `Config`, when it is none of these. The text is not quoted: it may hold a password.
pub fn driver(address: &Address, clock: Arc<dyn Clock>) -> Result<Box<dyn PtzDriver>> {
    driver_with(address, DriverOptions::default(), clock)
}

/// The same, with more to say.
///
/// # Errors
/// As [`driver()`].
pub fn driver_with(address: &Address, options: DriverOptions, clock: Arc<dyn Clock>) -> Result<Box<dyn PtzDriver>> {
    let DriverOptions { quirks, tls } = options;
    let bad = |what: &str| {
        let e = Error::new(ErrorKind::Config, what);
        e.next("give onvif://[USER:PASSWORD@]HOST[:PORT], https://…, visca://HOST[:PORT] or visca-tcp://HOST[:PORT]")
    };
    let at = address.parts().ok_or_else(|| bad("the port is no number from 1 to 65535"))?;
    let onvif = matches!(address.scheme(), "onvif" | "http" | "https");
    if !onvif && !quirks.is_empty() {
        let e = Error::new(ErrorKind::Config, "only an ONVIF camera has quirks");
        return Err(e.next("a VISCA camera's units stand in its address: visca://HOST#units=sony"));
    }
    let units = || match at.fragment.split_once('=') {
        None if at.fragment.is_empty() => Ok(Units::COMMON),
        Some(("units", name)) => Units::named(name),
        _ => Units::named(""),
    };
    let visca = |usual, transport| {
        Ok::<_, Error>(ViscaOptions { units: units()?, ..ViscaOptions::new(at.authority(usual), transport) })
    };
    Ok(match address.scheme() {
        scheme @ ("onvif" | "http" | "https") => {
            // An address of the web means its port.
            let port = at.port.or((scheme == "http").then_some(80));
            let mut options = OnvifOptions::new(at.host, port, address.credentials().cloned(), clock);
            if at.path.len() > 1 {
                options.path = at.path.to_owned();
            }
            options.quirks = Change::list(at.fragment)?;
            options.quirks.extend(quirks);
            options.secure = scheme == "https";
            options.tls = tls;
            Box::new(OnvifDriver::new(options))
        }
        "visca" => Box::new(ViscaDriver::new(visca(UDP_PORT, Transport::Udp { local_port: None })?)),
        "visca-tcp" => Box::new(ViscaDriver::new(visca(TCP_PORT, Transport::Tcp)?)),
        _ => return Err(bad("this is no address of a camera's control")),
    })
}

#[cfg(test)]
mod tests {
    use vistter_core::clock::SystemClock;

    use super::*;

    #[test]
    fn addresses() {
        let of = |text: &str| {
            let address = Address::parse(text).ok_or_else(|| Error::new(ErrorKind::Config, "no URL"))?;
            driver(&address, SystemClock::shared()).map(|d| d.describe())
        };
        for (text, said) in [
            ("onvif://admin:p@ss@10.0.0.2:8899", "ONVIF camera 10.0.0.2:8899"),
            ("onvif://[::1]/onvif/other", "ONVIF camera [::1]"),
            ("onvif://[::1]:80", "ONVIF camera [::1]:80"),
            ("http://10.0.0.2/onvif/device_service", "ONVIF camera 10.0.0.2:80"),
            ("https://10.0.0.2", "ONVIF camera 10.0.0.2:443"),
            ("https://[fe80::1]:8443/onvif/device_service", "ONVIF camera [fe80::1]:8443"),
            ("visca://stage.local", "VISCA camera stage.local:52381"),
            ("VISCA-TCP://10.0.0.3:1259", "VISCA camera 10.0.0.3:1259"),
        ] {
            assert_eq!(of(text).unwrap(), said);
        }
        assert_eq!(of("onvif://10.0.0.2:80/onvif/x#stop=zero,timeout=omit").unwrap(), "ONVIF camera 10.0.0.2:80");
        assert!(of("onvif://10.0.0.2#stop=never").unwrap_err().next_step().unwrap().contains("zero"));
        assert_eq!(of("visca-tcp://10.0.0.2:1259#units=sony-20bit").unwrap(), "VISCA camera 10.0.0.2:1259");
        for bad in ["visca://10.0.0.2#stop=zero", "visca://10.0.0.2#units=canon", "visca://10.0.0.2#units"] {
            let e = of(bad).unwrap_err();
            assert!(e.kind() == ErrorKind::Config && e.next_step().unwrap().contains("sony-x1000"), "{e}");
        }
        for bad in ["rtsp://10.0.0.2", "onvif://u:secret@h:99999", "onvif://u:secret@h:0", "visca://u:secret@h:x"] {
            let e = of(bad).unwrap_err();
            assert!(e.kind() == ErrorKind::Config && !format!("{e:?}").contains("secret"), "{e:?}");
        }
    }
}
