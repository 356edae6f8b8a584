//! Who may call what: tokens with scopes and a tenant, and the rule of each call.
//!
//! - `rule` is the table: what each call asks of its caller. A call without a row does not compile.
//! - `token` makes a token and knows it again by its hash; `line` and `tokens` read the file that holds the hashes,
//!   `follow` reads it again when it has changed.
//! - `guard` stands before gRPC; over HTTP, `http.rs` asks the same [`Access`].
//!
//! Contract: without configured tokens there is one caller, who may do everything, and the configuration lets nobody in
//! but from loopback. With tokens, nothing is answered but what its rule says. A token is never kept and never logged.

use std::pin::Pin;
use std::sync::Arc;

use assay_core::clock::Clock;
use tokio::sync::watch;
use tonic::codegen::http::HeaderMap;

use crate::metric_definitions;
use crate::status::Refusal;

mod caller;
mod follow;
mod guard;
mod line;
mod rule;
mod scope;
mod token;
mod tokens;

pub use line::{NewToken, TokenError, new_token};
pub use token::ENTROPY_BYTES;
pub use tokens::FileError;

pub(crate) use caller::Caller;
pub(crate) use follow::{Held, follow, read};
pub(crate) use guard::guard;
pub(crate) use rule::Rule;
pub(crate) use scope::Scope;
pub(crate) use tokens::Tokens;

/// Checks the text of a file of tokens, as a gateway would read it.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_tokens(text: &str) -> Result<(), FileError> {
    Tokens::parse(text).map(drop)
}

/// Ends with the reason when a caller whose stream is under way may do nothing more.
pub(crate) type Lapse = Pin<Box<dyn Future<Output = Refusal> + Send>>;

/// The tokens in force, and what they let in.
pub(crate) struct Access {
    // None where no tokens are configured.
    tokens: Option<watch::Sender<Arc<Tokens>>>,
    clock: Arc<dyn Clock>,
}

impl Access {
    /// Lets everybody do everything.
    pub(crate) fn open(clock: Arc<dyn Clock>) -> Self {
        Self {
            tokens: None,
            clock,
        }
    }

    /// Lets those in who show one of these tokens.
    pub(crate) fn guarded(tokens: Tokens, clock: Arc<dyn Clock>) -> Self {
        metric_definitions::tokens(tokens.len());
        Self {
            tokens: Some(watch::Sender::new(Arc::new(tokens))),
            clock,
        }
    }

    /// Where the tokens in force are replaced, if there are any.
    fn tokens(&self) -> Option<&watch::Sender<Arc<Tokens>>> {
        self.tokens.as_ref()
    }

    /// Whether no tokens are configured.
    pub(crate) fn is_open(&self) -> bool {
        self.tokens.is_none()
    }

    /// Finds out who calls, and whether they may.
    pub(crate) fn admit(&self, rule: Rule, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let Some(tokens) = &self.tokens else {
            return Ok(Caller::anybody());
        };
        let shown = token::shown(headers).and_then(|token| {
            let tokens = Arc::clone(&tokens.borrow());
            tokens.know(token, self.clock.now_ms())
        });
        match (rule, shown) {
            (Rule::Nothing, shown) => Ok(shown.unwrap_or_else(|_| Caller::stranger())),
            (Rule::Token | Rule::Scope(_), Err(refusal)) => Err(refusal),
            (Rule::Token, Ok(caller)) => Ok(caller),
            (Rule::Scope(scope), Ok(caller)) if caller.scopes.contains(scope) => Ok(caller),
            (Rule::Scope(scope), Ok(_)) => Err(Refusal::ScopeMissing(scope)),
        }
    }

    /// What ends a stream of `caller`: their token was taken out of the file or changed there, or expired. It is noticed
    /// when the file is looked at again.
    pub(crate) fn lapse(&self, caller: &Caller) -> Lapse {
        let (Some(tokens), Some(token)) = (&self.tokens, caller.token()) else {
            return Box::pin(std::future::pending());
        };
        let (mut tokens, clock) = (tokens.subscribe(), Arc::clone(&self.clock));
        let (token, caller) = (*token, caller.clone());
        Box::pin(async move {
            loop {
                let current = Arc::clone(&tokens.borrow_and_update());
                match current.find(&token, clock.now_ms()) {
                    Ok(still) if still == caller => {}
                    Ok(_) => return Refusal::TokenUnknown,
                    Err(refusal) => return refusal,
                }
                if tokens.changed().await.is_err() {
                    // The server itself is gone.
                    return Refusal::ShuttingDown;
                }
            }
        })
    }
}

#[cfg(test)]
mod tests;
