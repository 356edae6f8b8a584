//! Where the file says it comes from, who signed that, and by which lists that is to be believed.

use super::html::Html;
use super::list::{bullets, pairs};
use super::result::{Action, Credential, Declaration, ResultView, Signals, Signer, TrustList};
use super::{ingredients, words};

/// Writes the section.
pub(super) fn write(html: &mut Html, result: &ResultView) {
    let attributes = [("class", "card"), ("aria-labelledby", "origin")];
    html.element("section", &attributes, |html| {
        html.line("h2", &[("id", "origin")], "Where it says it comes from");
        let credential = &result.provenance.c2pa;
        write_credential(html, credential);
        if credential.signer.is_some() {
            write_lists(html, &credential.trust_lists);
        }
        write_actions(html, &credential.actions);
        ingredients::write(html, &credential.ingredients);
        if credential.cut {
            html.line(
                "p",
                &[],
                "The signed statement is longer than what is shown: a list in it was cut.",
            );
        }
        write_declared(html, &result.provenance.declared);
    });
}

fn write_credential(html: &mut Html, credential: &Credential) {
    let state = credential.state.as_deref();
    html.line("p", &[("class", "lead")], &standing(state));
    if let Some(reason) = &credential.reason {
        html.element("p", &[], |html| {
            html.text("The test says: ");
            html.quote(reason);
            html.text(".");
        });
    }
    let is_trusted = state == Some("trusted");
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let signer = credential.signer.as_ref();
    let of_signer =
        |field: fn(&Signer) -> &Option<String>| signer.map(|signer| text(field(signer)));
    let name = of_signer(|signer| &signer.common_name).unwrap_or_default();
    let organisation = of_signer(|signer| &signer.issuer).unwrap_or_default();
    let signed_by = if is_trusted {
        "Signed by"
    } else {
        "Signed in the name of (not to be relied on)"
    };
    pairs(
        html,
        &[
            (signed_by, name),
            ("Organisation", organisation),
            (
                "Time of the signature",
                of_signer(|signer| &signer.time).unwrap_or_default(),
            ),
            ("Made with", text(&credential.claim_generator)),
            ("Title", text(&credential.title)),
        ],
    );
    if let Some(signals) = &credential.signals {
        write_signals(html, signals);
    }
}

fn standing(state: Option<&str>) -> String {
    let text = match state {
        None => {
            "Whether the file carries a signed statement about its origin is not known: the test gave no answer."
        }
        Some("absent") => {
            "The file carries no signed statement about its origin (no Content Credentials). Most platforms remove \
             them, so that says nothing."
        }
        Some("not_applicable") => {
            "A file of this kind carries no signed statement that could be read."
        }
        Some("skipped") => "Signed statements were not looked for.",
        Some("remote_not_fetched") => {
            "The file points to a signed statement that lies elsewhere. It was not fetched, and so not checked."
        }
        Some("invalid") => {
            "The file carries a signed statement about its origin, and it does not hold."
        }
        Some("valid") => {
            "The file carries a signed statement about its origin, and the signature holds. But no trust list \
             vouches for all who signed: anybody can sign such a statement."
        }
        Some("trusted") => {
            "The file carries a signed statement about its origin, the signature holds, and the signer is on a \
             trust list."
        }
        Some("unread") => {
            "There may be a signed statement about the origin, but it could not be read."
        }
        Some(other) => {
            let state = words::spaced(other);
            return format!("The signed statement about the origin is: {state}.");
        }
    };
    text.to_owned()
}

fn write_lists(html: &mut Html, lists: &[TrustList]) {
    html.line("h3", &[], "Trust lists that were in force");
    if lists.is_empty() {
        html.line(
            "p",
            &[],
            "None. Whether the signer can be trusted was not checked.",
        );
        return;
    }
    bullets(html, &[], lists.iter(), |html, list| {
        html.quote(&dated(&list.label));
        let certificates = usize::try_from(list.certificates).unwrap_or(usize::MAX);
        html.text(&format!(
            ", {}",
            words::count(certificates, "certificate", "certificates")
        ));
        if let Some(warning) = &list.warning {
            html.text(". But: ");
            html.text(warning);
        }
    });
}

/// `official@2026-08-21` is the list "official" of that day.
fn dated(label: &str) -> String {
    match label.rsplit_once('@') {
        Some((name, "undated")) => format!("{name}, without a date"),
        Some((name, date)) => format!("{name}, of {date}"),
        None => label.to_owned(),
    }
}

/// What signals say, if they say anything.
pub(super) fn write_signals(html: &mut Html, signals: &Signals) {
    let said: Vec<String> = signals
        .inception
        .iter()
        .chain(&signals.transformation)
        .take(super::list::ENTRIES_MAX)
        .map(|signal| words::signal(signal))
        .collect();
    if !said.is_empty() {
        html.line(
            "p",
            &[],
            &format!("The statement says: {}.", said.join("; ")),
        );
    }
}

fn write_actions(html: &mut Html, actions: &[Action]) {
    if actions.is_empty() {
        return;
    }
    html.line("h3", &[], "What the signer says was done");
    bullets(html, &[], actions.iter(), |html, action| {
        html.quote(&action.action);
        let parts = [
            (", with ", &action.software_agent),
            (", at ", &action.when),
            (", from the source ", &action.digital_source_type),
            (": ", &action.description),
        ];
        for (word, text) in parts {
            if let Some(text) = text {
                html.text(word);
                html.quote(text);
            }
        }
    });
}

fn write_declared(html: &mut Html, declared: &[Declaration]) {
    for (is_signed, head) in [
        (
            true,
            "What the file says of itself, under a signature that holds",
        ),
        (
            false,
            "What the file says of itself, without such a signature: anybody can write that",
        ),
    ] {
        let said: Vec<&Declaration> = declared
            .iter()
            .filter(|one| one.signed == is_signed)
            .collect();
        if said.is_empty() {
            continue;
        }
        html.line("h3", &[], head);
        bullets(html, &[], said.iter(), |html, one| {
            html.quote(&one.value);
            if let Some(implied) = &one.implies {
                html.text(&format!(". That would mean: {}.", words::implied(implied)));
            }
            html.text(" ");
            html.element("small", &[], |html| {
                html.quote(&format!("{} ({})", one.location, one.rule));
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_state_of_the_schema_has_words() {
        let schema: Value =
            serde_json::from_str(assay_verification_worker::result::SCHEMA).unwrap();
        let states = &schema["$defs"]["c2pa"]["properties"]["state"]["enum"];
        for state in states.as_array().unwrap() {
            let said = standing(state.as_str());
            let is_known = !said.starts_with("The signed statement about the origin is:");
            assert_eq!(is_known, state != "unknown", "{state}");
        }
    }

    #[test]
    fn a_list_comes_with_its_date() {
        assert_eq!(dated("official@2026-08-21"), "official, of 2026-08-21");
        assert_eq!(dated("user@undated"), "user, without a date");
        assert_eq!(dated("x"), "x");
    }
}
