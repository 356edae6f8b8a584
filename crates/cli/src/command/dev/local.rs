//! All services in this process: who they are, their settings, their workers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assay_embedded::Workers;
use assay_service::prometheus::Instruments;
use assay_service::{BoxError, Config, Service, config};
use assay_verification_worker::CALIBRATION_KEY;

/// What a developer's server says of itself in logs, traces and metrics.
pub(crate) const SERVICE: Service = Service {
    name: "assay",
    version: env!("CARGO_PKG_VERSION"),
    defaults: &[],
    instruments: &INSTRUMENTS,
    check: |config| {
        assay_embedded::check(config)?;
        assay_verification_worker::check(config)
    },
};

/// Metrics of all services.
const INSTRUMENTS: [Instruments; assay_embedded::INSTRUMENTS.len() + 2] = {
    let [store, gateway, scheduler, worker] = assay_embedded::INSTRUMENTS;
    [
        store,
        gateway,
        scheduler,
        worker,
        assay_verification_worker::INSTRUMENTS,
        assay_detectors::INSTRUMENTS,
    ]
};

/// How the services talk to a person: only what is wrong is logged, and how the process ended is told in
/// a sentence of its own.
const QUIET_LOGS: &str = "[telemetry]\nlog_filter = \"warn,assay_service::end=off\"\n";

const DATA_DIR_HELP: &str = "Folder that holds all jobs and media; made if there is none [default: \
                             $XDG_DATA_HOME/assay, else ~/.local/share/assay]";

pub(crate) const CONFIG_HELP: &str = "TOML file with settings; the environment (ASSAY__SECTION__KEY) and the other \
                           options win over it";

/// The environment variable of the address of HTTP/JSON.
const HTTP_VARIABLE: &str = "ASSAY__GATEWAY__HTTP_LISTEN";
/// Any free port of loopback.
const ANY_PORT: &str = "127.0.0.1:0";

/// The options that say how services in this process are set up.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LocalArgs {
    #[arg(long, value_name = "DIR", help = DATA_DIR_HELP)]
    data_dir: Option<String>,
    /// Address of the API; port 0 takes any free port [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Address of HTTP/JSON; port 0 takes any free port, an empty one serves none [default: 127.0.0.1:7401, or any
    /// free port if --listen is given]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
    /// Address of /live, /ready and /metrics; port 0 takes any free port [default: 127.0.0.1:9090]
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    #[arg(long, value_name = "FILE", help = CONFIG_HELP)]
    config: Option<PathBuf>,
    /// Have findings weigh what `assay calibrate` wrote into this file
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
}

impl LocalArgs {
    /// The whole configuration.
    ///
    /// # Errors
    /// What is wrong, and how to mend it.
    pub(crate) fn load(
        &self,
        variables: BTreeMap<String, String>,
    ) -> Result<Config, config::Error> {
        let options = [
            ("embedded.data_dir", &self.data_dir),
            ("gateway.listen", &self.listen),
            ("gateway.http_listen", &self.http(&variables)),
            ("admin.listen", &self.admin),
        ];
        let given = options
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.clone()?)))
            .chain(calibration_setting(self.calibration.as_deref()));
        load(self.config.as_deref(), given, variables)
    }

    /// The address of HTTP/JSON, if an option says something about it. Whoever chose another address for the one API
    /// has a server at the usual addresses already.
    fn http(&self, variables: &BTreeMap<String, String>) -> Option<String> {
        let said = variables.contains_key(HTTP_VARIABLE);
        let beside = || (self.listen.is_some() && !said).then(|| ANY_PORT.to_owned());
        self.http.clone().or_else(beside)
    }
}

/// The setting that has findings weigh by a calibration, if one is given.
pub(crate) fn calibration_setting(file: Option<&Path>) -> Option<(&'static str, String)> {
    let file = file?;
    let absolute = std::path::absolute(file);
    let file = absolute.as_deref().unwrap_or(file);
    Some((CALIBRATION_KEY, file.display().to_string()))
}

/// Puts defaults, file, environment and command line on top of each other.
///
/// # Errors
/// What is wrong, and how to mend it.
pub(crate) fn load(
    file: Option<&Path>,
    given: impl IntoIterator<Item = (&'static str, String)>,
    variables: BTreeMap<String, String>,
) -> Result<Config, config::Error> {
    let data_dir = folder_default(&default_data_dir(&variables));
    let mut defaults = assay_embedded::DEFAULTS.to_vec();
    defaults.extend([
        assay_verification_worker::DEFAULTS,
        assay_detectors::DEFAULTS,
        QUIET_LOGS,
        data_dir.as_str(),
    ]);
    let mut loader = Config::loader(&defaults).file(file).environment(variables);
    for (key, value) in given {
        loader = loader.set(key, value);
    }
    loader.load()
}

/// Adds a worker for every kind of job.
///
/// # Errors
/// When a worker cannot be set up.
pub(crate) fn add_workers(workers: &mut Workers) -> Result<(), BoxError> {
    let settings = assay_verification_worker::Settings::read(workers.config())?;
    let (blobs, clock) = (workers.blobs().clone(), workers.clock());
    let handler = assay_verification_worker::handler(settings, blobs, clock, workers.metrics())?;
    workers.add(handler)?;
    Ok(())
}

/// Where data goes that nobody gave a place: the user's folder for application data, wherever the command
/// is typed.
fn default_data_dir(variables: &BTreeMap<String, String>) -> PathBuf {
    let absolute = |name: &str| {
        let path = variables.get(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let data_home = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    match data_home {
        Some(data_home) => data_home.join("assay"),
        None => PathBuf::from(".assay"),
    }
}

/// The folder as a document of defaults. A JSON text is a TOML text too.
fn folder_default(folder: &Path) -> String {
    let text = serde_json::Value::from(folder.to_string_lossy());
    format!("[embedded]\ndata_dir = {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(variables: &[(&str, &str)]) -> String {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        let variables = variables.iter().map(owned).collect();
        default_data_dir(&variables).display().to_string()
    }

    #[test]
    fn data_goes_to_the_users_folder_for_it() {
        assert_eq!(
            folder(&[("XDG_DATA_HOME", "/x"), ("HOME", "/h")]),
            "/x/assay"
        );
        assert_eq!(folder(&[("HOME", "/h")]), "/h/.local/share/assay");
        assert_eq!(
            folder(&[("XDG_DATA_HOME", "x"), ("HOME", "/h")]),
            "/h/.local/share/assay"
        );
        assert_eq!(folder(&[]), ".assay");
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_that_over_the_default() {
        let home = || BTreeMap::from([("HOME".to_owned(), "/a \"b\"".to_owned())]);
        let data_dir = |config: Config| config.section::<String>("embedded.data_dir").unwrap();
        let default = load(None, [], home()).unwrap();
        assert_eq!(data_dir(default), "/a \"b\"/.local/share/assay");
        let mut variables = home();
        variables.insert("ASSAY__EMBEDDED__DATA_DIR".to_owned(), "/e".to_owned());
        assert_eq!(data_dir(load(None, [], variables.clone()).unwrap()), "/e");
        let given = [("embedded.data_dir", "/c".to_owned())];
        assert_eq!(data_dir(load(None, given, variables).unwrap()), "/c");
    }

    #[test]
    fn the_defaults_are_a_usable_configuration() {
        let config = load(None, [], BTreeMap::new()).unwrap();
        (SERVICE.check)(&config).unwrap();
        assert!(load(None, [("gateway.lisen", String::new())], BTreeMap::new()).is_err());
    }

    #[test]
    fn a_detector_is_named_by_the_environment_too() {
        let with = |endpoint: &str| {
            let name = "ASSAY__DETECTORS__EXTERNAL__ACME__ENDPOINT".to_owned();
            let config = load(None, [], BTreeMap::from([(name, endpoint.to_owned())])).unwrap();
            (SERVICE.check)(&config).map_err(|error| error.to_string())
        };
        assert_eq!(with("http://127.0.0.1:9000"), Ok(()));
        let error = with("127.0.0.1").unwrap_err();
        assert!(
            error.contains("`detectors.external.acme.endpoint` must be"),
            "{error}"
        );
    }
}
