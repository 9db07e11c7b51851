import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { serveFederation } from "@isthmus/federation-server";
import { joinFederation, openClientData } from "@isthmus/federation-server/client";
import { afterEach, describe, expect, it } from "vitest";
import { makeSelfSigned, type SelfSigned } from "../../../test/helpers/self-signed.ts";
import { createInlineWorkers } from "../src/work/workers.ts";
import { makeFederation, type SmallFederation } from "./small-federation.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Makes a federation whose server has a key and a certificate. */
async function makeSecure(pair: SelfSigned): Promise<SmallFederation> {
  const small = await makeFederation();
  closers.push(small.remove);
  const tls = { key: join(small.folder, "key.pem"), cert: join(small.folder, "cert.pem") };
  writeFileSync(tls.key, pair.key);
  writeFileSync(tls.cert, pair.cert);
  return { ...small, config: { ...small.config, tls } };
}

/** Serves a federation and returns its address, and the lines of its log. */
async function serve({ config }: SmallFederation, host = "127.0.0.1") {
  const lines: string[] = [];
  const server = await serveFederation(
    { ...config, host },
    { onLog: (line) => lines.push(line), workers: createInlineWorkers() },
  );
  closers.push(server.close);
  return { url: server.url, lines };
}

/** Asks for a path by HTTPS, and reads the answer as JSON. */
async function get(url: string, options: { readonly ca?: string; readonly token?: string | undefined }) {
  const { ca, token } = options;
  const sent = request(url, { ...(ca && { ca }), ...(token && { auth: `x:${token}` }) });
  sent.end();
  const [answer] = (await once(sent, "response")) as [AsyncIterable<Buffer> & { statusCode: number }];
  let text = "";
  for await (const bytes of answer) text += bytes;
  return { status: answer.statusCode, body: JSON.parse(text) as object };
}

describe("serveFederation() with a certificate", () => {
  it("answers whoever trusts it, over TLS alone", async () => {
    const pair = makeSelfSigned();
    const federation = await makeSecure(pair);
    const { url, lines } = await serve(federation);
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const token = federation.tokens.get("ada");
    expect(await get(`${url}/health`, { ca: pair.cert })).toMatchObject({ status: 200 });
    expect(await get(`${url}/v1/rounds/current`, { ca: pair.cert, token })).toMatchObject({
      status: 200,
      body: { task: "wait" },
    });
    const { port } = new URL(url);
    expect(await get(`https://localhost:${port}/health`, { ca: pair.cert })).toMatchObject({ status: 200 });
    const other = makeSelfSigned().cert;
    await expect(get(`${url}/health`, { ca: other })).rejects.toThrow(/self-signed certificate/);
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
    expect(lines.join("")).not.toContain("set tls");
  });

  it("is asked for by a client that names https, if it has no certificate, at once", async () => {
    const federation = await makeFederation();
    closers.push(federation.remove);
    const { url } = await serve(federation);
    const joined = joinFederation(url.replace("http:", "https:"), {
      token: federation.tokens.get("ada") as string,
      data: await openClientData("mnist:test@10"),
      engine: createOnnxRuntimeEngine(),
      folder: join(federation.folder, "ada"),
    });
    await expect(joined).rejects.toThrow(/this server speaks http; join http:\/\/127/);
  });

  it("tells a client at once, and not after its patience, that it does not trust the certificate", async () => {
    const federation = await makeSecure(makeSelfSigned());
    const { url } = await serve(federation);
    const joined = joinFederation(url, {
      token: federation.tokens.get("ada") as string,
      data: await openClientData("mnist:test@10"),
      engine: createOnnxRuntimeEngine(),
      folder: join(federation.folder, "ada"),
    });
    await expect(joined).rejects.toThrow(
      /must be trusted here: self-signed certificate.*NODE_EXTRA_CA_CERTS=/,
    );
  });

  it("refuses a key and a certificate that do not fit, and what is neither", async () => {
    const [one, other] = [makeSelfSigned(), makeSelfSigned()];
    for (const pair of [
      { key: one.key, cert: other.cert },
      { key: "no key", cert: one.cert },
    ]) {
      const federation = await makeSecure(pair);
      await expect(serve(federation)).rejects.toThrow(
        expect.objectContaining({ name: "InputError", message: expect.stringContaining("both in PEM") }),
      );
    }
  });
});

describe("serveFederation() without a certificate", () => {
  it.each([
    ["127.0.0.1", 0],
    ["0.0.0.0", 1],
  ])("at %s warns %d times that others can read what is sent", async (host, times) => {
    const federation = await makeFederation();
    closers.push(federation.remove);
    const { lines } = await serve(federation, host);
    const warnings = lines.filter((line) => /set tls/.test(line));
    expect(warnings.map((line) => (JSON.parse(line) as { level: number }).level)).toEqual(
      Array(times).fill(40),
    );
  });
});
