//! Asks the service beside it how it is: `health /readyz` ends with 0 when the answer is 200.
//!
//! A container's health check needs a program, and an image without a shell has no other.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// How long the service may take to answer, each time that it is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks a service on the loopback interface how it is; the exit status is the answer.
#[derive(Parser)]
#[command(version)]
struct Question {
    /// What is asked for.
    #[arg(default_value = "/healthz")]
    path: String,

    /// Where the service listens.
    #[arg(long, env)]
    port: u16,
}

fn main() -> ExitCode {
    let question = Question::parse();
    match status(&question) {
        Ok(line) if line.split(' ').nth(1) == Some("200") => ExitCode::SUCCESS,
        Ok(line) => {
            eprintln!("health: {} answers {line:?}", question.path);
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("health: nothing answers on port {}: {error}", question.port);
            ExitCode::FAILURE
        }
    }
}

/// The first line of the answer.
fn status(question: &Question) -> io::Result<String> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, question.port))?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    write!(connection, "GET {} HTTP/1.0\r\nHost: localhost\r\n\r\n", question.path)?;
    let mut start = Vec::new();
    connection.take(64).read_to_end(&mut start)?;
    Ok(String::from_utf8_lossy(&start).lines().next().unwrap_or_default().to_owned())
}
