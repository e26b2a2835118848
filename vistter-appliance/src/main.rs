//! The `vistter` program: a thin user of the `vistter` crate.
//!
//! `cli` says what can be typed, `commands` has one file for each of them, `ui` is what they print with.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod exit;
mod ui;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::{Cli, Command};
use crate::exit::Exit;

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            if let Some(ContextValue::String(typed)) = e.get(ContextKind::InvalidSubcommand) {
                cli::suggest(typed);
            }
            let asked = matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { Exit::Ok } else { Exit::Usage }.into();
        }
    };
    ui::log::init(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("vistter").build() {
        Ok(r) => r,
        Err(e) => {
            ui::fail(&format!("cannot start the runtime: {e}"));
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(async move {
        match cli.command {
            Command::Run(a) => commands::run::run(a).await,
            Command::Demo(a) => commands::demo::demo(a).await,
            Command::Probe(a) => commands::probe::probe(a).await,
            Command::Discover(a) => commands::discover::discover(a).await,
            Command::Onboard(a) => Box::pin(commands::onboard::onboard(a)).await,
            Command::Ptz(a) => commands::ptz::ptz(a).await,
            Command::Doctor(a) => commands::doctor::doctor(&a),
            Command::Check(a) => commands::check::check(&a),
            Command::Schema(a) => commands::schema::schema(&a),
            Command::Ocl(a) => Box::pin(commands::ocl::ocl(&a)).await,
        }
    });
    // A hung name resolution or write on a blocking thread must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    exit.into()
}
