//! CPU time by part.

use std::ops::Sub;

use super::family;
use super::stage::Part;

/// CPU seconds of each part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Of the process that submits.
    pub producer: f64,
    /// Of the process that runs jobs.
    pub worker: f64,
    /// Of gateway and scheduler; peers have none.
    pub services: f64,
    /// Of Redis.
    pub redis: f64,
    /// Of RabbitMQ.
    pub broker: f64,
}

impl Usage {
    /// What these processes and those that they started have used so far.
    ///
    /// # Errors
    /// When one does not run.
    pub fn of(processes: &[(Part, u32)]) -> anyhow::Result<Self> {
        let mut usage = Self::default();
        for &(part, pid) in processes {
            usage.add(part, family::cpu_seconds(pid)?);
        }
        Ok(usage)
    }

    fn add(&mut self, part: Part, seconds: f64) {
        let sum = match part {
            Part::Producer => &mut self.producer,
            Part::Worker => &mut self.worker,
            Part::Services => &mut self.services,
            Part::Redis => &mut self.redis,
            Part::Broker => &mut self.broker,
        };
        *sum += seconds;
    }

    /// Of all parts.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.producer + self.worker + self.services + self.redis + self.broker
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            producer: self.producer - before.producer,
            worker: self.worker - before.worker,
            services: self.services - before.services,
            redis: self.redis - before.redis,
            broker: self.broker - before.broker,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_what_was_before_does_not_count() {
        let mut before = Usage::default();
        let mut after = Usage::default();
        for (part, seconds) in [
            (Part::Producer, 1.0),
            (Part::Worker, 2.0),
            (Part::Redis, 4.0),
            (Part::Broker, 8.0),
        ] {
            before.add(part, seconds);
            after.add(part, 3.0 * seconds);
        }
        // Gateway and scheduler are one part.
        after.add(Part::Services, 0.5);
        after.add(Part::Services, 0.25);
        let used = after - before;
        assert_eq!(used.worker, 4.0);
        assert_eq!(used.services, 0.75);
        assert_eq!(used.sum(), 30.75);
    }

    #[test]
    fn a_process_that_does_not_run_is_an_error() {
        assert!(Usage::of(&[(Part::Redis, std::process::id())]).is_ok());
        assert!(Usage::of(&[(Part::Redis, 0)]).is_err());
    }
}
