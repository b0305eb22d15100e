//! Colours. They are always written; whoever owns the stream takes them out again when it is no terminal.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// A text in a style.
pub(super) struct Painted<T>(Style, T);

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, text) = self;
        write!(f, "{style}{text}{style:#}")
    }
}

/// What went wrong.
pub(super) const fn bad<T: fmt::Display>(text: T) -> Painted<T> {
    Painted(AnsiColor::Red.on_default().bold(), text)
}

/// What went well.
pub(super) const fn good<T: fmt::Display>(text: T) -> Painted<T> {
    Painted(AnsiColor::Green.on_default(), text)
}

/// What is worth a look.
pub(super) const fn odd<T: fmt::Display>(text: T) -> Painted<T> {
    Painted(AnsiColor::Yellow.on_default(), text)
}

/// What to type.
pub(super) const fn command<T: fmt::Display>(text: T) -> Painted<T> {
    Painted(Style::new().bold(), text)
}

/// What may be skipped.
pub(super) const fn aside<T: fmt::Display>(text: T) -> Painted<T> {
    Painted(Style::new().dimmed(), text)
}
