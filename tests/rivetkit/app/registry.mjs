// The application: what a RivetKit user writes, nothing of ours.
import { actor, setup } from "rivetkit";

const counter = actor({
  state: { count: 0 },
  actions: {
    increment: async (c, by) => {
      c.state.count += by;
      await c.saveState({ immediate: true });
      return c.state.count;
    },
    value: (c) => c.state.count,
  },
});

// Asleep as soon as nobody has asked for a moment.
const sleeper = actor({
  state: { visits: 0 },
  options: { sleepTimeout: 300 },
  actions: { visit: (c) => ++c.state.visits },
});

// Rings when it is due, also if it sleeps until then.
const reminder = actor({
  state: { rung: [] },
  options: { sleepTimeout: 300 },
  actions: {
    remind: async (c, ms) => {
      const due = Date.now() + ms;
      await c.schedule.at(due, "ring", due);
      return due;
    },
    ring: (c, due) => {
      c.state.rung.push({ due, at: Date.now() });
    },
    rung: (c) => c.state.rung,
  },
});

export const use = { counter, sleeper, reminder };
export { setup };
