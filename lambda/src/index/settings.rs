//! What the service is started with: flags, or environment variables of the same meaning.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::Parser;

/// Keeps collections of vectors and searches them: the index as a service of its own.
#[derive(Clone, Parser)]
#[command(name = "index", version)]
pub struct Settings {
    /// The folder with the collections, which is made where there is none.
    #[arg(long, env, value_name = "DIR")]
    pub data: PathBuf,

    /// The address to listen on; 0.0.0.0 admits other machines.
    #[arg(long, env, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,

    /// The port to listen on; 0 takes a free one.
    #[arg(long, env, default_value_t = 8081)]
    pub port: u16,

    /// The key that whoever reads must show (`Authorization: Bearer KEY`); without one, all may read.
    #[arg(long, env, value_name = "KEY", hide_env_values = true)]
    pub read_key: Option<String>,

    /// The key that whoever writes must show, and with which one may read too; without one, all may
    /// write.
    #[arg(long, env, value_name = "KEY", hide_env_values = true)]
    pub write_key: Option<String>,
}
