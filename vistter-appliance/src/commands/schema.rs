//! `vistter schema`: JSON Schemas for editors.

use vistter_core::config::show_schema;

use crate::cli::{SchemaArgs, SchemaOf};
use crate::exit::Exit;
use crate::ui::json;

pub(crate) fn schema(args: &SchemaArgs) -> Exit {
    let schema = match args.of {
        SchemaOf::Show => show_schema(),
    };
    if json::document(&schema) { Exit::Ok } else { Exit::Failed }
}
