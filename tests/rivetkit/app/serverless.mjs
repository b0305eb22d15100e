// Serverless mode: an HTTP handler that the engine calls. RIVET_ENDPOINT names the engine, PORT is ours.
import { serve } from "@hono/node-server";
import { setup, use } from "./registry.mjs";

const port = Number(process.env.PORT);
const registry = setup({
  use,
  noWelcome: true,
  serverless: { configureRunnerPool: { url: `http://127.0.0.1:${port}/api/rivet` } },
});
serve({ fetch: (request) => registry.handler(request), hostname: "127.0.0.1", port });
// The registry configures its pool when it is first called: what any request, or a platform's health check, does.
await fetch(`http://127.0.0.1:${port}/api/rivet/health`);
