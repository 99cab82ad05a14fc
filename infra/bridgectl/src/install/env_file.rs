//! The `.env` file of an installation on a machine of one's own.

use anyhow::Context as _;
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Values that are written as they are.
const PLAIN: &str = "_-:=+/.,@";

/// A `.env` file, which may not be there yet.
#[derive(Clone)]
pub(crate) struct EnvFile {
    pub(crate) path: PathBuf,
    pub(crate) values: BTreeMap<String, String>,
    lines: Vec<String>,
}

impl EnvFile {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        // The error's own text quotes the line, which may hold a token.
        let values = dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>().ok();
        let problem = || format!("{} has a line that is not NAME=value", path.display());
        Ok(Self {
            path: path.to_owned(),
            values: values.with_context(problem)?,
            lines: text.lines().map(str::to_owned).collect(),
        })
    }

    /// The file with these values: each in the line where it stood, or at the end. Everything else stays as it is.
    pub(crate) fn with(&self, changes: &BTreeMap<&str, String>) -> anyhow::Result<Self> {
        let mut file = self.clone();
        for (name, value) in changes {
            let line = format!("{name}={}", quoted(name, value)?);
            let at = file.lines.iter().position(|line| assigns(line, name));
            match at.and_then(|at| file.lines.get_mut(at)) {
                Some(old) => *old = line,
                None => file.lines.push(line),
            }
            file.values.insert((*name).to_owned(), value.clone());
        }
        Ok(file)
    }

    /// Writes the file, for the eyes of its owner alone. Whoever reads it meanwhile gets the old one or the new one.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        // Made with 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        for line in &self.lines {
            writeln!(file, "{line}")?;
        }
        file.as_file().sync_all()?;
        file.persist(&self.path)
            .context("the new file cannot take the place of the old one")?;
        Ok(())
    }
}

fn assigns(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    line.split_once('=').is_some_and(|(key, _)| key.trim() == name)
}

fn quoted(name: &str, value: &str) -> anyhow::Result<String> {
    if value.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c)) {
        return Ok(value.to_owned());
    }
    anyhow::ensure!(
        !value.contains(['\'', '\n', '\r']),
        "{name}: a value with a quotation mark or a line break cannot be written into a .env file"
    );
    Ok(format!("'{value}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_not_changed_stays_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let before = "# ours\nSTAFF=7 # Sam\nexport TELEGRAM_CHATS=-1\n\nOTHER='a b'\n";
        fs::write(&path, before).unwrap();
        let changes = BTreeMap::from([
            ("TELEGRAM_CHATS", "-1001,-1002".to_owned()),
            ("INTERCOM_ACCESS_TOKEN", "dG9r=".to_owned()),
            ("INTERCOM_CLIENT_SECRET", "a $b#c".to_owned()),
        ]);
        EnvFile::read(&path).unwrap().with(&changes).unwrap().write().unwrap();
        let after = "# ours\nSTAFF=7 # Sam\nTELEGRAM_CHATS=-1001,-1002\n\nOTHER='a b'\nINTERCOM_ACCESS_TOKEN=dG9r=\n\
                     INTERCOM_CLIENT_SECRET='a $b#c'\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), after);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = EnvFile::read(&path).unwrap().values;
        assert_eq!(read["INTERCOM_CLIENT_SECRET"], "a $b#c");
        assert_eq!((read["OTHER"].as_str(), read["STAFF"].as_str()), ("a b", "7"));
    }

    #[test]
    fn a_line_that_is_none_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, "hidden token\n").unwrap();
        let error = format!("{:#}", EnvFile::read(&path).err().unwrap());
        assert!(error.contains("NAME=value") && !error.contains("hidden"), "{error}");
    }
}
