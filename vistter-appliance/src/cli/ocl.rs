//! What can be typed after `vistter ocl`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vistter::ocl::{PROFILES, Profile, profile};
use vistter_core::config::Span;
use vistter_core::time::FrameRate;

use super::told::Told;

#[derive(Debug, Args)]
pub(crate) struct OclArgs {
    #[command(subcommand)]
    pub(crate) command: OclCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OclCommand {
    /// Find everything that is wrong with an overlay document
    Check(OclCheckArgs),
    /// Draw a scene as PNG, one frame or a range of them, or as MP4
    Render(OclRenderArgs),
    /// Show a scene in the browser, drawn anew whenever its files are saved
    Watch(OclWatchArgs),
    /// Get what a document's URLs name into the store beside it
    Fetch(OclFetchArgs),
    /// Print the JSON Schema of the language, or of a document's tokens
    Schema(OclSchemaArgs),
    /// Rewrite a document for another version of the language, up or down
    Upgrade(OclUpgradeArgs),
    /// List the versions and features of the language that this program knows
    Supported(OclSupportedArgs),
    /// Say what a code such as OCL-RANGE means
    Explain(OclExplainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OclCheckArgs {
    /// The overlay document (docs/ocl/README.md)
    pub(crate) file: PathBuf,
    /// Estimate what each scene costs on a machine: server, n100, pi5 or pi4
    #[arg(long, value_name = "MACHINE", value_parser = machine)]
    pub(crate) profile: Option<&'static Profile>,
    /// Frames per second of that estimate, when the document names none
    #[arg(long, value_name = "RATE", value_parser = rate, default_value = "30", requires = "profile")]
    pub(crate) fps: FrameRate,
    /// Warnings count, too: exit as for a document that does not play
    #[arg(long)]
    pub(crate) strict: bool,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OclFetchArgs {
    /// The overlay document (docs/ocl/assets.md)
    pub(crate) file: PathBuf,
    /// Certificates in PEM form that are trusted beside the public authorities
    #[arg(long, value_name = "PATH")]
    pub(crate) ca_file: Option<PathBuf>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OclSchemaArgs {
    /// An overlay document: its tokens as a schema, from which a form can be made
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct OclUpgradeArgs {
    /// The overlay document (docs/ocl/README.md)
    pub(crate) file: PathBuf,
    /// The version, such as 1.0; the latest one when left out
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<String>,
    /// Where to write it, the same file too; stdout when left out
    #[arg(short, long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OclSupportedArgs {
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OclExplainArgs {
    /// A code as `check` prints it; all of them when left out
    pub(crate) code: Option<String>,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OclRenderArgs {
    #[command(flatten)]
    pub(crate) scene: OclSceneArgs,
    /// Every frame from --at up to this one: into an .mp4 file, or as PNGs into the folder -o
    #[arg(long, value_name = "LENGTH", value_parser = moment)]
    pub(crate) to: Option<Span>,
    /// The PNG file, or with --to the .mp4 file or the folder
    #[arg(short, long, value_name = "PATH")]
    pub(crate) out: PathBuf,
    /// Bitrate of an MP4, in kbit/s
    #[arg(long, value_name = "KBPS", default_value = "8000", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub(crate) bitrate: u32,
    /// One JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OclWatchArgs {
    #[command(flatten)]
    pub(crate) scene: OclSceneArgs,
    /// Port on 127.0.0.1; a free one when left out
    #[arg(long, value_name = "PORT", default_value = "0")]
    pub(crate) port: u16,
}

/// What is drawn, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct OclSceneArgs {
    /// The overlay document (docs/ocl/README.md)
    pub(crate) file: PathBuf,
    /// The scene; the first one when left out
    #[arg(long, value_name = "ID")]
    pub(crate) scene: Option<String>,
    /// How long after the scene was shown: 3.5s, 75f
    #[arg(long, value_name = "LENGTH", value_parser = moment, default_value = "0")]
    pub(crate) at: Span,
    /// A token's value; may stand several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) token: Vec<(String, String)>,
    /// What it is told, and when: "2s next", "3s marker goal", "1s set logo opacity=0.5 over=1s"; may stand several times
    #[arg(long = "do", value_name = "ACTION", value_parser = Told::parse)]
    pub(crate) told: Vec<Told>,
    /// Width and height of the picture; the document's own when left out
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) size: Option<(u32, u32)>,
    /// Frames per second: 30, 60, 30000/1001
    #[arg(long, value_name = "RATE", value_parser = rate, default_value = "30")]
    pub(crate) fps: FrameRate,
    /// What is behind the scene
    #[arg(long, value_name = "#RRGGBB", default_value = "#3A424D")]
    pub(crate) background: String,
    /// Wall-clock time at the frame the scene is shown, in seconds since 1970; now when left out
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) wall: Option<i64>,
    /// Draw the action-safe and title-safe areas
    #[arg(long)]
    pub(crate) safe_areas: bool,
}

fn moment(text: &str) -> Result<Span, String> {
    Span::parse(text).ok_or_else(|| "give seconds or frames: 3.5s, 2, 75f".into())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let side = |s: &str| s.parse().ok().filter(|n| (16..=8192).contains(n));
    let parsed = text.split_once('x').and_then(|(w, h)| Some((side(w)?, side(h)?)));
    parsed.ok_or_else(|| "write 1920x1080; each side from 16 to 8192".into())
}

fn machine(text: &str) -> Result<&'static Profile, String> {
    let names = || PROFILES.map(|p| p.name).join(", ");
    profile(text).ok_or_else(|| format!("give one of: {}", names()))
}

fn rate(text: &str) -> Result<FrameRate, String> {
    FrameRate::parse(text).ok_or_else(|| "give frames per second: 30, 29.97, 30000/1001".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_typed() {
        assert_eq!(pair("name=a=b"), Ok(("name".into(), "a=b".into())));
        assert!(pair("name").is_err());
        assert_eq!(size("320x180"), Ok((320, 180)));
        for bad in ["320", "8x8", "x", "99999x10", "-1x20"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert_eq!(machine("pi4").map(|p| p.name), Ok("pi4"));
        assert!(machine("pi").is_err_and(|e| e.contains("pi5")));
        assert!(rate("0").is_err() && rate("fast").is_err() && rate("29.97").is_ok());
    }
}
