//! Submits jobs to the gateway, as the producers of all contenders do: a process of its own.

use anyhow::Context;
use assay_bench::client::{self, Answer, Client};
use assay_bench::peers::role::{self, Add, Notes, Orders};
use assay_probe::{Act, Script};
use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let orders = Orders::parse();
    let notes = Notes::new(orders.journal.clone());
    let mut client = Client::connect(orders.address.parse().context("read the address")?).await?;
    let content_id = client.upload(b"peers").await?;
    let script = Script(vec![Act::Progress]);
    let request = client::filled(client::request(&content_id, "", &script));
    role::wait_for_go().await?;
    match orders.add {
        Add::Bulk => {
            let mut accepted = 0;
            let count = |_, answer| accepted += usize::from(matches!(answer, Answer::Accepted(_)));
            let requests = vec![request; orders.jobs];
            client.submit_all(requests, orders.window, count).await;
            anyhow::ensure!(
                accepted == orders.jobs,
                "{accepted} of {} jobs were accepted",
                orders.jobs
            );
        }
        Add::Single => {
            let submit = |_| {
                let (mut jobs, request, notes) = (client.jobs.clone(), request.clone(), &notes);
                async move {
                    let sent_us = role::now_us();
                    let answer = jobs.submit_job(request).await?.into_inner();
                    notes.note(role::SENT, &answer.job.unwrap_or_default().id, sent_us);
                    Ok(())
                }
            };
            orders.submit_all(submit).await?;
        }
    }
    notes.write()?;
    role::say(role::SUBMITTED);
    role::hear().await?;
    Ok(())
}
