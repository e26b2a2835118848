//! `vistter discover`: cameras on the network.

use serde_json::json;
use vistter::ptz::discovery::{DiscoverOptions, Discovery, Found, Interface, MOST_ADDRESSES, addresses, interfaces};

use crate::cli::DiscoverArgs;
use crate::exit::Exit;
use crate::ui::{fail, json};

pub(crate) async fn discover(args: DiscoverArgs) -> Exit {
    let mut named = Vec::new();
    for text in &args.addresses {
        match addresses(text) {
            Some(a) if named.len() + a.len() <= MOST_ADDRESSES => named.extend(a),
            _ => {
                fail(&format!(
                    "{text}: give 10.0.0.7, 10.0.0.5-20, 10.0.0.0/24 or fd00::7, at most {MOST_ADDRESSES} addresses in all"
                ));
                return Exit::Usage;
            }
        }
    }
    // Who names addresses, or interfaces, means these.
    let everywhere = named.is_empty() && args.interface.is_empty();
    let own = if everywhere { interfaces() } else { Ok(args.interface.iter().copied().map(Interface::V4).collect()) };
    let length = args.length.into();
    let (port, mdns_port) = (args.port, args.mdns_port);
    let options = own.map(|interfaces| DiscoverOptions { interfaces, addresses: named, length, port, mdns_port });
    let search = match options {
        Ok(o) => Discovery::start(o).await,
        Err(e) => Err(e),
    };
    let mut search = match search {
        Ok(s) => s,
        Err(e) => {
            fail(&e.to_string());
            return Exit::Failed;
        }
    };
    if !args.json {
        eprintln!("searching for {:.1} s …", args.length.as_secs_f64());
    }
    while let Some(found) = search.next().await {
        if args.json {
            if !json::line("camera", &found) {
                break;
            }
        } else {
            print(&found);
        }
    }
    // One that was found in two ways is one.
    let cameras = search.found().count();
    if args.json {
        json::line("summary", &json!({ "cameras": cameras }));
    } else if cameras == 0 {
        fail("no camera answered; check that ONVIF is switched on, or name addresses to ask");
    }
    if cameras == 0 { Exit::Failed } else { Exit::Ok }
}

fn print(f: &Found) {
    let name = f.name.as_deref().unwrap_or("unnamed");
    let model = f.model.as_deref().map(|m| format!(" ({m})")).unwrap_or_default();
    let place = f.location.as_deref().map(|l| format!(", {l}")).unwrap_or_default();
    println!("{name}{model}{place}");
    for a in &f.addresses {
        println!("  {a}");
    }
}
