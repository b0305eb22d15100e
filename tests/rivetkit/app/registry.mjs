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

export const use = { counter };
export { setup };
