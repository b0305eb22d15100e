//! A file that is read, and written in memory only.
//!
//! A database whose last owner fell repairs its file before it answers. Where the disk takes no writes, the repair goes
//! here: a few pages, since every commit leaves what the repair needs.

use std::collections::BTreeMap;
use std::io;

use parking_lot::Mutex;
use runtime::disk::File;

/// Bytes that are kept together.
const PAGE: usize = 4096;

/// What differs from the file.
#[derive(Debug)]
pub(super) struct Overlay(Mutex<Pages>);

#[derive(Debug)]
struct Pages {
    len: u64,
    /// Where the file's own content ends, as far as it counts.
    kept: u64,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    pub(super) fn new(file: &File) -> io::Result<Self> {
        let len = file.len()?;
        Ok(Self(Mutex::new(Pages { len, kept: len, pages: BTreeMap::new() })))
    }

    pub(super) fn len(&self) -> u64 {
        self.0.lock().len
    }

    pub(super) fn set_len(&self, len: u64) {
        let mut pages = self.0.lock();
        pages.len = len;
        pages.kept = pages.kept.min(len);
        pages.pages.retain(|at, _| *at < len);
        let end = len % PAGE as u64;
        if let Some(last) = pages.pages.get_mut(&(len - end)) {
            last[usize::try_from(end).expect("less than a page")..].fill(0);
        }
    }

    pub(super) fn read(&self, file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let pages = self.0.lock();
        if offset + out.len() as u64 > pages.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (at, inside, part) in parts(offset, out.len()) {
            let out = &mut out[part];
            match pages.pages.get(&at) {
                Some(page) => out.copy_from_slice(&page[inside..inside + out.len()]),
                None => pages.read_file(file, at + inside as u64, out)?,
            }
        }
        Ok(())
    }

    pub(super) fn write(&self, file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut pages = self.0.lock();
        for (at, inside, part) in parts(offset, data.len()) {
            if !pages.pages.contains_key(&at) {
                let mut page = vec![0; PAGE];
                pages.read_file(file, at, &mut page)?;
                pages.pages.insert(at, page);
            }
            let page = pages.pages.get_mut(&at).expect("it was put there above");
            let data = &data[part];
            page[inside..inside + data.len()].copy_from_slice(data);
        }
        pages.len = pages.len.max(offset + data.len() as u64);
        Ok(())
    }
}

impl Pages {
    /// What the file says, with zeros behind what of it counts.
    fn read_file(&self, file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = usize::try_from(self.kept.saturating_sub(offset)).unwrap_or(usize::MAX).min(out.len());
        let (own, behind) = out.split_at_mut(there);
        behind.fill(0);
        if own.is_empty() { Ok(()) } else { file.read(offset, own) }
    }
}

/// The pages of a span: where each begins, where in it the span does, and which part of the span is in it.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = offset + done as u64;
        let inside = usize::try_from(at % PAGE as u64).expect("less than a page");
        let part = done..(done + PAGE - inside).min(len);
        done = part.end;
        Some((at - inside as u64, inside, part))
    })
}
