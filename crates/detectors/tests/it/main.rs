//! A panel and scripted detectors, over loopback.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod breaker;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod panel;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod variants;
