//! A deterministic world for network services: tasks, clock, network, disk, faults, decisions
