//! Who makes a call. Pure.

use std::sync::Arc;

use assay_core::id::Tenant;

use super::scope::Scopes;
use super::token::TokenHash;

/// The name of everybody, where no tokens are configured.
const ANYBODY: &str = "anybody";
/// The name of whoever shows no token and needs none.
const STRANGER: &str = "stranger";

/// Names that no token may have.
pub(super) const TAKEN: [&str; 2] = [ANYBODY, STRANGER];

/// Who makes a call: what their token says, or the one caller of a server without tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The token's name, unique in the file of tokens. Never words of the request, so what is kept by name is no
    /// larger than that file.
    pub(crate) name: Arc<str>,
    /// Whose jobs and contents they see.
    pub(crate) tenant: Tenant,
    /// What they may do.
    pub(crate) scopes: Scopes,
    token: Option<TokenHash>,
}

impl Caller {
    /// The one caller of a server without tokens, who may do everything.
    pub(crate) fn anybody() -> Self {
        Self {
            name: ANYBODY.into(),
            tenant: Tenant::default(),
            scopes: Scopes::all(),
            token: None,
        }
    }

    /// Whoever shows no token that is known, and may do nothing that asks for one.
    pub(crate) fn stranger() -> Self {
        Self {
            name: STRANGER.into(),
            tenant: Tenant::default(),
            scopes: Scopes::default(),
            token: None,
        }
    }

    /// Whoever shows this token.
    pub(super) fn with(token: TokenHash, name: &str, tenant: Tenant, scopes: Scopes) -> Self {
        Self {
            name: name.into(),
            tenant,
            scopes,
            token: Some(token),
        }
    }

    /// One who may do everything, by a name.
    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            ..Self::anybody()
        }
    }

    /// Whether they may do nothing that asks for a token.
    pub(crate) fn is_stranger(&self) -> bool {
        self.scopes == Scopes::default()
    }

    /// Whether a token says who they are.
    pub(crate) fn is_known(&self) -> bool {
        self.token.is_some()
    }

    /// What they showed.
    pub(super) fn token(&self) -> Option<&TokenHash> {
        self.token.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_do_nothing_is_a_stranger_and_who_shows_no_token_is_not_known() {
        assert!(Caller::stranger().is_stranger());
        for caller in [Caller::anybody(), Caller::named("x")] {
            assert!(!caller.is_stranger() && !caller.is_known());
        }
    }
}
