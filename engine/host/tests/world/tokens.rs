//! Tokens in a world: the same door, and the same run again.

use host::access::{TokenSource, Tokens};
use sim::{Options, World};

use crate::support::{call_as, engine_with, healthy};

async fn knocks(world: World) {
    let engine = engine_with(&world, |options| {
        let tokens = "admin = ['token-of-admin-1']\ngateway = ['token-of-gateway-1']";
        options.tokens = Some(TokenSource::Given(Tokens::parse(tokens).unwrap()));
    });
    healthy(&engine).await;
    for (token, expected) in
        [("", 401), ("token-of-nobody-1", 401), ("token-of-gateway-1", 403), ("token-of-admin-1", 200)]
    {
        let answer = call_as(token, &engine, "GET", "/namespaces", "").await;
        assert_eq!(answer.map(|(status, _)| status), Some(expected), "{token}");
    }
}

#[test]
fn a_token_is_asked_for_and_nothing_about_it_is_chance() {
    match sim::verify(&Options::seed(11), knocks) {
        Ok(report) => report.expect_ok(),
        Err(divergence) => panic!("{divergence:?}"),
    }
}
