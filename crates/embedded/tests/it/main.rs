//! All services together, with a probe in place of the real worker.

#[cfg(test)]
mod folder;
#[cfg(test)]
mod life;
#[cfg(test)]
mod process;
