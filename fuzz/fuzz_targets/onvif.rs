//! Any bytes from an ONVIF device: an HTTP answer, and what its body says to each service.
#![no_main]

use vistter_ptz::onvif::auth::Challenge;
use vistter_ptz::onvif::events::{Watch, happened, subscription};
use vistter_ptz::onvif::imaging::Imaging;
use vistter_ptz::onvif::http::{Message, Parser};
use vistter_ptz::onvif::services::{DeviceInfo, Node, Profile, Services, presets, status};
use vistter_ptz::onvif::soap::{Answer, read};

fn say(message: &Message) {
    message.all("www-authenticate").for_each(|f| drop(Challenge::parse(f)));
    let Answer::Body(e) = read(message) else { return };
    let _ = (DeviceInfo::read(&e), Services::read(&e), Services::read_capabilities(&e), Profile::read_all(&e), presets(&e));
    let mut watch = Watch::default();
    watch.went_to("1");
    watch.heard(&happened(&e));
    let _ = (watch.moving(), subscription(&e));
    Imaging::read(&e).read_status(&e);
    for node in Node::read_all(&e) {
        let _ = status(&e, &node.spaces);
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // As it came, and as the body of an answer that was well framed.
    let mut parser = Parser::answer(65_536);
    match parser.push(data) {
        Ok(Some(message)) => say(&message),
        Ok(None) => {
            if let Ok(message) = parser.end() {
                say(&message);
            }
        }
        Err(_) => {}
    }
    say(&Message { start: "HTTP/1.1 200 OK".into(), fields: Vec::new(), body: data.to_vec() });
});
