import { describe, expect, it } from "vitest";
import { runKilled } from "./kill-server.ts";

describe("a server that is killed", () => {
  it("ends with the same bytes as one that is not", { timeout: 120_000 }, async () => {
    const options = { plan: { rounds: 5 } };
    const whole = await runKilled(options, { seed: 1, kills: 0, most: 0 });
    // Lives are far shorter than a round takes, so that the server is killed on fast machines, too.
    const killed = await runKilled(options, { seed: 1, kills: 3, most: 250 });
    expect(killed.kills).toBeGreaterThan(0);
    expect(killed.network).toBe(whole.network);
    expect(killed.updates).toEqual([3, 3, 3, 3, 3]);
  });
});
