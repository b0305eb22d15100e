//! The gateway, the runner, its event stream, the durability of the store, an actor's schedules and its queue told as stories
//! (what goes in, what comes out, when), and random walks over them.

mod cron;
mod durability;
mod gateway;
mod gateway_walk;
mod gateway_websocket;
mod gateway_websocket_walk;
mod names;
mod queue;
mod queue_walk;
mod queue_world;
mod runner;
mod runner_end;
mod runner_walk;
mod runner_world;
mod schedule;
mod schedule_walk;
mod schedule_world;
mod story;
mod stream;
mod walk;
