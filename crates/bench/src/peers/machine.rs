//! What it was measured on.

use super::contender::Programs;
use super::install::told_version;
use super::mode::Mode;
use super::servers::Servers;

/// Facts, one a line.
///
/// # Errors
/// When RabbitMQ is needed and does not start.
pub async fn facts(programs: &Programs) -> anyhow::Result<Vec<String>> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = value(&read("/proc/cpuinfo"), "model name").unwrap_or_default();
    let memory = value(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    let mut facts = vec![
        format!(
            "{} cores, {cpu}, memory {memory}, Linux {}",
            cores(),
            kernel.trim()
        ),
        format!("load before the first run: {}", load.join(" ")),
        told_version("redis-server").await,
    ];
    if programs.mode == Mode::Full {
        let version = Servers::start(Mode::Full).await?.broker_version().await?;
        facts.push(format!("RabbitMQ {}", version.unwrap_or_default()));
    }
    for (contender, peer) in &programs.peers {
        let version = peer.as_ref().map_or("not installed", |peer| &peer.version);
        facts.push(format!("{} {version}", contender.name()));
    }
    Ok(facts)
}

/// CPUs that programs may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The value behind a name and a colon.
fn value(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut values = lines.filter(|(found, _)| found.trim() == name);
    values.next().map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_behind_its_name() {
        let text = "processor\t: 0\nmodel name\t: A CPU: fast\nmodel name\t: another\n";
        assert_eq!(value(text, "model name").as_deref(), Some("A CPU: fast"));
        assert_eq!(value(text, "model"), None);
    }
}
