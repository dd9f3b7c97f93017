//! Results to standard output, notes to standard error.

use std::io::{self, BufWriter, Stdout, Write};

use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use crate::Format;
use crate::error::{CliError, Result};

/// Where results and notes go.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    stdout: BufWriter<Stdout>,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, stdout: BufWriter::with_capacity(64 * 1024, io::stdout()) }
    }

    pub(crate) const fn is_json(&self) -> bool {
        matches!(self.format, Format::Json)
    }

    /// A result: `value` as JSON, or what `text` makes of it.
    pub(crate) fn show<T: Serialize>(&mut self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        match self.format {
            Format::Json => {
                serde_json::to_writer_pretty(&mut self.stdout, value)
                    .map_err(|e| CliError::Output(e.into()))?;
                self.line(b"")
            }
            Format::Text => self.line(text(value).trim_end().as_bytes()),
        }
    }

    /// Names of what was done: a JSON array, or a line each.
    pub(crate) fn show_names(&mut self, names: &[String], what: &str) -> Result<()> {
        if names.is_empty() && !self.is_json() {
            return Ok(());
        }
        self.show(&names, |names| names.iter().map(|n| format!("{what} {n}\n")).collect())
    }

    /// One of many results: a line of JSON.
    pub(crate) fn json_line<T: Serialize>(&mut self, value: &T) -> Result<()> {
        serde_json::to_writer(&mut self.stdout, value).map_err(|e| CliError::Output(e.into()))?;
        self.line(b"")
    }

    /// Bytes and a line end.
    pub(crate) fn line(&mut self, bytes: &[u8]) -> Result<()> {
        self.raw(bytes)?;
        self.raw(b"\n")
    }

    /// Just bytes.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.stdout.write_all(bytes).map_err(CliError::Output)
    }

    /// Lets a reader see what was written so far.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.stdout.flush().map_err(CliError::Output)
    }

    /// For people, on standard error.
    pub(crate) fn note(&self, text: &str) {
        // Nobody is left to tell if that fails.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// A table without lines; columns whose name starts with `#` hold numbers.
pub(crate) fn table<const N: usize>(
    columns: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(columns.map(|c| c.trim_start_matches('#')));
    for row in rows {
        table.add_row(row);
    }
    for (column, name) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        if name.starts_with('#') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A value, or a dash for none.
pub(crate) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| v.to_string())
}

/// Numbers with commas between.
pub(crate) fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|v| v.to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up() {
        let text = table(["NAME", "#LAG"], [["a".into(), "5".into()], ["long".into(), "500".into()]]);
        assert_eq!(text, "NAME  LAG\na       5\nlong  500\n");
    }
}
