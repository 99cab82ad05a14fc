//! What every crate of the workspace has: the workspace's lints, and a README that is its documentation.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are test code")]

use cargo_metadata::{MetadataCommand, Package};
use std::{fs, path::PathBuf};

/// One screen, with some room.
const LONGEST_README: usize = 45;

fn packages() -> Vec<(String, Package)> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut command = MetadataCommand::new();
    let metadata = command.manifest_path(manifest).no_deps().exec().unwrap();
    let root = metadata.workspace_root.clone();
    let in_folder = |package: Package| {
        let folder = package.manifest_path.parent().unwrap().strip_prefix(&root).unwrap();
        (folder.to_string(), package)
    };
    metadata.packages.into_iter().map(in_folder).collect()
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    for (folder, package) in packages() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("\n[lints]\nworkspace = true\n"), "{folder}");
    }
}

#[test]
fn every_crate_has_the_version_and_the_licence_of_the_workspace() {
    for (folder, package) in packages() {
        assert_eq!(package.version.to_string(), env!("CARGO_PKG_VERSION"), "{folder}");
        assert_eq!(package.license.as_deref(), Some("MIT"), "{folder}");
        assert_eq!(package.publish.as_deref(), Some([].as_slice()), "{folder}");
    }
}

#[test]
fn a_readme_is_a_crate_s_documentation() {
    for (folder, package) in packages() {
        let is_shipped = !folder.starts_with("tests/");
        let Some(readme) = package.readme() else {
            assert!(!is_shipped, "{folder} has no README.md");
            continue;
        };
        let lines = fs::read_to_string(&readme).unwrap().lines().count();
        assert!(
            lines <= LONGEST_README,
            "{readme}: {lines} lines are more than a screen"
        );
        let sources = package.manifest_path.with_file_name("src");
        let roots = ["lib.rs", "main.rs"].map(|root| sources.join(root));
        let root = roots.iter().find(|root| root.exists()).unwrap();
        let code = fs::read_to_string(root).unwrap();
        assert!(
            code.starts_with("#![doc = include_str!(\"../README.md\")]\n"),
            "{root} does not begin with its README"
        );
    }
}
