//! The gateway through its front door: real clients over loopback, the embedded store behind.

#[cfg(test)]
mod access;
#[cfg(test)]
mod admin;
#[cfg(test)]
mod content;
#[cfg(test)]
mod control;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod http;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod message_bound;
#[cfg(test)]
mod outcome;
#[cfg(test)]
mod query;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod scripted_queue;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod submit;
#[cfg(test)]
mod watch;
#[cfg(test)]
mod worker;
