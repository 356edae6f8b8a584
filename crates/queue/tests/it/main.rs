//! The crate through its front door.

#[cfg(test)]
mod failover;
#[cfg(test)]
mod failover_broker;
#[cfg(test)]
mod failover_contract;
#[cfg(test)]
mod in_process;
#[cfg(test)]
mod in_process_contract;
#[cfg(test)]
mod rabbit;
#[cfg(test)]
mod rabbit_bench;
#[cfg(test)]
mod rabbit_contract;
#[cfg(test)]
mod rabbit_encrypted;
#[cfg(test)]
mod rabbit_troubles;
#[cfg(test)]
mod scripted_way;
