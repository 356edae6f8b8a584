//! The crate through its front door.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod config;
#[cfg(test)]
mod launch;
#[cfg(test)]
mod process;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod telemetry;
