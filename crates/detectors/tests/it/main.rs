//! A panel and scripted detectors, over loopback, and models in files.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod breaker;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod onnx;
#[cfg(test)]
mod panel;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tiny_model;
#[cfg(test)]
mod variants;
