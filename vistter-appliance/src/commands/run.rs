//! `vistter run`: a show file, headless.

use std::sync::Arc;

use vistter::Options;
use vistter::ptz::mover::LearnedStore;

use super::check::complain;
use super::load::{base_dir, load, state_file};
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
    let mut options = Options::default();
    options.learned = state_file(args.learned.as_deref(), "learned-times.json").map(|p| Arc::new(LearnedStore::new(p)));
    let started = Box::pin(vistter::start_with(show.clone(), base_dir(&args.show), options)).await;
    let vistter::Started { session, recordings, documents, .. } = match started {
        Ok(s) => s,
        Err(e) => {
            fail(&e.to_string());
            return play::exit_of(&e);
        }
    };
    for (part, error) in session.troubles() {
        fail(&format!("{part} does not work, the rest goes on: {error}"));
    }
    let documents = (!args.no_reload).then_some(documents);
    let how = Play { json: args.json, fps: show.program.fps.as_f64(), documents };
    let played = Box::pin(play::until_the_end(session, how, |_| {})).await;
    play::report(&played, recordings.as_ref(), args.json);
    played.exit()
}
