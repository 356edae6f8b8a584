//! The demo's material, as its users see it.

#[cfg(test)]
mod material;
