//! `vistter run`: a show file, headless.

use super::check::complain;
use super::load::{base_dir, load};
use super::play::{self, Play};
use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::ui::{fail, json};

pub(crate) async fn run(args: RunArgs) -> Exit {
    let (mut show, warnings) = match load(&args.show) {
        Ok(s) => s,
        Err(found) => {
            if args.json {
                json::line("invalid", &serde_json::json!({ "findings": found }));
            }
            complain(&args.show, &found);
            fail("the show file cannot be used; nothing was started");
            return Exit::Invalid;
        }
    };
    complain(&args.show, &warnings);
    if args.length.is_some() {
        show.timeline.stop_after = args.length;
    }
    let (session, recordings) = match play::start(show.clone(), base_dir(&args.show)).await {
        Ok(s) => s,
        Err(e) => {
            fail(&e.to_string());
            return play::exit_of(&e);
        }
    };
    for (part, error) in session.troubles() {
        fail(&format!("{part} does not work, the rest goes on: {error}"));
    }
    let played = play::until_the_end(session, Play { json: args.json, fps: show.program.fps.as_f64() }, |_| {}).await;
    play::report(&played, recordings.as_ref(), args.json);
    played.exit()
}
