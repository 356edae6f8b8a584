//! Detectors that are models in files: whether each runs.

use assay_detectors::{Examined, Settings, examine};
use assay_service::config::Config;

use super::check::Check;
use crate::terminal::plain;

/// Loads and tries out each model that is configured. Settings that cannot be read are told of elsewhere.
pub(crate) fn of_detectors(config: &Config) -> Vec<Check> {
    let settings = Settings::read(config).unwrap_or_default();
    examine(&settings).iter().map(check).collect()
}

fn check(examined: &Examined) -> Check {
    let name = "detector";
    let detector = plain(&examined.detector);
    let (Some(key), Some(unfit)) = (examined.key(), &examined.unfit) else {
        return Check::ok(name, &format!("{detector}: its model runs"));
    };
    let wrong = format!("`{}` must {}", plain(&key), plain(&unfit.must));
    if examined.required {
        Check::fail(
            name,
            &format!("{detector}, without which jobs wait, cannot be asked"),
            &wrong,
        )
    } else {
        Check::warn(name, &format!("{detector} is not asked"), &wrong)
    }
}

#[cfg(test)]
mod tests {
    use assay_detectors::Unfit;

    use super::super::check::Status;
    use super::*;
    use crate::terminal::Terminal;

    const PLAIN: Terminal = Terminal {
        colours: false,
        bars: false,
    };

    #[test]
    fn a_model_that_cannot_be_used_is_named_with_what_to_mend() {
        let unfit = Unfit {
            field: "sha256",
            must: "be another".to_owned(),
        };
        let of = |required, unfit: Option<&Unfit>| {
            check(&Examined {
                detector: "clip".to_owned(),
                required,
                unfit: unfit.cloned(),
            })
        };
        assert_eq!(of(true, None).status, Status::Ok);
        assert_eq!(of(true, Some(&unfit)).status, Status::Fail);
        let optional = of(false, Some(&unfit));
        assert_eq!(optional.status, Status::Warn);
        let line = optional.line(PLAIN);
        let mend = "clip is not asked: `detectors.external.clip.model.sha256` must be another";
        assert!(line.ends_with(mend), "{line}");
    }
}
