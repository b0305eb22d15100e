// A client of the application: makes one actor of each kind, prints their ids as one JSON line.
import { createClient } from "rivetkit/client";

const client = createClient({ endpoint: process.env.RIVET_ENDPOINT });
const made = {};
for (const name of ["counter", "sleeper", "reminder"]) made[name] = await client[name].getOrCreate(["made"]).resolve();
console.log(JSON.stringify({ made }));
process.exit(0);
