//! Which options come of what was said where.

use super::*;

struct Nothing;

impl crate::Actor for Nothing {
    type State = ();
}

fn builder(environment: &[(&str, &str)]) -> Builder {
    let registry = Registry::builder().actor("a", || Nothing).build().unwrap();
    Application::builder(registry).environment(environment.iter().copied().collect())
}

fn connected(options: &ApplicationOptions) -> String {
    match &options.engine {
        EngineChoice::Connect(endpoint) => endpoint.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_endpoint_may_carry_the_namespace_and_the_token() {
    let options = builder(&[]).endpoint("https://a%20b:s3cret@engine.example/base").options().unwrap();
    assert_eq!(connected(&options), "https://engine.example/base");
    assert_eq!((options.namespace.as_str(), options.token.as_deref()), ("a b", Some("s3cret")));
    let environment =
        [("REHEARSAL_ENDPOINT", "http://ns@10.0.0.1:1"), ("REHEARSAL_TOKEN", "t"), ("REHEARSAL_POOL", "p")];
    let options = builder(&environment).options().unwrap();
    assert_eq!(connected(&options), "http://10.0.0.1:1");
    let said = (options.namespace.as_str(), options.token.as_deref(), options.pool.as_str());
    assert_eq!(said, ("ns", Some("t"), "p"));
}

#[test]
fn what_is_said_in_code_wins_over_the_environment() {
    let environment = [("REHEARSAL_ENDPOINT", "http://env:1"), ("REHEARSAL_NAMESPACE", "env")];
    let options = builder(&environment).endpoint("http://code:1").namespace("code").options().unwrap();
    assert_eq!((connected(&options).as_str(), options.namespace.as_str()), ("http://code:1", "code"));
    let options = builder(&environment).spawn(SpawnOptions::default()).options().unwrap();
    assert!(matches!(options.engine, EngineChoice::Spawn(_)));
}

#[test]
fn two_engines_are_refused_by_their_keys() {
    let two = builder(&[]).endpoint("http://a").spawn(SpawnOptions::default());
    let error = two.build().unwrap_err();
    assert_eq!(error, ConfigError::Exclusive { first: "endpoint", second: "spawn" });
    assert!(error.to_string().contains("endpoint and spawn"), "{error}");
}

#[test]
fn what_contradicts_itself_is_refused() {
    let error = builder(&[]).endpoint("http://ns:t@a").namespace("other").options().unwrap_err();
    assert_eq!(error, ConfigError::Contradiction { key: "namespace" });
    let token = builder(&[("REHEARSAL_TOKEN", "other")]).endpoint("http://ns:t@a").options().unwrap_err();
    assert_eq!(token, ConfigError::Contradiction { key: "token" });
    assert!(matches!(
        builder(&[]).endpoint("nowhere").options(),
        Err(ConfigError::Endpoint { key: "endpoint", .. })
    ));
}

#[test]
fn ports_are_digits_from_one_to_65535() {
    let port = |text: &str| builder(&[("RIVET_PORT", text)]).options().map(|options| options.serving.listen);
    for good in [1, 3000, 65_535] {
        assert_eq!(port(&good.to_string()), Ok(Some(SocketAddr::from((Ipv4Addr::LOCALHOST, good)))));
    }
    assert_eq!(port(""), Ok(None), "empty is unset");
    for bad in ["0", "65536", "-1", "+1", "3000abc", " 1", "0x10"] {
        assert_eq!(port(bad), Err(ConfigError::Port { key: "RIVET_PORT", text: bad.to_owned() }));
    }
}

#[test]
fn how_long_a_pool_is_waited_for_is_a_number() {
    let key = "RIVET_SERVERLESS_CONFIGURE_TIMEOUT_MS";
    let deadline = |text: &str| {
        let options = builder(&[(key, text)]).options()?;
        let mut pool = crate::PoolOptions::new("http://a".parse().unwrap(), "http://b");
        options.tune_pool.iter().for_each(|tune| tune(&mut pool));
        Ok::<_, ConfigError>(pool.timings.deadline)
    };
    assert_eq!(deadline("1500"), Ok(Duration::from_millis(1500)));
    assert_eq!(deadline("0"), Ok(Duration::ZERO));
    assert_eq!(deadline(""), Ok(Duration::from_secs(60)));
    assert_eq!(deadline("soon"), Err(ConfigError::Milliseconds { key, text: "soon".to_owned() }));
}

#[test]
fn the_mode_is_one_of_two() {
    let mode =
        |text: Option<&str>| text.map(|text| (MODE[1], text)).into_iter().collect::<Environment>().mode();
    assert_eq!(mode(None), Ok(Mode::Runner));
    assert_eq!(mode(Some("serverless")), Ok(Mode::Serverless));
    for bad in ["", "both"] {
        assert!(matches!(mode(Some(bad)), Err(ConfigError::Mode { .. })));
    }
}

#[test]
fn the_engines_binary_is_found_in_the_environment() {
    let environment = [("RIVET_ENGINE_BINARY_PATH", "/upstream"), ("REHEARSAL_ENGINE_BINARY", "/ours")];
    let binary = |builder: Builder| match builder.options().unwrap().engine {
        EngineChoice::Spawn(spawn) => spawn.binary.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(binary(builder(&environment).spawn(SpawnOptions::default())).to_str(), Some("/ours"));
    assert_eq!(binary(builder(&environment[..1]).spawn(SpawnOptions::default())).to_str(), Some("/upstream"));
    let said = SpawnOptions { binary: Some("/said".into()), ..SpawnOptions::default() };
    assert_eq!(binary(builder(&environment).spawn(said)).to_str(), Some("/said"));
}
