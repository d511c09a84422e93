//! Tables as text: columns are aligned by the width that their text has on a terminal.

use std::io::{self, Write};

use anstyle::Style;
use diskmend_base::escape::Visible;
use unicode_width::UnicodeWidthStr;

use super::style;

const GAP: &str = "  ";
const CUT: &str = "…";
/// A long table is written in parts of this number of rows.
const PART: usize = 1000;
/// A column that is cut to less than this width is useless.
const LEAST_CUT: usize = 16;

/// The alignment of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// The content of one row and column.
pub(crate) struct Cell {
    lines: Vec<String>,
    style: Style,
}

impl Cell {
    /// One line of text, which may come from the disk.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self::styled(text, style::PLAIN)
    }

    /// One line of text in a style.
    pub(crate) fn styled(text: impl AsRef<str>, style: Style) -> Self {
        Self::lines([text], style)
    }

    /// Several lines.
    pub(crate) fn lines<T: AsRef<str>>(lines: impl IntoIterator<Item = T>, style: Style) -> Self {
        let escape = |line: T| Visible(line.as_ref()).to_string();
        Self {
            lines: lines.into_iter().map(escape).collect(),
            style,
        }
    }

    fn width(&self) -> usize {
        let widths = self.lines.iter().map(|line| line.width());
        widths.fold(0, usize::max)
    }
}

/// Rows with column titles.
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
    indent: usize,
    /// The widths of the columns in the rows that were already written; empty if there are none.
    written: Vec<usize>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: impl IntoIterator<Item = (&'static str, Align)>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            indent: 0,
            written: Vec::new(),
        }
    }

    /// A table with this number of columns and no titles, indented by `indent` blanks.
    pub(crate) fn untitled(columns: usize, indent: usize) -> Self {
        Self {
            columns: vec![("", Align::Left); columns],
            rows: Vec::new(),
            indent,
            written: Vec::new(),
        }
    }

    /// Adds a row with one cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// True if the table has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes the table. On a terminal of `width` columns, the widest column is cut so that each
    /// row fits on one line; otherwise nothing is cut.
    pub(crate) fn write(&self, out: &mut dyn Write, width: Option<usize>) -> io::Result<()> {
        let widths = self.widths(width);
        let titled = self.columns.iter().any(|(title, _)| !title.is_empty());
        if titled && self.written.is_empty() {
            let titles = self.columns.iter();
            let titles = titles.map(|(title, _)| Cell::styled(title, style::HEADING));
            self.write_row(out, &titles.collect::<Vec<_>>(), &widths)?;
        }
        self.rows
            .iter()
            .try_for_each(|row| self.write_row(out, row, &widths))
    }

    /// Writes the rows so far if there are many, so that a table of any length needs little memory.
    /// The columns of later rows are at least as wide.
    pub(crate) fn write_long(
        &mut self,
        out: &mut dyn Write,
        width: Option<usize>,
    ) -> io::Result<()> {
        if self.rows.len() < PART {
            return Ok(());
        }
        self.write(out, width)?;
        self.written = self.widths(width);
        self.rows.clear();
        Ok(())
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let titles = self.columns.iter().map(|(title, _)| title.width());
        let mut widths: Vec<usize> = titles.collect();
        for (width, written) in widths.iter_mut().zip(&self.written) {
            *width = (*width).max(*written);
        }
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let total = self.indent + widths.iter().sum::<usize>() + gaps;
        if let Some(limit) = limit
            && let Some(widest) = widths.iter_mut().max()
        {
            let over = total.saturating_sub(limit);
            *widest = widest.saturating_sub(over).max(LEAST_CUT.min(*widest));
        }
        widths
    }

    fn write_row(&self, out: &mut dyn Write, row: &[Cell], widths: &[usize]) -> io::Result<()> {
        let height = row.iter().map(|cell| cell.lines.len()).fold(0, usize::max);
        for index in 0..height {
            let mut pending = self.indent;
            for ((cell, &width), (_, align)) in row.iter().zip(widths).zip(&self.columns) {
                // Below its last line, a cell is empty.
                let line = cell.lines.get(index).map_or("", String::as_str);
                let text = cut(line, width);
                let padding = width.saturating_sub(text.width());
                let (before, after) = match align {
                    Align::Left => (pending, padding),
                    Align::Right => (pending + padding, 0),
                };
                // Padding is written only before the next text, so that no line ends in blanks.
                pending = after + GAP.len();
                if text.is_empty() {
                    pending += before;
                    continue;
                }
                let style = cell.style;
                write!(out, "{:before$}{style}{text}{style:#}", "")?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// The text, or the part of it that fits, with a mark that something is missing.
pub(crate) fn cut(text: &str, width: usize) -> std::borrow::Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    let mut left = width.saturating_sub(CUT.width());
    let fits = |character: &char| {
        let taken = character.encode_utf8(&mut [0; 4]).width();
        let fits = taken <= left;
        left = left.saturating_sub(taken);
        fits
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push_str(CUT);
    short.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(table: &Table, width: Option<usize>) -> String {
        let mut out = Vec::new();
        table.write(&mut out, width).expect("memory");
        anstream::adapter::strip_bytes(&out)
            .into_vec()
            .into_iter()
            .map(char::from)
            .collect()
    }

    #[test]
    fn columns_are_aligned_and_lines_do_not_end_in_blanks() {
        let mut table = Table::new([("A", Align::Left), ("N", Align::Right), ("B", Align::Left)]);
        table.row([Cell::new("abc"), Cell::new("10"), Cell::new("x")]);
        table.row([Cell::new(""), Cell::new("5"), Cell::new("")]);
        assert_eq!(text(&table, None), "A     N  B\nabc  10  x\n      5\n");
    }

    #[test]
    fn a_table_may_have_no_titles_and_be_indented() {
        let mut table = Table::untitled(2, 4);
        table.row([Cell::new("a"), Cell::new("b")]);
        table.row([Cell::new("aa"), Cell::new("bb")]);
        assert_eq!(text(&table, None), "    a   b\n    aa  bb\n");
    }

    /// A table once kept all its rows until the last: a list of 730,000 keys took 350 MiB.
    #[test]
    fn a_long_table_is_written_in_parts_under_one_line_of_titles() {
        let mut table = Table::new([("A", Align::Left), ("N", Align::Right)]);
        let mut out = Vec::new();
        for number in 0..2500 {
            let name = if number == 5 { "long" } else { "x" };
            table.row([Cell::new(name), Cell::new(number.to_string())]);
            table.write_long(&mut out, None).expect("memory");
            assert!(table.rows.len() < PART);
        }
        table.write(&mut out, None).expect("memory");
        let shown = anstream::adapter::strip_str(std::str::from_utf8(&out).expect("text"));
        let shown = shown.to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 2501);
        assert_eq!(lines.first(), Some(&"A       N"));
        assert_eq!(lines.last(), Some(&"x     2499"));
    }

    #[test]
    fn wide_characters_take_two_columns_and_control_characters_are_escaped() {
        let mut table = Table::new([("A", Align::Left), ("B", Align::Left)]);
        table.row([Cell::new("表表"), Cell::new("\u{1b}[31m")]);
        let mut out = Vec::new();
        table.write(&mut out, None).expect("memory");
        let shown = String::from_utf8(out).expect("text");
        assert!(shown.contains("表表  <U+001B>[31m"), "{shown:?}");
        assert_eq!(cut("表表表", 4), "表…");
    }

    #[test]
    fn the_widest_column_is_cut_on_a_terminal_only() {
        let mut table = Table::new([("A", Align::Left), ("B", Align::Left)]);
        let long = "x".repeat(100);
        table.row([Cell::new("name"), Cell::new(&long)]);
        assert!(text(&table, None).contains(&long));
        let mut out = Vec::new();
        table.write(&mut out, Some(40)).expect("memory");
        let shown =
            anstream::adapter::strip_str(std::str::from_utf8(&out).expect("text")).to_string();
        assert_eq!(shown.lines().last().map(UnicodeWidthStr::width), Some(40));
    }
}
