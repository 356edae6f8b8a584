//! A process that shares, and a Redis that comes, goes, or will not do.

#[cfg(test)]
mod broker;
mod refusal;
#[cfg(test)]
mod waiting;
