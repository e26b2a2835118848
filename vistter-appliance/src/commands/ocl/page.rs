//! The page that `vistter ocl watch` serves, and what is answered to a request for it.

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// One more with each change.
    pub(super) version: u64,
    /// The newest picture that could be drawn.
    pub(super) png: Vec<u8>,
    /// What is wrong now, or a warning; empty when all is well.
    pub(super) findings: String,
}

/// The page. It asks for the state twice a second.
const PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>vistter ocl watch</title><style>
body { margin: 0; background: #1b2027; color: #d7dde5; font: 15px/1.5 system-ui, sans-serif; }
img { display: block; margin: 24px auto 12px; max-width: calc(100vw - 48px); max-height: 75vh; box-shadow: 0 0 0 1px #0008; }
img.old { opacity: .35; }
pre { margin: 12px auto; padding: 12px 16px; max-width: 1100px; overflow-x: auto; background: #0f1319; border-left: 4px solid #ff5a5f; white-space: pre-wrap; }
pre:empty { display: none; }
p { text-align: center; color: #8b95a3; margin: 8px; }
</style></head><body><img id="picture" alt="The scene"><pre id="findings"></pre><p id="note"></p><script>
let shown = -1;
async function look() {
  try {
    const state = await (await fetch("/state")).json();
    document.getElementById("note").textContent = "";
    if (state.version !== shown) {
      shown = state.version;
      document.getElementById("findings").textContent = state.findings;
      document.getElementById("picture").className = state.broken ? "old" : "";
      document.getElementById("picture").src = "/picture.png?" + shown;
    }
  } catch { document.getElementById("note").textContent = "vistter ocl watch is not running"; }
  setTimeout(look, 500);
}
look();
</script></body></html>
"#;

/// Answers the head of an HTTP/1.1 request. Only GET, and only to a name of this machine: another site's page must not read it.
pub(super) fn answer(request: &str, state: &State) -> Vec<u8> {
    let mut lines = request.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let host = lines
        .filter_map(|l| l.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, v)| v.trim());
    let ours = |h: &str| ["127.0.0.1", "localhost"].contains(&h.rsplit_once(':').map_or(h, |(name, _)| name));
    let path = target.split('?').next().unwrap_or_default();
    match (method, path) {
        _ if !host.is_some_and(ours) => whole("403 Forbidden", "text/plain", b"only for 127.0.0.1\n"),
        ("GET", "/") => whole("200 OK", "text/html; charset=utf-8", PAGE.as_bytes()),
        ("GET", "/picture.png") => whole("200 OK", "image/png", &state.png),
        ("GET", "/state") => {
            let broken = state.findings.contains(": error[");
            let json = serde_json::json!({ "version": state.version, "findings": state.findings, "broken": broken });
            whole("200 OK", "application/json", json.to_string().as_bytes())
        }
        ("GET", _) => whole("404 Not Found", "text/plain", b"there is /, /picture.png and /state\n"),
        _ => whole("405 Method Not Allowed", "text/plain", b"only GET\n"),
    }
}

fn whole(status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered() {
        let state = State { version: 3, png: b"PNG".to_vec(), findings: "a.json:1:2: error[OCL-TYPE]: \"x\"".into() };
        let get = |method: &str, path: &str, host: &str| {
            let request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
            String::from_utf8(answer(&request, &state)).unwrap()
        };
        assert!(get("GET", "/", "127.0.0.1:8080").contains("<!doctype html>"));
        assert!(get("GET", "/picture.png?3", "localhost:1").ends_with("\r\n\r\nPNG"));
        let said = get("GET", "/state", "localhost");
        assert!(
            said.contains("\"version\":3") && said.contains("\\\"x\\\"") && said.contains("\"broken\":true"),
            "{said}"
        );
        assert!(get("GET", "/etc/passwd", "localhost").starts_with("HTTP/1.1 404"));
        assert!(get("POST", "/", "localhost").starts_with("HTTP/1.1 405"));
        assert!(get("GET", "/", "evil.example").starts_with("HTTP/1.1 403"));
        for odd in ["", "GET", "GET /", "\r\n\r\n", "GET / HTTP/1.1\r\nhost\r\n"] {
            assert!(answer(odd, &state).starts_with(b"HTTP/1.1 4"), "{odd}");
        }
    }
}
