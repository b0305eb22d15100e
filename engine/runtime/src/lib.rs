//! One small API for tasks, time, TCP, names, disk, entropy and signals, over tokio or over a world
