import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readHubSettings, takesToken } from "./hub-settings.ts";

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "isthmus-token-"));
  await writeFile(join(home, "token"), "hf_of-home\n");
  await writeFile(join(home, "other"), "hf_of-path\n");
});
afterAll(() => rm(home, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe("readHubSettings()", () => {
  it("finds the token in HF_TOKEN, else in the file of HF_TOKEN_PATH, else in HF_HOME", async () => {
    vi.stubEnv("HF_HOME", home);
    const path = join(home, "other");
    const tokenOf = async (env: Record<string, string>) => (await readHubSettings(env)).token;
    expect(await tokenOf({ HF_TOKEN: " hf_of-env ", HF_TOKEN_PATH: path })).toBe("hf_of-env");
    expect(await tokenOf({ HF_TOKEN: "", HF_TOKEN_PATH: path })).toBe("hf_of-path");
    expect(await tokenOf({})).toBe("hf_of-home");
    expect(await tokenOf({ HF_TOKEN_PATH: join(home, "none") })).toBeUndefined();
  });

  it("refuses what cannot be a token or an address, and shows neither", async () => {
    for (const secret of ["hf_a b", "hf_\u00e9", "hf_a\nx: y", "x".repeat(20_000)])
      await expect(readHubSettings({ HF_TOKEN: secret })).rejects.toThrow(
        /^Cannot use the token in HF_TOKEN as it must be one word of printable ASCII characters: it has others/,
      );
    for (const address of [
      "hub",
      "ftp://hub.example",
      "https://me:secret@hub.example",
      "https://hub.example?a",
    ])
      await expect(readHubSettings({ HF_ENDPOINT: address })).rejects.toThrow(
        /^Cannot use the address in HF_ENDPOINT as it must be one such as https:\/\/huggingface\.co, without/,
      );
  });

  it("honours HF_ENDPOINT and HF_HUB_OFFLINE", async () => {
    const env = { HF_ENDPOINT: "https://hub.example/mirror/", HF_HUB_OFFLINE: "yes" };
    expect(await readHubSettings(env)).toMatchObject({
      endpoint: "https://hub.example/mirror",
      isOffline: true,
    });
    const usual = { endpoint: "https://huggingface.co", isOffline: false };
    expect(await readHubSettings({ HF_HUB_OFFLINE: "0" })).toMatchObject(usual);
  });
});

describe("takesToken()", () => {
  it("gives the token to the endpoint over https, or on this machine, and to nobody else", () => {
    const takes = (endpoint: string, url: string) => takesToken(endpoint, new URL(url));
    expect(takes("https://hub.example", "https://hub.example/api")).toBe(true);
    expect(takes("http://127.0.0.1:80", "http://127.0.0.1/api")).toBe(true);
    for (const [endpoint, url] of [
      ["https://hub.example", "https://cdn.hub.example/x"],
      ["https://hub.example", "https://hub.example:8443/x"],
      ["https://hub.example", "http://hub.example/x"],
      ["https://hub.example", "https://hub.example.evil.example/x"],
      ["http://hub.example", "http://hub.example/x"],
      ["http://127.0.0.1:80", "http://127.0.0.1:81/x"],
      ["http://127.evil.example", "http://127.evil.example/x"],
    ] as const)
      expect(takes(endpoint, url), url).toBe(false);
  });
});
