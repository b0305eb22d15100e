//! The HTTP server: one listener for API, gateway and runner sockets.
//!
//! [`listener`] accepts, [`connection`] serves one connection, [`router`] tells paths apart. [`api`] turns calls into
//! inputs of the control plane and its answers into JSON, [`gateway`] carries requests to actors, [`connect`] upgrades
//! runners. Every response carries its ray id; every refusal is an [`ApiError`](protocol::error::ApiError).

mod api;
mod body;
mod connect;
mod connection;
mod gateway;
pub(crate) mod listener;
pub(crate) mod openapi;
mod patient;
mod respond;
mod router;
