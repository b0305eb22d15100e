//! Whether files can be written somewhere: seen before the work whose results go there.

use std::io;
use std::path::Path;

/// Sees that files can be written into a folder, by writing one. Others may do so at the same time.
///
/// # Errors
/// What the system says.
pub(super) fn folder(folder: &Path) -> io::Result<()> {
    let trial = folder.join(format!(".rehearse-{}", std::process::id()));
    std::fs::write(&trial, "").and_then(|()| std::fs::remove_file(&trial))
}

/// Sees that a file can be written, or written anew, without touching it.
///
/// # Errors
/// What the system says.
pub(super) fn file(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    folder(parent.unwrap_or_else(|| Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_may_try_one_folder_at_the_same_time() {
        let path = std::env::temp_dir().join(format!("rehearsal-writable-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        // What another process writes there on trial is not ours to take away.
        let other = path.join(".rehearse");
        std::fs::write(&other, "").unwrap();
        folder(&path).unwrap();
        file(&path.join("report")).unwrap();
        let left: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [other]);
        assert_eq!(file(&path).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(file(&path.join("a/b")).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::remove_dir_all(path).unwrap();
    }
}
