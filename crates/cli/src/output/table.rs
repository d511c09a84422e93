//! Tables as text: columns are aligned by the width that their text has on a terminal.

use std::io::{self, Write};

use anstyle::Style;
use diskmend_base::escape::Visible;
use unicode_width::UnicodeWidthStr;

use super::style;

const GAP: &str = "  ";
/// A long table is written in parts of this number of rows.
const PART: usize = 1000;
/// A column that is narrower than this can't be read.
const LEAST: usize = 16;

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

    /// Writes the table. On a terminal of `width` columns, the text of the widest columns is wrapped
    /// so that each line fits; otherwise no line is too long. Nothing is cut off.
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
        let mut over = limit.map_or(0, |limit| total.saturating_sub(limit));
        while over > 0 {
            // The widest column shrinks until another one is as wide.
            let Some(most) = widths.iter().copied().max() else {
                break;
            };
            let next = widths.iter().copied().filter(|width| *width < most).max();
            let least = next.unwrap_or(0).max(LEAST);
            let Some(widest) = widths.iter_mut().find(|width| **width == most) else {
                break;
            };
            let less = over.min(most.saturating_sub(least).max(1));
            if *widest <= LEAST {
                break;
            }
            *widest -= less;
            over -= less;
        }
        widths
    }

    fn write_row(&self, out: &mut dyn Write, row: &[Cell], widths: &[usize]) -> io::Result<()> {
        let wrapped: Vec<Vec<&str>> = row
            .iter()
            .zip(widths)
            .map(|(cell, &width)| {
                let lines = cell.lines.iter();
                lines.flat_map(|line| wrap(line, width)).collect()
            })
            .collect();
        let height = wrapped.iter().map(Vec::len).fold(0, usize::max);
        for index in 0..height {
            let mut pending = self.indent;
            let cells = row.iter().zip(&wrapped).zip(widths).zip(&self.columns);
            for (((cell, lines), &width), (_, align)) in cells {
                // Below its last line, a cell is empty.
                let text = lines.get(index).copied().unwrap_or_default();
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

/// The lines of a text that fit into this width. A line ends at a blank; a longer word is divided.
fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.width() > width {
        let mut used = 0;
        let mut fits = rest.len();
        for (at, character) in rest.char_indices() {
            used += character.encode_utf8(&mut [0; 4]).width();
            // A line has at least one character.
            if used > width && at > 0 {
                fits = at;
                break;
            }
        }
        let (line, after) = rest.split_at(fits);
        let at_blank = after.starts_with(' ').then_some(line.len());
        let blank = at_blank.or_else(|| line.rfind(' ').filter(|blank| *blank > 0));
        let (line, after) = match blank {
            Some(blank) => rest.split_at(blank),
            None => (line, after),
        };
        lines.push(line.trim_end());
        rest = after.trim_start_matches(' ');
        if rest.is_empty() {
            return lines;
        }
    }
    lines.push(rest);
    lines
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
        assert_eq!(wrap("表表表", 4), ["表表", "表"]);
    }

    /// Reasons were once cut off on a terminal, and could only be read in a pipe.
    #[test]
    fn on_a_terminal_wide_columns_are_wrapped_and_nothing_is_lost() {
        let mut table = Table::new([("A", Align::Left), ("B", Align::Left), ("C", Align::Left)]);
        let reason = "the documented procedure sets this value because nothing else works";
        let long = "x".repeat(50);
        table.row([Cell::new("name"), Cell::new(reason), Cell::new(&long)]);
        assert!(text(&table, None).contains(reason));
        for limit in [40, 60, 80] {
            let shown = text(&table, Some(limit));
            let widest = shown.lines().map(UnicodeWidthStr::width).max();
            assert!(
                widest.is_some_and(|width| width <= limit),
                "{limit}: {shown}"
            );
            let words = |text: &str| text.split_whitespace().collect::<String>();
            let mut letters: Vec<char> = words(&shown).chars().collect();
            let mut wanted: Vec<char> = words(&format!("A B C name {reason} {long}"))
                .chars()
                .collect();
            letters.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(letters, wanted, "{limit}: {shown}");
            assert!(shown.lines().all(|line| !line.ends_with(' ')), "{shown}");
        }
    }

    #[test]
    fn a_text_is_wrapped_at_blanks_and_a_long_word_is_divided() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("one  two", 4), ["one", "two"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("表", 1), ["表"]);
        assert_eq!(wrap("abc   ", 4), ["abc"]);
    }
}
