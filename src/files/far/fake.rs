//! An `ssh` for tests, whose other host is this one.

use std::io;
use std::process::Command;

use tempfile::TempDir;

use super::address::Address;
use super::host::Host;

/// Drops options and the host, and runs what is left.
const SCRIPT: &str = "#!/bin/sh
while :; do
case $1 in
-o|-p) shift 2;;
-*) shift;;
*) break;;
esac
done
shift
exec \"$@\"
";

/// A directory with files, and a program beside it that takes the arguments of `ssh`.
pub struct Fake {
    files: TempDir,
    program: TempDir,
}

impl Fake {
    pub fn new() -> Self {
        Self::with_script(SCRIPT)
    }

    pub fn with_script(script: &str) -> Self {
        let fake = Self {
            files: TempDir::new().expect("a directory"),
            program: TempDir::new().expect("a directory"),
        };
        // Another process writes it: a program that a thread of ours has open for writing cannot be run.
        let status = Command::new("sh")
            .args(["-c", "printf %s \"$1\" >\"$2\" && chmod +x \"$2\"", "sh"])
            .arg(script)
            .arg(fake.program.path().join("ssh"))
            .status();
        assert!(status.expect("a shell").success());
        fake
    }

    /// Where a file is, on both hosts.
    pub fn path(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    pub fn connect(&self) -> io::Result<Host> {
        let address = Address::parse("ssh://me@far.example:2222/a").expect("an address");
        Host::with_program(self.program.path().join("ssh").as_os_str(), &address)
    }

    pub fn host(&self) -> Host {
        self.connect().expect("a host")
    }
}
