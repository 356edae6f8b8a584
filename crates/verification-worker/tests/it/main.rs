//! Everything in one binary: it links the validator of credentials, which takes its time.

#[cfg(test)]
mod analyst;
#[cfg(test)]
mod child;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod files;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod job;
#[cfg(test)]
mod pixels;
#[cfg(test)]
mod verify;
