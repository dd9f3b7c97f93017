//! The binary as its users meet it: arguments, exit codes, signals, kills, hostile peers.

mod bad_input;
mod command_line;
mod kill;
mod support;
