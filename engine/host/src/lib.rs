//! The engine's drivers: API, gateway, runner sockets, outbound streams, store
