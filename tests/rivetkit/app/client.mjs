// A client of the application: increments a counter N times, prints what it heard as one JSON line.
import { createClient } from "rivetkit/client";

const [key, count] = [process.argv[2], Number(process.argv[3])];
const client = createClient({ endpoint: process.env.RIVET_ENDPOINT });
const handle = client.counter.getOrCreate([key]);
const heard = [];
for (let i = 0; i < count; i++) heard.push(await handle.increment(1));
const value = await handle.value();
console.log(JSON.stringify({ heard, value }));
process.exit(0);
