//! Redirects what asks the operating system to the test that lists who does.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for symbol in ["clock_gettime", "gettimeofday", "getrandom", "getentropy", "dlsym"] {
        println!("cargo::rustc-link-arg-tests=-Wl,--wrap={symbol}");
    }
}
