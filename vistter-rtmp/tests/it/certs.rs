//! Throw-away certificates by OpenSSL.

use std::path::Path;
use std::sync::OnceLock;

use crate::peers::{Dir, must};

/// Server certificates by file name, in the order of [`crate::peers::Nginx::rtmps`].
pub(crate) const NAMES: [&str; 4] = ["good", "expired", "selfsigned", "wronghost"];

/// A folder with `ca.crt`, `otherca.crt` and a `.crt` and `.key` for each of [`NAMES`]; made once.
pub(crate) fn folder() -> &'static Path {
    static DIR: OnceLock<Dir> = OnceLock::new();
    DIR.get_or_init(make).path()
}

const LOCAL: &str = "DNS:localhost,IP:127.0.0.1";

fn make() -> Dir {
    let dir = Dir::new("certs");
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let key = |name: &str| must("openssl", &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &at(name)]);
    let authority = |name: &str| {
        let (k, c) = (format!("{name}.key"), format!("{name}.crt"));
        key(&k);
        must(
            "openssl",
            &[
                "req",
                "-x509",
                "-new",
                "-key",
                &at(&k),
                "-days",
                "30",
                "-subj",
                &format!("/CN={name}"),
                "-out",
                &at(&c),
                "-addext",
                "basicConstraints=critical,CA:TRUE",
                "-addext",
                "keyUsage=critical,keyCertSign,cRLSign",
            ],
        );
    };
    authority("ca");
    authority("otherca");
    // `openssl ca` is the only command that makes a certificate that has already ended.
    std::fs::write(dir.path().join("index.txt"), "").unwrap();
    let conf = format!(
        "[ca]\ndefault_ca=d\n[d]\ndatabase={}\nnew_certs_dir={}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n\
         copy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n",
        at("index.txt"),
        dir.path().display()
    );
    std::fs::write(dir.path().join("ca.cnf"), conf).unwrap();
    let signed = |name: &str, san: &str, from: &str, to: &str| {
        key(&format!("{name}.key"));
        must(
            "openssl",
            &[
                "req",
                "-new",
                "-key",
                &at(&format!("{name}.key")),
                "-subj",
                &format!("/CN={name}"),
                "-addext",
                &format!("subjectAltName={san}"),
                "-out",
                &at(&format!("{name}.csr")),
            ],
        );
        must(
            "openssl",
            &[
                "ca",
                "-batch",
                "-notext",
                "-config",
                &at("ca.cnf"),
                "-cert",
                &at("ca.crt"),
                "-keyfile",
                &at("ca.key"),
                "-in",
                &at(&format!("{name}.csr")),
                "-out",
                &at(&format!("{name}.crt")),
                "-startdate",
                from,
                "-enddate",
                to,
            ],
        );
    };
    signed("good", LOCAL, "20200101000000Z", "20490101000000Z");
    signed("expired", LOCAL, "20200101000000Z", "20200201000000Z");
    signed("wronghost", "DNS:other.example", "20200101000000Z", "20490101000000Z");
    key("selfsigned.key");
    must(
        "openssl",
        &[
            "req",
            "-x509",
            "-new",
            "-key",
            &at("selfsigned.key"),
            "-days",
            "30",
            "-subj",
            "/CN=localhost",
            "-addext",
            &format!("subjectAltName={LOCAL}"),
            "-out",
            &at("selfsigned.crt"),
        ],
    );
    dir
}
