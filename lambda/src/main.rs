//! The look-alike HTTP API: AWS Lambda handler and plain server.

fn main() {}
