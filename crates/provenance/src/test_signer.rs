//! A throw-away authority that signs media, for tests and for the demo.
//!
//! Its key is made in memory, dies with it, and is on nobody's list. So what it signs is "valid, signer not checked"
//! until a test puts its certificate on a list of its own.

use std::io::Cursor;

use c2pa::{Builder, Context, EphemeralSigner, Signer as _};
use serde_json::{Value, json};

use crate::action::Action;
use crate::error::Error;
use crate::trust::{Anchors, ListKind, TrustLists, pem};

/// Source type of a photograph or recording.
pub const DIGITAL_CAPTURE: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture";
/// Source type of media that a generative model made as a whole.
pub const TRAINED_ALGORITHMIC_MEDIA: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
/// Source type of changes that people made.
pub const HUMAN_EDITS: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits";

const PARENT_LABEL: &str = "parent";

/// An authority with one signer.
pub struct TestAuthority {
    signer: EphemeralSigner,
}

/// What the signer says about the media.
#[derive(Debug, Clone, Default)]
pub struct Declaration {
    /// Title of the media.
    pub title: Option<String>,
    /// What was done, in order. The first is to be `c2pa.created` or `c2pa.opened`.
    pub actions: Vec<Action>,
    /// The media that it was made from, to go with `c2pa.opened`.
    pub parent: Option<Media>,
    /// The picture for comparison.
    pub thumbnail: Option<Media>,
}

/// Bytes with their type.
#[derive(Debug, Clone)]
pub struct Media {
    /// Media type.
    pub mime: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Declaration {
    /// Taken by a camera, and nothing since.
    #[must_use]
    pub fn capture() -> Self {
        Self {
            actions: vec![action("c2pa.created", Some(DIGITAL_CAPTURE))],
            ..Self::default()
        }
    }

    /// Made by a generative model.
    #[must_use]
    pub fn generated() -> Self {
        Self {
            actions: vec![action("c2pa.created", Some(TRAINED_ALGORITHMIC_MEDIA))],
            ..Self::default()
        }
    }

    /// Opened `parent`, and changed it by hand.
    #[must_use]
    pub fn edit_of(parent: Media) -> Self {
        let actions = vec![
            action("c2pa.opened", None),
            action("c2pa.edited", Some(HUMAN_EDITS)),
        ];
        Self {
            actions,
            parent: Some(parent),
            ..Self::default()
        }
    }
}

fn action(name: &str, source: Option<&str>) -> Action {
    Action {
        action: name.to_owned(),
        digital_source_type: source.map(str::to_owned),
        ..Action::default()
    }
}

impl TestAuthority {
    /// Makes a new authority. `name` goes into the signer's certificate.
    ///
    /// # Errors
    /// [`Error::Sign`] if the key or the certificates cannot be made.
    pub fn new(name: &str) -> Result<Self, Error> {
        Ok(Self {
            signer: EphemeralSigner::new(name).map_err(refused)?,
        })
    }

    /// The authority's certificate, for a list of authorities.
    ///
    /// # Errors
    /// [`Error::Sign`] if the signer has no certificates.
    pub fn authority_pem(&self) -> Result<String, Error> {
        self.certificate(1)
    }

    /// The signer's own certificate, for a list of allowed signers.
    ///
    /// # Errors
    /// [`Error::Sign`] if the signer has no certificates.
    pub fn signer_pem(&self) -> Result<String, Error> {
        self.certificate(0)
    }

    /// Lists that trust this authority alone, as the operator's own.
    ///
    /// # Errors
    /// [`Error::Sign`] if the signer has no certificates.
    pub fn trust_lists(&self) -> Result<TrustLists, Error> {
        let mut lists = TrustLists::default();
        lists.insert(
            ListKind::User,
            "test authority".as_ref(),
            self.authority_pem()?.as_bytes(),
            None,
        )?;
        Ok(lists)
    }

    /// Signs `media` and puts the credential inside. The parent, if any, is checked against this authority's list.
    ///
    /// # Errors
    /// [`Error::Sign`] if the media cannot carry a credential or the declaration breaks a rule of the specification.
    pub fn sign(&self, media: &Media, declaration: &Declaration) -> Result<Vec<u8>, Error> {
        self.sign_trusting(media, declaration, &self.trust_lists()?)
    }

    /// The same, with the parent checked against `lists`.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn sign_trusting(
        &self,
        media: &Media,
        declaration: &Declaration,
        lists: &TrustLists,
    ) -> Result<Vec<u8>, Error> {
        let mut builder = builder_of(declaration, lists).map_err(refused)?;
        let mut signed = Cursor::new(Vec::new());
        let mut source = Cursor::new(media.bytes.as_slice());
        builder
            .sign(&self.signer, &media.mime, &mut source, &mut signed)
            .map_err(refused)?;
        Ok(signed.into_inner())
    }

    fn certificate(&self, index: usize) -> Result<String, Error> {
        let chain = self.signer.certs().map_err(refused)?;
        let der = chain.get(index).ok_or_else(|| Error::Sign {
            reason: "the certificate is missing".to_owned(),
        })?;
        Ok(pem::block(der))
    }
}

fn builder_of(declaration: &Declaration, lists: &TrustLists) -> Result<Builder, c2pa::Error> {
    let context = Context::new().with_settings(lists.settings(Anchors::WithTimeStamps))?;
    let mut definition = json!({
        "claim_generator_info": [{ "name": "Assay test signer", "version": env!("CARGO_PKG_VERSION") }],
        "assertions": [{
            "label": "c2pa.actions.v2",
            "created": true,
            "data": {
                "allActionsIncluded": true,
                "actions": declaration.actions.iter().map(definition_of).collect::<Vec<_>>(),
            },
        }],
    });
    if let Some(title) = &declaration.title {
        definition["title"] = json!(title);
    }
    let mut builder = Builder::from_context(context).with_definition(definition)?;
    if let Some(parent) = &declaration.parent {
        let ingredient =
            json!({ "title": "parent", "relationship": "parentOf", "label": PARENT_LABEL });
        let mut bytes = Cursor::new(parent.bytes.as_slice());
        builder.add_ingredient_from_stream(ingredient.to_string(), &parent.mime, &mut bytes)?;
    }
    if let Some(thumbnail) = &declaration.thumbnail {
        builder.set_thumbnail(
            &thumbnail.mime,
            &mut Cursor::new(thumbnail.bytes.as_slice()),
        )?;
    }
    Ok(builder)
}

fn definition_of(action: &Action) -> Value {
    let mut definition = json!({ "action": action.action });
    let texts = [
        ("digitalSourceType", &action.digital_source_type),
        ("when", &action.when),
        ("description", &action.description),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            definition[key] = json!(text);
        }
    }
    if let Some(agent) = &action.software_agent {
        definition["softwareAgent"] = json!({ "name": agent });
    }
    if action.action == "c2pa.opened" {
        definition["parameters"] = json!({ "ingredientIds": [PARENT_LABEL] });
    }
    definition
}

fn refused(error: c2pa::Error) -> Error {
    Error::Sign {
        reason: error.to_string(),
    }
}
