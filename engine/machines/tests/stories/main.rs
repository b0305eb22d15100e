//! The gateway, the runner and its event stream told as stories (what goes in, what comes out, when), and random walks
//! over them.

mod gateway;
mod gateway_walk;
mod names;
mod runner;
mod runner_end;
mod runner_walk;
mod runner_world;
mod story;
mod stream;
mod walk;
