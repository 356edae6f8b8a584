//! The real program, as a person or a script runs it.

#[cfg(test)]
mod breakers;
#[cfg(test)]
mod calibrate;
#[cfg(test)]
mod completions;
#[cfg(test)]
mod content;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod media;
#[cfg(test)]
mod program;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod token;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod verify;
mod workers;
