//! A file with many links: those that are there, and as many copies of them under other ids as it takes.

use rusqlite::Connection;
use std::path::Path;

/// What lies in the table of one link, each with the key of its copy: `?1` is the copy's number. The records are those of a real one;
/// nobody reads the copies.
const COPIES: [&str; 5] = [
    "SELECT pk || '9', 'topic#' || n, version, NULL, record FROM numbers, (SELECT * FROM items WHERE sk GLOB 'topic#*' LIMIT 1)",
    "SELECT pk || '9', 'title#' || n, version, NULL, record FROM numbers, (SELECT * FROM items WHERE sk GLOB 'title#*' LIMIT 1)",
    "SELECT 'conversation#copies#' || n, 'link', version, NULL, record FROM numbers, (SELECT * FROM items WHERE pk GLOB 'conversation#*' AND sk = 'link' LIMIT 1)",
    "SELECT 'customer#9' || n, 'contact', version, NULL, record FROM numbers, (SELECT * FROM items WHERE sk = 'contact' LIMIT 1)",
    "SELECT 'customer#9' || n, 'link#copies#' || n, version, NULL, record FROM numbers, (SELECT * FROM items WHERE pk GLOB 'customer#*' AND sk GLOB 'link#*' LIMIT 1)",
];

/// Makes copies until there are so many links.
pub(crate) fn fill(data: &Path, links: u32) -> anyhow::Result<()> {
    let mut connection = Connection::open(data)?;
    let there: u32 = connection.query_row("SELECT count(*) FROM items WHERE sk GLOB 'topic#*'", [], |row| {
        row.get(0)
    })?;
    let filling = connection.transaction()?;
    for copy in COPIES {
        let sql = format!(
            "WITH RECURSIVE numbers (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
             INSERT OR IGNORE INTO items (pk, sk, version, expires_at, record) {copy}"
        );
        if there < links {
            filling.execute(&sql, [there + 1, links])?;
        }
    }
    filling.commit()?;
    Ok(())
}
