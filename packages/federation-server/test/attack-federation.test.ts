import { serveFederation } from "@isthmus/federation-server";
import { describe, expect, it } from "vitest";
import { createInlineWorkers } from "../src/work/workers.ts";
import { attackFederation } from "./attack-federation.ts";
import { HOSTILE_ACTIONS } from "./hostile-actions.ts";

describe("a federation under attack", () => {
  it("aggregates sound updates alone, bit for bit, and can be started again", {
    timeout: 120_000,
  }, async () => {
    const result = await attackFederation({
      ...{ seed: 7, actions: 160, rounds: 2, restart: 1 },
      async start({ config }) {
        const options = { logLevel: "silent", workers: createInlineWorkers() } as const;
        const { url, close } = await serveFederation(config, options);
        return { url, stop: close };
      },
    });
    expect(result.wrong).toEqual([]);
    expect(result.accepted.honest).toBe(6);
    expect(result.accepted.hostile).toBeGreaterThan(0);
    expect(result.refused).toBeGreaterThan(50);
    expect(Object.keys(result.actions)).toEqual(Object.keys(HOSTILE_ACTIONS).sort());
    expect(result.restarts).toBe(2);
    expect(result.journalBytes).toBeLessThan(500_000);
  });
});
