//! The crate through its front door.

#[cfg(test)]
mod bench_folder;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod fingerprint_log;
#[cfg(test)]
mod open;
#[cfg(test)]
mod queue_control;
#[cfg(test)]
mod redis_bench;
#[cfg(test)]
mod redis_contract;
#[cfg(test)]
mod redis_encrypted;
#[cfg(test)]
mod redis_outbox;
#[cfg(test)]
mod redis_queue;
#[cfg(test)]
mod redis_trouble;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod reopen;
#[cfg(test)]
mod resumed;
