//! Prints figures of vecstore, and whether each is what was asked.

use std::process::ExitCode;

use benches::{Result, amplification, churn, dataset, filters, open, puts, soak, threads};
use clap::Parser;

/// Prints figures of vecstore; fails if one of them is not what was asked.
#[derive(Parser)]
enum Command {
    Amplification(amplification::Args),
    Churn(churn::Args),
    Data(dataset::Args),
    Filters(filters::Args),
    Open(open::Args),
    #[command(hide = true)]
    OpenProbe(open::ProbeArgs),
    Puts(puts::Args),
    Soak(soak::Args),
    #[command(hide = true)]
    SoakReader(soak::ReaderArgs),
    Threads(threads::Args),
}

fn main() -> Result<ExitCode> {
    let report = match Command::parse() {
        Command::Amplification(args) => amplification::run(&args)?,
        Command::Churn(args) => churn::measure(&args)?.report(),
        Command::Data(args) => return dataset::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Filters(args) => filters::run(&args)?,
        Command::Open(args) => open::report(&open::measure(&args, &std::env::current_exe()?)?),
        Command::OpenProbe(args) => return open::probe(&args).map(|()| ExitCode::SUCCESS),
        Command::Puts(args) => puts::run(&args)?,
        Command::Soak(args) => soak::measure(&args, &std::env::current_exe()?)?.report(),
        Command::Threads(args) => threads::run(&args)?,
        Command::SoakReader(args) => return soak::read(&args).map(|()| ExitCode::SUCCESS),
    };
    Ok(report.finish())
}
