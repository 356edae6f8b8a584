//! A bare loop over RabbitMQ, for how far ours is from it: it keeps no records. A process of its own.

use assay_bench::peers::bare;
use assay_bench::peers::role::Orders;
use clap::Parser;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bare::run(&Orders::parse(), None).await
}
