//! The gateway, the runner, its event stream and the durability of the store told as stories (what goes in, what comes out, when), and random walks
//! over them.

mod durability;
mod gateway;
mod gateway_walk;
mod gateway_websocket;
mod gateway_websocket_walk;
mod names;
mod runner;
mod runner_end;
mod runner_walk;
mod runner_world;
mod story;
mod stream;
mod walk;
