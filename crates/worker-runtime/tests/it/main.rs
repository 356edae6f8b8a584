//! The crate through its front door: a worker with a queue and a store that do as told, in paused
//! time; and one over the embedded store and the queue in process, in real time.

#[cfg(test)]
mod adapters;
#[cfg(test)]
mod alone;
#[cfg(test)]
mod attempts;
#[cfg(test)]
mod attendance;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod pause;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod results;
#[cfg(test)]
mod scripted_control;
#[cfg(test)]
mod scripted_queue;
#[cfg(test)]
mod scripted_store;
#[cfg(test)]
mod settling;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod world;
