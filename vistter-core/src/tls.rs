//! TLS. Servers of the public internet are known by their authorities. Cameras sign their certificates themselves, so that
//! theirs is mostly known by its SHA-256: a pin.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use ring::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring as provider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;

/// A connection over TLS.
pub type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// What a client of servers in the public internet trusts: the public authorities and, if given, those of a PEM file.
///
/// # Errors
/// `Config` when the PEM holds no usable certificate.
pub fn public_config(extra_ca: Option<&[u8]>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = extra_ca {
        let bad = |why: String| {
            Error::new(ErrorKind::Config, format!("the CA file: {why}")).next("give certificates in PEM form")
        };
        let before = roots.len();
        for cert in CertificateDer::pem_slice_iter(pem) {
            let cert = cert.map_err(|e| bad(format!("{e:?}")))?;
            roots.add(cert).map_err(|e| bad(e.to_string()))?;
        }
        if roots.len() == before {
            return Err(bad("it holds no certificate".into()));
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(ErrorKind::Internal, format!("TLS: {e}")))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// SHA-256 of a certificate. Written as hexadecimal pairs with colons, as OpenSSL and browsers show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|b| format!("{b:02X}")).collect();
        f.write_str(&pairs.join(":"))
    }
}
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Fingerprint {
    type Err = Error;

    /// From 64 hexadecimal digits; colons and white space between them are skipped.
    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::new(ErrorKind::Config, "this is no SHA-256 of a certificate")
                .next("give 64 hexadecimal digits, with or without colons, as the error of a connection without it prints them")
        };
        let digit = |c: char| c.to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or_else(bad);
        let digits = text.chars().filter(|c| *c != ':' && !c.is_whitespace()).take(65).map(digit);
        let digits = digits.collect::<Result<Vec<u8>>>()?;
        if digits.len() != 64 {
            return Err(bad());
        }
        let mut out = [0u8; 32];
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(out))
    }
}

/// Whom to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TlsPolicy {
    /// A certificate that chains to a public authority (Mozilla's list) and names the host.
    #[default]
    Verify,
    /// As [`TlsPolicy::Verify`], with these authorities (DER certificates) instead of the public ones.
    Authorities(Vec<Vec<u8>>),
    /// Exactly the certificate whose DER form has this SHA-256. For self-signed cameras; name and dates are not looked at.
    Pin(Fingerprint),
    /// Any certificate: whoever answers gets the password. For a first look on a network you trust.
    Insecure,
}

impl TlsPolicy {
    /// A pin as people write it.
    ///
    /// # Errors
    /// `Config` when the text is not a SHA-256.
    pub fn pin(text: &str) -> Result<Self> {
        text.parse().map(Self::Pin)
    }
}

/// A handshake that is over.
#[derive(Debug)]
pub struct Handshake {
    /// The connection, or why there is none.
    pub result: io::Result<TlsStream>,
    /// The certificate that the camera showed, if it came so far.
    pub shown: Option<Fingerprint>,
}

/// Speaks TLS over a connection to `host`: a name, an address, or an IPv6 address in brackets. The caller bounds the time.
///
/// # Errors
/// `Config`, when the host or the policy cannot be used. What the camera does wrong is in the [`Handshake`].
pub async fn handshake(policy: &TlsPolicy, host: &str, plain: TcpStream) -> Result<Handshake> {
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| Error::new(ErrorKind::Config, "the camera's host is neither a name nor an address"))?;
    let verifier = Arc::new(Verifier::new(policy)?);
    let config = ClientConfig::builder_with_provider(Arc::new(verifier.provider.clone()))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(ErrorKind::Internal, format!("TLS: {e}")))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    let result = TlsConnector::from(Arc::new(config)).connect(name, plain).await;
    Ok(Handshake { result, shown: *lock(&verifier.shown) })
}

/// Judges a camera's certificate by the policy, and remembers it.
#[derive(Debug)]
struct Verifier {
    web: Option<Arc<WebPkiServerVerifier>>,
    pin: Option<Fingerprint>,
    provider: CryptoProvider,
    shown: Mutex<Option<Fingerprint>>,
}

impl Verifier {
    fn new(policy: &TlsPolicy) -> Result<Self> {
        let provider = provider::default_provider();
        let mut roots = RootCertStore::empty();
        let (mut chain, mut pin) = (false, None);
        match policy {
            TlsPolicy::Verify => {
                chain = true;
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
            TlsPolicy::Authorities(list) => {
                chain = true;
                for der in list {
                    roots.add(CertificateDer::from(der.clone())).map_err(|e| {
                        Error::new(ErrorKind::Config, format!("a certificate authority does not parse: {e}"))
                            .next("give it as a DER file")
                    })?;
                }
            }
            TlsPolicy::Pin(p) => pin = Some(*p),
            TlsPolicy::Insecure => {}
        }
        let build = || WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(provider.clone())).build();
        let web = chain.then(build).transpose();
        let web = web.map_err(|e| Error::new(ErrorKind::Config, format!("no certificate authority: {e}")))?;
        Ok(Self { web, pin, provider, shown: Mutex::new(None) })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut sha = Fingerprint([0u8; 32]);
        sha.0.copy_from_slice(digest(&SHA256, end_entity).as_ref());
        *lock(&self.shown) = Some(sha);
        match (&self.web, self.pin) {
            (Some(web), _) => web.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            (None, Some(pin)) if pin != sha => Err(rustls::Error::General("not the pinned certificate".into())),
            (None, _) => Ok(ServerCertVerified::assertion()),
        }
    }
    // Whoever shows a certificate must hold its key, whatever the policy.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pins_are_read_strictly() {
        let text = "0a:".repeat(31) + "FF";
        let mut want = [0x0a; 32];
        want[31] = 0xff;
        assert_eq!(TlsPolicy::pin(&text).unwrap(), TlsPolicy::Pin(Fingerprint(want)));
        for bad in ["", "0a", &"zz".repeat(32), &("0a".repeat(32) + "0"), &("0a".repeat(31) + "0g")] {
            assert!(TlsPolicy::pin(bad).is_err(), "{bad}");
        }
    }
    proptest! {
        #[test]
        fn a_fingerprint_survives_its_text(bytes: [u8; 32], text in "[0-9a-fA-F: é]{0,100}") {
            let f = Fingerprint(bytes);
            prop_assert_eq!(f.to_string().parse::<Fingerprint>().unwrap(), f);
            prop_assert_eq!(f.to_string().replace(':', "").to_lowercase().parse::<Fingerprint>().unwrap(), f);
            let _ = text.parse::<Fingerprint>();
        }
    }
}
