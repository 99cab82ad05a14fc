//! What every store must do, as test cases.
