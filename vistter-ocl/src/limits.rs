//! Every limit of the language, in one place. A document that passes them costs bounded memory and time to check,
//! compile and render.

/// Bytes of one document.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;
/// Scenes in a document.
pub const MAX_SCENES: usize = 64;
/// Layers in a scene.
pub const MAX_LAYERS: usize = 64;
/// Tracks in a scene.
pub const MAX_TRACKS: usize = 32;
/// Cues in a scene, on all its tracks.
pub const MAX_CUES: usize = 4096;
/// Layers and cues of a scene that are on at one moment.
pub const MAX_TOGETHER: usize = 128;
/// Steps of a scene.
pub const MAX_STEPS_OF_SCENE: usize = 64;
/// Styles in a document.
pub const MAX_STYLES: usize = 64;
/// Synchronisation points in a document.
pub const MAX_SYNCS: usize = 64;
/// Features that a document may ask for.
pub const MAX_REQUIRES: usize = 256;
/// Tokens in a document.
pub const MAX_TOKENS: usize = 64;
/// Assets in a document.
pub const MAX_ASSETS: usize = 64;
/// Keyframes of one property.
pub const MAX_KEYFRAMES: usize = 256;
/// Steps of an easing.
pub const MAX_STEPS: i64 = 1000;
/// Repetitions of a list of keyframes that ends.
pub const MAX_REPEATS: i64 = 1_000_000;
/// Rights of an asset.
pub const MAX_RIGHTS: usize = 16;
/// Fallbacks of fallbacks.
pub const MAX_FALLBACKS: usize = 8;
/// Characters of a URL.
pub const MAX_URL_CHARS: usize = 4096;
/// Bytes of decoded files that an [`AssetCache`](crate::AssetCache) keeps when nobody uses them.
pub const MAX_CACHE_BYTES: u64 = 512 << 20;
/// Characters of an id or a token name.
pub const MAX_ID_CHARS: usize = 64;
/// Characters of a text as written in the document.
pub const MAX_TEXT_CHARS: usize = 2_000;
/// Characters of a text after its tokens are filled in; what is beyond is not drawn.
pub const MAX_EXPANDED_CHARS: usize = 8_000;
/// Lines of one text; what is beyond is not drawn.
pub const MAX_LINES: usize = 40;
/// Characters a token may hold, when it does not say less.
pub const DEFAULT_TOKEN_CHARS: usize = 200;
/// Characters a token may hold at most.
pub const MAX_TOKEN_CHARS: usize = 2_000;
/// Choices of a token.
pub const MAX_CHOICES: usize = 64;
/// Filters after one token.
pub const MAX_FILTERS: usize = 8;
/// Fonts among the assets of a document.
pub const MAX_FONTS: usize = 16;
/// Faces in one font file.
pub const MAX_FACES: u32 = 32;
/// Sizes in which a font has its glyphs as pictures.
pub const MAX_STRIKES: usize = 32;
/// Parts of the index of glyph pictures of one size.
pub const MAX_SUBTABLES: usize = 1024;
/// Parts of a text that look different.
pub const MAX_RUNS: usize = 32;
/// Bytes of one asset file.
pub const MAX_ASSET_BYTES: u64 = 32 << 20;
/// Pixels of one decoded image (a 4K frame and a half).
pub const MAX_IMAGE_PIXELS: u64 = 16_000_000;
/// Pixels of all decoded images of a document together.
pub const MAX_TOTAL_IMAGE_PIXELS: u64 = 64_000_000;
/// Pictures of a moving picture or a sequence.
pub const MAX_FILM_FRAMES: usize = 1024;
/// Pixels of all pictures of a layer that moves, as drawn.
pub const MAX_FILM_PIXELS: u64 = MAX_LAYER_PIXELS;
/// Pixels of one picture of a video.
pub const MAX_VIDEO_PIXELS: u64 = 4096 * 2304;
/// Layers of a scene that show videos or cameras: each decodes on its own.
pub const MAX_INSETS: usize = 16;
/// Bytes of an SVG file.
pub const MAX_SVG_BYTES: usize = 2 << 20;
/// Elements, attributes and texts of an SVG file.
pub const MAX_SVG_XML_NODES: u32 = 100_000;
/// Shapes and groups of an SVG, with what it uses several times.
pub const MAX_SVG_NODES: usize = 20_000;
/// Groups of an SVG that are drawn apart: those with opacity, mask, clip or filter.
pub const MAX_SVG_LAYERS: usize = 128;
/// Empty modules round a QR code.
pub const MAX_QUIET: i64 = 16;
/// Pixels of one layer as drawn.
pub const MAX_LAYER_PIXELS: u64 = 33_554_432;
/// Pixels of a layer on which others are laid, to be blended as one with it: a quarter of a full HD picture. Beyond it, laying them
/// anew when one changes would cost a frame more than it saves.
pub(crate) const MAX_LAID_PIXELS: usize = 518_400;
/// Pixels of all layers of a scene together, as drawn; a text that would go beyond it is cut.
pub const MAX_SCENE_PIXELS: u64 = 4 * MAX_LAYER_PIXELS;
/// Width and height of the base resolution, and any size or offset, in base pixels.
pub const MAX_EXTENT: f64 = 8192.0;
/// The largest text size, in base pixels.
pub const MAX_TEXT_SIZE: f64 = 1000.0;
/// The smallest text size, in base pixels.
pub const MIN_TEXT_SIZE: f64 = 4.0;
/// Stops of a gradient.
pub const MAX_STOPS: usize = 16;
/// The widest outline of a text, in base pixels.
pub const MAX_OUTLINE: f64 = 12.0;
/// The farthest shadow and the widest padding of a text, in base pixels.
pub const MAX_PADDING: f64 = 200.0;
/// The fastest ticker, in base pixels per second.
pub const MAX_TICKER_SPEED: f64 = 4000.0;
/// Masks of a layer.
pub const MAX_MASKS: usize = 8;
/// Groups in groups.
pub const MAX_GROUP_DEPTH: usize = 8;
/// The largest scale of a layer.
pub const MAX_SCALE: f64 = 64.0;
/// Content is drawn at most so many times as large as the layer, to stay sharp when it is scaled up.
pub const MAX_DETAIL: f64 = 4.0;
/// The greatest rotation, in degrees either way: a hundred turns.
pub const MAX_ROTATION: f64 = 36_000.0;
/// The scale from which a scene zooms in.
pub const MAX_ZOOM: f64 = 8.0;
/// Variants of a scene.
pub const MAX_VARIANTS: usize = 8;
/// Each number of the shape of a variant.
pub const MAX_ASPECT: u32 = 100;
/// The largest percentage of a length.
pub const MAX_PERCENT: f64 = 1000.0;
/// The greatest number of a token, a bar, a gauge or a text, either way: what a double holds exactly.
pub const MAX_NUMBER: f64 = 1e15;
/// The longest transition, in seconds.
pub const MAX_FADE_SECONDS: i64 = 60;
