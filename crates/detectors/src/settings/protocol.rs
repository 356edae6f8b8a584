//! How a detector is spoken to, and what each way needs of the settings and has no use for.

use serde::Deserialize;

use super::{External, Wrong, is_sha256};
use crate::description::label;
use crate::model::Model;
use crate::task::Modality;

/// How a detector is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// `proto/assay/v1/detector.proto`.
    #[default]
    Assay,
    /// The Open Inference Protocol, version 2.
    OpenInference,
    /// Not at all: it is a model in a file, and runs in this process.
    Onnx,
}

impl External {
    /// What does not go with the protocol.
    pub(super) fn check_protocol(&self) -> Result<(), Wrong> {
        match self.protocol {
            Protocol::Assay => {
                self.check_endpoint()?;
                if self.model.is_some() {
                    let must = "be left out: a detector of this protocol knows its own";
                    return wrong("model", must);
                }
                Ok(())
            }
            Protocol::OpenInference => {
                self.check_endpoint()?;
                self.bare_model()?.check_served().map_err(of_model)
            }
            Protocol::Onnx => {
                for (field, text) in [("endpoint", &self.endpoint), ("token", &self.token)] {
                    if !text.is_empty() {
                        return wrong(field, "be left out: a model in a file is not called");
                    }
                }
                self.bare_model()?.check_file().map_err(of_model)
            }
        }
    }

    fn check_endpoint(&self) -> Result<(), Wrong> {
        if is_endpoint(&self.endpoint) {
            return Ok(());
        }
        wrong("endpoint", "be http://, a host, a colon and a port")
    }

    /// The model of a detector that is one, if all is said that any must say of itself.
    fn bare_model(&self) -> Result<&Model, Wrong> {
        let Some(model) = &self.model else {
            return wrong("model", "say what the model is shown");
        };
        if self.tasks.len() != 1 {
            return wrong("tasks", "name the one task that the model is for");
        }
        if self.modalities.iter().any(|one| *one != Modality::Image) {
            return wrong(
                "modalities",
                "be [\"image\"]: a bare model is shown pictures",
            );
        }
        model.check().map_err(of_model)?;
        Ok(model)
    }
}

impl Model {
    /// What a model at a server must say besides.
    fn check_served(&self) -> Result<(), (&'static str, &'static str)> {
        if self.name.is_empty() {
            return Err(("name", "be the model's name at the server"));
        }
        let no_use = [
            ("path", self.path.as_os_str().is_empty()),
            ("sha256", self.sha256.is_empty()),
            ("output", self.output.is_empty()),
        ];
        match no_use.into_iter().find(|(_, is_empty)| !is_empty) {
            Some((field, _)) => Err((field, "be left out: its server has the model")),
            None => Ok(()),
        }
    }

    /// What a model in a file must say besides.
    fn check_file(&self) -> Result<(), (&'static str, &'static str)> {
        if !self.path.is_absolute() {
            // Where a service is started from is nobody's choice.
            return Err(("path", "be the absolute path of an ONNX file"));
        }
        if !self.name.is_empty() {
            return Err(("name", "be left out: only servers call models by names"));
        }
        if !self.version.is_empty() && label("version", self.version.clone()).is_err() {
            return Err(("version", "be a line of at most 128 bytes"));
        }
        if !is_sha256(&self.sha256) {
            return Err(("sha256", "be 64 lower-case hexadecimal digits"));
        }
        if self.output.is_empty() {
            return Err(("output", "name the tensor that holds the score"));
        }
        if self.output_index != 0 {
            return Err(("output_index", "be left out: output names the tensor"));
        }
        Ok(())
    }
}

fn wrong<T>(field: &str, must: &str) -> Result<T, Wrong> {
    Err((field.to_owned(), must.to_owned()))
}

fn of_model((field, must): (&'static str, &'static str)) -> Wrong {
    (format!("model.{field}"), must.to_owned())
}

/// An address without a path, a password or TLS, which this client does not speak.
fn is_endpoint(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://") else {
        return false;
    };
    let Some((host, port)) = rest.trim_end_matches('/').rsplit_once(':') else {
        return false;
    };
    let host_is_one = !host.is_empty() && !host.contains(['/', '@', '?', '#', ' ']);
    host_is_one && port.parse::<u16>().is_ok_and(|port| port > 0)
}
