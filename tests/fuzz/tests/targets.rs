//! Each target in short, with the other tests; the whole is `tests/run fuzz`.

#![expect(clippy::print_stdout, reason = "how many there were is published")]

use fuzz::{Entities, Html, Multipart, Notification, Signature, Target, Update, check_bytes, run};

fn holds<T: Target>() {
    let ran = run::<T>(500, 1);
    println!("{}: {} executions", ran.name, ran.executions);
    assert_eq!(ran.failure, None);
    assert_eq!(ran.executions, 500);
}

#[test]
fn updates() {
    holds::<Update>();
}

#[test]
fn notifications() {
    holds::<Notification>();
}

#[test]
fn html() {
    holds::<Html>();
}

#[test]
fn entities() {
    holds::<Entities>();
}

#[test]
fn signatures() {
    holds::<Signature>();
}

#[test]
fn multipart() {
    holds::<Multipart>();
}

/// What libFuzzer begins with: nothing, and bytes of no meaning.
#[test]
fn any_bytes_are_an_input() {
    for bytes in [
        b"".as_slice(),
        b"\xff\xfe",
        &[0; 300],
        &[0xff; 30],
        b"{\"update_id\": 7}",
    ] {
        check_bytes::<Update>(bytes);
        check_bytes::<Notification>(bytes);
        check_bytes::<Html>(bytes);
        check_bytes::<Entities>(bytes);
        check_bytes::<Signature>(bytes);
        check_bytes::<Multipart>(bytes);
    }
}
