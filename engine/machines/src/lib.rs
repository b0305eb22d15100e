//! Every decision of the platform, as pure state machines: control, gateway, runner
