/// <reference lib="dom" />
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_FLAGS, CHROMIUM, hasBrowser } from "../../../test/helpers/browser.ts";
import { bodyOf, makeFederation, makeUpdate } from "./small-federation.ts";
import { createServing, type ServedSmall } from "./start-server.ts";

const INTRUSION = `<img src=x onerror="document.title='owned'"></script><script>document.title='owned'</script>`;
const BACKGROUND = { light: "rgb(255, 255, 255)", dark: "rgb(23, 27, 31)" } as const;

const serving = createServing();
afterEach(() => serving.close());

let context: BrowserContext;
beforeAll(async () => {
  if (!hasBrowser) return;
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...BROWSER_FLAGS] });
  context = await browser.newContext();
});
afterAll(() => context?.browser()?.close());

/** Lets all clients send their update of a round. */
async function sendRound(federation: ServedSmall, round: number): Promise<void> {
  for (const name of federation.tokens.keys()) await federation.client(name).task();
  for (const name of federation.tokens.keys()) {
    const { network } = await federation.client(name).task(5);
    const body = await makeUpdate(name, round, await federation.client(name).model(network));
    await federation.client(name).upload(body);
    const answer = await federation.client(name).send(round, body, { loss: 2 / round });
    expect(answer.status).toBe(200);
  }
}

async function openPage(federation: ServedSmall): Promise<{ page: Page; faults: string[] }> {
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", ({ message }) => faults.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(federation.server.url) && !request.url().startsWith("data:"))
      faults.push(request.url());
  });
  await page.goto(federation.server.url);
  return { page, faults };
}

describe.runIf(hasBrowser)("the live page", () => {
  it("follows rounds, clients and refused updates as they come, without anything from elsewhere", async () => {
    const federation = await serving.serve({ name: `Digits ${INTRUSION}`, plan: { rounds: 3 } });
    const { page, faults } = await openPage(federation);
    await expect.poll(() => page.textContent("#status")).toBe("waiting for clients");
    expect(await page.textContent("h1")).toBe(`Digits ${INTRUSION}`);
    await sendRound(federation, 1);
    await expect
      .poll(() => page.textContent("#progress"), { timeout: 5000 })
      .toMatch(/^1 of 3 rounds by fedavg, 3 of 3/);
    expect(await page.locator("#clients tbody tr").count()).toBe(3);
    expect(await page.locator("#rounds tbody tr").count()).toBe(1);
    await expect.poll(() => page.textContent("#status")).toBe("collecting updates");
    const bad = bodyOf(Buffer.from("not a network at all"));
    await federation.client("bea").upload(bad);
    expect((await federation.client("bea").send(2, bad)).status).toBe(422);
    await expect
      .poll(() => page.textContent("#refused tbody"), { timeout: 5000 })
      .toMatch(/bea2the bytes are not safetensors/);
    await sendRound(federation, 2);
    await expect.poll(() => page.locator("#rounds tbody tr").count(), { timeout: 5000 }).toBe(2);
    expect(await page.locator("#curves svg polyline").count()).toBe(1);
    expect(await page.textContent("#curves figcaption")).toBe(
      "Loss that clients found before their work: 1.0000 after round 2",
    );
    await sendRound(federation, 3);
    await expect.poll(() => page.textContent("#status"), { timeout: 5000 }).toBe("finished");
    expect(await page.locator("#clients tbody td:nth-child(2)").allTextContents()).toEqual([
      "done",
      "done",
      "done",
    ]);
    expect(await page.title()).not.toBe("owned");
    expect(faults).toEqual([]);
    await page.close();
  });

  it("shows what there is before an event comes, whatever the name has in it", async () => {
    const federation = await serving.serve({ name: `Digits ${INTRUSION}` });
    await federation.client("ada").task();
    const page = await context.newPage();
    await page.addInitScript(() => Object.assign(window, { EventSource: class {} }));
    await page.goto(federation.server.url);
    expect(await page.textContent("#status")).toBe("waiting for clients");
    expect(await page.textContent("#clients tbody")).toMatch(/^ada/);
    expect(await page.title()).not.toBe("owned");
    await page.close();
  });

  it("says which rounds failed, and why", async () => {
    const small = await makeFederation({ plan: { rounds: 3 } });
    const strategy = { server: { name: "momentum", learningRate: 1e41 } };
    const federation = await serving.reopen({ ...small, config: { ...small.config, strategy } });
    await sendRound(federation, 1);
    const { page, faults } = await openPage(federation);
    await expect
      .poll(() => page.textContent("#warning"))
      .toMatch(/^Round 1 failed: Cannot aggregate .*too large/);
    expect(await page.isVisible("#warning")).toBe(true);
    expect(await page.textContent("#rounds tbody")).toContain("failed: the one before stays");
    expect(faults).toEqual([]);
    await page.close();
    await serving.close();
    small.remove();
  });

  it.each([
    ["light", 1200],
    ["dark", 1200],
    ["light", 390],
    ["dark", 390],
  ] as const)("fits a %s screen of %i pixels", async (scheme, width) => {
    const federation = await serving.serve({ plan: { rounds: 2 } });
    await sendRound(federation, 1);
    const { page } = await openPage(federation);
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await expect.poll(() => page.locator("#rounds tbody tr").count(), { timeout: 5000 }).toBe(1);
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      BACKGROUND[scheme],
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const rounds = page.locator("#rounds").locator("..");
    if (width > 1000) expect(await rounds.evaluate((box) => box.scrollWidth <= box.clientWidth)).toBe(true);
    await page.close();
  });

  it("says that the server is away, and goes on when it is back", async () => {
    const federation = await serving.serve();
    const { page } = await openPage(federation);
    await expect.poll(() => page.textContent("#status")).toBe("waiting for clients");
    const port = Number(new URL(federation.server.url).port);
    await federation.server.close();
    await expect.poll(() => page.isVisible("#lost"), { timeout: 10_000 }).toBe(true);
    const again = await serving.reopen({ ...federation, config: { ...federation.config, port } });
    await again.client("ada").task();
    await expect.poll(() => page.locator("#clients tbody tr").count(), { timeout: 20_000 }).toBe(1);
    expect(await page.isVisible("#lost")).toBe(false);
    await page.close();
  });
});
