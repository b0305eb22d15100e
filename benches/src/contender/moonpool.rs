//! moonpool-sim.

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use moonpool_sim::executor::{Executor, spawn, until_stalled};
use moonpool_sim::{
    NetworkConfiguration, NetworkProvider, SimNetworkProvider, SimTimeProvider, SimWorld, TcpListenerTrait,
    TimeProvider,
};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

use super::Contender;

/// Where the server listens.
const ADDRESS: &str = "10.0.0.1:7";

struct Providers {
    network: SimNetworkProvider,
    time: SimTimeProvider,
    listening: bool,
}

thread_local! {
    static PROVIDERS: RefCell<Option<Providers>> = const { RefCell::new(None) };
}

fn with<R>(f: impl FnOnce(&mut Providers) -> R) -> R {
    PROVIDERS.with(|place| f(place.borrow_mut().as_mut().expect("inside a run")))
}

/// moonpool-sim without faults, with its quick local latencies.
#[derive(Debug)]
pub enum Moonpool {}

impl Contender for Moonpool {
    const NAME: &'static str = "moonpool";
    type Stream = Compat<<SimNetworkProvider as NetworkProvider>::TcpStream>;

    fn run<F: Future<Output = ()> + Send + 'static>(workload: fn() -> F) {
        moonpool_sim::reset_sim_rng();
        moonpool_sim::set_sim_seed(1);
        Executor::new(1).block_on(async move {
            let mut sim = SimWorld::new_with_network_config_and_seed(NetworkConfiguration::fast_local(), 1);
            let (network, time) = (sim.network_provider(), sim.time_provider());
            PROVIDERS.with(|place| *place.borrow_mut() = Some(Providers { network, time, listening: false }));
            let workload = spawn("workload", workload());
            loop {
                until_stalled().await;
                if workload.is_finished() {
                    break;
                }
                sim.step();
            }
            PROVIDERS.with(|place| *place.borrow_mut() = None);
        });
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(spawn("bench", task));
    }

    async fn sleep(duration: Duration) {
        let time = with(|providers| providers.time.clone());
        time.sleep(duration).await.expect("the world goes on");
    }

    async fn connect<F>(serve: fn(Self::Stream) -> F) -> Self::Stream
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (network, listening) =
            with(|providers| (providers.network.clone(), std::mem::replace(&mut providers.listening, true)));
        if !listening {
            let listener = network.bind(ADDRESS).await.expect("a free address");
            drop(spawn("server", async move {
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    drop(spawn("serve", serve(stream.compat())));
                }
            }));
        }
        network.connect(ADDRESS).await.expect("accepted").compat()
    }
}
