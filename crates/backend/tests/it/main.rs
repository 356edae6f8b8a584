//! A process that shares: a Redis that comes, goes, or will not do, and a broker that need not be there.

#[cfg(test)]
mod broker;
#[cfg(test)]
mod refusal;
#[cfg(test)]
mod waiting;
