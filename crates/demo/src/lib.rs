//! Makes real media with known stories, for the demo and for tests.
//!
//! [`material::make`] writes files into a folder: a photograph from a simulated camera, the same signed, the signed one
//! altered, a picture that says a generator made it, and a file under a false name. Each comes with its story and
//! with the verdict that it should get. Pixels and texts follow from a seed; signatures do not, as their keys are
//! made anew and thrown away.
//!
//! Not here: any analysis, and any part of a service.

mod camera;
mod exif;
mod generated;
mod jpeg;
pub mod material;
mod png_text;
mod random;
mod signed;
