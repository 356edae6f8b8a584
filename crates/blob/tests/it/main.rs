//! Blobs in a real folder.

#[cfg(test)]
mod collect;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod store;
#[cfg(test)]
mod upload;
