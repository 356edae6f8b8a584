//! What an admin port shows, read as Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};

/// Labels of one series, the bound of a bucket left out.
pub(super) type Labels = BTreeMap<String, String>;

/// One metric.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) sort: String,
    pub(super) help: String,
    /// The value of each series; of a histogram how many samples it has.
    pub(super) series: BTreeMap<Labels, f64>,
}

/// Everything that was shown.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    /// By name.
    pub(super) families: BTreeMap<String, Family>,
    /// Lines with a value: what Prometheus keeps as a series each.
    pub(super) samples: usize,
}

impl Exposition {
    /// Reads the text; what stands before the first comment is the head of the answer.
    pub(super) fn parse(text: &str) -> Self {
        let mut shown = Self::default();
        for line in text.lines().skip_while(|line| !line.starts_with('#')) {
            if let Some(words) = line.strip_prefix("# HELP ") {
                let (name, help) = words.split_once(' ').unwrap();
                shown.family(name).help = help.to_owned();
            } else if let Some(words) = line.strip_prefix("# TYPE ") {
                let (name, sort) = words.split_once(' ').unwrap();
                shown.family(name).sort = sort.to_owned();
            } else if !line.is_empty() {
                shown.sample(line);
            }
        }
        shown
    }

    fn family(&mut self, name: &str) -> &mut Family {
        self.families.entry(name.to_owned()).or_default()
    }

    fn sample(&mut self, line: &str) {
        self.samples += 1;
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let mut labels = read_labels(labels.strip_suffix('}').unwrap());
        let value: f64 = value.parse().unwrap();
        let of_histogram = |suffix| {
            let name = name.strip_suffix(suffix)?;
            (self.families.get(name)?.sort == "histogram").then(|| name.to_owned())
        };
        if let Some(name) = of_histogram("_count") {
            self.family(&name).series.insert(labels, value);
        } else if of_histogram("_bucket").is_some() {
            assert!(
                labels.remove("le").is_some(),
                "a bucket has a bound: {line}"
            );
        } else if of_histogram("_sum").is_none() {
            self.family(name).series.insert(labels, value);
        }
    }

    /// The sum over the series of a metric that have these labels.
    pub(super) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |series: &Labels| {
            labels
                .iter()
                .all(|(label, value)| series.get(*label).is_some_and(|found| found == value))
        };
        let family = self.families.get(name);
        let series = family.into_iter().flat_map(|family| &family.series);
        series
            .filter(|(labels, _)| has(labels))
            .map(|(_, value)| value)
            .sum()
    }

    /// Every series there is.
    pub(super) fn all_series(&self) -> BTreeSet<(&str, &Labels)> {
        let families = self.families.iter();
        families
            .flat_map(|(name, family)| {
                family
                    .series
                    .keys()
                    .map(move |labels| (name.as_str(), labels))
            })
            .collect()
    }
}

impl Family {
    /// Names of the labels, but that of the service.
    pub(super) fn labels(&self) -> BTreeSet<&str> {
        let names = self.series.keys().flat_map(|labels| labels.keys());
        names
            .map(String::as_str)
            .filter(|name| *name != "service")
            .collect()
    }
}

fn read_labels(text: &str) -> Labels {
    let pairs = text.split_terminator("\",");
    pairs
        .filter_map(|pair| pair.trim_end_matches('"').split_once("=\""))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn an_exposition_is_read_as_it_is_meant() {
    let text = "HTTP/1.1 200 OK\n\n# HELP a_total what it is\n# TYPE a_total counter\n\
                a_total{service=\"s\",kind=\"k\"} 2\na_total{service=\"s\",kind=\"l\"} 3\n\n\
                # HELP b_seconds so long\n# TYPE b_seconds histogram\n\
                b_seconds_bucket{service=\"s\",le=\"1\"} 0\nb_seconds_sum{service=\"s\"} 7\n\
                b_seconds_count{service=\"s\"} 4\n# TYPE c gauge\nc 1.5\n";
    let shown = Exposition::parse(text);
    assert_eq!(shown.families.len(), 3);
    assert_eq!(shown.sum("a_total", &[]), 5.0);
    assert_eq!(shown.sum("a_total", &[("kind", "l")]), 3.0);
    assert_eq!(shown.sum("b_seconds", &[("service", "s")]), 4.0);
    assert_eq!(shown.sum("c", &[]), 1.5);
    let counter = &shown.families["a_total"];
    assert_eq!(
        (counter.sort.as_str(), counter.help.as_str()),
        ("counter", "what it is")
    );
    assert_eq!(counter.labels(), BTreeSet::from(["kind"]));
    assert_eq!((shown.all_series().len(), shown.samples), (4, 6));
}
