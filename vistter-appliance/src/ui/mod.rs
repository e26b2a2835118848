//! What commands print with: logs, the live line, numbers for people, JSON lines, pictures.

pub(crate) mod human;
pub(crate) mod json;
pub(crate) mod live;
pub(crate) mod log;
pub(crate) use vistter_core::picture;

/// Says on stderr why the command failed.
pub(crate) fn fail(what: &str) {
    log::clear_line();
    eprintln!("vistter: {what}");
}
