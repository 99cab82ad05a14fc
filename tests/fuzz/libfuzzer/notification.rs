//! The target `notification` for libFuzzer.

#![cfg_attr(fuzzing, no_main)]

fuzz::libfuzzer!(fuzz::Notification);
