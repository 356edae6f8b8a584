//! The crate through its front door: a worker, a queue and a store that do as told, paused time.

#[cfg(test)]
mod alone;
#[cfg(test)]
mod attempts;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod results;
#[cfg(test)]
mod scripted_queue;
#[cfg(test)]
mod scripted_store;
#[cfg(test)]
mod settling;
#[cfg(test)]
mod world;
