//! Which actors are meant, before one is: by name, with what one is made of if it is not there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use machines::client::call::Options;
use machines::client::resolution::Resolution;
use protocol::api::{CrashPolicy, CreateActor};

use super::resolver::Address;
use super::{Client, ClientError, Handle};

/// The actors of one name. Cheap; asks nobody by itself.
#[derive(Clone, Debug)]
pub struct Actors {
    client: Client,
    name: String,
    pool: String,
    crash_policy: CrashPolicy,
    input: Option<Vec<u8>>,
}

impl Client {
    /// The actors of this name: as the application that hosts them has registered their kind.
    #[must_use]
    pub fn actors(&self, name: impl Into<String>) -> Actors {
        Actors {
            client: self.clone(),
            name: name.into(),
            pool: "default".to_owned(),
            crash_policy: CrashPolicy::Sleep,
            input: None,
        }
    }
}

impl Actors {
    /// The same; one that is made is hosted by this pool. Default `default`.
    #[must_use]
    pub fn in_pool(mut self, pool: impl Into<String>) -> Self {
        self.pool = pool.into();
        self
    }

    /// The same; this becomes of one that is made when its generation ends by a failure. Default
    /// [`CrashPolicy::Sleep`], unlike the API's (RivetKit's client).
    #[must_use]
    pub const fn on_crash(mut self, policy: CrashPolicy) -> Self {
        self.crash_policy = policy;
        self
    }

    /// The same; one that is made is given this ([`Context::input`](crate::Context::input)), at most 4 MiB.
    #[must_use]
    pub fn with_input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// The actor with this key, which must be there.
    #[must_use]
    pub fn get(&self, key: impl Into<String>) -> Handle {
        let address = Address::Get { name: self.name.clone(), key: key.into() };
        self.handle(address, Options::MOVES_OF_GET)
    }

    /// The actor with this key, made when it is first needed and not there; again if it was destroyed meanwhile.
    #[must_use]
    pub fn get_or_create(&self, key: impl Into<String>) -> Handle {
        let address = Address::GetOrCreate(Box::new(self.body(Some(key.into()))));
        self.handle(address, Options::MOVES_OF_GET_OR_CREATE)
    }

    /// Makes an actor, with a key or without. Not repeated.
    ///
    /// # Errors
    /// [`ClientError`]; `actor.duplicate_key` if another one has the key.
    pub async fn create(&self, key: Option<&str>) -> Result<Handle, ClientError> {
        let actor = self.client.create(&self.body(key.map(str::to_owned))).await?;
        Ok(self.client.by_id(actor.actor_id))
    }

    fn handle(&self, address: Address, moves_max: u32) -> Handle {
        Handle::new(self.client.clone(), address, Resolution::new(), moves_max)
    }

    fn body(&self, key: Option<String>) -> CreateActor {
        CreateActor {
            datacenter: None,
            name: self.name.clone(),
            key,
            input: self.input.as_ref().map(|input| STANDARD.encode(input)),
            runner_name_selector: self.pool.clone(),
            crash_policy: self.crash_policy,
        }
    }
}
