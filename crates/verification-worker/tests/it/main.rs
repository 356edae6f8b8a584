//! Everything in one binary: it links the validator of credentials, which takes its time.

#[cfg(test)]
mod analyst;
#[cfg(test)]
mod bombs;
#[cfg(test)]
mod child;
#[cfg(test)]
mod confined;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod detectors;
#[cfg(test)]
mod document;
#[cfg(test)]
mod files;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod job;
#[cfg(test)]
mod pixels;
#[cfg(test)]
#[path = "../../../detectors/tests/it/scripted.rs"]
#[expect(dead_code, reason = "the tests of its home ask more of it")]
mod scripted;
#[cfg(test)]
#[path = "../../../detectors/tests/it/tiny_model.rs"]
#[expect(dead_code, reason = "the tests of its home use more of it")]
mod tiny_model;
#[cfg(test)]
mod verify;
