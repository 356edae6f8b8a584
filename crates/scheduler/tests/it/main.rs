//! The crate through its front door, on scripted ports and paused time.

#[cfg(test)]
mod activities;
#[cfg(test)]
mod collect_blobs;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod ports;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod run;
