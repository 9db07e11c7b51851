import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { layersResult } from "../../test/results.ts";
import { contentPolicy } from "./render-page.ts";
import { renderResultPage } from "./render-result-page.ts";

const hashOf = (text = "") => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

describe("contentPolicy()", () => {
  it("names the digests of style and script, and nothing inline besides", async () => {
    const policy = await contentPolicy({ style: "a{}", script: "é" });
    expect(policy).toBe(
      `default-src 'none'; style-src ${hashOf("a{}")}; script-src ${hashOf("é")}; base-uri 'none'; form-action 'none'`,
    );
  });

  it("fits the page it is in, which has no other style and no handlers", async () => {
    const page = await renderResultPage({ title: "t", result: layersResult() });
    const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    const styles = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text]) => text);
    const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text);
    expect([styles.length, scripts.length]).toEqual([1, 1]);
    expect(policy).toContain(`style-src ${hashOf(styles[0])}; script-src ${hashOf(scripts[0])};`);
    expect(page).not.toMatch(/ style="| on[a-z]+="/);
  });
});
