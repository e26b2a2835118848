//! SVG pictures. The only file that knows usvg and resvg. Drawn at the very size they are shown at, so they are sharp.
//!
//! A file is read by itself: nothing it refers to is fetched, fonts are not used, and what would take long to draw is
//! refused.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Node, Options, Tree, roxmltree};

use super::Raster;
use crate::limits::{MAX_EXTENT, MAX_SVG_BYTES, MAX_SVG_LAYERS, MAX_SVG_NODES, MAX_SVG_XML_NODES};
use crate::model::Fit;

/// A vector picture.
pub(crate) struct Vector {
    tree: Tree,
}

impl std::fmt::Debug for Vector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vector").field("size", &self.size()).finish()
    }
}

impl Vector {
    /// Whether bytes begin as SVG does.
    pub(crate) fn is_one(bytes: &[u8]) -> bool {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        [&b"<?xml"[..], b"<svg", b"<!--", b"<!DOCTYPE"].iter().any(|start| bytes.starts_with(start))
    }

    /// Reads an SVG.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_SVG_BYTES {
            return Err(format!("it has {} bytes; an SVG may have {MAX_SVG_BYTES}", bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text")?;
        let reading =
            roxmltree::ParsingOptions { nodes_limit: MAX_SVG_XML_NODES, allow_dtd: true, ..Default::default() };
        let xml = roxmltree::Document::parse_with_options(text, reading).map_err(|e| e.to_string())?;
        for (name, what) in [
            ("text", "text, which needs fonts; turn it into paths (\"convert to outlines\")"),
            ("image", "a picture inside, which is not drawn; leave it out, or give a PNG"),
        ] {
            if xml.descendants().any(|n| n.tag_name().name() == name) {
                return Err(format!("it has {what}"));
            }
        }
        // Tree::from_xmltree expands what is used several times; its own bound is a million elements.
        let nothing =
            ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) };
        let options = Options { resources_dir: None, image_href_resolver: nothing, ..Options::default() };
        let tree = Tree::from_xmltree(&xml, &options).map_err(|e| e.to_string())?;
        let (mut nodes, mut layers) = (0, 0);
        count(tree.root(), &mut nodes, &mut layers);
        if nodes == 0 {
            return Err("it has no shapes".to_owned());
        }
        if nodes > MAX_SVG_NODES {
            return Err(format!("it has {nodes} shapes; at most {MAX_SVG_NODES} are allowed"));
        }
        if layers > MAX_SVG_LAYERS {
            let what = "parts with their own opacity, mask, clip or filter";
            return Err(format!("it has {layers} {what}; at most {MAX_SVG_LAYERS} are allowed"));
        }
        let size = tree.size();
        if f64::from(size.width()) > MAX_EXTENT || f64::from(size.height()) > MAX_EXTENT {
            return Err(format!("it is {} by {}; at most {MAX_EXTENT} either way", size.width(), size.height()));
        }
        Ok(Self { tree })
    }

    /// Width and height as the file says.
    pub(crate) fn size(&self) -> (f64, f64) {
        let size = self.tree.size();
        (f64::from(size.width()), f64::from(size.height()))
    }

    /// Draws it into a box of pixels.
    pub(crate) fn draw(&self, out: &mut Raster, width: u32, height: u32, fit: Fit) {
        out.reset(width as usize, height as usize);
        let Some(mut map) = Pixmap::new(width, height) else { return };
        let (w, h) = self.size();
        let (across, down) = (f64::from(width) / w, f64::from(height) / h);
        let (sx, sy) = match fit {
            Fit::Stretch => (across, down),
            Fit::Fit => (across.min(down), across.min(down)),
            Fit::Fill => (across.max(down), across.max(down)),
        };
        let (left, top) = ((f64::from(width) - w * sx) / 2.0, (f64::from(height) - h * sy) / 2.0);
        let place = Transform::from_row(sx as f32, 0.0, 0.0, sy as f32, left as f32, top as f32);
        resvg::render(&self.tree, place, &mut map.as_mut());
        for (px, p) in out.rgba.chunks_exact_mut(4).zip(map.pixels()) {
            let c = p.demultiply();
            px.copy_from_slice(&[c.red(), c.green(), c.blue(), c.alpha()]);
        }
    }
}

/// Counts what is drawn, and the groups that need a picture of their own while they are.
fn count(group: &resvg::usvg::Group, nodes: &mut usize, layers: &mut usize) {
    *layers += usize::from(group.should_isolate());
    for node in group.children() {
        *nodes += 1;
        if let Node::Group(g) = node {
            count(g, nodes, layers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn svg(body: &str) -> String {
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10">{body}</svg>"#)
    }

    #[test]
    fn shapes_at_the_size_they_are_shown() {
        let text = svg(
            r##"<rect width="10" height="10" fill="#ff0000"/><rect x="10" width="10" height="10" fill="#00ff00" fill-opacity="0.5"/>"##,
        );
        assert!(
            Vector::is_one(text.as_bytes())
                && Vector::is_one(b"\xef\xbb\xbf \n<?xml ?>")
                && !Vector::is_one(b"\x89PNG")
        );
        let v = Vector::read(text.as_bytes()).unwrap();
        assert_eq!(v.size(), (20.0, 10.0));
        let mut r = Raster::default();
        v.draw(&mut r, 200, 50, Fit::Stretch);
        let px = |x: usize| &r.rgba[(25 * 200 + x) * 4..][..4];
        assert_eq!((px(10), px(99), px(150)), (&[255, 0, 0, 255][..], &[255, 0, 0, 255][..], &[0, 255, 0, 128][..]));
        v.draw(&mut r, 200, 50, Fit::Fit);
        let alpha = |x: usize| r.rgba[(25 * 200 + x) * 4 + 3];
        assert_eq!([40, 60, 140, 160].map(alpha), [0, 255, 128, 0]);
        v.draw(&mut r, 200, 50, Fit::Fill);
        assert_eq!(&r.rgba[(25 * 200 + 90) * 4..][..4], [255, 0, 0, 255]);
    }
    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let doubled: String = (1..26).fold(String::new(), |s, i| {
            s + &format!(r##"<g id="g{i}"><use href="#g{0}"/><use href="#g{0}"/></g>"##, i - 1)
        });
        let use_bomb = svg(&format!(r##"<defs><path id="g0" d="M0 0h1"/>{doubled}</defs><use href="#g25"/>"##));
        let layers =
            svg(&r#"<g opacity="0.5"><path d="M0 0h9v9z"/><path d="M0 0h9v5z"/></g>"#.repeat(MAX_SVG_LAYERS + 1));
        for (bad, why) in [
            (svg("<text>Hi</text>"), "outlines"),
            (svg(r#"<image href="file:///etc/passwd"/>"#), "picture inside"),
            (svg("<g>"), ""),
            ("<svg/>".to_owned(), ""),
            ("<html></html>".to_owned(), ""),
            (use_bomb, ""),
            (layers, "opacity"),
            (svg(&"<g/>".repeat(MAX_SVG_XML_NODES as usize)), ""),
            (" ".repeat(MAX_SVG_BYTES + 1), "bytes"),
            (
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="1"><path d="M0 0h1v1z"/></svg>"#
                    .into(),
                "either way",
            ),
        ] {
            let e = Vector::read(bad.as_bytes()).unwrap_err();
            assert!(e.contains(why), "{e}");
        }
    }
    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_shapes_draw(body in r#"(<(rect|path|circle|g|use)( (d|x|r|width|fill|opacity|transform|href)="[M0-9a-z#(),. -]{0,12}"){0,4}/>){0,5}"#) {
            if let Ok(v) = Vector::read(svg(&body).as_bytes()) {
                v.draw(&mut Raster::default(), 31, 17, Fit::Fit);
            }
        }
    }
}
