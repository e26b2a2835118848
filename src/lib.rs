//! VistterStream.
