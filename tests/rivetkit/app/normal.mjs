// Normal mode: a process that connects to the engine by itself. RIVET_ENDPOINT names the engine.
import { setup, use } from "./registry.mjs";

const registry = setup({ use, noWelcome: true });
registry.startRunner();
