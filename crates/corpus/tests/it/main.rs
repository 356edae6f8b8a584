//! The analyses, held to what they promise over a few files of every kind.

#[cfg(test)]
mod thresholds;
