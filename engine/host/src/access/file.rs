//! Reading the token file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::TokensInvalid;

/// Largest token file in bytes. Ours: the most tokens there can be, twice over.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why a file gives no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read.
    #[error("cannot read the token file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others than its owner can read it, or write it.
    #[error("the token file {path} has mode {mode:03o}: only its owner may have access (chmod 600)")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is larger than any that lists tokens.
    #[error("the token file {path} is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It holds none.
    #[error("the token file lists none that can be used: {0}")]
    Invalid(#[from] TokensInvalid),
}

/// The text of the file, if only its owner has access to it.
pub(super) fn read(path: &Path) -> Result<String, TokensError> {
    let failed = |source| TokensError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // Of the file that was opened, which another name may come to stand for.
    let mode = mode(&file).map_err(failed)?;
    if mode & 0o077 != 0 {
        return Err(TokensError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(TokensError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}

#[cfg(unix)]
fn mode(file: &File) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &File) -> io::Result<u32> {
    Ok(0)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_read_only_where_its_owner_alone_has_access() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        assert!(matches!(read(&path), Err(TokensError::Read { .. })));
        std::fs::write(&path, "text").unwrap();
        for (mode, fine) in
            [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false), (0o610, false)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match read(&path) {
                Ok(text) => assert!(fine && text == "text", "{mode:o}"),
                Err(TokensError::Exposed { mode: seen, .. }) => assert!(!fine && seen == mode, "{mode:o}"),
                Err(error) => panic!("{mode:o}: {error}"),
            }
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "x".repeat(64 * 1024 + 1)).unwrap();
        assert!(matches!(read(&path), Err(TokensError::TooLarge { .. })));
    }
}
